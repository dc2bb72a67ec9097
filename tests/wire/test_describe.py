"""Descriptions: the vectors in clear, nothing sensitive when masked, broken bytes to the break."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from networks.wire.compose import compose_fields
from networks.wire.describe import Description, Row, describe_frame, describe_message
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.errors import EncodeError
from tests.wire.vectors import VECTORS, Vector, vector

PURCHASE = vector("visanet", "contactless_purchase")
TAP = vector("quicpay", "tap")


def every(rows: Sequence[Row]) -> Iterator[Row]:
    for row in rows:
        yield row
        yield from every(row.parts)


def row(found: Description, field: str) -> Row:
    return next(each for each in every(found.rows) if each.field == field)


def shown(found: Description) -> str:
    """Everything that a reader gets to see."""
    cells = [f"{each.raw} {each.value} {each.note}" for each in every(found.rows)]
    return " ".join([*cells, str(found.header), str(found.fields), str(found.subfields)])


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vectors_in_clear_say_what_they_say(vector: Vector) -> None:
    found = describe_frame(vector.dialect, vector.frame, clear=True)
    assert found.problems == []
    assert found.fields == vector.fields
    assert found.header.items() >= vector.header.items()
    assert found.subfields.items() >= dict(vector.subfields).items()
    assert "".join(each.raw for each in found.rows) == vector.frame.hex().upper()


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_rows_stand_where_their_bytes_are(vector: Vector) -> None:
    found = describe_frame(vector.dialect, vector.frame, clear=True)
    for each in every(found.rows):
        if len(each.raw) % 2 == 0:  # a digit of DE 60 has no byte of its own
            start = each.offset
            assert vector.frame[start : start + len(each.raw) // 2] == bytes.fromhex(each.raw)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_message_is_described_like_the_frame_it_came_in(vector: Vector) -> None:
    whole = describe_frame(vector.dialect, vector.frame)
    alone = describe_message(vector.dialect, vector.message)
    assert (alone.fields, alone.subfields) == (whole.fields, whole.subfields)
    assert alone.header == {}


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_masked_descriptions_hold_no_secret_in_any_form(vector: Vector) -> None:
    found = describe_frame(vector.dialect, vector.frame)
    text = shown(found)
    for field in {"2", "35", "52"} & vector.fields.keys():
        secret = vector.fields[field][6:]  # of a PAN more than the last four
        forms = [secret, *(secret.encode(codec).hex().upper() for codec in ("ascii", "cp500"))]
        assert [form for form in forms if form in text] == []
    if "14" in vector.fields:
        assert found.fields["14"] == "****"


def test_pan_keeps_six_and_four_in_text_and_bytes() -> None:
    visanet, quicpay = (describe_frame(each.dialect, each.frame) for each in (PURCHASE, TAP))
    assert row(visanet, "2").value == row(quicpay, "2").value == "400000******7899"
    assert row(visanet, "2").raw == "10400000******7899"
    assert row(quicpay, "2").raw == "3136343030303030" + "*" * 12 * 1 + "37383939"
    assert row(visanet, "35").raw == "25" + "0" + "*" * 37
    assert row(quicpay, "48.01").value == "990012*******0123"


def message(fields: dict[str, str], subfields: dict[str, object]) -> bytes:
    return VISANET.codec.encode(compose_fields(VISANET, {"t": "0100", **fields}, subfields))


PARTS = [
    ({"55": {"5A": "4000001234567899"}}, "55.5A", "5A08400000******7899", "400000******7899"),
    ({"55": {"5A": "4000001234567899014F"}}, "55.5A", "5A0A" + "*" * 20, "*" * 20),
    ({"55": {"57": "4000001234567899D3012201"}}, "55.57", "570C" + "*" * 24, "*" * 24),
    ({"55": {"DF01": "AB"}}, "55.DF01", "DF0101**", "**"),
    ({"55": {"72": "860200AA"}}, "55.72", "7204********", "********"),
    ({"126.10": "11 123"}, "126.10", "************", "******"),
    ({"126.13": "R"}, "126.13", "D9", "R"),
    ({"123": {"C0": "150-0002"}}, "123.C0", "C008" + "*" * 16, "*" * 8),
    ({"104": {"5F.0A": "D7"}}, "104.5F.0A", "0A01**", "**"),
]


@pytest.mark.parametrize(("subfields", "field", "raw", "value"), PARTS)
def test_parts_are_masked_in_text_and_bytes(
    subfields: dict[str, object], field: str, raw: str, value: str
) -> None:
    found = describe_message(VISANET, message({}, subfields))
    element = field.partition(".")[0]
    assert (row(found, field).raw, row(found, field).value) == (raw, value)
    assert raw in row(found, element).raw
    assert raw in found.fields[element]
    clear = describe_message(VISANET, message({}, subfields), clear=True)
    assert "*" not in shown(clear)


def test_an_asterisk_of_the_message_is_no_mask() -> None:
    found = describe_message(VISANET, message({"43": "STAR*CAFE".ljust(40)}, {}))
    assert row(found, "43").value.startswith("STAR*CAFE")
    assert "*" not in row(found, "43").raw


def test_elements_have_meanings() -> None:
    found = describe_frame(VISANET, vector("visanet", "standin_advice").frame)
    notes = {field: row(found, field).note for field in ("t", "3", "4", "39", "44.1", "63.4")}
    assert notes == {
        "t": "authorization advice",
        "3": "purchase",
        "4": "JPY 1250",
        "39": "approved",
        "44.1": "stand-in",
        "63.4": "issuer timeout",
    }
    partial = describe_frame(VISANET, vector("visanet", "partial_approval").frame)
    assert row(partial, "54.1.type").note == "original amount"
    assert row(partial, "54.1.currency").note == "JPY"
    sign_on = describe_frame(QUICPAY, vector("quicpay", "logon").frame)
    assert row(sign_on, "70").note == "logon"
    assert row(sign_on, "p").note == "bits 1 7 11"
    assert row(sign_on, "1").note == "bits 70"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
def test_a_keep_alive_is_told_as_such(dialect: object) -> None:
    form = DIALECTS[str(getattr(dialect, "name", ""))]
    found = describe_frame(form, form.framing.wrap(b""))
    assert found.is_keep_alive
    assert [each.note for each in found.rows] == ["keep-alive"]
    assert found.problems == []


def test_a_reject_shows_its_code_and_the_original_behind_it() -> None:
    payload = VISANET.header.reject(PURCHASE.frame[4:], "0134", "000000")
    assert payload is not None
    found = describe_frame(VISANET, VISANET.framing.wrap(payload))
    assert found.problems == []
    assert found.header["reject_code"] == "0134"
    assert found.header["original_destination"] == "400552"
    assert found.fields["11"] == "000101"
    numbers = [each.field for each in found.rows if each.field.startswith("H")]
    assert numbers == [f"H{at}" for at in range(1, 15)] + [f"H{at}" for at in range(1, 13)]
    assert [each.offset for each in found.rows if each.field == "H1"] == [4, 30]


FRAME = PURCHASE.frame
LONGER = bytes.fromhex("013600001601020136") + FRAME[9:] + bytes(1)
NO_BCD = FRAME.replace(bytes.fromhex("C50386"), bytes.fromhex("C5F386"))
BROKEN = [
    # what, bytes, problems (None: any)
    ("nothing", b"", ["prefix at byte 0"]),
    ("half a prefix", FRAME[:3], ["prefix at byte 0"]),
    ("prefix alone", FRAME[:4], ["prefix at byte 0"]),
    ("garbage", b"\x00\x20\x00\x00" + b"\xff" * 32, ["H1 at byte 4"]),
    ("half a header", b"\x00\x0a\x00\x00" + FRAME[4:14], ["H1 at byte 4"]),
    ("cut in DE 63", FRAME[:-2], ["prefix at byte 0", "63 at byte 308"]),
    ("cut in DE 2", FRAME[:40], ["prefix at byte 0", "2 at byte 37"]),
    ("bytes behind the frame", FRAME + b"\x01\x02", ["frame at byte 313"]),
    ("too long", b"\xff\xff\x00\x00" + FRAME[4:], ["prefix at byte 0", "prefix at byte 0"]),
    ("bytes behind DE 63", LONGER, ["63 at byte 313"]),
    ("an undefined element", FRAME[:28] + b"\xf2" + FRAME[29:], None),
    ("another header format", FRAME[:5] + b"\x02" + FRAME[6:], ["H2 at byte 5"]),
    ("DE 62 in a format of fixed places", FRAME[:6] + b"\x01" + FRAME[7:], ["H3 at byte 6"]),
    ("another total length", FRAME[:7] + bytes(2) + FRAME[9:], ["H4 at byte 7"]),
    ("a destination of letters", FRAME[:9] + b"\xab" + FRAME[10:], ["H5 at byte 9"]),
    ("a source of letters", FRAME[:12] + b"\xab" + FRAME[13:], ["H6 at byte 12"]),
    ("an MTI of letters", FRAME[:26] + b"\x01\xa0" + FRAME[28:], ["t at byte 26"]),
    ("an amount of letters", FRAME[:48] + b"\xab" + FRAME[49:], ["4 at byte 48"]),
    ("no BCD in DE 62.2", NO_BCD, ["62.2 at byte 299"]),
]


@pytest.mark.parametrize(("what", "frame", "places"), BROKEN)
def test_broken_frames_are_described_as_far_as_they_go(
    what: str, frame: bytes, places: list[str] | None
) -> None:
    found = describe_frame(VISANET, frame)
    assert found.problems, what
    if places is not None:
        assert [f"{each.field} at byte {each.offset}" for each in found.problems] == places
    assert all(str(each).startswith(f"field {each.field}") for each in found.problems)
    assert "34567899D3012" not in shown(found)


def test_what_stands_before_the_break_is_shown_and_what_is_behind_it_is_not() -> None:
    found = describe_frame(VISANET, FRAME[:150])
    assert row(found, "42").value == "MERCHANT0000001"
    assert found.rows[-1].name == "Not decoded"
    assert found.rows[-1].raw == ""
    assert found.rows[-1].value == "13 bytes"
    clear = describe_frame(VISANET, FRAME[:150], clear=True)
    assert clear.rows[-1].raw == FRAME[137:150].hex().upper()


def test_parts_before_a_broken_one_are_shown_and_the_rest_is_hidden() -> None:
    broken = FRAME.replace(bytes.fromhex("9F2701809F3303"), bytes.fromhex("9F2701809F3383"))
    found = describe_frame(VISANET, broken)
    assert [str(each) for each in found.problems] == [
        "field 55.9F33 at byte 266: expected a BER length in its shortest form, up to 65535"
    ]
    assert row(found, "55.9F27").value == "80"
    assert row(found, "55").raw.endswith("9F270180" + "*" * 36)
    clear = describe_frame(VISANET, broken, clear=True)
    assert row(clear, "55").raw.endswith("DEADBEEF")


def test_private_data_with_characters_of_two_bytes_is_hidden_whole() -> None:
    two_bytes = "あ".encode("shift_jis")
    fields = {"t": "0100", "48": "01017990012345678901239900100"}
    good = QUICPAY.codec.encode(fields)
    bad = good.replace(b"99001", b"\x82\xa0" + b"001")
    found = describe_message(QUICPAY, bad)
    assert two_bytes in bad
    assert [each.field for each in found.problems] == ["48"]
    assert set(row(found, "48").raw[6:]) == {"*"}


def test_a_quicpay_frame_with_another_header_is_not_read_further() -> None:
    found = describe_frame(QUICPAY, TAP.frame.replace(b"QPX1", b"QPX9"))
    assert [each.field for each in found.problems] == ["identifier"]
    assert found.fields == {}


def test_mutated_frames_never_fail_otherwise_and_never_show_the_pan() -> None:
    random_ = random.Random(7)
    for _ in range(1_000):
        chosen = random_.choice((PURCHASE, TAP))
        frame = bytearray(chosen.frame)
        for _ in range(random_.randint(1, 4)):
            frame[random_.randrange(len(frame))] = random_.randrange(256)
        del frame[random_.choice((len(frame), random_.randrange(1, len(frame)))) :]
        found = describe_frame(chosen.dialect, bytes(frame))
        assert "34567899D301220110000" not in shown(found)


# --- the way back -------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_descriptions_in_clear_compose_to_the_message(vector: Vector) -> None:
    found = describe_frame(vector.dialect, vector.frame, clear=True)
    fields = compose_fields(vector.dialect, found.fields, found.subfields)
    assert vector.dialect.codec.encode(fields) == vector.message


COMPOSED: list[tuple[dict[str, object], dict[str, object], str, str]] = [
    ({}, {"62.2": "386326054321098", "62.1": "E"}, "62", "C000000000000000C50386326054321098"),
    (
        {"62": "8000000000000000c5"},
        {"62.2": "386326054321098"},
        "62",
        "C000000000000000C50386326054321098",
    ),
    ({"62": "8000000000000000C5"}, {"62": {"1": "Y"}}, "62", "8000000000000000E8"),
    ({"55": "0100039C0100"}, {"55": {"9F36": "000a"}}, "55", "0100089C01009F3602000A"),
    ({"60": "050000000000"}, {"60.8": "05"}, "60", "050000000005"),
    ({"54": "ignored"}, {"54": []}, "54", ""),
]
UNCOMPOSED: list[tuple[dict[str, object], dict[str, object], str, str]] = [
    ({"2": "400000******7899"}, {}, "2", "masked value"),
    ({"35": "*" * 37}, {}, "35", "masked value"),
    ({"52": "*" * 16}, {}, "52", "masked value"),
    ({"4": "0000000*1250"}, {}, "4", "masked value"),
    ({"55": "0100039C01**"}, {}, "55", "masked value"),
    ({}, {"126.10": "******"}, "126.10", "masked value"),
    ({}, {"62.99": "*"}, "62.99", "masked value"),
    ({}, {"55": {"DF01": "**"}}, "55.DF01", "masked value"),
    ({"4": 1250}, {}, "4", "text in quotes"),
    ({"999": "1"}, {}, "999", "does not define"),
    ({}, {"4.1": "1"}, "4", "no parts"),
    ({}, {"999.1": "1"}, "999", "no parts"),
    ({}, {"62": "E"}, "62", "object of parts"),
    ({}, {"62": "E", "62.1": "E"}, "62.1", "one place"),
    ({}, {"54": {"account": "00"}}, "54", "list of groups"),
    ({}, {"54": ["00"]}, "54.1", "object of parts"),
    ({}, {"62.2": "1"}, "62.2", "15 digits"),
    ({"62": "80"}, {"62.1": "E"}, "62", "bitmap of 8 bytes"),
]


@pytest.mark.parametrize(("fields", "subfields", "field", "text"), COMPOSED)
def test_subfields_are_written_over_their_element(
    fields: dict[str, object], subfields: dict[str, object], field: str, text: str
) -> None:
    assert compose_fields(VISANET, fields, subfields)[field] == text


@pytest.mark.parametrize(("fields", "subfields", "field", "expected"), UNCOMPOSED)
def test_what_cannot_be_composed_names_its_field(
    fields: dict[str, object], subfields: dict[str, object], field: str, expected: str
) -> None:
    with pytest.raises(EncodeError) as raised:
        compose_fields(VISANET, fields, subfields)
    assert raised.value.field == field
    assert expected in raised.value.expected


def test_an_asterisk_in_open_text_may_be_sent() -> None:
    assert compose_fields(VISANET, {"43": "STAR*CAFE".ljust(40)}, {"44.1": "*"})["44"] == "*"
    assert compose_fields(QUICPAY, {}, {"48": {"02": "2"}})["48"] == "020012"
    assert compose_fields(VISANET, {}, {"90": {"mti": "0100"}})["90"] == "0100" + "0" * 38
