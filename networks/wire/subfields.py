"""The second level of a dialect: parts of DE 44, 48, 54, 55, 60 to 63, 90, 95, 104, 123, 126.

A codec turns an element's text form (hex for BINARY elements) into its parts and back. It is a
bijection: what decodes encodes to the same text, unknown tags included; what does not decode
raises :class:`~networks.wire.errors.DecodeError` with the part's name (``"62.2"``) and the byte
within the element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, TypeAlias

from networks.wire.parts.bitmapped import BitmappedCodec
from networks.wire.parts.datasets import DatasetsCodec
from networks.wire.parts.forms import Composite, Part
from networks.wire.parts.positional import PositionalCodec, RepeatedCodec
from networks.wire.parts.tagged import TaggedCodec
from networks.wire.spec import Bitmapped, Datasets, Element, Parts, Positional, Repeated, Tagged

__all__ = [
    "NamedPartsCodec",
    "Part",
    "PartsCodec",
    "SubfieldValue",
    "is_flat",
    "named_parts",
    "parts_codec",
    "repeated_parts",
]

SubfieldValue: TypeAlias = str | dict[str, str] | list[dict[str, str]]
"""A part, the parts of an element, or its groups, in the JSON form."""


class NamedPartsCodec(Protocol):
    """Codec of an element whose parts have each their own key."""

    def decode(self, value: str) -> dict[str, str]:
        """The parts of the text form `value`; raises DecodeError."""
        ...

    def locate(self, value: str) -> Iterator[Part]:
        """The parts with their places, until one is broken: then DecodeError."""
        ...

    def encode(self, values: Mapping[str, str]) -> str:
        """The text form; raises EncodeError."""
        ...


PartsCodec: TypeAlias = NamedPartsCodec | RepeatedCodec

_KEPT_CODECS = 256
_codecs: dict[tuple[str, int], tuple[Element, PartsCodec]] = {}


def parts_codec(field: str, element: Element) -> PartsCodec:
    """The codec of the composite `element`, built once."""
    key = (field, id(element))
    kept = _codecs.get(key)
    if kept is None:
        if len(_codecs) >= _KEPT_CODECS:
            _codecs.clear()
        # The element is kept too: while it lives, nothing else can have its id.
        kept = _codecs[key] = (element, _build(Composite(field, element)))
    return kept[1]


def named_parts(field: str, element: Element) -> NamedPartsCodec:
    """The codec of a composite element that is no repetition."""
    codec = parts_codec(field, element)
    if isinstance(codec, RepeatedCodec):
        raise TypeError(f"the parts of field {field} are groups")
    return codec


def repeated_parts(field: str, element: Element) -> RepeatedCodec:
    """The codec of an element that repeats a group of parts (DE 54)."""
    codec = parts_codec(field, element)
    if not isinstance(codec, RepeatedCodec):
        raise TypeError(f"the parts of field {field} are no groups")
    return codec


def is_flat(parts: Parts | None) -> bool:
    """Whether the JSON form has a key for each part (``"62.2"``) and none for the element."""
    if isinstance(parts, Positional):
        return all(key.isdecimal() for key in parts.elements)
    return isinstance(parts, Bitmapped)


def _build(composite: Composite) -> PartsCodec:
    match composite.element.parts:
        case Bitmapped() as layout:
            return BitmappedCodec(composite, layout)
        case Positional() as layout:
            return PositionalCodec(composite, layout)
        case Repeated() as layout:
            return RepeatedCodec(composite, layout)
        case Datasets() as layout:
            return DatasetsCodec(composite, layout)
        case Tagged() as layout:
            return TaggedCodec(composite, layout)
    raise TypeError(f"field {composite.field} has no parts")
