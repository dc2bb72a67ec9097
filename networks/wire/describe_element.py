"""One element for a person to read: its text and its parts, as much of them as may be shown.

Fails closed: a part that the dialect does not know, and whatever stands behind the first broken
part, is hidden whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from networks.wire.dialect import Dialect
from networks.wire.errors import DecodeError
from networks.wire.masking import cover, hidden_range, mask
from networks.wire.meanings import meaning
from networks.wire.parts.forms import Composite, expectation, is_digits
from networks.wire.spec import Element, Encoding, Exposure, Repeated
from networks.wire.subfields import Part, SubfieldValue, is_flat, parts_codec


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a description.

    Attributes
    ----------
    offset
        Byte within what was described.
    field
        ``"4"``, ``"62.2"``, ``"55.9F02"``, ``"t"``, ``"p"``, ``"H5"``, ``"prefix"``.
    raw
        The bytes in hex, length prefix, tag and all; hidden digits are asterisks.
    value
        As text, hidden characters are asterisks.
    note
        What the value means.
    """

    offset: int
    field: str
    name: str
    raw: str
    value: str
    note: str = ""
    parts: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that breaks the dialect: where, counted like a row's offset, and what."""

    field: str
    offset: int
    expected: str

    def __str__(self) -> str:
        return f"field {self.field} at byte {self.offset}: {self.expected}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The message that an element is read in: its dialect and texts, and whether to hide."""

    dialect: Dialect
    fields: Mapping[str, str]
    clear: bool

    def note(self, field: str, shown: str) -> str:
        """What the text `shown` means in `field`."""
        return meaning(self.dialect, field, shown, self.fields)


@dataclass(frozen=True, slots=True)
class Placed:
    """An element's text form and where it stands; `head` is its length prefix in hex."""

    field: str
    element: Element
    value: str
    offset: int
    head: str

    @property
    def value_offset(self) -> int:
        """Where the value begins, behind the length."""
        return self.offset + len(self.head) // 2


@dataclass(frozen=True, slots=True)
class ElementView:
    """What may be shown of one element; `subfields` is as in the JSON form."""

    row: Row
    text: str
    subfields: dict[str, SubfieldValue]
    problem: Problem | None = None


def view_element(reading: Reading, placed: Placed) -> ElementView:
    """What may be shown of the element `placed`."""
    if placed.element.parts is None:
        exposure = Exposure.OPEN if reading.clear else placed.element.exposure
        view = _view(reading, placed, (), [hidden_range(placed.value, exposure)])
        return replace(view, problem=_not_digits(placed))
    located, problem = _locate(placed)
    if reading.clear:
        located = [replace(part, exposure=Exposure.OPEN) for part in located]
    hidden = [hidden_in(part) for part in located]
    if problem is not None and not reading.clear:
        hidden.append((located[-1].end if located else 0, len(placed.value)))
    return replace(_view(reading, placed, located, hidden), problem=problem)


def _view(
    reading: Reading, placed: Placed, located: Sequence[Part], hidden: Iterable[tuple[int, int]]
) -> ElementView:
    text, raw = placed.value, _digits(placed.element, placed.value)
    scale = len(raw) // len(text) if text else 1
    for begin, end in hidden:
        last = scale * end if end < len(text) else len(raw)
        text, raw = cover(text, begin, end), cover(raw, scale * begin, last)
    row = Row(
        placed.offset,
        placed.field,
        placed.element.name,
        placed.head + _pad(placed) + raw,
        text,
        reading.note(placed.field, text),
        tuple(
            _part_row(reading, placed, part, raw[scale * part.start : scale * part.end])
            for part in located
        ),
    )
    return ElementView(row, text, _subfields(placed, located))


def _digits(element: Element, value: str) -> str:
    """The value's bytes in hex: one digit a character where it is packed, two where it is text."""
    if element.encoding in {Encoding.BCD, Encoding.BINARY}:
        return value
    return value.encode(element.encoding.value).hex().upper()


def _pad(placed: Placed) -> str:
    return "0" if placed.element.encoding is Encoding.BCD and len(placed.value) % 2 else ""


def _locate(placed: Placed) -> tuple[list[Part], Problem | None]:
    """The parts up to the first broken one, and what is wrong with that."""
    located: list[Part] = []
    try:
        for part in parts_codec(placed.field, placed.element).locate(placed.value):
            located.append(part)  # noqa: PERF402 - those before a failure are wanted
    except DecodeError as error:
        place = placed.value_offset + error.position
        return located, Problem(error.field, place, error.expected)
    return located, None


def _not_digits(placed: Placed) -> Problem | None:
    """The codec lets any character through; what an element reads for must be digits."""
    if not placed.element.numeric or not placed.value or is_digits(placed.value):
        return None
    return Problem(placed.field, placed.value_offset, expectation(placed.element))


def hidden_in(part: Part) -> tuple[int, int]:
    """Which characters of the element's text the part keeps hidden."""
    begin, end = part.value_start, part.end
    if part.exposure is Exposure.OPEN:
        return begin, begin
    if len(part.value) == end - begin:  # its characters are the element's own
        first, last = hidden_range(part.value, part.exposure)
        return begin + first, begin + last
    return begin, end


def _part_row(reading: Reading, placed: Placed, part: Part, raw: str) -> Row:
    composite = Composite(placed.field, placed.element)
    value = mask(part.value, part.exposure)
    key = part.key.partition(".")[2] if _is_repeated(placed) else part.key
    return Row(
        placed.value_offset + composite.byte_at(placed.value, part.start),
        f"{placed.field}.{part.key}",
        part.name,
        raw,
        value,
        reading.note(f"{placed.field}.{key}", value),
    )


def _subfields(placed: Placed, located: Sequence[Part]) -> dict[str, SubfieldValue]:
    """The parts in the JSON form: a key each, one object, or a list of groups."""
    shown = {part.key: mask(part.value, part.exposure) for part in located}
    if is_flat(placed.element.parts):
        return {f"{placed.field}.{key}": value for key, value in shown.items()}
    if _is_repeated(placed):
        groups: dict[str, dict[str, str]] = {}
        for key, value in shown.items():
            number, _, name = key.partition(".")
            groups.setdefault(number, {})[name] = value
        return {placed.field: list(groups.values())}
    return {placed.field: shown} if shown else {}


def _is_repeated(placed: Placed) -> bool:
    return isinstance(placed.element.parts, Repeated)
