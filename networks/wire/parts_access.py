"""What generated code must know of an element's parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import takewhile

from networks.wire.dialect import Dialect
from networks.wire.spec import Element, Parts, Positional
from networks.wire.subfields import PartsCodec, parts_codec


class PartsAccess:
    """One element of a dialect, its parts' places and their codec."""

    def __init__(self, dialect: Dialect, element: str) -> None:
        self._key = element
        self.element = dialect.elements[element]

    @property
    def layout(self) -> Parts | None:
        """The layout of the parts; None where the element is not composite."""
        return self.element.parts

    @cached_property
    def codec(self) -> PartsCodec:
        """The codec of all parts."""
        return parts_codec(self._key, self.element)

    def begin(self, part: str) -> int:
        """Where a positional part begins in the element's text."""
        before = takewhile(lambda key: key != part, self._positional)
        return sum(self._positional[key].width for key in before)

    def span(self, part: str) -> str:
        """Where a positional part stands in the element's text, as ``begin:end``."""
        return f"{self.begin(part)}:{self.begin(part) + self.width(part)}"

    def width(self, part: str) -> int:
        """Characters of a positional part."""
        return self._positional[part].width

    def is_numeric(self, part: str) -> bool:
        """Whether a positional part holds nothing but digits."""
        return self._positional[part].numeric

    @property
    def _positional(self) -> Mapping[str, Element]:
        assert isinstance(self.layout, Positional)
        return self.layout.elements
