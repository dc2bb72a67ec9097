"""A sub-bitmap, then the parts whose bits are set (DE 62, 63, 126).

On the path of every authorization, so the layout behind one bitmap is worked out once and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from networks.wire.parts.forms import Composite, Misfit, Part, PartForm, hex_form, is_hex
from networks.wire.spec import Bitmapped

_KEPT_SHAPES = 256  # whoever varies the bitmap gains slower decoding, and no memory


_NOTHING = re.compile(r"(?!)").fullmatch


class _Slot(NamedTuple):
    key: str
    start: int
    end: int
    form: PartForm


class _Shape(NamedTuple):
    """What one bitmap promises; `unknown` is the first bit without a form, or 0."""

    slots: tuple[_Slot, ...]
    size: int
    unknown: int
    match: Callable[[str], re.Match[str] | None]
    keys: tuple[str, ...]
    converted: tuple[tuple[str, Callable[[str], str]], ...]


class BitmappedCodec:
    """Codec of one bitmapped element; a part's key is its bit number."""

    def __init__(self, composite: Composite, layout: Bitmapped) -> None:
        self._composite = composite
        self._digits = 2 * layout.bitmap_bytes
        self._bits = 8 * layout.bitmap_bytes
        self._forms = {str(bit): hex_form(element) for bit, element in layout.elements.items()}
        self._shape = lru_cache(_KEPT_SHAPES)(self._work_out)
        self._order = lru_cache(_KEPT_SHAPES)(self._work_out_order)

    def decode(self, value: str) -> dict[str, str]:
        """The parts of `value`, by bit number."""
        shape = self._shape(value[: self._digits])
        found = shape.match(value)
        if found is None:  # broken: fail where and why `locate` says
            return {part.key: part.value for part in self.locate(value)}
        parts = dict(zip(shape.keys, found.groups(), strict=True))
        for key, convert in shape.converted:
            parts[key] = convert(parts[key])
        return parts

    def locate(self, value: str) -> Iterator[Part]:
        """Each part with its place, up to the first that is broken."""
        shape = self._read_bitmap(value)
        for key, start, end, form in shape.slots:
            if len(value) < end:
                expected = f"{(end - start) // 2} bytes expected, {(len(value) - start) // 2} left"
                raise self._composite.broken(key, value, start, expected)
            try:
                read = form.read(value[start:end])
            except Misfit as misfit:
                raise self._composite.broken(key, value, start, str(misfit)) from None
            yield Part(key, form.element.name, start, start, end, read, form.element.exposure)
        if shape.unknown:
            key = str(shape.unknown)
            raise self._composite.broken(key, value, shape.size, "no such part in this dialect")
        if len(value) > shape.size:
            raise self._composite.broken("", value, shape.size, "expected the end of the element")

    def encode(self, values: Mapping[str, str]) -> str:
        """The element's text form; the order of `values` does not matter."""
        text, order = self._order(tuple(values))
        for key, write in order:
            try:
                text += write(values[key])
            except Misfit as misfit:
                raise self._composite.unfit(key, str(misfit)) from None
        return text

    def _read_bitmap(self, value: str) -> _Shape:
        if not is_hex(value) or len(value) % 2:
            raise self._composite.broken("", value, 0, "expected whole bytes in upper-case hex")
        if len(value) < self._digits:
            expected = f"expected a bitmap of {self._digits // 2} bytes"
            raise self._composite.broken("", value, 0, expected)
        return self._shape(value[: self._digits])

    def _work_out(self, bitmap: str) -> _Shape:
        if len(bitmap) < self._digits or not is_hex(bitmap):
            return _Shape((), 0, 0, _NOTHING, (), ())
        bits, start, unknown = int(bitmap, 16), self._digits, 0
        slots: list[_Slot] = []
        for bit in range(1, self._bits + 1):
            if bits >> (self._bits - bit) & 1:
                form = self._forms.get(str(bit))
                if form is None:
                    unknown = bit
                    break
                slots.append(_Slot(str(bit), start, start + form.size, form))
                start += form.size
        pattern = bitmap + "".join(slot.form.pattern for slot in slots)
        match = _NOTHING if unknown else re.compile(pattern).fullmatch
        keys = tuple(slot.key for slot in slots)
        converted = tuple((slot.key, slot.form.convert) for slot in slots if slot.form.convert)
        return _Shape(tuple(slots), start, unknown, match, keys, converted)

    def _work_out_order(
        self, keys: tuple[str, ...]
    ) -> tuple[str, tuple[tuple[str, Callable[[str], str]], ...]]:
        """The bitmap of the parts `keys`, and how each is written, in order."""
        bitmap = 0
        for key in keys:
            if key not in self._forms:
                raise self._composite.unfit(key, "no such part in this dialect")
            bitmap |= 1 << (self._bits - int(key))
        order = tuple((key, self._forms[key].write) for key in sorted(keys, key=int))
        return f"{bitmap:0{self._digits}X}", order
