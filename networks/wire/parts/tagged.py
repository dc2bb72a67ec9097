"""Decimal tag, decimal length, text value (DE 48 of QPX-1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from networks.wire.parts.forms import Composite, Misfit, Part, is_digits, text_form
from networks.wire.spec import Exposure, Tagged


class TaggedCodec:
    """Codec of one tagged element; unknown tags are carried through, a tag may not come twice."""

    def __init__(self, composite: Composite, layout: Tagged) -> None:
        self._composite = composite
        self._tag = layout.tag_digits
        self._head = layout.tag_digits + layout.length_digits
        self._length = layout.length_digits
        self._forms = {tag: text_form(element) for tag, element in layout.tags.items()}

    def decode(self, value: str) -> dict[str, str]:
        """The values by tag, in the order of the wire."""
        return {part.key: part.value for part in self.locate(value)}

    def locate(self, value: str) -> Iterator[Part]:
        """Each part with its place, up to the first that is broken."""
        start, seen = 0, set[str]()
        while start < len(value):
            tag, value_start, end = self._read_head(value, start)
            if tag in seen:
                raise self._composite.broken(tag, value, start, "expected each tag once")
            seen.add(tag)
            yield self._read(tag, value, start, value_start, end)
            start = end

    def encode(self, values: Mapping[str, str]) -> str:
        """The element's text form, in the order of `values`."""
        return "".join(self._write(tag, text) for tag, text in values.items())

    def _read_head(self, value: str, start: int) -> tuple[str, int, int]:
        head = value[start : start + self._head]
        if len(head) < self._head or not is_digits(head):
            expected = f"expected a tag of {self._tag} and a length of {self._length} digits"
            raise self._composite.broken("", value, start, expected)
        value_start = start + self._head
        tag, end = head[: self._tag], value_start + int(head[self._tag :])
        if end > len(value):
            expected = f"{end - value_start} characters expected, {len(value) - value_start} left"
            raise self._composite.broken(tag, value, value_start, expected)
        return tag, value_start, end

    def _read(self, tag: str, value: str, start: int, value_start: int, end: int) -> Part:
        text, form = value[value_start:end], self._forms.get(tag)
        if form is None:
            return Part(tag, "Unknown tag", start, value_start, end, text, Exposure.SECRET)
        try:
            form.read(text)
        except Misfit as misfit:
            raise self._composite.broken(tag, value, value_start, str(misfit)) from None
        element = form.element
        return Part(tag, element.name, start, value_start, end, text, element.exposure)

    def _write(self, tag: str, text: str) -> str:
        if len(tag) != self._tag or not is_digits(tag):
            raise self._composite.unfit(tag, f"expected a tag of {self._tag} digits")
        if len(text) >= 10**self._length:
            expected = f"expected at most {10**self._length - 1} characters"
            raise self._composite.unfit(tag, expected)
        form = self._forms.get(tag)
        try:
            return f"{tag}{len(text):0{self._length}d}{form.write(text) if form else text}"
        except Misfit as misfit:
            raise self._composite.unfit(tag, str(misfit)) from None
