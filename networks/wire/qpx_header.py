"""The QPX-1 header: ``QPX1``, source and destination station, twelve characters.

DOMAIN 3.3 names the stations in the other order; the golden vectors put the source first, and the
vectors are what two implementations have agreed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from networks.wire.errors import HeaderError
from networks.wire.headers import Reject

_MAGIC = b"QPX1"
_LENGTH = 12
_STATION_LENGTH = 4
_NOBODY = "0000"


@dataclass(frozen=True, slots=True)
class QpxHeader:
    """Twelve ASCII characters; this network knows no rejects."""

    def split(self, payload: bytes) -> tuple[bytes, bytes]:
        """Header and message.

        Raises
        ------
        HeaderError
            Where the payload does not begin with ``QPX1`` and two stations.
        """
        header = payload[:_LENGTH]
        if header[:4] != _MAGIC:
            raise HeaderError("identifier", _MAGIC.decode())
        if len(header) < _LENGTH or not (header.isascii() and header.isalnum()):
            raise HeaderError("stations", "four letters or digits each", len(_MAGIC))
        return header, payload[_LENGTH:]

    def extent(self, payload: bytes) -> int:
        """Twelve bytes, whatever they are."""
        del payload
        return _LENGTH

    def request(self, source: str, destination: str, message_length: int) -> bytes:
        """``QPX1``, `source`, `destination`; the length is the prefix's alone."""
        del message_length
        return _MAGIC + _station("source", source) + _station("destination", destination)

    def response(self, header: bytes, station: str, message_length: int) -> bytes:
        """From `station` to the source of `header`."""
        del message_length
        return _MAGIC + _station("source", station) + header[4:8]

    def reject(self, payload: bytes, code: str, station: str) -> bytes | None:
        """None: what cannot be answered with result 30 is dropped."""
        del payload, code, station
        return None

    def parse_reject(self, payload: bytes) -> Reject | None:
        """None."""
        del payload
        return None

    def stations(self, header: bytes) -> tuple[str, str]:
        """Source and destination, four characters each."""
        return header[4:8].decode("ascii"), header[8:_LENGTH].decode("ascii")

    def describe(self, header: bytes) -> dict[str, str]:
        """Identifier, source, destination."""
        source, destination = self.stations(header)
        return {"identifier": _MAGIC.decode(), "source": source, "destination": destination}

    def from_json(self, fields: Mapping[str, str], message_length: int) -> bytes:
        """The header of `fields`; raises HeaderError for a broken station."""
        source, destination = fields.get("source", _NOBODY), fields.get("destination", _NOBODY)
        return self.request(source, destination, message_length)


def _station(name: str, station: str) -> bytes:
    if len(station) != _STATION_LENGTH or not (station.isascii() and station.isalnum()):
        raise HeaderError(name, "four letters or digits")
    return station.encode("ascii")
