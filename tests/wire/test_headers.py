"""The headers of both networks: requests, answers, rejects, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.wire.dialects import QUICPAY, VISANET
from networks.wire.errors import HeaderError
from networks.wire.headers import Reject
from tests.wire.vectors import VECTORS, Vector, vector

VIP = VISANET.header
QPX = QUICPAY.header
# H7 to H12 as a network might fill them; an answer copies them.
FLAGS = "01 0203 040506 07 08090A 0B"
LENGTH_4 = "001A"
REQUEST = bytes.fromhex(f"160102 {LENGTH_4} 400552 241616 {FLAGS}")
MESSAGE = bytes.fromhex("0800 0000")
# From the README of the vectors, completed by the message that was given back.
REJECT = bytes.fromhex(
    "1A 81 01 0131 241616 000000 01 0000 410000 00 010000 00 8000 0134"
    "16 01 02 0117 000000 241616 00 0000 000000 00 000000 00"
) + bytes(0x0131 - 48)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_headers_of_the_golden_vectors(vector: Vector) -> None:
    form = vector.dialect.header
    payload = vector.frame[vector.dialect.framing.prefix_bytes :]
    header, message = form.split(payload)
    assert message == vector.message
    source, destination = vector.header["source"], vector.header["destination"]
    assert form.request(source, destination, len(message)) == header
    assert form.stations(header) == (source, destination)
    assert form.from_json(vector.header, len(message)) == header
    described = form.describe(header)
    assert (described["source"], described["destination"]) == (source, destination)
    assert form.from_json(described, len(message)) == header
    assert form.parse_reject(payload) is None


@pytest.mark.parametrize(
    ("dialect", "request_name", "answer_name"),
    [
        ("visanet", "sign_on", "sign_on_answer"),
        ("visanet", "contactless_purchase", "approval"),
        ("quicpay", "logon", "logon_answer"),
        ("quicpay", "tap", "tap_approved"),
    ],
)
def test_answers_of_the_golden_vectors(dialect: str, request_name: str, answer_name: str) -> None:
    request, answer = vector(dialect, request_name), vector(dialect, answer_name)
    form, prefix = request.dialect.header, request.dialect.framing.prefix_bytes
    header, _ = form.split(request.frame[prefix:])
    answered = form.response(header, request.header["destination"], len(answer.message))
    assert prefix * b"\x00" + answered + answer.message == prefix * b"\x00" + answer.frame[prefix:]


def test_vip_answer_swaps_stations_and_copies_h7_to_h12() -> None:
    assert VIP.response(REQUEST, "400552", 10) == bytes.fromhex(
        f"160102 0020 241616 400552 {FLAGS}"
    )


def test_vip_fields_have_names() -> None:
    assert VIP.describe(REQUEST) == {
        "header_length": "16",
        "header_format": "01",
        "text_format": "02",
        "total_length": "001A",
        "destination": "400552",
        "source": "241616",
        "round_trip_control": "01",
        "base_1_flags": "0203",
        "message_status_flags": "040506",
        "batch_number": "07",
        "reserved": "08090A",
        "user_information": "0B",
    }


def test_qpx_fields_have_names() -> None:
    assert QPX.describe(b"QPX19001K001") == {
        "identifier": "QPX1",
        "source": "9001",
        "destination": "K001",
    }


# what is wrong | payload | field
BROKEN_VIP = [
    ("nothing", b"", "H1"),
    ("shorter than its header", REQUEST[:21], "H1"),
    ("unknown length", b"\x17" + REQUEST[1:] + MESSAGE, "H1"),
    ("unknown format", b"\x16\x02" + REQUEST[2:] + MESSAGE, "H2"),
    ("reject format without reject length", b"\x16\x81" + REQUEST[2:] + MESSAGE, "H2"),
    ("reject length without reject format", b"\x1a\x01" + REJECT[2:], "H2"),
    ("reject without the header it gives back", REJECT[:47], "H1"),
    ("total over the payload", REQUEST + MESSAGE[:-1], "H4"),
    ("total below the payload", REQUEST + MESSAGE + b"\x00", "H4"),
    ("destination not decimal", REQUEST[:5] + b"\x4a" + REQUEST[6:] + MESSAGE, "H5"),
    ("source not decimal", REQUEST[:10] + b"\x0f" + REQUEST[11:] + MESSAGE, "H6"),
]
BROKEN_QPX = [
    ("nothing", b"", "identifier"),
    ("another network", b"QPX29001K001", "identifier"),
    ("short", b"QPX19001K00", "stations"),
    ("not text", b"QPX19001K00\xb1", "stations"),
    ("a blank in a station", b"QPX19001K 01", "stations"),
]


@pytest.mark.parametrize(
    ("payload", "field"), [r[1:] for r in BROKEN_VIP], ids=[r[0] for r in BROKEN_VIP]
)
def test_broken_vip_headers(payload: bytes, field: str) -> None:
    with pytest.raises(HeaderError, match=f"header field {field}: expected ") as caught:
        VIP.split(payload)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("payload", "field"), [r[1:] for r in BROKEN_QPX], ids=[r[0] for r in BROKEN_QPX]
)
def test_broken_qpx_headers(payload: bytes, field: str) -> None:
    with pytest.raises(HeaderError) as caught:
        QPX.split(payload)
    assert caught.value.field == field


@given(payload=st.binary(max_size=60))
def test_any_bytes_split_or_fail_clearly(payload: bytes) -> None:
    for form in (VIP, QPX):
        try:
            header, message = form.split(payload)
        except HeaderError:
            continue
        assert header + message == payload


def test_reject_of_the_readme() -> None:
    header, message = VIP.split(REJECT)
    assert (len(header), message) == (48, bytes(0x0131 - 48))
    assert VIP.parse_reject(REJECT) == Reject("0134", REJECT[26:48], message)
    described = VIP.describe(header)
    assert described["reject_code"] == "0134"
    assert described["reject_bitmap"] == "8000"
    assert described["original_source"] == "241616"
    assert VIP.from_json(described, len(message)) == header


def test_reject_gives_the_message_back_to_its_sender() -> None:
    payload = REQUEST + MESSAGE
    reject = VIP.reject(payload, "0100", "400552")
    assert reject == bytes.fromhex(f"1A8101 0034 241616 400552 {FLAGS} 8000 0100") + payload
    assert VIP.parse_reject(reject) == Reject("0100", REQUEST, MESSAGE)


def test_reject_of_a_message_is_made_from_json() -> None:
    fields = {
        "source": "400552",
        "destination": "241616",
        "text_format": "01",
        "reject_code": "0100",
        "original_source": "241616",
        "original_destination": "400552",
    }
    header = VIP.from_json(fields, len(MESSAGE))
    given_back = VIP.request("241616", "400552", len(MESSAGE)) + MESSAGE
    assert header + MESSAGE == VIP.reject(given_back, "0100", "400552")


def test_reject_is_cut_to_the_longest_frame() -> None:
    payload = VIP.request("241616", "400552", 2026) + bytes(2026)
    assert len(payload) == VISANET.framing.longest
    reject = VIP.reject(payload, "0002", "400552")
    assert reject is not None
    assert len(reject) == VISANET.framing.longest
    assert VIP.parse_reject(reject) == Reject("0002", payload[:22], bytes(2000))


def test_what_has_no_whole_header_is_not_given_back() -> None:
    assert VIP.reject(REQUEST[:21], "0003", "400552") is None


def test_qpx_knows_no_rejects() -> None:
    assert QPX.reject(b"QPX19001K0010800", "0100", "K001") is None
    assert QPX.parse_reject(REJECT) is None


@pytest.mark.parametrize("station", ["", "40055", "4005521", "40055A", "40055²", "٤٠٠٥٥٢"])
def test_vip_stations_are_six_digits(station: str) -> None:
    with pytest.raises(HeaderError, match="header field H6: expected six decimal digits"):
        VIP.request(station, "400552", 0)
    with pytest.raises(HeaderError, match="header field H6: expected six decimal digits"):
        VIP.response(REQUEST, station, 0)


@pytest.mark.parametrize("station", ["", "900", "90011", "9 01", "ﾄｳｷｮ"])
def test_qpx_stations_are_four_letters_or_digits(station: str) -> None:
    with pytest.raises(HeaderError, match="header field source: expected four letters or digits"):
        QPX.request(station, "K001", 0)


def test_stations_that_json_leaves_out_are_zero() -> None:
    assert VIP.stations(VIP.from_json({"source": "400552"}, 4)) == ("400552", "000000")
    assert QPX.stations(QPX.from_json({}, 4)) == ("0000", "0000")


DE_62_MESSAGE = bytes.fromhex("0100 0000000000000004 09 8000000000000000C5")


@pytest.mark.parametrize("text_format", [0x00, 0x01, 0x03])
def test_a_text_format_that_is_not_read_is_refused_where_it_matters(text_format: int) -> None:
    def payload(message: bytes) -> bytes:
        header = bytearray(VIP.request("000000", "400552", len(message)))
        header[2] = text_format
        return bytes(header) + message

    for harmless in (b"", MESSAGE, bytes.fromhex("0800 8220000000000000 0400000000000000")):
        assert VIP.split(payload(harmless))[1] == harmless
    with pytest.raises(HeaderError, match="header field H3: expected 02, for DE 62 with a bitmap"):
        VIP.split(payload(DE_62_MESSAGE))
    header = VIP.request("000000", "400552", len(DE_62_MESSAGE))
    assert VIP.split(header + DE_62_MESSAGE) == (header, DE_62_MESSAGE)


# header form | JSON | the field that is named
BROKEN_JSON = [
    (VIP, {"source": "400552", "destination": "24161"}, "H5"),
    (VIP, {"source": "40055X", "destination": "241616"}, "H6"),
    (VIP, {"source": 400552, "destination": "241616"}, "H6"),
    (QPX, {"source": "9001", "destination": "K1"}, "destination"),
]


@pytest.mark.parametrize(("form", "fields", "named"), BROKEN_JSON)
def test_broken_json_names_the_field(form: object, fields: dict[str, str], named: str) -> None:
    assert form in {VIP, QPX}
    with pytest.raises(HeaderError) as caught:
        (VIP if form is VIP else QPX).from_json(fields, 4)
    assert caught.value.field == named


def test_extent_of_a_header_needs_no_valid_header() -> None:
    assert VIP.extent(REQUEST) == 22
    assert VIP.extent(REJECT[:3]) == 48
    assert VIP.extent(b"") == 22
    assert QPX.extent(b"?") == 12
