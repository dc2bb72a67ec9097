"""Fixed-width parts one after another: once (DE 44, 60, 61, 90, 95) or in groups (DE 54).

The parts are cut out of the element's text form; of DE 60, which is binary, out of its digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from networks.wire.parts.forms import Composite, Misfit, Part, PartForm, text_form
from networks.wire.spec import Element, Encoding, Length, Positional, Repeated


class _Slot(NamedTuple):
    key: str
    start: int
    end: int
    form: PartForm
    filler: str  # what stands here when a later part is there and this one is not


class PositionalCodec:
    """Codec of one positional element; trailing parts may be absent."""

    def __init__(self, composite: Composite, layout: Positional) -> None:
        self._composite = composite
        self._slots = _slots(layout.elements)
        self._keys = tuple(slot.key for slot in self._slots)
        self._is_fixed = composite.element.length is Length.FIXED
        self._is_binary = composite.element.encoding is Encoding.BINARY
        pattern = _pattern(self._slots, "" if self._is_fixed else "?")
        self._match = re.compile(pattern, re.DOTALL).fullmatch

    def decode(self, value: str) -> dict[str, str]:
        """The parts that `value` has."""
        found = self._match(value)
        if found is None or self._has_half_a_byte(value):  # fail where and why `locate` says
            return {part.key: part.value for part in self.locate(value)}
        values = zip(self._keys, found.groups(), strict=True)
        return {key: part for key, part in values if part is not None}

    def locate(self, value: str) -> Iterator[Part]:
        """Each part with its place, up to the first that is broken."""
        if self._has_half_a_byte(value):
            raise self._composite.broken("", value, len(value), "expected whole bytes in hex")
        for slot in self._slots:
            if slot.start == len(value) and not self._is_fixed:
                return
            yield _read(self._composite, slot, value, 0, "")
        if len(value) > self._slots[-1].end:
            expected = "expected the end of the element"
            raise self._composite.broken("", value, self._slots[-1].end, expected)

    def encode(self, values: Mapping[str, str]) -> str:
        """The element's text form.

        Parts that are missing before the last one given are filled, digits with zeros and text
        with blanks; so are those behind it if the element's width is fixed.
        """
        _refuse_unknown(self._composite, values, self._slots, "")
        text, missing = "", len(values)
        for slot in self._slots:
            if missing == 0 and not self._is_fixed and not self._has_half_a_byte(text):
                break
            missing -= slot.key in values
            text += _write(self._composite, slot, values.get(slot.key, slot.filler), "")
        return text

    def _has_half_a_byte(self, text: str) -> bool:
        return self._is_binary and len(text) % 2 == 1


class RepeatedCodec:
    """Codec of one element that repeats a group of parts; a key is ``"<group>.<part>"``."""

    def __init__(self, composite: Composite, layout: Repeated) -> None:
        self._composite = composite
        self._slots = _slots(layout.elements)
        self._width = self._slots[-1].end
        self._most = layout.most

    def decode(self, value: str) -> list[dict[str, str]]:
        """The groups of `value`, each as its parts."""
        groups: list[dict[str, str]] = []
        for part in self.locate(value):
            number, _, name = part.key.partition(".")
            if int(number) > len(groups):
                groups.append({})
            groups[-1][name] = part.value
        return groups

    def locate(self, value: str) -> Iterator[Part]:
        """Each part with its place, up to the first that is broken."""
        for group, start in enumerate(range(0, len(value), self._width), 1):
            if group > self._most:
                raise self._composite.broken("", value, start, self._too_many)
            for slot in self._slots:
                yield _read(self._composite, slot, value, start, f"{group}.")

    def encode(self, values: Sequence[Mapping[str, str]]) -> str:
        """The element's text form."""
        if len(values) > self._most:
            raise self._composite.unfit("", self._too_many)
        text = ""
        for number, group in enumerate(values, 1):
            _refuse_unknown(self._composite, group, self._slots, f"{number}.")
            for slot in self._slots:
                text += _write(self._composite, slot, group.get(slot.key, ""), f"{number}.")
        return text

    @property
    def _too_many(self) -> str:
        return f"expected at most {self._most} groups of {self._width} characters"


def _slots(elements: Mapping[str, Element]) -> tuple[_Slot, ...]:
    slots, start = [], 0
    for key, element in elements.items():
        end = start + element.width
        filler = ("0" if element.numeric else " ") * element.width
        slots.append(_Slot(key, start, end, text_form(element), filler))
        start = end
    return tuple(slots)


def _pattern(slots: Sequence[_Slot], tail: str) -> str:
    """The pattern of `slots`; with the `tail` ``"?"`` any number at the end may be missing."""
    pattern = ""
    for slot in reversed(slots):
        pattern = f"(?:{slot.form.pattern}{pattern}){tail}"
    return pattern


def _read(composite: Composite, slot: _Slot, value: str, offset: int, prefix: str) -> Part:
    key, start, end = prefix + slot.key, offset + slot.start, offset + slot.end
    try:
        read = slot.form.read(value[start:end])
    except Misfit as misfit:
        raise composite.broken(key, value, start, str(misfit)) from None
    element = slot.form.element
    return Part(key, element.name, start, start, end, read, element.exposure)


def _write(composite: Composite, slot: _Slot, value: str, prefix: str) -> str:
    try:
        return slot.form.write(value)
    except Misfit as misfit:
        raise composite.unfit(prefix + slot.key, str(misfit)) from None


def _refuse_unknown(
    composite: Composite, values: Mapping[str, str], slots: tuple[_Slot, ...], prefix: str
) -> None:
    known = {slot.key for slot in slots}
    for key in values:
        if key not in known:
            raise composite.unfit(prefix + key, "no such part in this dialect")
