"""Hypothesis strategies for what travels on a link."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS
from networks.wire.spec import Element, Encoding, Length

_EBCDIC = bytes(range(256)).decode(Encoding.EBCDIC)
_KANA = bytes([*range(0x20, 0x7F), *range(0xA1, 0xE0)]).decode(Encoding.KANA)
_DOUBLE_BYTE = (
    "商品区分"  # two bytes each in Shift JIS: a peer may send them, the reference decodes
)
_NOTHING = ("p", "1")

dialects = st.sampled_from(list(DIALECTS.values()))


def texts(element: Element, length: int) -> st.SearchStrategy[str]:
    """Values of `length` digits, characters or bytes that `element` carries."""
    if element.numeric:
        return st.text("0123456789", min_size=length, max_size=length)
    if element.encoding is Encoding.BCD:
        return st.text("0123456789ABCDEF", min_size=length, max_size=length)
    if element.encoding is Encoding.BINARY:
        return st.binary(min_size=length, max_size=length).map(lambda raw: raw.hex().upper())
    alphabet = {Encoding.EBCDIC: _EBCDIC, Encoding.KANA: _KANA}
    characters = alphabet.get(element.encoding, "".join(map(chr, range(128))))
    return st.text(characters, min_size=length, max_size=length)


def values(element: Element) -> st.SearchStrategy[str]:
    """Valid values of `element`, short and longest ones among them."""
    if element.length is Length.FIXED:
        return texts(element, element.width)
    longest = min(element.width, 300)
    lengths = st.one_of(st.integers(0, min(longest, 12)), st.just(longest), st.just(longest // 2))
    return lengths.flatmap(lambda length: texts(element, length))


def broken_values(element: Element) -> st.SearchStrategy[str]:
    """Values that do not fit, or only just, or in a way that only Python's own codec knows."""
    around = st.integers(0, min(element.width + 2, 1010))
    return st.one_of(
        around.flatmap(lambda length: texts(element, length)),
        st.text(max_size=min(element.width * 2 + 2, 60)),
        st.text(_DOUBLE_BYTE + "¥ａｱ", max_size=element.width),
        st.text("0123456789abcdefABCDEF ", max_size=min(element.width * 2 + 2, 60)),
    )


@st.composite
def field_sets(draw: st.DrawFn, dialect: Dialect, largest: int = 24) -> dict[str, str]:
    """Valid fields of a message: an MTI and any elements, in any order."""
    keys = [key for key in dialect.elements if key not in {"t", *_NOTHING}]
    chosen = draw(st.lists(st.sampled_from(keys), max_size=largest, unique=True))
    fields = {key: draw(values(dialect.elements[key])) for key in chosen}
    return {"t": draw(st.text("0123456789", min_size=4, max_size=4)), **fields}


@st.composite
def broken_field_sets(draw: st.DrawFn, dialect: Dialect) -> dict[str, str]:
    """Fields of which one or two may not fit."""
    fields = draw(field_sets(dialect, largest=8))
    for key in draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2)):
        fields[key] = draw(broken_values(dialect.elements[key]))
    return fields


@st.composite
def mutations(draw: st.DrawFn, message: bytes) -> bytes:
    """`message` cut, prolonged, or with bytes changed."""
    kind = draw(st.sampled_from(("cut", "prolong", "change", "insert", "drop")))
    place = draw(st.integers(0, max(0, len(message) - 1)))
    match kind:
        case "cut":
            return message[:place]
        case "prolong":
            return message + draw(st.binary(min_size=1, max_size=4))
        case "insert":
            return message[:place] + draw(st.binary(min_size=1, max_size=3)) + message[place:]
        case "drop":
            return message[:place] + message[place + 1 :]
    changed = bytearray(message)
    for at in draw(st.lists(st.integers(0, len(message) - 1), min_size=1, max_size=3)):
        changed[at] = draw(st.integers(0, 255))
    return bytes(changed)


def pieces(stream: bytes) -> st.SearchStrategy[list[bytes]]:
    """`stream` cut anywhere, empty pieces among them."""
    cuts = st.lists(st.integers(0, len(stream)), max_size=12).map(sorted)
    return cuts.map(
        lambda places: [
            stream[begin:end]
            for begin, end in zip([0, *places], [*places, len(stream)], strict=True)
        ]
    )


def elements_of(dialect: Dialect) -> Mapping[str, Element]:
    """The data elements of `dialect`, without MTI and bitmaps."""
    return {key: value for key, value in dialect.elements.items() if key not in {"t", *_NOTHING}}
