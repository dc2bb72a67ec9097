"""What the codec of a dialect gives: golden vectors, errors that name their place, bounded work."""

from __future__ import annotations

import pickle

import pytest

from networks.wire.compile import Codec
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.errors import DecodeError, EncodeError
from networks.wire.shapes import ShapeCache
from tests.wire.vectors import VECTORS, Vector, vector

WAYS = [pytest.param(1_000_000, id="reference"), pytest.param(1, id="compiled")]
PURCHASE = vector("visanet", "contactless_purchase")


def without_bitmaps(fields: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key not in {"p", "1"}}


@pytest.mark.parametrize("compile_after", WAYS)
@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_golden_vectors_both_ways(vector: Vector, compile_after: int) -> None:
    codec = Codec(vector.dialect.elements, compile_after=compile_after)
    for _ in range(2):
        assert without_bitmaps(codec.decode(vector.message)) == vector.fields
        assert codec.encode(vector.fields) == vector.message
        assert codec.encode(codec.decode(vector.message)) == vector.message


def test_bitmaps_are_told() -> None:
    fields = VISANET.codec.decode(vector("visanet", "reversal").message)
    assert (fields["p"], fields["1"]) == ("F23864810CE08006", "0000004000000000")


@pytest.mark.parametrize("compile_after", WAYS)
def test_third_bitmap(compile_after: int) -> None:
    codec = Codec(VISANET.elements, compile_after=compile_after)
    fields = {"t": "0100", "11": "000001", "136": "1122334455667788", "152": "0011223344556677"}
    message = bytes.fromhex(
        "0100 8020000000000000 8000000000000000 0100010000000000"
        "000001 1122334455667788 0011223344556677"
    )
    for _ in range(2):
        assert codec.encode(fields) == message
        assert without_bitmaps(codec.decode(message)) == fields
        assert codec.decode(message)["1"] == "80000000000000000100010000000000"


# what is wrong | message | field | byte | what was expected
BROKEN_MESSAGES = [
    ("nothing", "", "t", 0, "Field data is 0 bytes, expecting 2"),
    ("half a bitmap", "0100 40000000", "p", 2, "Field data is 4 bytes, expecting 8"),
    ("no second bitmap", "0800 8220000000000000", "1", 10, "Field data is 0 bytes, expecting 8"),
    ("no third bitmap", "0800 8000000000000000 8000000000000000", "1", 18,
     "Field data is 8 bytes, expecting 16"),
    ("no length", "0100 4000000000000000", "2", 10, "Field length is 0 bytes wide, expecting 1"),
    ("length over the maximum", "0100 4000000000000000 14 40000012345678990140", "2", 10,
     "Field data is 20 nibbles, larger than maximum 19"),
    ("value cut short", "0100 4000000000000000 10 4000", "2", 11,
     "Field data is 4 nibbles, expecting 16"),
    ("bad padding", "0100 0000200000000000 1392", "19", 10, "Field data is 4 nibbles, expecting 3"),
    ("trailing bytes", "0100 0020000000000000 000001 00", "11", 13, "Extra data after last field"),
    ("undefined element", "0800 8020000000000000 8000000000000000 0000000000000001 000001", "192",
     29, "this dialect does not define the element"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "field", "position", "expected"),
    [row[1:] for row in BROKEN_MESSAGES],
    ids=[row[0] for row in BROKEN_MESSAGES],
)
def test_decode_errors_name_field_and_byte(
    message: str, field: str, position: int, expected: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        VISANET.codec.decode(bytes.fromhex(message))
    error = caught.value
    assert (error.field, error.position, error.expected) == (field, position, expected)
    assert str(error) == f"field {field} at byte {position}: {expected}"


def test_decode_error_keeps_what_came_before_it_but_shows_nothing() -> None:
    with pytest.raises(DecodeError) as caught:
        VISANET.codec.decode(PURCHASE.message[:-1])
    error = caught.value
    assert error.field == "63"
    assert without_bitmaps({**error.partial, "63": "8000000000"}) == PURCHASE.fields
    shown = f"{error!s} {error!r}"
    assert not [value for value in PURCHASE.fields.values() if len(value) > 6 and value in shown]
    assert error.__context__ is None


def test_after_trailing_bytes_the_last_element_is_kept() -> None:
    with pytest.raises(DecodeError) as caught:
        VISANET.codec.decode(PURCHASE.message + b"\x00")
    assert without_bitmaps(dict(caught.value.partial)) == PURCHASE.fields


# dialect | fields beside MTI | field | what was expected
BROKEN_FIELDS = [
    (VISANET, {"4": "1250"}, "4", "Field data is 4 nibbles, expecting 12"),
    (VISANET, {"2": "4" * 20}, "2", "Field data is 20 nibbles, larger than maximum 19"),
    (VISANET, {"39": "é0日"}, "39", "Failed to encode field, invalid data"),
    (VISANET, {"52": "0412AC89ABCDEF6"}, "52", "Failed to encode field, odd-length hex data"),
    (VISANET, {"11": "00000G"}, "11", "Failed to encode field, non-hex data"),
    (VISANET, {"150": "00"}, "150", "this dialect does not define the element"),
    (VISANET, {"193": "00"}, "p", "Dictionary contains fields outside of 1-192 range [193]"),
    (VISANET, {"²": "00"}, "p", "keys must be t and the decimal numbers of elements"),
    (VISANET, {"011": "00"}, "p", "keys must be t and the decimal numbers of elements"),
    (VISANET, {"11": 101}, "11", "value must be text"),
    (QUICPAY, {"43": "日" * 40}, "43", "Field data is 80 bytes, expecting 40"),
    (QUICPAY, {"41": "ｶﾌｪ00001"}, "41", "Failed to encode field, invalid data"),
    (QUICPAY, {"60": "THIN"}, "60", "Field data is 4 bytes, larger than maximum 3"),
]


@pytest.mark.parametrize(("dialect", "fields", "field", "expected"), BROKEN_FIELDS)
def test_encode_errors_name_the_field(
    dialect: Dialect, fields: dict[str, str], field: str, expected: str
) -> None:
    with pytest.raises(EncodeError) as caught:
        dialect.codec.encode({"t": "0100", **fields})
    assert (caught.value.field, caught.value.expected) == (field, expected)
    assert caught.value.__context__ is None


def test_a_message_without_type_cannot_be_encoded() -> None:
    with pytest.raises(EncodeError, match="field t: Field data is required"):
        VISANET.codec.encode({"11": "000001"})


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(DecodeError("4", 26, "twelve digits")))  # noqa: S301
    assert (error.field, error.position, error.expected) == ("4", 26, "twelve digits")


