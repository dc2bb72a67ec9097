"""The compiled codec gives what pyiso8583 gives: for all elements, both ways, valid or broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import iso8583
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.wire.compile import Codec
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.errors import DecodeError, EncodeError
from networks.wire.spec import Element, Encoding, Length
from tests.wire import strategies as wire
from tests.wire.vectors import VECTORS, Vector

# Compiled after the first valid message of a shape, so that the second is never the reference's.
CODECS = {name: Codec(dialect.elements, compile_after=1) for name, dialect in DIALECTS.items()}
ALL_ELEMENTS = [
    pytest.param(dialect, key, id=f"{dialect.name}-{key}")
    for dialect in DIALECTS.values()
    for key in wire.elements_of(dialect)
]
Given = TypeVar("Given")


def outcome(function: Callable[[Given], object], given: Given) -> object:
    """The result, or where it failed."""
    try:
        return function(given)
    except DecodeError as error:
        return ("decode", error.field, error.position, error.expected, dict(error.partial))
    except EncodeError as error:
        return ("encode", error.field, error.expected)


def assert_equal_decoding(dialect: Dialect, message: bytes) -> None:
    codec = CODECS[dialect.name]
    expected = outcome(codec.reference.decode, message)
    assert outcome(codec.decode, message) == expected
    assert outcome(codec.decode, message) == expected


def assert_equal_encoding(dialect: Dialect, fields: Mapping[str, str]) -> None:
    codec = CODECS[dialect.name]
    expected = outcome(codec.reference.encode, fields)
    assert outcome(codec.encode, fields) == expected
    assert outcome(codec.encode, fields) == expected


def pure(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in {"p", "1"}}


@pytest.mark.parametrize(("dialect", "key"), ALL_ELEMENTS)
@settings(max_examples=20)
@given(data=st.data())
def test_every_element_alone_both_ways(dialect: Dialect, key: str, data: st.DataObject) -> None:
    element = dialect.elements[key]
    codec = CODECS[dialect.name]
    fields = {"t": "0100", key: data.draw(wire.values(element))}
    message = codec.encode(fields)
    assert (
        message
        == codec.encode(fields)
        == bytes(iso8583.encode({**fields}, codec.reference.spec)[0])
    )
    assert pure(codec.decode(message)) == fields == pure(codec.decode(message))
    assert_equal_encoding(dialect, {"t": "0100", key: data.draw(wire.broken_values(element))})
    assert_equal_decoding(dialect, data.draw(wire.mutations(message)))


@given(data=st.data(), dialect=wire.dialects)
def test_any_elements_both_ways(data: st.DataObject, dialect: Dialect) -> None:
    codec = CODECS[dialect.name]
    fields = data.draw(wire.field_sets(dialect))
    assert_equal_encoding(dialect, fields)
    message = codec.encode(fields)
    assert_equal_decoding(dialect, message)
    decoded = codec.decode(message)
    assert pure(decoded) == fields
    assert list(decoded) == list(codec.reference.decode(message))
    assert codec.encode(decoded) == codec.encode(decoded) == message


@given(data=st.data(), dialect=wire.dialects)
def test_broken_values_fail_alike(data: st.DataObject, dialect: Dialect) -> None:
    fields = data.draw(wire.field_sets(dialect, largest=8))
    codec = CODECS[dialect.name]
    codec.encode(fields)
    for key in data.draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2)):
        fields[key] = data.draw(wire.broken_values(dialect.elements[key]))
    assert_equal_encoding(dialect, fields)


@given(data=st.data(), dialect=wire.dialects)
def test_broken_messages_fail_alike(data: st.DataObject, dialect: Dialect) -> None:
    message = CODECS[dialect.name].encode(data.draw(wire.field_sets(dialect)))
    assert_equal_decoding(dialect, message)
    for _ in range(3):
        assert_equal_decoding(dialect, data.draw(wire.mutations(message)))


@given(message=st.binary(max_size=120), dialect=wire.dialects)
def test_random_bytes_fail_alike(message: bytes, dialect: Dialect) -> None:
    assert_equal_decoding(dialect, message)


@given(data=st.data(), vector=st.sampled_from(VECTORS))
def test_mutations_of_real_messages_fail_alike(data: st.DataObject, vector: Vector) -> None:
    assert_equal_decoding(vector.dialect, vector.message)
    assert_equal_decoding(vector.dialect, data.draw(wire.mutations(vector.message)))


@given(data=st.data(), dialect=wire.dialects)
def test_strange_keys_fail_alike(data: st.DataObject, dialect: Dialect) -> None:
    fields = data.draw(wire.field_sets(dialect, largest=4))
    strange = st.sampled_from(
        ["h", "x", "", "0", "1", "p", "65", "07", "193", "150", "²", "٣", "-3", "999"]
    )
    fields |= dict.fromkeys(data.draw(st.lists(strange, min_size=1, max_size=2)), "00")
    assert_equal_encoding(dialect, fields)


def text_of(element: Element, length: int) -> str:
    """`length` digits, characters or bytes."""
    return ("1A" if element.encoding is Encoding.BINARY else "1") * length


def forced(dialect: Dialect, fields: Mapping[str, str], **changed: object) -> bytes:
    """The message that pyiso8583 makes when its rules for the elements of `fields` are changed."""
    spec = CODECS[dialect.name].reference.spec
    loose = {key: {**spec[key], **changed} for key in fields if key != "t"}
    return bytes(iso8583.encode({**fields}, {**spec, **loose})[0])


def lengths_around(element: Element) -> list[int]:
    if element.length is Length.FIXED:
        return [element.width - 1, element.width, element.width + 1]
    return [0, 1, 2, 3, element.width - 1, element.width, element.width + 1]


@pytest.mark.parametrize(("dialect", "key"), ALL_ELEMENTS)
def test_lengths_around_the_limits_of_every_element(dialect: Dialect, key: str) -> None:
    element = dialect.elements[key]
    shortest = text_of(element, element.width if element.length is Length.FIXED else 0)
    assert_equal_decoding(dialect, CODECS[dialect.name].encode({"t": "0100", key: shortest}))
    for length in lengths_around(element):
        fields = {"t": "0100", key: text_of(element, length)}
        assert_equal_encoding(dialect, fields)
        if length <= element.width or element.width not in {255, 999, 65_535}:
            unlimited = length if element.length is Length.FIXED else 1000
            assert_equal_decoding(dialect, forced(dialect, fields, max_len=max(unlimited, length)))


PADDED_ELEMENTS = [
    pytest.param(key, element.width if element.width % 2 else element.width - 1, id=key)
    for key, element in VISANET.elements.items()
    if element.encoding is Encoding.BCD
    and (element.width % 2 or element.length is not Length.FIXED)
]


@pytest.mark.parametrize(("key", "digits"), PADDED_ELEMENTS)
def test_padding_other_than_zero_fails_alike(key: str, digits: int) -> None:
    fields = {"t": "0100", key: "1" * digits}
    assert_equal_decoding(VISANET, forced(VISANET, fields, left_pad="0"))
    for pad in "19AF":
        message = forced(VISANET, fields, left_pad=pad)
        assert_equal_decoding(VISANET, message)
        with pytest.raises(DecodeError):
            CODECS["visanet"].decode(message)


# What one element lacks another has too much, so that the sum is right.
BALANCED = [
    (VISANET, {"4": "1" * 12, "6": "2" * 12}, {"4": "1" * 11, "6": "2" * 13}),
    (VISANET, {"41": "A" * 8, "42": "B" * 15}, {"41": "A" * 9, "42": "B" * 14}),
    (VISANET, {"62": "AA", "63": "BB"}, {"62": "AAA", "63": "BBB"}),
    (VISANET, {"52": "AA" * 8, "62": "BB"}, {"52": "A" * 15, "62": "BBB"}),
    (QUICPAY, {"7": "1" * 10, "11": "2" * 6}, {"7": "1" * 9, "11": "2" * 7}),
    (QUICPAY, {"43": "ｱ" * 40, "48": "ｲ"}, {"43": "ｱ" * 41, "48": ""}),
]


@pytest.mark.parametrize(("dialect", "good", "bad"), BALANCED)
def test_widths_that_are_wrong_but_add_up_fail_alike(
    dialect: Dialect, good: dict[str, str], bad: dict[str, str]
) -> None:
    assert_equal_encoding(dialect, {"t": "0100", **good})
    assert_equal_encoding(dialect, {"t": "0100", **bad})
    with pytest.raises(EncodeError):
        CODECS[dialect.name].encode({"t": "0100", **bad})


# ASCII lengths that int() takes and that are no two or three digits; what pyiso8583 says, holds.
@pytest.mark.parametrize("length", [b" 4", b"+4", b"-0", b"-1", b"4 ", b"0x", b"\xb24"])
def test_strange_ascii_lengths_fare_alike(length: bytes) -> None:
    codec = CODECS["quicpay"]
    message = codec.encode({"t": "0100", "32": "9001"})
    assert_equal_decoding(QUICPAY, message)
    assert_equal_decoding(QUICPAY, message[:12] + length + message[14:])
