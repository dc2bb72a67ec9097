"""The inverse of a description: a frame out of header, fields and subfields written by a person.

What comes in is parsed JSON, so anything can be anywhere; every complaint is an
:class:`~networks.wire.errors.EncodeError` or :class:`~networks.wire.errors.HeaderError` that names
the field. A masked value is refused: an asterisk would otherwise go to a network as data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from networks.wire.describe import FRAME_FLAGS
from networks.wire.dialect import Dialect
from networks.wire.errors import DecodeError, EncodeError, HeaderError
from networks.wire.header_fields import HeaderField
from networks.wire.masking import HIDDEN
from networks.wire.parts.forms import Misfit, fit
from networks.wire.parts.positional import RepeatedCodec
from networks.wire.spec import (
    Bitmapped,
    Element,
    Encoding,
    Exposure,
    Parts,
    Positional,
    Repeated,
)
from networks.wire.subfields import named_parts, parts_codec

_is_a_name = re.compile(r"[a-z_]{1,32}|[\w.]{1,11}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class _Written:
    """A composite element that parts are written into."""

    field: str
    element: Element
    parts: Parts


def compose_frame(dialect: Dialect, header: Mapping[str, object], message: bytes) -> bytes:
    """The frame of `message`, or a keep-alive where it is empty.

    `header` may leave out anything, and what it says of lengths is made anew; stations that it does
    not name are zero.
    """
    given: dict[str, str] = {}
    for name, value in header.items():
        if not isinstance(value, str):
            raise HeaderError(_known(name), "text in quotes")
        given[name] = value
    flags = b""
    if FRAME_FLAGS in given and dialect.framing.flag_bytes:
        form = HeaderField("prefix", FRAME_FLAGS, 0, dialect.framing.flag_bytes)
        flags = form.encode(given.pop(FRAME_FLAGS))
    if not message:
        return dialect.framing.wrap(b"", flags)
    made = dialect.header.from_json(given, len(message))
    names = dialect.header.describe(made)
    for name in given:
        if name not in names:
            raise HeaderError(_known(name), f"one of {', '.join(names)}")
    dialect.header.split(made + message)  # raises what a receiver would find wrong
    return dialect.framing.wrap(made + message, flags)


def compose_fields(
    dialect: Dialect, fields: Mapping[str, object], subfields: Mapping[str, object]
) -> dict[str, str]:
    """The element texts of a message, for the dialect's codec.

    `subfields` are written into their element, over what `fields` has of it: ``"62.2"`` is one
    part, ``"55"`` an object of several, ``"54"`` the list of all groups.
    """
    composed: dict[str, str] = {}
    for field, value in fields.items():
        element = dialect.elements.get(field)
        if element is None:
            raise EncodeError(_known(field), "this dialect does not define the element")
        try:
            composed[field] = fit(element, _text(field, element, value))
        except Misfit as misfit:
            raise EncodeError(field, str(misfit)) from None
    for field, given in _by_element(subfields).items():
        element = dialect.elements.get(field)
        if element is None or element.parts is None:
            raise EncodeError(_known(field), "this dialect defines no parts of the element")
        written = _Written(field, element, element.parts)
        composed[field] = _write_parts(written, given, composed.get(field))
    return composed


def _known(name: str) -> str:
    """`name`, unless it could not be a field's: then it may be anything and is not repeated."""
    return name if _is_a_name(name) else "of that name"


def _by_element(subfields: Mapping[str, object]) -> dict[str, object]:
    """``{"62.1": "E", "62.2": ...}`` as ``{"62": {"1": "E", "2": ...}}``."""
    elements: dict[str, object] = {}
    for key, value in subfields.items():
        field, _, part = key.partition(".")
        if not part:
            elements[field] = value
            continue
        parts = elements.setdefault(field, {})
        if not isinstance(parts, dict):
            raise EncodeError(key, "expected the element's parts in one place only")
        elements[field] = {**parts, part: value}
    return elements


def _write_parts(target: _Written, given: object, before: str | None) -> str:
    field, element = target.field, target.element
    codec = parts_codec(field, element)
    if isinstance(codec, RepeatedCodec):
        if not isinstance(given, list):
            raise EncodeError(field, "expected a list of groups")
        groups = [_named(f"{field}.{at}", target.parts, group) for at, group in enumerate(given, 1)]
        return codec.encode(groups)
    parts = _named(field, target.parts, given)
    if before is None:
        return codec.encode(parts)
    try:
        return codec.encode({**named_parts(field, element).decode(before), **parts})
    except DecodeError as error:
        raise EncodeError(error.field, error.expected) from None


def _named(field: str, layout: Parts, given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise EncodeError(field, "expected an object of parts")
    return {
        str(key): _text(f"{field}.{key}", _part_element(layout, str(key)), value)
        for key, value in given.items()
    }


def _part_element(parts: Parts, key: str) -> Element | None:
    """The form of part `key`, if the dialect knows it."""
    if isinstance(parts, Bitmapped):
        return {str(bit): element for bit, element in parts.elements.items()}.get(key)
    if isinstance(parts, Positional | Repeated):
        return parts.elements.get(key)
    return parts.tags.get(key.upper())


def _text(field: str, element: Element | None, value: object) -> str:
    if not isinstance(value, str):
        raise EncodeError(field, "expected text in quotes")
    if HIDDEN in value and _is_masked(element):
        raise EncodeError(field, "masked value, expected it in clear")
    is_hex = element is not None and element.encoding is Encoding.BINARY
    return value.upper() if is_hex else value


def _is_masked(element: Element | None) -> bool:
    """Whether an asterisk in the element can only come from masking."""
    if element is None or element.exposure is not Exposure.OPEN or element.numeric:
        return True
    return element.encoding in {Encoding.BCD, Encoding.BINARY}
