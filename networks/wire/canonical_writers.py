"""Generated writers: from one class of canonical message made here to elements.

Attributes that are blank, None or empty are left out. Text of a fixed width is padded with blanks;
digits are not, because a missing digit is a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeAlias, cast

from networks.wire.alphabets import TO_EBCDIC
from networks.wire.attributes import TEMPLATES, Attribute, Kind, attributes_of
from networks.wire.dialect import Dialect
from networks.wire.errors import EncodeError
from networks.wire.generated import make_function
from networks.wire.messages import AdditionalAmount, Message, OriginalData
from networks.wire.parts.forms import is_digits
from networks.wire.parts_access import PartsAccess
from networks.wire.spec import Bitmapped, Element, Encoding, Length, Positional, Tagged

Writer: TypeAlias = Callable[[Message], dict[str, str]]

_AMOUNT_WIDTH = 12
_AMOUNT_LIMIT = 10**_AMOUNT_WIDTH
_TEXT = frozenset({Encoding.EBCDIC, Encoding.ASCII, Encoding.KANA})


def write_amount(amount: int, path: str) -> str:
    """An amount in minor units as twelve digits."""
    if not 0 <= amount < _AMOUNT_LIMIT:
        raise EncodeError(path, f"expected an amount from 0, of at most {_AMOUNT_WIDTH} digits")
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
    if len(value) != width or not is_digits(value):
        raise EncodeError(path, f"expected {width} digits")
    return value


@lru_cache(1024)  # indicators of one character, most of them
def ebcdic(value: str, path: str) -> str:
    """Text as the hex of its EBCDIC bytes."""
    try:
        return value.encode("latin-1").translate(TO_EBCDIC).hex().upper()
    except UnicodeEncodeError:
        raise EncodeError(path, "expected characters of EBCDIC") from None


_FUNCTIONS = (write_amount, write_original, write_amounts, fit, fit_digits, ebcdic)


def make_writer(dialect: Dialect, message_class: type[Message]) -> Writer:
    """The writer of `message_class`."""
    attributes = attributes_of(dialect.name, message_class)
    scope: dict[str, Any] = {function.__name__: function for function in _FUNCTIONS}
    body = ["_fields = {'t': message.mti}"]
    for element, group in groupby(attributes, key=lambda attribute: attribute.element):
        access = PartsAccess(dialect, element)
        body += _write_element(access, tuple(group))
        if access.layout is not None:
            scope[f"encode_{element}"] = access.codec.encode
    return cast("Writer", make_function("write", "message", [*body, "return _fields"], scope))


def _write_element(access: PartsAccess, places: tuple[Attribute, ...]) -> list[str]:
    first = places[0]
    if not first.part:
        value = _whole(access, first)
    elif isinstance(access.layout, Positional):
        value = _positional(access, places)
    elif isinstance(access.layout, Bitmapped):
        return _bitmapped(access.layout, places)
    else:
        value = _tagged(access, places)
    there = [f"{a.name} is not None" if a.kind is Kind.AMOUNT else a.name for a in places]
    return [*_load(places), f"if {' or '.join(there)}: _fields[{first.element!r}] = {value}"]


def _load(places: tuple[Attribute, ...]) -> list[str]:
    return [f"{place.name} = message.{place.name}" for place in places]


def _whole(access: PartsAccess, place: Attribute) -> str:
    name, element = place.name, access.element
    match place.kind:
        case Kind.AMOUNT:
            return f"write_amount({name}, {place.path!r})"
        case Kind.EBCDIC:
            return f"ebcdic({name}, {place.path!r})"
        case Kind.ORIGINAL | Kind.AMOUNTS:
            return f"encode_{place.element}(write_{place.kind}({name}))"
        case _:
            is_padded = element.encoding in _TEXT and element.length is Length.FIXED
            if is_padded and not element.numeric:
                return (
                    f"{name} if len({name}) == {element.width} else {name}.ljust({element.width})"
                )
            return name


def _positional(access: PartsAccess, places: tuple[Attribute, ...]) -> str:
    """Overlay the parts that are there on the element's template."""
    template, done, pieces = TEMPLATES[places[0].element], 0, []
    for place in sorted(places, key=lambda place: access.begin(place.part)):
        begin, element = access.begin(place.part), access.part(place.part)
        filler = template[begin : begin + element.width]
        written, there = _fitted(place, element), place.name
        if place.kind is Kind.AMOUNT:
            written, there = f"write_amount({place.name}, {place.path!r})", f"{there} is not None"
        if len(places) > 1:  # a single one is there, or nothing is written
            written = f"({written} if {there} else {filler!r})"
        pieces += [repr(template[done:begin]), written]
        done = begin + element.width
    return " + ".join(piece for piece in [*pieces, repr(template[done:])] if piece != "''")


def _bitmapped(layout: Bitmapped, places: tuple[Attribute, ...]) -> list[str]:
    """The bitmap of the parts that are there, then those parts."""
    body = [*_load(places), "_bits, _text = 0, ''"]
    for place in places:
        element = layout.elements[int(place.part)]
        written = _fitted(place, element)
        if element.encoding is Encoding.EBCDIC:
            written = f"ebcdic({written}, {place.path!r})"
        elif element.width % 2:
            written = f"'0' + {written}"
        bit = 1 << (8 * layout.bitmap_bytes - int(place.part))
        body += [f"if {place.name}:", f"    _bits |= {bit}", f"    _text += {written}"]
    number = places[0].element
    return [
        *body,
        f"if _bits: _fields[{number!r}] = f'{{_bits:0{2 * layout.bitmap_bytes}X}}' + _text",
    ]


def _tagged(access: PartsAccess, places: tuple[Attribute, ...]) -> str:
    """Tag, length and value of the parts that are there."""
    assert isinstance(access.layout, Tagged)
    pieces = []
    for place in places:
        element = access.layout.tags[place.part]
        written = f"encode_{place.element}({{{place.part!r}: {place.name}}})"
        if element.length is Length.FIXED:
            head = f"{place.part}{element.width:0{access.layout.length_digits}d}"
            written = f"{head!r} + {_fitted(place, element)}"
        pieces.append(f"({written} if {place.name} else '')")
    return " + ".join(pieces)


def _fitted(place: Attribute, element: Element) -> str:
    function = "fit_digits" if element.numeric else "fit"
    return f"{function}({place.name}, {element.width}, {place.path!r})"
