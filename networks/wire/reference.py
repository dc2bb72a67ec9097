"""pyiso8583 as the reference codec: what it says of a message is what this program says.

The compiled codec (:mod:`networks.wire.compile`) must agree with it and asks it again whenever a
message is not plain, so that every error names the field and the byte. An element that a dialect
does not define stands in the derived specification as a field of an impossible width, so that
pyiso8583 itself finds its position.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import iso8583

from networks.wire.errors import DecodeError, EncodeError
from networks.wire.spec import Element, Encoding, Length

_IMPOSSIBLE_WIDTH = 1_000_000
_TRAILING = "Extra data after last field"
_UNDEFINED = "this dialect does not define the element"
_LENGTH_FORMS: Mapping[Length, tuple[str, int]] = MappingProxyType(
    {
        Length.FIXED: ("b", 0),
        Length.BINARY_DIGITS: ("b", 1),
        Length.BINARY_BYTES: ("b", 1),
        Length.BINARY_BYTES_2: ("b", 2),
        Length.ASCII_2: ("ascii", 2),
        Length.ASCII_3: ("ascii", 3),
    }
)


def element_spec(element: Element) -> dict[str, Any]:
    """`element` in pyiso8583's form."""
    length_encoding, length_bytes = _LENGTH_FORMS[element.length]
    is_text = element.encoding not in {Encoding.BCD, Encoding.BINARY}
    return {
        "data_enc": element.encoding.value if is_text else "b",
        "len_enc": length_encoding,
        "len_type": length_bytes,
        "max_len": element.width,
        "len_count": "nibbles" if element.encoding is Encoding.BCD else "bytes",
        "left_pad": "0" if element.encoding is Encoding.BCD else "",
        "desc": element.name,
    }


def derive_spec(elements: Mapping[str, Element]) -> dict[str, dict[str, Any]]:
    """pyiso8583's specification of a dialect: its elements, and all others as impossible."""
    undefined = Element("undefined", Encoding.BINARY, Length.FIXED, _IMPOSSIBLE_WIDTH)
    numbers = [str(number) for number in range(2, 193) if number != 65]
    spec = {number: element_spec(elements.get(number, undefined)) for number in numbers}
    spec |= {key: element_spec(elements[key]) for key in ("t", "p", "1")}
    spec["h"] = element_spec(Element("header", Encoding.BINARY, Length.FIXED, 0))
    return spec


class ReferenceCodec:
    """pyiso8583 behind this package's errors; slow, and the judge of every doubtful message."""

    def __init__(self, elements: Mapping[str, Element]) -> None:
        self._elements = elements
        self.spec: Mapping[str, Mapping[str, Any]] = MappingProxyType(derive_spec(elements))

    def decode(self, message: bytes) -> dict[str, str]:
        """MTI ``"t"``, bitmaps ``"p"`` and ``"1"`` and the data elements of `message`.

        Raises
        ------
        DecodeError
            With the field, the byte, and what could be decoded before it.
        """
        try:
            return iso8583.decode(message, self.spec)[0]
        except iso8583.DecodeError as error:
            failure = self._decode_error(error)
        raise failure  # outside, so that pyiso8583's error, which holds the message, is let go

    def encode(self, fields: Mapping[str, str]) -> bytes:
        """The message of `fields`; bitmaps are made here and those in `fields` ignored.

        Raises
        ------
        EncodeError
            With the field that does not fit.
        """
        _check_text(fields)
        try:
            return bytes(iso8583.encode(dict(fields), self.spec)[0])
        except iso8583.EncodeError as error:
            failure = EncodeError(error.field, self._expected(error.field, error.msg))
        except (KeyError, ValueError):
            failure = EncodeError("p", "keys must be t and the decimal numbers of elements")
        raise failure

    def _decode_error(self, error: iso8583.DecodeError) -> DecodeError:
        field = error.field
        partial = error.doc_dec
        if error.msg != _TRAILING:
            partial.pop(field, None)
        return DecodeError(field, error.pos, self._expected(field, error.msg), partial)

    def _expected(self, field: str, message: str) -> str:
        return message if field in self._elements else _UNDEFINED


def _check_text(fields: Mapping[str, object]) -> None:
    """Values may come from JSON, and pyiso8583 asks their length before it knows what they are."""
    for key, value in fields.items():
        if not isinstance(value, str):
            raise EncodeError(str(key), "value must be text")
