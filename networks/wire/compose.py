"""The inverse of a description: element texts out of fields and subfields written by a person.

What comes in is parsed JSON, so anything can be anywhere; every complaint is an
:class:`~networks.wire.errors.EncodeError` that names the field. A masked value is refused: an
asterisk would otherwise go to a network as data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from networks.wire.dialect import Dialect
from networks.wire.errors import DecodeError, EncodeError
from networks.wire.masking import HIDDEN
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


@dataclass(frozen=True, slots=True)
class _Written:
    """A composite element that parts are written into."""

    field: str
    element: Element
    parts: Parts


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
            raise EncodeError(field, "this dialect does not define the element")
        composed[field] = _text(field, element, value)
    for field, given in _by_element(subfields).items():
        element = dialect.elements.get(field)
        if element is None or element.parts is None:
            raise EncodeError(field, "this dialect defines no parts of the element")
        written = _Written(field, element, element.parts)
        composed[field] = _write_parts(written, given, composed.get(field))
    return composed


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
