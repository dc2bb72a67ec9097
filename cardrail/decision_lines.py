"""A decision as a line of the log, by either format.

There is one for each answer, and the thread that writes them shares the interpreter with the event
loop: a line takes a few microseconds, because its text is put together from the record's fields and
not from a general event.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from gateway.records import DecisionRecord

_NAMES = tuple(name for name in DecisionRecord.__struct_fields__ if name != "at")
_astuple = msgspec.structs.astuple


def key_value_line(record: DecisionRecord) -> str:
    """``timestamp=... level=info event=decision network=visanet ...``; what is blank is left out.

    What is not plain is quoted as in JSON, so that no value can end the line.
    """
    at, *values = _astuple(record)
    told = [
        f"{name}={value}" if type(value) is not str else f"{name}={quoted(value)}"
        for name, value in zip(_NAMES, values, strict=True)
        if value is not None and value != ""
    ]
    return f"timestamp={_timestamp(at)} level=info event=decision {' '.join(told)}"


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
    if text.isascii() and (text.isalnum() or (text and not _NOT_PLAIN.intersection(text))):
        return text
    return msgspec.json.encode(text).decode()


_PLAIN_MARKS = "_.,:;/+*()-"
_NOT_PLAIN = frozenset(
    each for each in map(chr, range(128)) if not each.isalnum() and each not in _PLAIN_MARKS
)


def _timestamp(at: int) -> str:
    """Microseconds since the epoch as ISO 8601."""
    seconds, microseconds = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{microseconds:06d}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
