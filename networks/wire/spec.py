"""The declarative form in which a dialect's elements are written, at both levels.

An :class:`Element` is one data element, or one part of a data element: how its text is encoded,
how its length is told, and, for a composite, the layout of its parts. The same four axes
(encoding, length, width, parts) describe a DE, a DE 62 subfield and an EMV tag, so a dialect is
a table and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Encoding(StrEnum):
    """How characters become bytes. A value is a Python codec's name where one applies."""

    BCD = "bcd"  # two decimal digits a byte, odd widths padded with a leading zero
    EBCDIC = "cp500"
    ASCII = "ascii"
    KANA = "shift_jis"  # JIS X 0201: ASCII and half-width katakana, a byte each
    BINARY = "binary"  # shown as upper-case hex


class Length(StrEnum):
    """How the length of a value is told."""

    FIXED = "fixed"
    BINARY_DIGITS = "b-digits"  # one binary byte that counts digits
    BINARY_BYTES = "b-bytes"  # one binary byte that counts bytes
    BINARY_BYTES_2 = "b2-bytes"  # two binary bytes that count bytes
    ASCII_2 = "ascii-2"  # two ASCII digits that count characters
    ASCII_3 = "ascii-3"  # three ASCII digits that count characters


class Exposure(StrEnum):
    """What may be shown of a value (PCI DSS 3.3, 3.4; DOMAIN: security)."""

    OPEN = "open"
    PAN = "pan"  # first six and last four digits
    SECRET = "secret"  # nothing but its width: tracks, PIN block, CVV2, keys  # noqa: S105


@dataclass(frozen=True, slots=True)
class Element:
    """One data element or one part of it.

    Attributes
    ----------
    name
        The field's standard name.
    encoding, length, width
        `width` is the fixed or largest length, counted as `length` says: digits for BCD,
        characters for text, bytes for binary.
    numeric
        Only decimal digits are valid, whatever the encoding.
    exposure
        How much of the value may be shown.
    parts
        Layout of the second level, for a composite element.
    """

    name: str
    encoding: Encoding
    length: Length
    width: int
    numeric: bool = False
    exposure: Exposure = Exposure.OPEN
    parts: Parts | None = None


@dataclass(frozen=True, slots=True)
class Bitmapped:
    """A bitmap of `bitmap_bytes`, then the parts whose bits are set (DE 62, 63, 126)."""

    bitmap_bytes: int
    elements: Mapping[int, Element]


@dataclass(frozen=True, slots=True)
class Positional:
    """Fixed-width parts one after another; trailing parts may be absent (DE 44, 60, 61, 90, 95).

    `elements` maps the part's key (``"1"`` for DE 44.1, ``"stan"`` for DE 90) to its form, in
    order of position.
    """

    elements: Mapping[str, Element]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A group of fixed-width parts, repeated to the end of the element (DE 54: 6 x 20)."""

    elements: Mapping[str, Element]
    most: int


@dataclass(frozen=True, slots=True)
class Datasets:
    """Dataset id (1 byte), length (2 bytes), then TLVs (DE 55, 104, 123).

    `ber` is true where tags and lengths follow BER (DE 55 dataset 01), false where both take
    one byte. `tags` names the known tags; unknown ones are carried through. A part's key is its
    tag where the element has the single dataset `default`, and ``"<dataset>.<tag>"`` otherwise.
    """

    default: str
    ber: bool
    tags: Mapping[str, Element]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Decimal tag, decimal length, text value (DE 48 of QPX-1: two and three digits)."""

    tag_digits: int
    length_digits: int
    tags: Mapping[str, Element]


Parts: TypeAlias = Bitmapped | Positional | Repeated | Datasets | Tagged