@pytest.mark.parametrize("compile_after", WAYS)
def test_double_byte_characters_are_left_to_the_reference(compile_after: int) -> None:
    codec = Codec(QUICPAY.elements, compile_after=compile_after)
    name = "喫茶 ｶﾌｪ".ljust(38)
    for _ in range(2):
        message = codec.encode({"t": "0100", "43": name})
        assert codec.decode(message)["43"] == name


def test_shapes_are_compiled_only_after_enough_valid_messages() -> None:
    codec = Codec(VISANET.elements, compile_after=3)
    for _ in range(2):
        codec.decode(PURCHASE.message)
        codec.encode(PURCHASE.fields)
    for _ in range(5):
        with pytest.raises(DecodeError):
            codec.decode(PURCHASE.message[:-1])
        with pytest.raises(EncodeError):
            codec.encode({**PURCHASE.fields, "4": "1"})
    assert (len(codec.decoders), len(codec.encoders)) == (0, 0)
    codec.decode(PURCHASE.message)
    codec.encode(PURCHASE.fields)
    assert (len(codec.decoders), len(codec.encoders)) == (1, 1)


def test_keys_that_are_no_elements_are_left_to_the_reference() -> None:
    codec = Codec(VISANET.elements, compile_after=1)
    for _ in range(2):
        assert codec.encode({**PURCHASE.fields, "note": "kept aside"}) == PURCHASE.message


def test_shape_cache_is_bounded_and_keeps_what_is_used() -> None:
    made: list[int] = []

    def make(shape: int) -> str:
        made.append(shape)
        return f"function of {shape}"

    cache: ShapeCache[int, str] = ShapeCache(make, sightings=1, capacity=10)
    for shape in range(100):
        assert cache.find(shape) is None
        cache.saw_valid(shape)
        assert cache.find(0) == "function of 0"
        assert len(cache) <= 20
    assert cache.find(99) == "function of 99"
    assert cache.find(5) is None
    assert made == list(range(100))


def test_counts_of_rare_shapes_are_bounded() -> None:
    cache: ShapeCache[int, str] = ShapeCache(str, sightings=2)
    cache.saw_valid(-1)
    for shape in range(5000):
        cache.saw_valid(shape)
    cache.saw_valid(-1)
    assert cache.find(-1) is None  # its first sighting was forgotten
    cache.saw_valid(-1)
    assert cache.find(-1) == "-1"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
def test_decoding_keeps_hexadecimal_digits_in_numeric_fields(dialect: Dialect) -> None:
    """Canonical messages demand decimal digits of what they read; the codec is as pyiso8583."""
    message = dialect.codec.encode({"t": "0100", "4": "00000000125A"})
    assert dialect.codec.decode(message)["4"] == "00000000125A"
