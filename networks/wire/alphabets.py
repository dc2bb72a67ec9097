"""Alphabets: how generated code turns the bytes of an element into text and back.

Each holds two expressions, with ``{}`` for what is converted, and the names that they use. All
of them give one character (hex: two) for one byte, so that neighbouring elements convert in one go
and are cut apart afterwards. Where Python's own codec could give anything else, the expression
raises ValueError: the message is then left to the reference.
"""

from __future__ import annotations

import codecs
from binascii import a2b_hex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from networks.wire.spec import Encoding

_UNDEFINED = "\ufffe"  # what a charmap calls a byte without a character


@dataclass(frozen=True, slots=True)
class Alphabet:
    """One way between bytes and text.

    Attributes
    ----------
    decode, encode
        Expressions over ``{}``.
    names
        What the expressions use.
    character
        The text whose encoding is one given byte.
    width
        Characters a byte.
    """

    decode: str
    encode: str
    names: Mapping[str, Any]
    character: Callable[[int], str]
    width: int = 1


def _permutation(encoding: str) -> tuple[bytes, bytes]:
    """Translation tables to and from Latin-1 of a code page with the same 256 characters."""
    to_latin = bytes(range(256)).decode(encoding).encode("latin-1")
    return to_latin, bytes(to_latin.index(byte) for byte in range(256))


def _single_bytes(encoding: str) -> str:
    """The characters of all bytes that stand for themselves; leading bytes are undefined."""
    return "".join(_character(bytes([byte]), encoding) for byte in range(256))


def _character(byte: bytes, encoding: str) -> str:
    try:
        text = byte.decode(encoding)
    except UnicodeDecodeError:
        return _UNDEFINED
    return text if text.encode(encoding) == byte else _UNDEFINED


_FROM_EBCDIC, TO_EBCDIC = _permutation(Encoding.EBCDIC)
_KANA = _single_bytes(Encoding.KANA)

_HEX = Alphabet(
    decode="{}.hex().upper()",
    encode="a2b_hex({})",
    names=MappingProxyType({"a2b_hex": a2b_hex}),
    character="{:02X}".format,
    width=2,
)

ALPHABETS: Mapping[Encoding, Alphabet] = MappingProxyType(
    {
        Encoding.BCD: _HEX,
        Encoding.BINARY: _HEX,
        Encoding.EBCDIC: Alphabet(
            decode='{}.translate(FROM_EBCDIC).decode("latin-1")',
            encode='{}.encode("latin-1").translate(TO_EBCDIC)',
            names=MappingProxyType({"FROM_EBCDIC": _FROM_EBCDIC, "TO_EBCDIC": TO_EBCDIC}),
            character=lambda byte: chr(_FROM_EBCDIC[byte]),
        ),
        Encoding.ASCII: Alphabet(
            decode='{}.decode("ascii")',
            encode='{}.encode("ascii")',
            names=MappingProxyType({}),
            character=chr,
        ),
        Encoding.KANA: Alphabet(
            decode='charmap_decode({}, "strict", KANA)[0]',
            encode='charmap_encode({}, "strict", TO_KANA)[0]',
            names=MappingProxyType(
                {
                    "charmap_decode": codecs.charmap_decode,
                    "charmap_encode": codecs.charmap_encode,
                    "KANA": _KANA,
                    "TO_KANA": codecs.charmap_build(_KANA),
                }
            ),
            character=chr,
        ),
    }
)
