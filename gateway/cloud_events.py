"""Events as subscribers get them: CloudEvents 1.0 as JSON, in MQTT's structured mode.

Topics are ``<prefix>/<shard>/<about>/<what>``, so that a filter chooses by any of them:
``cardrail/+/authorization/#``, ``cardrail/0/#``. An account's events are all of one shard.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.event_types import Id
from ledger.events import Event

CONTENT_TYPE = "application/cloudevents+json"
_TYPE_PREFIX = "cardrail."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What is published of every event, whatever its data."""

    specversion: Literal["1.0"]
    id: Annotated[Id, Meta(description="Unique; an account's later events have greater ones.")]
    source: Annotated[
        str,
        Meta(
            description="The topic's prefix and the account's shard.",
            extra_json_schema={"format": "uri-reference"},
        ),
    ]
    type: str
    subject: Annotated[Id, Meta(description="What the event is about.")]
    time: Annotated[datetime, Meta(tz=True)]
    datacontenttype: Literal["application/json"]
    partitionkey: Annotated[Id, Meta(description="The account: its events come in order.")]
    data: Mapping[str, str | int | bool]


class Message(msgspec.Struct, frozen=True, gc=False):
    """What is published, and where."""

    topic: str
    payload: bytes


class CloudEvents:
    """Makes messages of one shard's events; `prefix` begins every topic."""

    def __init__(self, prefix: str, shard: int) -> None:
        self._source = f"{prefix}/{shard}"
        self._encode = msgspec.json.Encoder().encode

    def message(self, event: Event) -> Message:
        """What is published of `event`."""
        told = CloudEvent(
            specversion="1.0",
            id=str(event.event_id),
            source=f"/{self._source}",
            type=type_name(event.type),
            subject=str(event.subject_id),
            time=_EPOCH + timedelta(microseconds=event.at),
            datacontenttype="application/json",
            partitionkey=str(event.account_id),
            data=_published(event.data),
        )
        return Message(topic_of(self._source, event.type), self._encode(told))


_decoder = msgspec.json.Decoder(CloudEvent)


def decode_cloud_event(payload: bytes) -> CloudEvent:
    """A message's payload.

    Raises
    ------
    msgspec.DecodeError
        If it is no event of ours.
    """
    return _decoder.decode(payload)


def topic_of(beginning: str, event_type: str) -> str:
    """Where events of a type go; `beginning` is prefix and shard."""
    return f"{beginning}/{event_type.replace('.', '/')}"


def type_name(event_type: str) -> str:
    """The CloudEvents type of one of `EVENT_TYPES`."""
    return _TYPE_PREFIX + event_type


def _published(data: Mapping[str, str | int | bool]) -> dict[str, str | int | bool]:
    """Identifiers as strings, and those that there are not left out."""
    return {
        name: str(value) if name.endswith("_id") else value
        for name, value in data.items()
        if value or not name.endswith("_id")
    }
