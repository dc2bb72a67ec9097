"""Generated writers: from one class of canonical message made here to elements.

Attributes that are blank, None or empty are left out. Text of a fixed width is padded with blanks;
digits are not, because a missing digit is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, TypeAlias, cast

from networks.wire.attributes import TEMPLATES, Attribute, Kind, attributes_of
from networks.wire.dialect import Dialect
from networks.wire.errors import EncodeError
from networks.wire.generated import make_function
from networks.wire.messages import AdditionalAmount, Message, OriginalData
from networks.wire.parts_access import PartsAccess
from networks.wire.spec import Encoding, Length, Positional

Writer: TypeAlias = Callable[[Message], dict[str, str]]

_AMOUNT_WIDTH = 12
_AMOUNT_LIMIT = 10**_AMOUNT_WIDTH


def write_amount(amount: int, path: str) -> str:
    """An amount in minor units as twelve digits."""
    if not 0 <= amount < _AMOUNT_LIMIT:
        raise EncodeError(
            path, f"expected an amount of at most {_AMOUNT_WIDTH} digits, not below 0"
        )
    return f"{amount:012d}"


def write_original(original: OriginalData) -> dict[str, str]:
    """DE 90, filled with zeros."""
    return {
        "mti": original.mti,
        "stan": original.stan,
        "transmission": original.transmission,
        "acquirer": original.acquirer.zfill(11),
        "forwarder": original.forwarder.zfill(11),
    }


def write_amounts(amounts: Iterable[AdditionalAmount]) -> list[dict[str, str]]:
    """DE 54; a negative amount has sign D."""
    return [
        {
            "account": entry.account,
            "type": entry.type,
            "currency": entry.currency,
            "sign": "D" if entry.amount < 0 else "C",
            "amount": write_amount(abs(entry.amount), "54.amount"),
        }
        for entry in amounts
    ]


def fit(value: str, width: int, path: str) -> str:
    """`value`, if it fills its part."""
    if len(value) != width:
        raise EncodeError(path, f"expected {width} characters")
    return value


def fit_digits(value: str, width: int, path: str) -> str:
    """`value`, if it fills its part with digits."""
    if len(value) != width or not (value.isdecimal() and value.isascii()):
        raise EncodeError(path, f"expected {width} digits")
    return value


def make_writer(dialect: Dialect, message_class: type[Message]) -> Writer:
    """The writer of `message_class`."""
    attributes = attributes_of(dialect.name, message_class)
    scope: dict[str, Any] = {
        "write_amount": write_amount,
        "write_original": write_original,
        "write_amounts": write_amounts,
        "fit": fit,
        "fit_digits": fit_digits,
    }
    body = ["fields = {'t': message.mti}"]
    for element, group in groupby(attributes, key=lambda attribute: attribute.element):
        access = PartsAccess(dialect, element)
        places = tuple(group)
        if access.layout is None or places[0].kind is Kind.EBCDIC:
            body += _plain(access, places[0])
        elif isinstance(access.layout, Positional) and places[0].part:
            body += _positional(access, places)
        else:
            scope[f"encode_{element}"] = access.codec.encode
            body += _composite(places)
    return cast("Writer", make_function("write", "message", [*body, "return fields"], scope))


def _plain(access: PartsAccess, attribute: Attribute) -> list[str]:
    element = access.element
    value = "value"
    if attribute.kind is Kind.AMOUNT:
        value = f"write_amount(value, {attribute.path!r})"
    elif attribute.kind is Kind.EBCDIC:
        value = "value.encode('cp500').hex().upper()"
    elif _is_padded_text(element.encoding, element.length):
        value = f"value if len(value) == {element.width} else value.ljust({element.width})"
    present = " is not None" if attribute.kind is Kind.AMOUNT else ""
    return [
        f"value = message.{attribute.name}",
        f"if value{present}: fields[{attribute.element!r}] = {value}",
    ]


def _is_padded_text(encoding: Encoding, length: Length) -> bool:
    return length is Length.FIXED and encoding in (Encoding.EBCDIC, Encoding.ASCII, Encoding.KANA)


def _positional(access: PartsAccess, places: tuple[Attribute, ...]) -> list[str]:
    """Overlay the parts that are there on the element's template."""
    element = places[0].element
    template, done, pieces = TEMPLATES[element], 0, []
    for place in sorted(places, key=lambda place: access.begin(place.part)):
        begin, width = access.begin(place.part), access.width(place.part)
        pieces += [repr(template[done:begin]), _piece(access, place, template[begin:][:width])]
        done = begin + width
    pieces.append(repr(template[done:]))
    return [*_load(places), f"    fields[{element!r}] = {' + '.join(pieces)}"]


def _piece(access: PartsAccess, place: Attribute, filler: str) -> str:
    path = place.path
    if place.kind is Kind.AMOUNT:
        return f"({filler!r} if {place.name} is None else write_amount({place.name}, {path!r}))"
    check = "fit_digits" if access.is_numeric(place.part) else "fit"
    width = access.width(place.part)
    return f"({check}({place.name}, {width}, {path!r}) if {place.name} else {filler!r})"


def _composite(places: tuple[Attribute, ...]) -> list[str]:
    element = places[0].element
    if places[0].kind is not Kind.TEXT:
        return [
            *_load(places),
            f"    fields[{element!r}] = encode_{element}(write_{places[0].kind}({places[0].name}))",
        ]
    return [
        *_load(places),
        "    parts = {}",
        *(f"    if {place.name}: parts[{place.part!r}] = {place.name}" for place in places),
        f"    fields[{element!r}] = encode_{element}(parts)",
    ]


def _load(places: tuple[Attribute, ...]) -> list[str]:
    there = [
        f"{place.name} is not None" if place.kind is Kind.AMOUNT else place.name for place in places
    ]
    return [
        *(f"{place.name} = message.{place.name}" for place in places),
        f"if {' or '.join(there)}:",
    ]
