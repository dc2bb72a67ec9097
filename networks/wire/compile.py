"""The codec of a dialect: compiled for each shape of message, judged by the reference.

From the table of elements a decoder is generated for each set of bitmaps, and an encoder for each
order of fields (:mod:`~networks.wire.compile_decoder`, :mod:`~networks.wire.compile_encoder`).
They only handle plain messages. Whatever they refuse goes to pyiso8583
(:mod:`~networks.wire.reference`), whose result or error is the answer; so both ways give what
pyiso8583 gives, trailing bytes, lengths and padding included, and an error names field and byte.

Like pyiso8583 the codec takes any hexadecimal digit in a packed field, and any character in a
numeric one. That an amount or a date holds decimal digits is demanded where the value is read,
by the canonical messages, which name the field in their error: an element that nobody reads
must not fail a message.
"""

from __future__ import annotations

from collections.abc import Mapping

from networks.wire.compile_decoder import Decoder, compile_decoder
from networks.wire.compile_encoder import Encoder, compile_encoder
from networks.wire.reference import ReferenceCodec
from networks.wire.shapes import ShapeCache
from networks.wire.spec import Element, Encoding

_WORTH_COMPILING = 64  # messages of one shape
_REFUSED = (AttributeError, LookupError, TypeError, ValueError)


class Codec:
    """Encodes and decodes the messages of one dialect (MTI, bitmaps, data elements).

    `reference` is the pyiso8583 codec of the same elements. `compile_after` is how many valid
    messages of a shape go through it before the shape is compiled.
    """

    def __init__(
        self, elements: Mapping[str, Element], *, compile_after: int = _WORTH_COMPILING
    ) -> None:
        self.reference = ReferenceCodec(elements)
        self.decoders: ShapeCache[bytes, Decoder] = ShapeCache(
            lambda bitmaps: compile_decoder(elements, bitmaps), sightings=compile_after
        )
        self.encoders: ShapeCache[tuple[str, ...], Encoder] = ShapeCache(
            lambda order: compile_encoder(elements, order), sightings=compile_after
        )
        self._bitmap = 2 if elements["t"].encoding is Encoding.BCD else 4

    def decode(self, message: bytes) -> dict[str, str]:
        """MTI ``"t"``, bitmaps ``"p"`` and ``"1"`` and the data elements of `message`, as text.

        Binary elements are upper-case hex.

        Raises
        ------
        DecodeError
            With the field and the byte that break the format.
        """
        shape = self._shape(message)
        decoder = self.decoders.recent.get(shape) or self.decoders.find(shape)
        if decoder is None:
            fields = self.reference.decode(message)
            self.decoders.saw_valid(shape)
            return fields
        try:
            plain = decoder(message)
        except _REFUSED:
            plain = None
        return self.reference.decode(message) if plain is None else plain

    def encode(self, fields: Mapping[str, str]) -> bytes:
        """The message of `fields`, with bitmaps made from its keys.

        Raises
        ------
        EncodeError
            With the field that does not fit the dialect.
        """
        order = tuple(fields)
        encoder = self.encoders.recent.get(order) or self.encoders.find(order)
        if encoder is None:
            message = self.reference.encode(fields)
            self.encoders.saw_valid(order)
            return message
        try:
            plain = encoder(fields.values())
        except _REFUSED:
            plain = None
        return self.reference.encode(fields) if plain is None else plain

    def _shape(self, message: bytes) -> bytes:
        """The bitmaps of `message`, as many as announce each other."""
        begin = self._bitmap
        shape = message[begin : begin + 8]
        if shape < b"\x80":
            return shape
        shape = message[begin : begin + 16]
        return message[begin : begin + 24] if shape[8:] >= b"\x80" else shape
