"""A frame or a message for a person to read: every byte annotated, what is sensitive masked.

Broken bytes are described as far as they go, with a :class:`Problem` for each thing that is
wrong. What could not be understood is hidden, for it may be anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from networks.wire.describe_element import Placed, Problem, Reading, Row, view_element
from networks.wire.dialect import Dialect
from networks.wire.errors import DecodeError, HeaderError
from networks.wire.spec import Element, Encoding, Length
from networks.wire.subfields import SubfieldValue

__all__ = ["FRAME_FLAGS", "Description", "Problem", "Row", "describe_frame", "describe_message"]

FRAME_FLAGS = "frame_flags"  # what a prefix says besides the length, among the header fields

_HEAD_BYTES = {
    Length.FIXED: 0,
    Length.BINARY_DIGITS: 1,
    Length.BINARY_BYTES: 1,
    Length.BINARY_BYTES_2: 2,
    Length.ASCII_2: 2,
    Length.ASCII_3: 3,
}
_BITMAPS = ("p", "1")
_READABLE = ("H3", "H4")  # header fields that, broken, leave no doubt where the message begins


@dataclass(slots=True)
class Description:
    """What was found, in the order of the bytes.

    `header`, `fields` and `subfields` are the same by name, in the form of the golden vectors;
    `problems` is empty exactly when everything decodes.
    """

    clear: bool
    is_keep_alive: bool = False
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    header: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    subfields: dict[str, SubfieldValue] = field(default_factory=dict)

    def refuse(self, name: str, offset: int, rest: bytes, expected: str) -> None:
        """Note what is wrong at `offset`, and that `rest` was not understood because of it."""
        self.problems.append(Problem(name, offset, expected))
        self.leave(name, offset, rest)

    def leave(self, name: str, offset: int, rest: bytes) -> None:
        """Add the row of what was not understood, if there is anything."""
        if rest:
            raw = rest.hex().upper() if self.clear else ""
            self.rows.append(Row(offset, name, "Not decoded", raw, f"{len(rest)} bytes"))


def describe_frame(dialect: Dialect, frame: bytes, *, clear: bool = False) -> Description:
    """Describe `frame`: length prefix, header, message."""
    found = Description(clear)
    width = dialect.framing.prefix_bytes
    if len(frame) < width:
        found.refuse("prefix", 0, frame, f"expected {width} bytes")
        return found
    announced = int.from_bytes(frame[: dialect.framing.length_bytes], "big")
    flags = frame[dialect.framing.length_bytes : width]
    payload, rest = frame[width : width + announced], frame[width + announced :]
    found.is_keep_alive = announced == 0
    notes = ["keep-alive"] if found.is_keep_alive else []
    if any(flags):
        found.header[FRAME_FLAGS] = flags.hex().upper()
        notes.append(f"flags {found.header[FRAME_FLAGS]}")
    raw = frame[:width].hex().upper()
    found.rows.append(Row(0, "prefix", "Length", raw, str(announced), ", ".join(notes)))
    if announced > dialect.framing.longest:
        expected = f"expected at most {dialect.framing.longest} bytes"
        found.problems.append(Problem("prefix", 0, expected))
    if announced > len(payload):
        expected = f"{announced} bytes expected, {len(payload)} left"
        found.problems.append(Problem("prefix", 0, expected))
    if payload:
        _describe_payload(found, dialect, payload, width)
    if rest:
        found.refuse("frame", width + announced, rest, "expected the end of the frame")
    return found


def describe_message(dialect: Dialect, message: bytes, *, clear: bool = False) -> Description:
    """Describe `message`: MTI, bitmaps and data elements, with no prefix and no header."""
    found = Description(clear)
    _describe_elements(found, dialect, message, 0)
    return found


def _describe_payload(found: Description, dialect: Dialect, payload: bytes, offset: int) -> None:
    try:
        header, message = dialect.header.split(payload)
    except HeaderError as error:
        expected = f"expected {error.expected}"
        # Of a frame that is cut or too long, H4 says nothing new.
        if error.field != "H4" or not found.problems:
            found.problems.append(Problem(error.field, offset + error.position, expected))
        if error.field not in _READABLE:
            found.leave(error.field, offset, payload)
            return
        extent = dialect.header.extent(payload)
        header, message = payload[:extent], payload[extent:]
    _describe_header(found, dialect, header, offset)
    _describe_elements(found, dialect, message, offset + len(header))


def _describe_header(found: Description, dialect: Dialect, header: bytes, offset: int) -> None:
    fields = dialect.header.describe(header)
    found.header |= fields
    is_text = sum(map(len, fields.values())) == len(header)
    at, number = 0, 0
    for name, text in fields.items():
        width = len(text) if is_text else len(text) // 2
        number = 1 if name == "original_header_length" else number + 1
        raw = header[at : at + width].hex().upper()
        title = name.replace("_", " ").capitalize()
        found.rows.append(Row(offset + at, f"H{number}", title, raw, text))
        at += width


def _describe_elements(found: Description, dialect: Dialect, message: bytes, base: int) -> None:
    error: DecodeError | None = None
    try:
        fields = dialect.codec.decode(message)
    except DecodeError as raised:
        error, fields = raised, dict(raised.partial)
    reading = Reading(dialect, fields, found.clear)
    at = 0
    for key in sorted(fields, key=_order):
        element = dialect.elements[key]
        head = message[at : at + _HEAD_BYTES[element.length]].hex().upper()
        placed = Placed(key, element, fields[key], base + at, head)
        _describe_element(found, reading, placed)
        at = placed.value_offset - base + _bytes_of(element, fields[key])
    if error is not None:
        found.refuse(error.field, base + error.position, message[at:], error.expected)


def _describe_element(found: Description, reading: Reading, placed: Placed) -> None:
    view = view_element(reading, placed)
    found.rows.append(view.row)
    if placed.field in _BITMAPS:
        return
    found.fields[placed.field] = view.text
    found.subfields |= view.subfields
    if view.problem is not None:
        found.problems.append(view.problem)


def _order(key: str) -> int:
    """Elements in the order of the wire: MTI, bitmaps, then by number."""
    return {"t": -2, "p": -1}.get(key) or int(key)


def _bytes_of(element: Element, value: str) -> int:
    """How many bytes `value` takes on the wire."""
    if element.encoding in {Encoding.BCD, Encoding.BINARY}:
        return (len(value) + 1) // 2
    return len(value.encode(element.encoding.value))
