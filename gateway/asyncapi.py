"""The AsyncAPI 3 document of what is published, from the tables that publish it.

docs/asyncapi.json is what `cardrail asyncapi` prints; a test holds it so, and events to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from gateway.cloud_events import CONTENT_TYPE, CloudEvent, topic_of, type_name
from gateway.event_types import EVENT_TYPES, EventType

Json: TypeAlias = dict[str, Any]

_SHARD = "{shard}"
_QOS = {"mqtt": {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}}


def document(version: str, prefix: str = "cardrail") -> Json:
    """The document of this `version` of the program, for topics that begin with `prefix`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cardrail events",
            "version": version,
            "description": "What has happened to holds and money, as CloudEvents over MQTT: at "
            "least once, an account's events in their order, duplicates by `source` and `id`.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {"host": "127.0.0.1:1883", "protocol": "mqtt", "protocolVersion": "3.1.1"}
        },
        "channels": {
            name: {
                "address": topic_of(f"{prefix}/{_SHARD}", name),
                "summary": each.says,
                "parameters": {"shard": {"description": "The shard of the account, from 0."}},
                "messages": {"event": _reference("messages", name)},
            }
            for name, each in EVENT_TYPES.items()
        },
        "operations": {
            f"publish.{name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/event"}],
                "bindings": _QOS,
            }
            for name in EVENT_TYPES
        },
        "components": {
            "messages": {name: _message(name, each) for name, each in EVENT_TYPES.items()},
            "schemas": _schemas(),
        },
    }


def _message(name: str, of: EventType) -> Json:
    return {
        "name": type_name(name),
        "summary": f"{of.says} Its `subject` is the id of the {of.subject}.",
        "contentType": CONTENT_TYPE,
        "payload": {
            "allOf": [
                _reference("schemas", CloudEvent.__name__),
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": type_name(name)},
                        "data": _reference("schemas", of.data.__name__),
                    },
                },
            ]
        },
    }


def _schemas() -> Mapping[str, Any]:
    kinds = {each.data for each in EVENT_TYPES.values()}
    _, schemas = msgspec.json.schema_components(
        [CloudEvent, *sorted(kinds, key=lambda kind: kind.__name__)],
        ref_template="#/components/schemas/{name}",
    )
    return schemas


def _reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}
