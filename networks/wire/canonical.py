"""Between a dialect's elements and canonical messages.

A message read from the wire keeps its elements, and writing it again changes only what differs
from them: an untouched message comes out as it was, unknown elements included.
"""

from __future__ import annotations

from collections.abc import Mapping

from networks.wire.attributes import Attribute, attributes_of
from networks.wire.canonical_readers import Reader, is_transmission, make_reader
from networks.wire.canonical_writers import Writer, make_writer
from networks.wire.dialect import Dialect
from networks.wire.errors import DecodeError
from networks.wire.messages import Kind, Message
from networks.wire.parts.forms import is_digits
from networks.wire.spec import Length
from networks.wire.subfields import named_parts, parts_codec

_ORIGINS = "0123"  # last digit of an MTI: acquirer, its repeat, issuer, its repeat
_BITMAPS = ("1", "65")
_BITMAP_BYTES = 8


class Canonical:
    """Reads and writes the canonical messages of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        classes = dict.fromkeys(Kind.BY_MTI.values())
        self._reader_of: Mapping[type[Message], Reader] = {
            each: make_reader(dialect, each, self._explain) for each in classes
        }
        self._writer_of: Mapping[type[Message], Writer] = {
            each: make_writer(dialect, each) for each in classes
        }
        self._reader_by_mti = {
            kind + origin: self._reader_of[each]
            for kind, each in Kind.BY_MTI.items()
            for origin in _ORIGINS
        }

    def read(self, fields: Mapping[str, str]) -> Message:
        """The message in decoded `fields`, which it keeps: do not change them afterwards.

        Raises
        ------
        DecodeError
            ``t`` for a message type without a class; otherwise the element or part that does
            not hold the digits it should.
        """
        reader = self._reader_by_mti.get(fields["t"])
        if reader is None:
            raise DecodeError("t", 0, "expected the type of a message that exists", fields)
        return reader(fields)

    def write(self, message: Message) -> Mapping[str, str]:
        """The elements of `message`, ready to be encoded.

        Raises
        ------
        EncodeError
            For a value that its element or part cannot carry.
        """
        if "t" in message.elements:
            return self._overlay(message)
        written = self._writer_of[type(message)](message)
        # A message made here may carry elements that have no canonical name.
        return {**message.elements, **written} if message.elements else written

    def _overlay(self, message: Message) -> dict[str, str]:
        """The elements that `message` came with, changed where its attributes were."""
        message_class = type(message)
        before = self._reader_of[message_class](message.elements)
        fields = {**message.elements, "t": message.mti}
        changed: dict[str, list[Attribute]] = {}
        for attribute in attributes_of(self._dialect.name, message_class):
            if getattr(message, attribute.name) != getattr(before, attribute.name):
                changed.setdefault(attribute.element, []).append(attribute)
        written = self._writer_of[message_class](message) if changed else {}
        for element, attributes in changed.items():
            self._replace(fields, element, attributes, written.get(element))
        return fields

    def _replace(
        self,
        fields: dict[str, str],
        element: str,
        attributes: list[Attribute],
        written: str | None,
    ) -> None:
        """Put what was `written` of one element into `fields`, keeping its other parts."""
        form = self._dialect.elements[element]
        is_droppable = written is None and form.length is Length.FIXED
        if attributes[0].part and element in fields and not is_droppable:
            codec = named_parts(element, form)
            new = codec.decode(written) if written is not None else {}
            parts = codec.decode(fields[element])
            for attribute in attributes:
                if attribute.part in new:
                    parts[attribute.part] = new[attribute.part]  # a tag keeps its place
                else:
                    parts.pop(attribute.part)
            written = codec.encode(parts) if parts else None
        if written is None:
            fields.pop(element)
        else:
            fields[element] = written

    def _explain(self, fields: Mapping[str, str], attributes: tuple[Attribute, ...]) -> None:
        """Look again, slowly, for what a reader has stumbled over, and raise it."""
        for attribute in attributes:
            element = self._dialect.elements[attribute.element]
            value = fields.get(attribute.element)
            if value is None:
                continue
            if element.parts is not None:
                parts_codec(attribute.element, element).decode(value)
            elif element.numeric and not is_digits(value):
                raise self._broken(fields, attribute.element, "expected decimal digits")
            elif attribute.name == "transmission" and not is_transmission(value):
                raise self._broken(fields, attribute.element, "expected a time MMDDhhmmss")

    def _broken(self, fields: Mapping[str, str], element: str, expected: str) -> DecodeError:
        """The error for `element`, at the byte where it stands in the message."""
        data = {int(key): key for key in fields if key.isdecimal() and key not in _BITMAPS}
        before = {key: fields[key] for number, key in data.items() if number < int(element)}
        before_bitmaps = _bitmaps_up_to(max(map(int, before), default=0))
        # What stands before it may need fewer bitmaps than the whole message has.
        bitmaps = max(_bitmaps_up_to(max(data)), 1 + ("1" in fields))
        encoded = self._dialect.codec.encode({"t": fields["t"], **before})
        position = len(encoded) + _BITMAP_BYTES * (bitmaps - before_bitmaps)
        return DecodeError(element, position, expected, fields)


def _bitmaps_up_to(number: int) -> int:
    return 1 + (number > 64) + (number > 128)


_kept: dict[str, Canonical] = {}


def canonical_for(dialect: Dialect) -> Canonical:
    """The `Canonical` of `dialect`, built once."""
    if dialect.name not in _kept:
        _kept[dialect.name] = Canonical(dialect)
    return _kept[dialect.name]
