"""The V.I.P.-like header, H1 to H12, and its reject form with H13 and H14 (DOMAIN 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from networks.wire.errors import HeaderError
from networks.wire.header_fields import HeaderField, describe_fields, encode_fields
from networks.wire.headers import Reject

_LENGTH = 22
_REJECT_LENGTH = 26
_BOTH_LENGTHS = _REJECT_LENGTH + _LENGTH
_NORMAL_FORMAT, _REJECT_FORMAT = 0x01, 0x81
_BITMAP_FORMAT = 0x02  # H3: DE 62 begins with a bitmap
_BITS_57_TO_64 = _LENGTH + 2 + 7  # behind the MTI, the last byte of the primary bitmap
_LENGTH_BYTES = (b"\x16", b"\x1a")
_SIX_DIGITS = "six decimal digits"
_BEGIN = b"\x16\x01\x02"  # H1 to H3: 22 bytes, normal format, DE 62 with its bitmap
_REJECT_BEGIN = b"\x1a\x81\x01"
_REJECTED = b"\x80\x00"  # H13
_FIELDS = (
    HeaderField("H1", "header_length", 0, 1, "16"),
    HeaderField("H2", "header_format", 1, 1, "01"),
    HeaderField("H3", "text_format", 2, 1, "02"),
    HeaderField("H4", "total_length", 3, 2),
    HeaderField("H5", "destination", 5, 3, "000000"),
    HeaderField("H6", "source", 8, 3, "000000"),
    HeaderField("H7", "round_trip_control", 11, 1, "00"),
    HeaderField("H8", "base_1_flags", 12, 2, "0000"),
    HeaderField("H9", "message_status_flags", 14, 3, "000000"),
    HeaderField("H10", "batch_number", 17, 1, "00"),
    HeaderField("H11", "reserved", 18, 3, "000000"),
    HeaderField("H12", "user_information", 21, 1, "00"),
)
_REJECT_FIELDS = (
    HeaderField("H13", "reject_bitmap", 22, 2, "8000"),
    HeaderField("H14", "reject_code", 24, 2),
)
_ORIGINAL = "original_"


@dataclass(frozen=True, slots=True)
class VipHeader:
    """22 bytes; a reject has 26, and then the 22 of the message that is given back.

    `longest` is the largest payload: a reject gives back no more of a message than fits.
    """

    longest: int

    def split(self, payload: bytes) -> tuple[bytes, bytes]:
        """Header and message; for a reject both headers (48 bytes), and the message given back.

        Raises
        ------
        HeaderError
            H1 where the length is unknown or the payload shorter; H2 where the format does not
            go with it; H4 where the total is not the payload's; H5 or H6 where a station is not
            six digits; H3 where the message has a DE 62 without sub-bitmap, which nothing here
            reads (without DE 62 the text format says nothing).
        """
        if _is_plain(payload):
            return payload[:_LENGTH], payload[_LENGTH:]
        if payload[:1] == b"\x1a":
            _check(payload, _REJECT_FORMAT, _BOTH_LENGTHS)
            return payload[:_BOTH_LENGTHS], payload[_BOTH_LENGTHS:]
        _check(payload, _NORMAL_FORMAT, _LENGTH)
        if payload[2] != _BITMAP_FORMAT and _has_de_62(payload):
            raise HeaderError("H3", f"{_BITMAP_FORMAT:02X}, for DE 62 with a bitmap", 2)
        return payload[:_LENGTH], payload[_LENGTH:]

    def extent(self, payload: bytes) -> int:
        """22 bytes, or 48 where H1 says reject."""
        return _BOTH_LENGTHS if payload[:1] == b"\x1a" else _LENGTH

    def request(self, source: str, destination: str, message_length: int) -> bytes:
        """H1 to H12 with H7 to H12 zero."""
        total = (_LENGTH + message_length).to_bytes(2, "big")
        return _BEGIN + total + _station("H5", destination) + _station("H6", source) + bytes(11)

    def response(self, header: bytes, station: str, message_length: int) -> bytes:
        """H5 is the request's H6, H6 `station`, and H7 to H12 are copied."""
        total = (_LENGTH + message_length).to_bytes(2, "big")
        return _BEGIN + total + header[8:11] + _station("H6", station) + header[11:_LENGTH]

    def reject(self, payload: bytes, code: str, station: str) -> bytes | None:
        """26 bytes addressed to the sender, then `payload`, cut where it would not fit."""
        if len(payload) < _LENGTH:
            return None
        given_back = payload[: self.longest - _REJECT_LENGTH]
        total = (_REJECT_LENGTH + len(given_back)).to_bytes(2, "big")
        addresses = payload[8:11] + _station("H6", station)
        reason = _REJECTED + HeaderField("H14", "reject_code", 24, 2).encode(code)
        return _REJECT_BEGIN + total + addresses + payload[11:_LENGTH] + reason + given_back

    def parse_reject(self, payload: bytes) -> Reject | None:
        """The reject in `payload`; None where H1 is not 26. Raises HeaderError as `split`."""
        if payload[:1] != b"\x1a":
            return None
        header, message = self.split(payload)
        code = header[24:_REJECT_LENGTH].hex().upper()
        return Reject(code, header[_REJECT_LENGTH:], message)

    def stations(self, header: bytes) -> tuple[str, str]:
        """H6 and H5, six digits each."""
        return header[8:11].hex(), header[5:8].hex()

    def describe(self, header: bytes) -> dict[str, str]:
        """H1 to H12 in hex; of a reject also H13, H14, and the original's as ``original_...``."""
        fields = describe_fields(_FIELDS, header)
        if len(header) == _BOTH_LENGTHS:
            fields |= describe_fields(_REJECT_FIELDS, header)
            original = describe_fields(_FIELDS, header[_REJECT_LENGTH:])
            fields |= {_ORIGINAL + name: text for name, text in original.items()}
        return fields

    def from_json(self, fields: Mapping[str, str], message_length: int) -> bytes:
        """The header of `fields`; lengths are made here, ``reject_code`` makes it a reject.

        Raises
        ------
        HeaderError
            For a field that is not hex of its width.
        """
        total = f"{_LENGTH + message_length:04X}"
        if "reject_code" not in fields:
            return encode_fields(_FIELDS, {**fields, "total_length": total})
        original = {
            name.removeprefix(_ORIGINAL): text
            for name, text in fields.items()
            if name.startswith(_ORIGINAL)
        }
        whole = {
            "header_length": "1A",
            "header_format": "81",
            **fields,
            "total_length": f"{_BOTH_LENGTHS + message_length:04X}",
        }
        given_back = encode_fields(_FIELDS, {"total_length": total, **original})
        return encode_fields(_FIELDS + _REJECT_FIELDS, whole) + given_back


