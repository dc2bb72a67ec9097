"""A decision as a line of the log, by either format.

There is one for each answer, and the thread that writes them shares the interpreter with the event
loop: a line takes a few microseconds, because its text is put together from the record's fields and
not from a general event.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby

import msgspec

from gateway.records import DecisionRecord
from networks.wire.generated import make_function

_NAMES = tuple(name for name in DecisionRecord.__struct_fields__ if name != "at")
_astuple = msgspec.structs.astuple


def key_value_line(record: DecisionRecord) -> str:
    """``timestamp=... level=info event=decision network=visanet ...``; what is blank is left out.

    What is not plain is quoted as in JSON, so that no value can end the line.
    """
    return f"timestamp={_timestamp(record.at)} level=info event=decision{_told(record)}"


def json_line(record: DecisionRecord) -> str:
    """The same as a JSON object."""
    at, *values = _astuple(record)
    told = {
        name: value
        for name, value in zip(_NAMES, values, strict=True)
        if value is not None and value != ""
    }
    first = {"timestamp": _timestamp(at), "level": "info", "event": "decision"}
    return msgspec.json.encode(first | told).decode()


def quoted(text: str) -> str:
    """`text` as it is if it is plain, else as a JSON string."""
    if _is_plain(text):
        return text
    return msgspec.json.encode(text).decode()


_is_plain = re.compile(r"[0-9A-Za-z_.,:;/+*()-]+").fullmatch


_NEVER_BLANK = frozenset({int, float, bool})


def _unless_blank(field: msgspec.structs.FieldInfo) -> list[str]:
    """Lines for a text or a number that may be ``None``."""
    name = field.name
    if field.type is not str:
        return [f"if record.{name} is not None: told += f' {name}={{record.{name}}}'"]
    return [
        f"text = record.{name}",
        f"if text.isalnum() and text.isascii(): told += f' {name}={{text}}'",
        f"elif text: told += f' {name}={{quoted(text)}}'",
    ]


def _make_told() -> Callable[[DecisionRecord], str]:
    """Straight code from the fields of a record, `at` apart, to ``name=value`` of each."""
    body = ["told = ''"]
    fields = [each for each in msgspec.structs.fields(DecisionRecord) if each.name != "at"]
    for is_always_there, group in groupby(fields, key=lambda field: field.type in _NEVER_BLANK):
        if is_always_there:
            values = "".join(f" {field.name}={{record.{field.name}}}" for field in group)
            body.append(f"told += f'{values}'")
        else:
            body += [line for field in group for line in _unless_blank(field)]
    told: Callable[[DecisionRecord], str] = make_function(
        "told", "record", [*body, "return told"], {"quoted": quoted}
    )
    return told


_told = _make_told()


def _timestamp(at: int) -> str:
    """Microseconds since the epoch as ISO 8601."""
    seconds, microseconds = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{microseconds:06d}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
