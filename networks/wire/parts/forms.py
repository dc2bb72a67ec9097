"""One part of a composite element: where it stands, how its value is read and written.

All codecs of this package work on the element's *text form*: upper-case hex for a BINARY
element, the characters themselves for every other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from networks.wire.errors import DecodeError, EncodeError
from networks.wire.spec import Element, Encoding, Exposure, Length

is_hex = re.compile(r"[0-9A-F]*").fullmatch
"""Whether a text is upper-case hex; half a byte may be left over."""

# EBCDIC (cp500) is a permutation of Latin-1; going that way takes a third of the codec's time.
_ALL = bytes(range(256))
_TO_LATIN_1 = _ALL.decode(Encoding.EBCDIC).encode("latin-1")
_FROM_LATIN_1 = _ALL.decode("latin-1").encode(Encoding.EBCDIC)
_CHARACTER = {f"{byte:02X}": chr(_TO_LATIN_1[byte]) for byte in _ALL}


class Misfit(ValueError):
    """A value does not fit its part; the text says what was expected. Never leaves the package."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it stands in its element's text form.

    `start` and `end` enclose all of it, tag and length included; the value begins at
    `value_start`. `key` names it within the element (``"2"``, ``"9F02"``), `name` for a person.
    `exposure` is SECRET for what the dialect does not know.
    """

    key: str
    name: str
    start: int
    value_start: int
    end: int
    value: str
    exposure: Exposure


@dataclass(frozen=True, slots=True)
class Composite:
    """The element whose parts these are; it knows how to name and to place a failure."""

    field: str
    element: Element

    def broken(self, key: str, value: str, index: int, expected: str) -> DecodeError:
        """The error for part `key` (blank: the element itself) at `index` of the text `value`."""
        return DecodeError(self._name(key), self.byte_at(value, index), expected)

    def unfit(self, key: str, expected: str) -> EncodeError:
        """The error for a value that part `key` cannot carry."""
        return EncodeError(self._name(key), expected)

    def byte_at(self, value: str, index: int) -> int:
        """The byte of the element's value in which character `index` of its text form stands."""
        if self.element.encoding is Encoding.BINARY:
            return index // 2
        if self.element.encoding is Encoding.BCD:
            return (index + len(value) % 2) // 2  # an odd width is padded in front
        return index

    def _name(self, key: str) -> str:
        return f"{self.field}.{key}" if key else self.field


@dataclass(frozen=True, slots=True)
class PartForm:
    """The form of one part.

    Attributes
    ----------
    size
        Characters it takes, or may take at most, of the element's text form.
    pattern
        What those characters have to be, as a regular expression with one group. Whole elements
        are matched by the patterns of their parts in one go, which is what makes them quick.
    convert
        From the group to the part's value; ``None`` where they are the same.
    write
        From the part's value to the characters.
    """

    element: Element
    size: int
    pattern: str
    convert: Callable[[str], str] | None
    write: Callable[[str], str]

    def read(self, text: str) -> str:
        """The part's value; raises :class:`Misfit`."""
        found = re.fullmatch(self.pattern, text, re.DOTALL)  # which keeps what it has compiled
        if found is None:
            raise Misfit(expectation(self.element))
        return self.convert(found[1]) if self.convert else found[1]


def text_form(element: Element) -> PartForm:
    """The form of a part that is cut out of a text element as it is."""

    def write(value: str) -> str:
        _check_characters(element, value)
        return value

    pattern = f"({'[0-9]' if element.numeric else '.'}{_times(element)})"
    return PartForm(element, element.width, pattern, None, write)


def hex_form(element: Element) -> PartForm:
    """The form of a part of a binary element, which has its own encoding."""
    width, unit, count = element.width, "(?:[0-9A-F]{2})", _times(element)
    match element.encoding:
        case Encoding.BCD:
            pad = "0" * (width % 2)
            pattern = f"{pad}([0-9]{count})"
            return PartForm(element, len(pad) + width, pattern, None, _digits_writer(element, pad))
        case Encoding.BINARY:
            return PartForm(element, 2 * width, f"({unit}{count})", None, _bytes_writer(element))
        case Encoding.EBCDIC:
            pattern = f"({'(?:F[0-9])' if element.numeric else unit}{count})"
            convert = _CHARACTER.__getitem__ if pattern == f"({unit}{{1}})" else _characters
            return PartForm(element, 2 * width, pattern, convert, _characters_writer(element))
        case _:
            raise TypeError(f"{element.encoding} within a binary element")


def expectation(element: Element) -> str:
    """What a value of `element` has to be, in words."""
    what = "digits" if element.numeric else "characters"
    if element.encoding is Encoding.BINARY:
        what = "bytes in hex"
    at_most = "" if element.length is Length.FIXED else "at most "
    return f"expected {at_most}{element.width} {what}"


def fit(element: Element, value: str) -> str:
    """`value` as the text form of an element that stands alone; raises :class:`Misfit`."""
    if element.encoding is Encoding.BINARY:
        return _fit_bytes(element, value)
    _check_characters(element, value)
    if element.encoding is not Encoding.BCD:
        _check_alphabet(element, value)
    return value


def is_digits(text: str) -> bool:
    """Whether `text` is nothing but the digits 0 to 9."""
    return text.isdecimal() and text.isascii()


def whole_bytes(value: str) -> str:
    """`value` as upper-case hex of whole bytes."""
    digits = value.upper()
    if len(digits) % 2 or not is_hex(digits):
        raise Misfit("expected bytes in hex")
    return digits


def _times(element: Element) -> str:
    return f"{{{element.width}}}" if element.length is Length.FIXED else f"{{0,{element.width}}}"


def _check_width(element: Element, count: int) -> None:
    if count > element.width or (element.length is Length.FIXED and count < element.width):
        raise Misfit(expectation(element))


def _check_characters(element: Element, text: str) -> None:
    _check_width(element, len(text))
    if element.numeric and text and not is_digits(text):
        raise Misfit(expectation(element))


def _digits_writer(element: Element, pad: str) -> Callable[[str], str]:
    def write(value: str) -> str:
        _check_characters(element, value)
        return pad + value

    return write


def _bytes_writer(element: Element) -> Callable[[str], str]:
    return lambda value: _fit_bytes(element, value)


def _fit_bytes(element: Element, value: str) -> str:
    digits = whole_bytes(value)
    _check_width(element, len(digits) // 2)
    return digits


def _check_alphabet(element: Element, text: str) -> None:
    try:
        text.encode(element.encoding.value)
    except UnicodeEncodeError:
        raise Misfit(f"expected characters of {element.encoding}") from None


def _characters(text: str) -> str:
    return bytes.fromhex(text).translate(_TO_LATIN_1).decode("latin-1")


def _characters_writer(element: Element) -> Callable[[str], str]:
    def write(value: str) -> str:
        _check_characters(element, value)
        _check_alphabet(element, value)
        return value.encode("latin-1").translate(_FROM_LATIN_1).hex().upper()

    return write
