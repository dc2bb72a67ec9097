"""Frames as they may be stored: what `describe` hides is overwritten, and nothing else.

A covered frame has the length of its original and is described alike. To cover costs a tenth of
describing, which can then be left until somebody wants to read.
"""

from __future__ import annotations

from functools import lru_cache

from networks.wire.describe_element import hidden_in
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS
from networks.wire.errors import DecodeError, WireError
from networks.wire.masking import hidden_range
from networks.wire.parts.forms import is_digits
from networks.wire.spec import Datasets, Element, Exposure
from networks.wire.subfields import parts_codec

# Both are in every alphabet. Zeros would be what the PANs of test cards have; and what is hidden
# because it is no PAN must not become one.
_DIGIT, _NO_DIGIT = "9", "F"
_REMEMBERED = 4096  # composite elements without secrets; of most there are few different ones
_BITMAPS = ("p", "1")  # made anew from what there is


def cover_frame(dialect: Dialect, frame: bytes) -> bytes | None:
    """`frame` with its secrets overwritten; ``None`` if any of it is not understood.

    What is not understood may be anything: such a frame can only be described.
    """
    begin = dialect.framing.prefix_bytes
    if int.from_bytes(frame[: dialect.framing.length_bytes], "big") != len(frame) - begin:
        return None
    try:
        message = dialect.header.split(frame[begin:])[1]
        fields = dialect.codec.decode(message)
        given = {key: value for key, value in fields.items() if key not in _BITMAPS}
        if dialect.codec.encode(given) != message:
            return None  # written otherwise than we would, a length with a blank for example
        covered = {key: _cover(dialect, key, value) for key, value in given.items()}
        whole = frame[: len(frame) - len(message)] + dialect.codec.encode(covered)
    except WireError:
        return None
    return whole if len(whole) == len(frame) else None


def _cover(dialect: Dialect, key: str, value: str) -> str:
    """The text of one element, as long as it was.

    Raises
    ------
    DecodeError
        If a part of it is broken, a number has no digits, or what is hidden cannot be overwritten.
    """
    element = dialect.elements[key]
    if element.parts is not None:
        if element.exposure is Exposure.OPEN:
            return _cover_open_parts(dialect.name, key, value)
        return _cover_parts(key, element, value)
    if element.exposure is Exposure.OPEN:
        return value
    if element.numeric and value and not is_digits(value):
        raise DecodeError(key, 0, "expected digits")
    return _overwrite(value, *hidden_range(value, element.exposure))


@lru_cache(_REMEMBERED)
def _cover_open_parts(dialect: str, key: str, value: str) -> str:
    """Of an element without secrets, which may therefore be remembered."""
    return _cover_parts(key, DIALECTS[dialect].elements[key], value)


def _cover_parts(key: str, element: Element, value: str) -> str:
    covered = value
    for part in parts_codec(key, element).locate(value):
        begin, end = hidden_in(part)
        if begin < end and isinstance(element.parts, Datasets) and _is_template(part.key):
            raise DecodeError(key, 0, "a template that is overwritten is none any more")
        covered = _overwrite(covered, begin, end)
    return covered


def _is_template(part_key: str) -> bool:
    """A constructed tag, whose value has to be TLVs again (X.690 8.1.2.5)."""
    tag = part_key.rpartition(".")[2]
    return bool(int(tag[:2], 16) & 0x20)


def _overwrite(text: str, begin: int, end: int) -> str:
    if begin >= end:
        return text
    filler = _DIGIT if text[begin:end].isdecimal() else _NO_DIGIT
    return text[:begin] + filler * (end - begin) + text[end:]
