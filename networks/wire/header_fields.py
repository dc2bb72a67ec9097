"""A fixed header as a table of fields: names, places, forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from networks.wire.errors import HeaderError


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One field of a header: its DOMAIN number, JSON name, place and width in bytes."""

    number: str
    name: str
    offset: int
    width: int
    default: str = ""

    def text(self, header: bytes) -> str:
        """The field's bytes as upper-case hex (BCD shows as its digits)."""
        return header[self.offset : self.offset + self.width].hex().upper()

    def encode(self, value: str) -> bytes:
        """The field's bytes; raises HeaderError where `value` is not hex of the right width."""
        try:
            encoded = bytes.fromhex(value)
        except (TypeError, ValueError):
            encoded = b""
        if len(encoded) != self.width:
            raise HeaderError(self.number, f"{self.width * 2} hexadecimal digits")
        return encoded


def describe_fields(table: Sequence[HeaderField], header: bytes) -> dict[str, str]:
    """Name to text of every field in `table`."""
    return {field.name: field.text(header) for field in table}


def encode_fields(table: Sequence[HeaderField], values: Mapping[str, str]) -> bytes:
    """The bytes of all fields in `table`, absent ones by their default."""
    return b"".join(field.encode(values.get(field.name, field.default)) for field in table)
