"""Generated readers: from decoded elements to one class of canonical message.

A message class has some fifty attributes and most are plain elements, so each reader is straight
code without a loop. Only what composites are present are decoded. All digits that must be digits
are looked at in one piece; should something be wrong, `explain` looks for it again, slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeAlias, cast

import msgspec

from networks.wire.attributes import Attribute, Kind, attributes_of
from networks.wire.dialect import Dialect
from networks.wire.errors import DecodeError
from networks.wire.generated import make_function
from networks.wire.messages import AdditionalAmount, Message, OriginalData
from networks.wire.parts_access import PartsAccess
from networks.wire.spec import Positional

Reader: TypeAlias = Callable[[Mapping[str, str]], Message]
Explain: TypeAlias = Callable[[Mapping[str, str], tuple[Attribute, ...]], None]

_DAYS = frozenset(
    f"{month:02d}{day:02d}"
    for month, days in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
    for day in range(1, days + 1)
)
_SIGNS = {"C": 1, "D": -1}


@lru_cache(1024)  # messages of one second share it
def is_transmission(digits: str) -> bool:
    """Whether ten digits are a time MMDDhhmmss."""
    hour, minute, second = digits[4:6], digits[6:8], digits[8:]
    return digits[:4] in _DAYS and hour <= "23" and minute <= "59" and second <= "59"


def read_original(parts: Mapping[str, str]) -> OriginalData:
    """DE 90; acquirer and forwarder without the zeros that fill them."""
    return OriginalData(
        parts["mti"],
        parts["stan"],
        parts["transmission"],
        parts.get("acquirer", "").lstrip("0"),
        parts.get("forwarder", "").lstrip("0"),
    )


def read_amounts(groups: Iterable[Mapping[str, str]]) -> tuple[AdditionalAmount, ...]:
    """DE 54; an amount of sign D is negative."""
    return tuple(
        AdditionalAmount(group["account"], group["type"], group["currency"], _signed(group))
        for group in groups
    )


def _signed(group: Mapping[str, str]) -> int:
    if group["sign"] not in _SIGNS:
        raise DecodeError("54.sign", 7, "expected C or D")
    return _SIGNS[group["sign"]] * int(group["amount"])


def make_reader(dialect: Dialect, message_class: type[Message], explain: Explain) -> Reader:
    """The reader of `message_class`; `explain` raises the DecodeError of broken fields."""
    attributes = attributes_of(dialect.name, message_class)
    scope: dict[str, Any] = {
        "message_class": message_class,
        "is_transmission": is_transmission,
        "read_original": read_original,
        "read_amounts": read_amounts,
        "explain": explain,
        "attributes": attributes,
    }
    body = ["_get = fields.get"]
    checks: list[str] = []
    digits: list[str] = []
    for element, group in groupby(attributes, key=lambda attribute: attribute.element):
        access = PartsAccess(dialect, element)
        places = tuple(group)
        if access.layout is None or places[0].kind is Kind.EBCDIC:
            body += [_plain(places[0])]
            digits += [places[0].name for _ in range(dialect.elements[element].numeric)]
        elif isinstance(access.layout, Positional) and places[0].part:
            body.append(f"_text = _get({element!r}, '')")
            body += [f"{a.name} = _text[{access.span(a.part)}]" for a in places]
            checks += [f"len({a.name}) not in (0, {access.part(a.part).width})" for a in places]
            digits += [a.name for a in places if access.part(a.part).numeric]
        else:
            scope[f"read_{element}"] = access.reader(tuple(a.part for a in places))
            body += _composite(element, places)
    return _finish(message_class, body, digits, checks, scope)


def _plain(attribute: Attribute) -> str:
    return f"{attribute.name} = _get({attribute.element!r}, '')"


def _composite(element: str, places: tuple[Attribute, ...]) -> list[str]:
    text = f"_text = _get({element!r})"
    match places[0].kind:
        case Kind.ORIGINAL:
            read = f"None if _text is None else read_original(read_{element}(_text))"
            return [text, f"{places[0].name} = {read}"]
        case Kind.AMOUNTS:
            read = f"() if _text is None else read_amounts(read_{element}(_text))"
            return [text, f"{places[0].name} = {read}"]
        case _:
            names = ", ".join(place.name for place in places)
            absent = names.replace(", ", " = ")
            return [
                text,
                f"if _text is None: {absent} = ''",
                f"else: {names}, = read_{element}(_text)",
            ]


def _finish(
    message_class: type[Message],
    body: list[str],
    digits: list[str],
    checks: list[str],
    scope: dict[str, Any],
) -> Reader:
    joined = "".join(f"{{{name}}}" for name in digits)
    conditions = [
        "not (_digits.isascii() and _digits.encode().isdigit())",  # of bytes: half the time
        "(transmission and not is_transmission(transmission))",
        *checks,
    ]
    arguments = [
        _argument(field, {a.name: a.kind for a in scope["attributes"]})
        for field in msgspec.structs.fields(message_class)
    ]
    body += [
        f"_digits = f'0{joined}'",
        f"if {' or '.join(conditions)}: explain(fields, attributes)",
        f"return message_class({', '.join(arguments)})",
    ]
    return cast("Reader", make_function("read", "fields", body, scope))


def _argument(field: msgspec.structs.FieldInfo, kinds: Mapping[str, Kind]) -> str:
    if field.name in ("mti", "elements"):
        return {"mti": "fields['t']", "elements": "fields"}[field.name]
    kind = kinds.get(field.name)
    if kind is None:
        return repr(field.default)
    if kind is Kind.AMOUNT:
        return f"int({field.name}) if {field.name} else None"
    if kind is Kind.EBCDIC:
        return f"bytes.fromhex({field.name}).decode('cp500')"
    return field.name
