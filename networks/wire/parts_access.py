"""What generated code must know of an element's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import takewhile
from typing import Any, cast

from networks.wire.dialect import Dialect
from networks.wire.parts_reading import bitmapped_reader, tagged_reader
from networks.wire.spec import Bitmapped, Element, Parts, Positional, Tagged
from networks.wire.subfields import PartsCodec, named_parts, parts_codec


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

    def reader(self, wanted: tuple[str, ...]) -> Callable[[str], Any]:
        """How the `wanted` parts are read, as a tuple; of DE 54 and 90 all, as the codec does."""
        match self.layout:
            case Bitmapped() as layout:
                return bitmapped_reader(named_parts(self._key, self.element), layout, wanted)
            case Tagged() as layout:
                return tagged_reader(named_parts(self._key, self.element), layout, wanted)
            case _:
                return self.codec.decode

    def begin(self, part: str) -> int:
        """Where a positional part begins in the element's text."""
        before = takewhile(lambda key: key != part, self._positional)
        return sum(self._positional[key].width for key in before)

    def span(self, part: str) -> str:
        """Where a positional part stands in the element's text, as ``begin:end``."""
        return f"{self.begin(part)}:{self.begin(part) + self.part(part).width}"

    def part(self, part: str) -> Element:
        """The form of a positional part."""
        return self._positional[part]

    @property
    def _positional(self) -> Mapping[str, Element]:
        return cast("Positional", self.layout).elements
