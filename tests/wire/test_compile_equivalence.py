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
from networks.wire.dialects import DIALECTS
from networks.wire.errors import DecodeError, EncodeError
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
