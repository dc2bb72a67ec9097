"""Messages as they may be kept: each byte annotated, and masked before anything is stored.

The masking is that of `networks.wire.describe`, which hides what it does not understand.
"""

from __future__ import annotations

import msgspec

from gateway.control_messages import Exchanged
from gateway.records import DecisionRecord
from networks.wire.describe import Row, describe_frame
from networks.wire.dialects import DIALECTS


class Line(msgspec.Struct, frozen=True, gc=False):
    """One element or part of one: `depth` 1 and more is a part of what stands above it."""

    offset: int
    depth: int
    field: str
    name: str
    raw: str
    value: str
    note: str


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One masked frame, in the order of its bytes, and what is wrong with it."""

    lines: tuple[Line, ...] = ()
    problems: tuple[str, ...] = ()


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request and its answer; `response` has no lines if there was none."""

    record: DecisionRecord
    request: Frame
    response: Frame


def annotate(exchanged: Exchanged) -> Exchange:
    """What of an exchange may be kept and shown."""
    record = exchanged.record
    return Exchange(
        record,
        annotate_frame(record.network, exchanged.request),
        annotate_frame(record.network, exchanged.response),
    )


def annotate_frame(network: str, frame: bytes) -> Frame:
    """`frame`, masked; nothing for no bytes."""
    if not frame:
        return Frame()
    found = describe_frame(DIALECTS[network], frame)
    lines: list[Line] = []
    for row in found.rows:
        _add(lines, row, 0)
    return Frame(tuple(lines), tuple(map(str, found.problems)))


def _add(lines: list[Line], row: Row, depth: int) -> None:
    """The parts repeat what a composite element holds: it keeps only its raw bytes."""
    value = "" if row.parts else row.value
    lines.append(Line(row.offset, depth, row.field, row.name, row.raw, value, row.note))
    for part in row.parts:
        _add(lines, part, depth + 1)
