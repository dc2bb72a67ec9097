"""Second-level codecs: the vectors, a bijection for everything that decodes, and clear errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from networks.wire.dialects import DIALECTS, VISANET
from networks.wire.errors import DecodeError, EncodeError
from networks.wire.parts import tlv
from networks.wire.parts.positional import RepeatedCodec
from networks.wire.spec import (
    Bitmapped,
    Datasets,
    Element,
    Encoding,
    Length,
    Positional,
    Repeated,
    Tagged,
)
from networks.wire.subfields import (
    Part,
    is_flat,
    named_parts,
    parts_codec,
    repeated_parts,
)
from tests.wire.vectors import VECTORS, Vector

COMPOSITE = [
    f"{dialect.name} {field}"
    for dialect in DIALECTS.values()
    for field, element in dialect.elements.items()
    if element.parts is not None
]


class AnyCodec(Protocol):
    """A parts codec whose values are whatever its layout makes of them."""

    def decode(self, value: str) -> object: ...
    def locate(self, value: str) -> Iterator[Part]: ...
    def encode(self, values: object) -> str: ...


POS = {"1": "0", "2": "5", "3": "0", "4": "0", "5": "00", "6": "0", "7": "0", "9": "0"}
BALANCE = {
    "account": "00",
    "type": "02",
    "currency": "392",
    "sign": "D",
    "amount": "000000000001",
}
ORIGINAL = {
    "mti": "0100",
    "stan": "000101",
    "transmission": "1122013045",
    "acquirer": "00000400552",
    "forwarder": "00000000000",
}


def codec(name: str) -> AnyCodec:
    """The codec of an element named like ``visanet 62``."""
    dialect, field = name.split()
    return cast("AnyCodec", parts_codec(field, DIALECTS[dialect].elements[field]))


def element_of(name: str) -> Element:
    dialect, field = name.split()
    return DIALECTS[dialect].elements[field]


def test_the_dialects_have_the_composites_that_the_domain_names() -> None:
    expected = {"44", "54", "55", "60", "61", "62", "63", "90", "95", "104", "123", "126"}
    assert {name for name in COMPOSITE if name.startswith("visanet")} == {
        f"visanet {field}" for field in expected
    }
    assert {name for name in COMPOSITE if name.startswith("quicpay")} == {
        "quicpay 48",
        "quicpay 90",
    }


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vectors_decode_to_their_subfields_and_encode_back(vector: Vector) -> None:
    for key, expected in vector.subfields.items():
        field, _, part = key.partition(".")
        parts = codec(f"{vector.dialect.name} {field}").decode(vector.fields[field])
        assert (cast("dict[str, str]", parts)[part] if part else parts) == expected
    for field, value in vector.fields.items():
        if vector.dialect.elements[field].parts is not None:
            form = codec(f"{vector.dialect.name} {field}")
            assert form.encode(form.decode(value)) == value


# --- every layout by example, both ways -------------------------------------------------------

EXAMPLES: list[tuple[str, str, object]] = [
    ("visanet 44", "5", {"1": "5"}),
    ("visanet 44", "5M A21 ", {"1": "5", "2": "M", "3": " ", "4": "A", "5": "2", "6": "1 "}),
    ("visanet 54", "", []),
    ("visanet 54", "0002392D000000000001", [BALANCE]),
    ("visanet 55", "", {}),
    ("visanet 55", "0100059F36020001", {"9F36": "0001"}),
    ("visanet 55", "010004DF010155", {"DF01": "55"}),
    ("visanet 55", "02000382011C", {"02.82": "1C"}),
    ("visanet 55", "0100039C010002000382011C", {"01.9C": "00", "02.82": "1C"}),
    ("visanet 60", "0500", {"1": "0", "2": "5", "3": "0", "4": "0"}),
    ("visanet 60", "050000000105", {**POS, "10": "1", "8": "05"}),
    ("visanet 61", "000000001000", {"1": "000000001000"}),
    ("visanet 62", "0000000000000000", {}),
    ("visanet 62", "8000000000000000E8", {"1": "Y"}),
    ("visanet 62", "2000000000000000C1F1C2F2", {"3": "A1B2"}),
    ("visanet 62", "0000100000000000A1B2C3D4E5", {"20": "A1B2C3D4E5"}),
    ("visanet 63", "8000000002", {"1": "0002"}),
    ("visanet 63", "90000000009020", {"1": "0000", "4": "9020"}),
    ("visanet 90", "010000010111220130450000040055200000000000", ORIGINAL),
    ("visanet 95", "000000000400" + "0" * 30, {"1": "000000000400", "2": "0" * 30}),
    ("visanet 104", "5700040102D7D7", {"01": "PP"}),
    ("visanet 104", "5F00040A02D7D7", {"5F.0A": "D7D7"}),
    ("visanet 123", "660005C003F1F5F0", {"C0": "150"}),
    ("visanet 126", "0040000000000000F1F140F1F2F3", {"10": "11 123"}),
    ("quicpay 48", "", {}),
    ("quicpay 48", "020012", {"02": "2"}),
    ("quicpay 48", "99003abc020012", {"99": "abc", "02": "2"}),
    ("quicpay 90", "010000010111220130450000040055200000000000", ORIGINAL),
]


@pytest.mark.parametrize(("name", "value", "parts"), EXAMPLES)
def test_examples_both_ways(name: str, value: str, parts: object) -> None:
    assert codec(name).decode(value) == parts
    assert codec(name).encode(parts) == value


BROKEN = [
    # element, text form, place, expectation
    ("visanet 44", "5M A21", "44.6 at byte 5", "expected 2 characters"),
    ("visanet 44", "5" * 26, "44 at byte 25", "end of the element"),
    ("visanet 54", "0002392C00000000000", "54.1.amount at byte 8", "expected 12 digits"),
    ("visanet 54", "0002392C00000000001X", "54.1.amount at byte 8", "expected 12 digits"),
    ("visanet 54", "0002392C000000000010" * 7, "54 at byte 120", "at most 6 groups"),
    ("visanet 55", "01", "55 at byte 0", "dataset id of 1 byte"),
    ("visanet 55", "010000", "55 at byte 0", "at least one tag"),
    ("visanet 55", "0100059C0100", "55 at byte 0", "5 bytes expected, 3"),
    ("visanet 55", "0100039C01000100039C0100", "55 at byte 6", "expected it once"),
    ("visanet 55", "0100069C01009C0100", "55.9C at byte 6", "each tag once"),
    ("visanet 55", "0100019F", "55 at byte 3", "BER tag"),
    ("visanet 55", "0100079F808080010100", "55 at byte 3", "BER tag of 1 to 4 bytes"),
    ("visanet 55", "0100020000", "55 at byte 3", "not 00"),
    ("visanet 55", "0100019C", "55.9C at byte 4", "BER length"),
    ("visanet 55", "0100039C0500", "55.9C at byte 5", "5 bytes expected, 1 left"),
    ("visanet 55", "0100029C80", "55.9C at byte 4", "BER length"),
    ("visanet 55", "0100049C810100", "55.9C at byte 4", "shortest form"),
    ("visanet 55", "0100069C8300000100", "55.9C at byte 4", "shortest form"),
    ("visanet 55", "0100039C8201", "55.9C at byte 4", "shortest form"),
    ("visanet 55", "0100049C020000", "55.9C at byte 5", "expected 1 bytes in hex"),
    ("visanet 55", "010005720386029F", "55.86 at byte 7", "2 bytes expected, 1 left"),
    ("visanet 55", "01000CE10AE208E306E404E502DF01", "55.E5 at byte 11", "at most 4 templates"),
    ("visanet 55", "010", "55 at byte 0", "upper-case hex"),
    ("visanet 55", "0100039c0100", "55 at byte 0", "upper-case hex"),
    ("visanet 60", "050", "60 at byte 1", "whole bytes"),
    ("visanet 60", "0A", "60.2 at byte 0", "expected 1 digits"),
    ("visanet 60", "05000000000500", "60 at byte 6", "end of the element"),
    ("visanet 61", "0000000010000", "61.2 at byte 6", "expected 12 digits"),
    ("visanet 62", "C0000000000000", "62 at byte 0", "bitmap of 8 bytes"),
    ("visanet 62", "C000000000000000C5", "62.2 at byte 9", "8 bytes expected, 0 left"),
    (
        "visanet 62",
        "C000000000000000C503863260543210",
        "62.2 at byte 9",
        "8 bytes expected, 7 left",
    ),
    ("visanet 62", "C000000000000000C51386326054321098", "62.2 at byte 9", "expected 15 digits"),
    ("visanet 62", "C000000000000000C5038632605432109A", "62.2 at byte 9", "expected 15 digits"),
    ("visanet 62", "8000000000000000E8E8", "62 at byte 9", "end of the element"),
    ("visanet 62", "8000000000000001E8", "62.64 at byte 9", "no such part"),
    ("visanet 62", "8000000000000000e8", "62 at byte 0", "upper-case hex"),
    ("visanet 62", "G000000000000000", "62 at byte 0", "upper-case hex"),
    ("visanet 63", "80000000A2", "63.1 at byte 3", "expected 4 digits"),
    ("visanet 104", "57000101", "104.01 at byte 4", "length of 1 byte"),
    ("visanet 104", "5700040102D7", "104 at byte 0", "4 bytes expected, 3 left"),
    ("visanet 104", "5700050103D7D7D7", "104.01 at byte 5", "expected 2 characters"),
    ("visanet 104", "5F00030102D7", "104.5F.01 at byte 5", "2 bytes expected, 1 left"),
    ("quicpay 48", "0200", "48 at byte 0", "a tag of 2 and a length of 3"),
    ("quicpay 48", "0200122222", "48 at byte 6", "a tag of 2 and a length of 3"),
    ("quicpay 48", "0200x2", "48 at byte 0", "a tag of 2 and a length of 3"),
    ("quicpay 48", "0200あ2", "48 at byte 0", "one byte"),
    ("quicpay 48", "020052", "48.02 at byte 5", "5 characters expected, 1 left"),
    ("quicpay 48", "02002ab", "48.02 at byte 5", "expected 1 digits"),
    ("quicpay 48", "02001x", "48.02 at byte 5", "expected 1 digits"),
    ("quicpay 48", "020012020012", "48.02 at byte 6", "each tag once"),
    ("quicpay 48", "99003あ", "48 at byte 0", "one byte"),
    ("quicpay 90", "010020000x", "90.stan at byte 4", "expected 6 digits"),
]


@pytest.mark.parametrize(("name", "value", "place", "expected"), BROKEN)
def test_broken_parts_name_field_byte_and_expectation(
    name: str, value: str, place: str, expected: str
) -> None:
    with pytest.raises(DecodeError) as raised:
        codec(name).decode(value)
    assert f"{raised.value.field} at byte {raised.value.position}" == place
    assert expected in raised.value.expected


def nested(depth: int) -> str:
    """`depth` templates E1 within each other, as DE 55."""
    body = "9C0100"
    for _ in range(depth):
        body = f"E1{len(body) // 2:02X}{body}"
    return f"01{len(body) // 2:04X}{body}"


def test_templates_may_be_nested_four_deep_and_no_deeper() -> None:
    assert codec("visanet 55").decode(nested(4)) == {"E1": nested(4)[10:]}
    with pytest.raises(DecodeError, match="at most 4 templates"):
        codec("visanet 55").decode(nested(5))
    with pytest.raises(EncodeError, match="at most 4 templates"):
        codec("visanet 55").encode({"E1": nested(5)[10:]})


def test_an_element_holds_at_most_128_tags() -> None:
    tags = [f"DF{number:02X}" for number in range(1, 0x80)] + ["DF8101", "DF8102"]
    most = dict.fromkeys(tags[:128], "")
    assert codec("visanet 55").decode(codec("visanet 55").encode(most)) == most
    with pytest.raises(DecodeError, match="at most 128"):
        codec("visanet 55").decode(codec("visanet 55").encode(dict.fromkeys(tags[:129], "")))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_000])
def test_ber_lengths_take_as_few_bytes_as_they_can(size: int) -> None:
    value = {"DF01": "AB" * size}
    text = codec("visanet 55").encode(value)
    assert codec("visanet 55").decode(text) == value
    assert len(text) // 2 == 3 + 2 + (1 if size < 128 else 2 if size < 256 else 3) + size


def test_a_template_is_as_secret_as_what_is_in_it() -> None:
    exposures = {
        inner: [
            part.exposure
            for part in codec("visanet 55").locate(codec("visanet 55").encode({"72": inner}))
        ]
        for inner in ("9F180400000001", "860200AA", "DF010100")
    }
    assert exposures == {"9F180400000001": ["open"], "860200AA": ["secret"], "DF010100": ["secret"]}


UNFIT = [
    ("visanet 44", {"18": "x"}, "44.18", "no such part"),
    ("visanet 44", {"1": "55"}, "44.1", "expected 1 characters"),
    ("visanet 54", [{}] * 7, "54", "at most 6 groups"),
    ("visanet 54", [{"account": "00"}], "54.1.type", "expected 2 characters"),
    ("visanet 54", [{"balance": "00"}], "54.1.balance", "no such part"),
    ("visanet 55", {"9F": "00"}, "55.9F", "BER tag"),
    ("visanet 55", {"": "00"}, "55", "BER tag"),
    ("visanet 55", {"9F3": "00"}, "55.9F3", "BER tag"),
    ("visanet 55", {"9C9C": "00"}, "55.9C9C", "BER tag"),
    ("visanet 55", {"ZZ": "00"}, "55.ZZ", "BER tag"),
    ("visanet 55", {"9C": "0"}, "55.9C", "bytes in hex"),
    ("visanet 55", {"9C": "0000"}, "55.9C", "expected 1 bytes in hex"),
    ("visanet 55", {"DF01": "xy"}, "55.DF01", "bytes in hex"),
    ("visanet 55", {"DF01": "00" * 65_536}, "55.DF01", "at most 65535 bytes"),
    ("visanet 55", {"DF01": "00" * 65_535}, "55.01", "at most 65535 bytes in a dataset"),
    ("visanet 55", {"E1": "9C02"}, "55.E1", "the template"),
    ("visanet 55", {"1.DF01": "00"}, "55.1", "dataset id"),
    ("visanet 62", {"27": "x"}, "62.27", "no such part"),
    ("visanet 62", {"x": "x"}, "62.x", "no such part"),
    ("visanet 62", {"1": "カ"}, "62.1", "characters of cp500"),
    ("visanet 62", {"2": "1"}, "62.2", "expected 15 digits"),
    ("visanet 62", {"2": "٣" * 15}, "62.2", "expected 15 digits"),
    ("visanet 62", {"20": "00"}, "62.20", "expected 5 bytes in hex"),
    ("visanet 104", {"001": "00"}, "104.001", "tag of 1 byte"),
    ("visanet 104", {"0G": "00"}, "104.0G", "tag of 1 byte"),
    ("visanet 104", {"02": "00" * 256}, "104.02", "at most 255 bytes"),
    ("quicpay 48", {"2": "2"}, "48.2", "tag of 2 digits"),
    ("quicpay 48", {"ab": "2"}, "48.ab", "tag of 2 digits"),
    ("quicpay 48", {"02": "x"}, "48.02", "expected 1 digits"),
    ("quicpay 48", {"99": "x" * 1000}, "48.99", "at most 999 characters"),
    ("quicpay 48", {"99": "あ"}, "48.99", "one byte"),
]


@pytest.mark.parametrize(("name", "parts", "field", "expected"), UNFIT)
def test_parts_that_do_not_fit_name_field_and_expectation(
    name: str, parts: object, field: str, expected: str
) -> None:
    with pytest.raises(EncodeError) as raised:
        codec(name).encode(parts)
    assert raised.value.field == field
    assert expected in raised.value.expected


FILLED = [
    ("visanet 60", {"8": "05"}, "000000000005"),  # zeros before the last digits
    ("visanet 60", {"10": "1"}, "0000000001"),
    ("visanet 60", {"1": "4"}, "40"),  # whole bytes
    ("visanet 60", {}, ""),
    ("visanet 44", {"3": "T"}, "  T"),  # blanks before text
    ("visanet 61", {"3": "000000000400"}, "0" * 24 + "000000000400"),
    ("visanet 95", {"1": "000000000400"}, "000000000400" + " " * 30),  # a fixed width is filled
    ("visanet 90", {"mti": "0100"}, "0100" + "0" * 38),
]


@pytest.mark.parametrize(("name", "parts", "text"), FILLED)
def test_missing_positions_are_filled(name: str, parts: object, text: str) -> None:
    assert codec(name).encode(parts) == text


def test_order_of_bits_is_that_of_the_wire_and_case_of_hex_does_not_matter() -> None:
    assert (
        codec("visanet 62").encode({"20": "a1b2c3d4e5", "1": "E"}) == "8000100000000000C5A1B2C3D4E5"
    )
    assert codec("visanet 55").encode({"9f36": "000a"}) == "0100059F3602000A"
    assert codec("visanet 55").encode({"01.9c": "00"}) == "0100039C0100"


# --- properties ---------------------------------------------------------------------------------

HEX = "0123456789ABCDEF"


def part_values(element: Element, *, text: bool) -> st.SearchStrategy[str]:
    """Every value of `element`, cut out of text or encoded within binary."""
    least = element.width if element.length is Length.FIXED else 0
    if element.numeric:
        alphabet: st.SearchStrategy[str] = st.sampled_from("0123456789")
    elif element.encoding is Encoding.BINARY:
        size = st.integers(least, element.width)
        return size.flatmap(lambda n: st.binary(min_size=n, max_size=n)).map(
            lambda data: data.hex().upper()
        )
    elif text:
        alphabet = st.sampled_from("AZ09 *é-")
    else:
        alphabet = st.characters(max_codepoint=255)
    return st.text(alphabet, min_size=least, max_size=element.width)


def subsets(elements: Mapping[str, Element]) -> st.SearchStrategy[dict[str, str]]:
    optional = {key: part_values(element, text=False) for key, element in elements.items()}
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def prefixes(draw: st.DrawFn, layout: Positional, *, whole: bool, even: bool) -> dict[str, str]:
    keys = list(layout.elements)
    count = len(keys) if whole else draw(st.integers(0, len(keys)))
    while even and sum(layout.elements[key].width for key in keys[:count]) % 2:
        count += 1
    return {key: draw(part_values(layout.elements[key], text=True)) for key in keys[:count]}


def ber_tags() -> st.SearchStrategy[str]:
    one = st.sampled_from(["82", "84", "95", "9A", "C0", "1E"])
    two = st.integers(0x21, 0x7F).map(lambda low: f"9F{low:02X}")
    three = st.integers(0, 0x7F).map(lambda low: f"DF81{low:02X}")
    return st.one_of(one, two, three)


@st.composite
def datasets(draw: st.DrawFn, layout: Datasets) -> dict[str, str]:
    tags = ber_tags() if layout.ber else st.integers(0, 255).map(lambda tag: f"{tag:02X}")
    unknown = st.binary(max_size=20).map(lambda data: data.hex().upper())
    ids = draw(
        st.one_of(
            st.just([layout.default]),
            st.lists(st.sampled_from(["01", "57", "66", "5F", "A0"]), unique=True, max_size=3),
        )
    )
    prefix_needed = ids != [layout.default]
    values: dict[str, str] = {}
    for id_ in ids:
        for tag in draw(st.lists(tags, min_size=1, max_size=5, unique=True)):
            known = layout.tags.get(tag) if id_ == layout.default else None
            value = draw(part_values(known, text=False) if known else unknown)
            values[f"{id_}.{tag}" if prefix_needed else tag] = value
    return values


@st.composite
def tagged(draw: st.DrawFn, layout: Tagged) -> dict[str, str]:
    tags = draw(st.lists(st.integers(0, 99).map("{:02d}".format), unique=True, max_size=8))
    anything = st.text(st.sampled_from("AZ09 *ｱﾝ"), max_size=30)
    forms = {tag: layout.tags.get(tag) for tag in tags}
    return {tag: draw(kana_values(form) if form else anything) for tag, form in forms.items()}


def kana_values(element: Element) -> st.SearchStrategy[str]:
    least = element.width if element.length is Length.FIXED else 0
    alphabet = "0123456789" if element.numeric else "AZ09ｱﾝ"
    return st.text(st.sampled_from(alphabet), min_size=least, max_size=element.width)


def values_of(element: Element) -> st.SearchStrategy[object]:
    """Every value in canonical form."""
    match element.parts:
        case Bitmapped() as layout:
            return subsets({str(bit): part for bit, part in layout.elements.items()})
        case Positional() as layout:
            is_binary = element.encoding is Encoding.BINARY
            return prefixes(layout, whole=element.length is Length.FIXED, even=is_binary)
        case Repeated() as layout:
            group = {key: part_values(part, text=True) for key, part in layout.elements.items()}
            return st.lists(st.fixed_dictionaries(group), max_size=layout.most)
        case Datasets() as layout:
            return datasets(layout)
        case Tagged() as layout:
            return tagged(layout)
    raise AssertionError(element)


@pytest.mark.parametrize("name", COMPOSITE)
@pytest.mark.no_cover
@settings(max_examples=50)
@given(data=st.data())
def test_what_is_encoded_decodes_to_the_same_in_the_same_order(
    name: str, data: st.DataObject
) -> None:
    value = data.draw(values_of(element_of(name)))
    decoded = codec(name).decode(codec(name).encode(value))
    assert decoded == value
    is_ordered = not isinstance(element_of(name).parts, Bitmapped)
    if is_ordered and isinstance(decoded, dict) and isinstance(value, dict):
        assert list(decoded) == list(value)


def outcome(form: AnyCodec, value: str) -> object:
    try:
        return form.decode(value)
    except DecodeError as error:
        return (error.field, error.position, error.expected)


def stepwise(form: AnyCodec, value: str) -> object:
    """What decode has to say, by way of `locate`."""
    parts: dict[str, str] = {}
    try:
        for part in form.locate(value):
            assert 0 <= part.start <= part.value_start <= part.end <= len(value)
            parts[part.key] = part.value
    except DecodeError as error:
        return (error.field, error.position, error.expected)
    return parts


@pytest.mark.parametrize("name", COMPOSITE)
@pytest.mark.no_cover
@settings(max_examples=50)
@given(data=st.data())
def test_what_decodes_encodes_to_the_same_and_quick_and_slow_paths_agree(
    name: str, data: st.DataObject
) -> None:
    form, is_binary = codec(name), element_of(name).encoding is Encoding.BINARY
    good = form.encode(data.draw(values_of(element_of(name))))
    value = data.draw(mutations(good, HEX if is_binary else "019 Aｱあ"))
    found = outcome(form, value)
    if not isinstance(found, list):
        assert stepwise(form, value) == found
    if isinstance(found, tuple):
        assert 0 <= found[1] <= len(value)
    else:
        assert form.encode(found) == value


@st.composite
def mutations(draw: st.DrawFn, good: str, alphabet: str) -> str:
    """`good` with a few characters changed, cut or added, or something else altogether."""
    if draw(st.booleans()):
        return draw(st.text(st.sampled_from(alphabet), max_size=40))
    text = list(good)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 2))] = draw(
            st.lists(st.sampled_from(alphabet), max_size=2)
        )
    return "".join(text)


@given(st.binary(max_size=40))
@example(bytes.fromhex("9F36020001"))
def test_ber_never_reads_outside_its_bytes(data: bytes) -> None:
    try:
        end = max((found.end for found in tlv.BER.read(data, 0, len(data))), default=0)
    except tlv.BrokenTlv as broken:
        end = broken.at
    assert 0 <= end <= len(data)


# --- building codecs ----------------------------------------------------------------------------


def test_a_codec_is_built_once_and_kept_in_bounds() -> None:
    element = VISANET.elements["62"]
    kept = parts_codec("62", element)
    assert parts_codec("62", element) is kept
    for number in range(300):
        parts_codec(str(number), element)
    assert parts_codec("62", element).decode("8000000000000000C5") == {"1": "E"}


def test_named_and_repeated_parts_are_told_apart() -> None:
    assert isinstance(repeated_parts("54", VISANET.elements["54"]), RepeatedCodec)
    assert named_parts("62", VISANET.elements["62"]).decode("8000000000000000C5") == {"1": "E"}
    with pytest.raises(TypeError, match="are groups"):
        named_parts("54", VISANET.elements["54"])
    with pytest.raises(TypeError, match="no groups"):
        repeated_parts("62", VISANET.elements["62"])
    with pytest.raises(TypeError, match="no parts"):
        parts_codec("4", VISANET.elements["4"])


@pytest.mark.parametrize(
    ("field", "flat"), [("62", True), ("44", True), ("90", False), ("54", False), ("55", False)]
)
def test_flat_keys_are_for_numbered_parts(field: str, *, flat: bool) -> None:
    assert is_flat(VISANET.elements[field].parts) is flat


def test_binary_elements_hold_bcd_ebcdic_and_bytes_only() -> None:
    kana = Element("kana", Encoding.KANA, Length.FIXED, 2)
    layout = Bitmapped(1, {1: kana})
    element = Element("x", Encoding.BINARY, Length.BINARY_BYTES, 9, parts=layout)
    with pytest.raises(TypeError, match="shift_jis within a binary element"):
        parts_codec("x", element)


def test_digits_in_ebcdic_are_checked() -> None:
    digits = Element("digits", Encoding.EBCDIC, Length.FIXED, 2, numeric=True)
    layout = Bitmapped(1, {1: digits})
    element = Element("x", Encoding.BINARY, Length.BINARY_BYTES, 9, parts=layout)
    codec = named_parts("x", element)
    assert codec.decode("80F1F2") == {"1": "12"}
    with pytest.raises(DecodeError, match="expected 2 digits"):
        codec.decode("80F1C2")
