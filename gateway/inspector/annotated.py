"""Messages as they may be kept, masked before anything is stored, and as they are shown.

What is kept of a sound frame is the frame itself with its secrets overwritten, which is quick; each
of its bytes is annotated when somebody reads it. Any other is annotated at once, for describing
hides what it does not understand.
"""

from __future__ import annotations

import msgspec

from gateway.control_messages import Exchanged
from gateway.records import DecisionRecord
from networks.wire.covering import cover_frame
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


class Covered(msgspec.Struct, frozen=True, gc=False):
    """One request and its answer as kept: frames without secrets, or what could be told."""

    record: DecisionRecord
    request: bytes | Frame
    response: bytes | Frame


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request and its answer; `response` has no lines if there was none."""

    record: DecisionRecord
    request: Frame
    response: Frame


def cover(exchanged: Exchanged) -> Covered:
    """What of an exchange may be kept."""
    record = exchanged.record
    network = record.network
    return Covered(record, _cover(network, exchanged.request), _cover(network, exchanged.response))


def annotate(covered: Covered) -> Exchange:
    """What was kept, as it is shown."""
    network = covered.record.network
    return Exchange(
        covered.record, _shown(network, covered.request), _shown(network, covered.response)
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


def _cover(network: str, frame: bytes) -> bytes | Frame:
    covered = cover_frame(DIALECTS[network], frame) if frame else frame
    return annotate_frame(network, frame) if covered is None else covered


def _shown(network: str, kept: bytes | Frame) -> Frame:
    return annotate_frame(network, kept) if isinstance(kept, bytes) else kept


def _add(lines: list[Line], row: Row, depth: int) -> None:
    """The parts repeat what a composite element holds: it keeps only its raw bytes."""
    value = "" if row.parts else row.value
    lines.append(Line(row.offset, depth, row.field, row.name, row.raw, value, row.note))
    for part in row.parts:
        _add(lines, part, depth + 1)
