"""The codec of a dialect."""

from __future__ import annotations

from collections.abc import Mapping

from networks.wire.reference import ReferenceCodec
from networks.wire.spec import Element


class Codec:
    """Encodes and decodes the messages of one dialect (MTI, bitmaps, data elements)."""

    def __init__(self, elements: Mapping[str, Element]) -> None:
        self.reference = ReferenceCodec(elements)

    def decode(self, message: bytes) -> dict[str, str]:
        """MTI ``"t"``, bitmaps and the data elements of `message`; raises DecodeError."""
        return self.reference.decode(message)

    def encode(self, fields: Mapping[str, str]) -> bytes:
        """The message of `fields`; raises EncodeError."""
        return self.reference.encode(fields)