def _is_plain(payload: bytes) -> bool:
    """Whether a usual header begins `payload`, so that nothing has to be explained."""
    return (
        payload[:3] == _BEGIN
        and len(payload) >= _LENGTH
        and payload[3] << 8 | payload[4] == len(payload)
        and payload[5:11].hex().isdecimal()
    )


def _check(payload: bytes, header_format: int, length: int) -> None:
    if payload[:1] not in _LENGTH_BYTES:
        raise HeaderError("H1", "16, or 1A for a reject")
    if len(payload) < length:
        raise HeaderError("H1", f"{length} bytes of header, {len(payload)} are there")
    if payload[1] != header_format:
        raise HeaderError("H2", f"{header_format:02X}", 1)
    if payload[3] << 8 | payload[4] != len(payload):
        raise HeaderError("H4", "the length that the frame's prefix announces", 3)
    if not payload[5:11].hex().isdecimal():
        number, at = ("H6", 8) if payload[5:8].hex().isdecimal() else ("H5", 5)
        raise HeaderError(number, _SIX_DIGITS, at)


def _has_de_62(payload: bytes) -> bool:
    """Whether the bitmap behind header and MTI announces DE 62."""
    return len(payload) > _BITS_57_TO_64 and payload[_BITS_57_TO_64] & 0x04 != 0


@lru_cache(64)  # a link has two
def _station(number: str, station: str) -> bytes:
    if len(station) != 6 or not (station.isascii() and station.isdecimal()):
        raise HeaderError(number, _SIX_DIGITS)
    return bytes.fromhex(station)
