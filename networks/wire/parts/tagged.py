"""Decimal tag, decimal length, text value (DE 48 of QPX-1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from networks.wire.parts.forms import Composite, Misfit, Part, is_digits, text_form
from networks.wire.spec import Exposure, Tagged

_KEPT_HEADS = 1024


class _Head(NamedTuple):
    """What a tag and a length promise; `match` is None where the tag is unknown."""

    tag: str
    length: int
    match: Callable[[str], re.Match[str] | None] | None


class TaggedCodec:
    """Codec of one tagged element; unknown tags are carried through, a tag may not come twice."""

    def __init__(self, composite: Composite, layout: Tagged) -> None:
        self._composite = composite
        self._tag = layout.tag_digits
        self._length = layout.length_digits
        self._forms = {tag: text_form(element) for tag, element in layout.tags.items()}
        self._read_head = lru_cache(_KEPT_HEADS)(self._work_out)

    def decode(self, value: str) -> dict[str, str]:
        """The values by tag, in the order of the wire."""
        parts: dict[str, str] = {}
        width, start = self._tag + self._length, 0
        while start < len(value):
            begin = start + width
            head = self._read_head(value[start:begin])
            if head is None:
                return self._step_by_step(value)
            tag, length, match = head
            start = begin + length
            parts[tag] = text = value[begin:start]
            if len(text) < length or (match and not match(text)):
                return self._step_by_step(value)
        return parts if self._is_plain(value, parts) else self._step_by_step(value)

    def locate(self, value: str) -> Iterator[Part]:
        """Each part with its place, up to the first that is broken."""
        if self._bytes(value) != len(value):
            raise self._composite.broken("", value, 0, "expected characters of one byte")
        start, seen = 0, set[str]()
        while start < len(value):
            part = self._read(value, start)
            if part.key in seen:
                raise self._composite.broken(part.key, value, start, "expected each tag once")
            seen.add(part.key)
            yield part
            start = part.end

    def encode(self, values: Mapping[str, str]) -> str:
        """The element's text form, in the order of `values`."""
        for tag, text in values.items():
            if self._bytes(text) != len(text):
                raise self._composite.unfit(tag, "expected characters of one byte")
        return "".join(self._write(tag, text) for tag, text in values.items())

    def _step_by_step(self, value: str) -> dict[str, str]:
        """The same, for a value that is broken: it fails where and why `locate` says."""
        return {part.key: part.value for part in self.locate(value)}

    def _is_plain(self, value: str, parts: Mapping[str, str]) -> bool:
        """Whether no tag came twice and each character is one byte, as lengths count bytes."""
        width = self._tag + self._length
        if sum(map(len, parts.values())) + width * len(parts) != len(value):
            return False
        return value.isascii() or self._bytes(value) == len(value)

    def _bytes(self, value: str) -> int:
        """Bytes of `value` on the wire; what has no byte there is left for the message codec."""
        return len(value.encode(self._composite.element.encoding.value, "replace"))

    def _work_out(self, head: str) -> _Head | None:
        if len(head) < self._tag + self._length or not is_digits(head):
            return None
        tag = head[: self._tag]
        form = self._forms.get(tag)
        match = re.compile(form.pattern, re.DOTALL).fullmatch if form else None
        return _Head(tag, int(head[self._tag :]), match)

    def _read(self, value: str, start: int) -> Part:
        begin = start + self._tag + self._length
        head = self._read_head(value[start:begin])
        if head is None:
            expected = f"expected a tag of {self._tag} and a length of {self._length} digits"
            raise self._composite.broken("", value, start, expected)
        tag, end = head.tag, begin + head.length
        if end > len(value):
            expected = f"{head.length} characters expected, {len(value) - begin} left"
            raise self._composite.broken(tag, value, begin, expected)
        text, form = value[begin:end], self._forms.get(tag)
        if form is None:
            return Part(tag, "Unknown tag", start, begin, end, text, Exposure.SECRET)
        try:
            form.read(text)
        except Misfit as misfit:
            raise self._composite.broken(tag, value, begin, str(misfit)) from None
        return Part(tag, form.element.name, start, begin, end, text, form.element.exposure)

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
