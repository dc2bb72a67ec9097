"""Canonical messages: every vector means what it says, and comes out again as it was."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.wire.attributes import attributes_of
from networks.wire.canonical import Canonical, canonical_for
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.errors import DecodeError, EncodeError
from networks.wire.messages import (
    NO_ELEMENTS,
    AdditionalAmount,
    Administrative,
    Advice,
    AuthorizationRequest,
    AuthorizationResponse,
    FileUpdate,
    Financial,
    Kind,
    Message,
    NetworkManagement,
    OriginalData,
    Reversal,
    ReversalResponse,
)
from tests.wire.pairs import PAN, purchase, read
from tests.wire.vectors import VECTORS, Vector

# fmt: off
MEANINGS: list[tuple[str, str, type[Message], dict[str, Any]]] = [
    ("visanet", "sign_on", NetworkManagement, {
        "mti": "0800", "management_code": "071", "network_id": "0002", "rrn": "632601000001"}),
    ("visanet", "sign_on_answer", NetworkManagement, {"mti": "0810", "response_code": "00"}),
    ("visanet", "echo", NetworkManagement, {"management_code": "301", "rrn": "", "network_id": ""}),
    ("visanet", "contactless_purchase", AuthorizationRequest, {
        "pan": PAN, "amount": 1250, "currency": "392", "billing_amount": None, "expiry": "3012",
        "merchant_category": "5411", "acquirer_country": "392", "entry_mode": "0710",
        "card_sequence": "001", "condition": "00", "acquirer": "400552", "forwarder": "",
        "track2": "4000001234567899D30122011000012300000", "terminal": "T0000001",
        "merchant": "MERCHANT0000001",
        "merchant_name": "KONBINI SHIBUYA 1        TOKYO        JP",
        "characteristics": "E", "transaction_id": "386326054321098", "validation_code": "",
        "network_id": "0000", "electronic_commerce": "00", "partial_approval": "0"}),
    ("visanet", "approval", AuthorizationResponse, {
        "response_code": "00", "approval_code": "A1B2C3", "response_source": "5"}),
    ("visanet", "ecommerce_cvv2", AuthorizationRequest, {
        "electronic_commerce": "05", "characteristics": "Y", "transaction_id": ""}),
    ("visanet", "foreign_currency", AuthorizationRequest, {
        "amount": 10000, "currency": "840", "billing_amount": 15023, "billing_currency": "392"}),
    ("visanet", "atm_cash_with_pin", AuthorizationRequest, {
        "processing_code": "010000", "pin_block": "0412AC89ABCDEF67"}),
    ("visanet", "partial_approval", AuthorizationResponse, {
        "amount": 800, "response_code": "10",
        "additional_amounts": (AdditionalAmount("00", "57", "392", 1250),)}),
    ("visanet", "balance_inquiry_answer", AuthorizationResponse, {
        "amount": 0, "additional_amounts": (
            AdditionalAmount("00", "02", "392", 123456),
            AdditionalAmount("00", "01", "392", 130000))}),
    ("visanet", "reversal", Reversal, {
        "mti": "0400", "message_reason": "2501", "approval_code": "A1B2C3",
        "original": OriginalData("0100", "000101", "1122013045", "400552", ""),
        "replacement_amount": None}),
    ("visanet", "reversal_advice_timeout", Reversal, {"mti": "0420", "message_reason": "2502"}),
    ("visanet", "partial_reversal", Reversal, {"amount": 1250, "replacement_amount": 400}),
    ("visanet", "reversal_answer", ReversalResponse, {
        "original": OriginalData("0100", "000101", "1122013045", "400552", "")}),
    ("visanet", "standin_advice", Advice, {
        "stand_in_reason": "9020", "response_source": "2", "approval_code": "STIP01",
        "response_code": "00"}),
    ("visanet", "repeat", AuthorizationRequest, {"mti": "0101", "is_repeat": True}),
    ("visanet", "fuel_status_check", AuthorizationRequest, {"amount": 1}),
    ("visanet", "incremental", AuthorizationRequest, {"message_reason": "3900"}),
    ("visanet", "pan_19_digits_odd_acquirer", AuthorizationRequest, {
        "pan": "4000001234567899014", "acquirer": "40055212345", "forwarder": "12345"}),
    ("visanet", "multiple_clearing_advice", Financial, {
        "clearing_sequence": "01", "clearing_count": "03", "is_advice": True}),
    ("visanet", "fx_and_fees_admin", Administrative, {
        "text": "\x1cTEXT FOR THE ISSUER", "network_id": "0002"}),
    ("quicpay", "logon", NetworkManagement, {"management_code": "001"}),
    ("quicpay", "tap", AuthorizationRequest, {
        "amount": 680, "quicpay_id": "99001234567890123", "quicpay_mode": "2",
        "authorization_path": "0", "payment_plan": "10", "slip": "00321",
        "terminal_identity": "1310012345678", "device": "3", "cardholder_verification": "1",
        "product_code": "0000990", "terminal_kind": "TH", "forwarder": "9100",
        "merchant_name": "ｶﾌｪ ｼﾌﾞﾔ                 ﾄｳｷｮｳ        JP", "transaction_id": ""}),
    ("quicpay", "instalments", AuthorizationRequest, {"payment_plan": "61"}),
    ("quicpay", "centre_standin_advice", Advice, {
        "authorization_path": "2", "response_source": ""}),
    ("quicpay", "same_day_cancel", Reversal, {
        "original_slip": "00321", "slip": "00325",
        "original": OriginalData("0100", "200001", "1122013105", "9001", "9100")}),
    ("quicpay", "unfinished_tap_auto_reversal", Reversal, {"quicpay_id": "", "slip": "00321"}),
]
# fmt: on


@pytest.mark.parametrize(("dialect", "name", "message_class", "meaning"), MEANINGS)
def test_a_vector_means_what_it_says(
    dialect: str, name: str, message_class: type[Message], meaning: dict[str, Any]
) -> None:
    message = read(DIALECTS[dialect], name)

    assert type(message) is message_class
    assert {attribute: getattr(message, attribute) for attribute in meaning} == meaning


@pytest.mark.parametrize("golden", VECTORS, ids=str)
def test_an_untouched_message_comes_out_as_it_was(golden: Vector) -> None:
    codec, canonical = golden.dialect.codec, canonical_for(golden.dialect)
    message = canonical.read(codec.decode(golden.message))

    assert codec.encode(canonical.write(message)) == golden.message


@pytest.mark.parametrize("golden", VECTORS, ids=str)
def test_a_message_made_here_reads_back_as_it_was_made(golden: Vector) -> None:
    codec, canonical = golden.dialect.codec, canonical_for(golden.dialect)
    read_before = canonical.read(codec.decode(golden.message))
    made = msgspec.structs.replace(read_before, elements=NO_ELEMENTS)
    read_again = canonical.read(codec.decode(codec.encode(canonical.write(made))))

    assert msgspec.structs.replace(read_again, elements=NO_ELEMENTS) == made


def test_every_attribute_of_every_class_has_a_place_in_a_dialect() -> None:
    placed = {
        (message_class, attribute.name)
        for dialect in DIALECTS
        for message_class in Kind.BY_MTI.values()
        for attribute in attributes_of(dialect, message_class)
    }
    fields = {
        (message_class, name)
        for message_class in Kind.BY_MTI.values()
        for name in message_class.__struct_fields__
        if name not in ("mti", "elements")
    }

    assert placed == fields


def test_every_path_stands_in_its_dialect_s_tables() -> None:
    for dialect in DIALECTS.values():
        for message_class in set(Kind.BY_MTI.values()):
            for attribute in attributes_of(dialect.name, message_class):
                element = dialect.elements[attribute.element]
                assert bool(attribute.part) <= (element.parts is not None), attribute.path


texts = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ./-", max_size=12)


@given(
    changes=st.fixed_dictionaries(
        {
            "amount": st.integers(0, 10**12 - 1) | st.none(),
            "pan": st.from_regex(r"[0-9]{13,19}", fullmatch=True),
            "stan": st.from_regex(r"[0-9]{6}", fullmatch=True),
            "acquirer": st.from_regex(r"[0-9]{1,11}", fullmatch=True),
        }
    ),
    note=texts,
    reference=st.binary(min_size=1, max_size=40),
)
def test_unknown_elements_survive_a_change_of_known_ones(
    changes: dict[str, Any], note: str, reference: bytes
) -> None:
    canonical, codec = canonical_for(VISANET), VISANET.codec
    unknown = {
        "124": note,
        "116": reference.hex().upper(),
        "62": "40080000000000000386326054321098F1",
    }
    fields = codec.decode(codec.encode({"t": "0100", "4": "000000000001", **unknown}))
    changed = msgspec.structs.replace(
        canonical.read(fields),
        network_id="0002",
        **changes,
    )

    again = canonical.read(codec.decode(codec.encode(canonical.write(changed))))

    assert {key: again.elements[key] for key in unknown} == unknown
    assert msgspec.structs.replace(again, elements=NO_ELEMENTS) == msgspec.structs.replace(
        changed, elements=NO_ELEMENTS
    )


BUY, VOID, ADJUST = "contactless_purchase", "reversal", "partial_reversal"
TYPE = "expected the type of a message that exists"
DIGITS, TIME = "expected decimal digits", "expected a time MMDDhhmmss"
AMOUNT = "expected an amount from 0, of at most 12 digits"


# fmt: off
CHANGES: list[tuple[str, str, dict[str, Any], dict[str, str | None]]] = [
    # dialect, vector, attributes changed, elements afterwards (None: gone)
    ("visanet", BUY, {"mti": "0101"}, {"t": "0101"}),
    ("visanet", BUY, {"amount": None}, {"4": None}),
    ("visanet", BUY, {"characteristics": ""}, {"62": "40000000000000000386326054321098"}),
    ("visanet", BUY, {"characteristics": "", "transaction_id": ""}, {"62": None}),
    ("visanet", BUY, {"validation_code": "AB12"}, {
        "62": "E000000000000000C50386326054321098C1C2F1F2"}),
    ("visanet", BUY, {"partial_approval": "1"}, {"60": "050000000100"}),
    ("visanet", BUY, {"card_verification": "11 123"}, {
        "126": "0040000000000000F1F140F1F2F3"}),
    ("visanet", ADJUST, {"replacement_amount": None}, {"95": None}),
    ("visanet", ADJUST, {"replacement_amount": 700}, {"95": "000000000700" + "0" * 30}),
    ("visanet", ADJUST, {"replacement_billing_amount": 700}, {"61": "0" * 33 + "700"}),
    ("visanet", VOID, {"original": None}, {"90": None}),
    ("visanet", BUY, {"terminal": "T1"}, {"41": "T1      "}),
    ("quicpay", "same_day_cancel", {"slip": "00400"}, {
        # 48.05 stays where it was
        "48": "01017990012345678901230200120400210"
              "0500500400060131310012345678" "1200500321"}),
]
# fmt: on


@pytest.mark.parametrize(("dialect", "name", "changes", "elements"), CHANGES)
def test_a_change_touches_its_own_element_only(
    dialect: str, name: str, changes: dict[str, Any], elements: dict[str, str | None]
) -> None:
    before = read(DIALECTS[dialect], name)
    after = canonical_for(DIALECTS[dialect]).write(msgspec.structs.replace(before, **changes))

    assert {key: after.get(key) for key in elements} == elements
    untouched = before.elements.keys() - elements.keys()
    assert {key: after[key] for key in untouched} == {
        key: before.elements[key] for key in untouched
    }


# fmt: off
BROKEN: list[tuple[str, str, dict[str, str], str]] = [
    # dialect, vector, elements replaced, what the error says
    ("visanet", BUY, {"t": "0900"}, f"field t at byte 0: {TYPE}"),
    ("visanet", BUY, {"t": "01A0"}, f"field t at byte 0: {TYPE}"),
    ("visanet", BUY, {"t": "0109"}, f"field t at byte 0: {TYPE}"),
    ("visanet", BUY, {"4": "00000000125A"}, f"field 4 at byte 22: {DIGITS}"),
    ("visanet", BUY, {"2": "400000123456789B"}, f"field 2 at byte 10: {DIGITS}"),
    ("visanet", BUY, {"7": "1322013045"}, f"field 7 at byte 28: {TIME}"),
    ("visanet", BUY, {"7": "1122243045"}, f"field 7 at byte 28: {TIME}"),
    ("visanet", BUY, {"7": "1122016045"}, f"field 7 at byte 28: {TIME}"),
    ("visanet", BUY, {"7": "1122013060"}, f"field 7 at byte 28: {TIME}"),
    ("visanet", BUY, {"49": "3F2"}, f"field 49 at byte 151: {DIGITS}"),
    ("visanet", BUY, {"60": "05000000000A"}, "field 60.8 at byte 5: expected 2 digits"),
    ("visanet", BUY, {"62": "4000000000000000"}, "field 62.2 at byte 8: 8 bytes expected, 0 left"),
    ("visanet", BUY, {"62": "400000000000000003863260543210AB"},
        "field 62.2 at byte 8: expected 15 digits"),
    ("visanet", BUY, {"62": "40000000000000001386326054321098"},
        "field 62.2 at byte 8: expected 15 digits"),
    ("visanet", BUY, {"62": "0000000000000001"},
        "field 62.64 at byte 8: no such part in this dialect"),
    ("visanet", BUY, {"62": "C000"}, "field 62 at byte 0: expected a bitmap of 8 bytes"),
    ("visanet", ADJUST, {"61": "0" * 30}, "field 61.3 at byte 12: expected 12 digits"),
    ("visanet", VOID, {"90": "01000001011122013045000004005520000000000A"},
        "field 90.forwarder at byte 15: expected 11 digits"),
    ("visanet", "partial_approval", {"54": "0057392X000000001250"},
        "field 54.sign at byte 7: expected C or D"),
    ("visanet", "sign_on", {"70": "0F1"}, f"field 70 at byte 44: {DIGITS}"),
    ("quicpay", "tap", {"4": "0000000006 0"}, f"field 4 at byte 36: {DIGITS}"),
    ("quicpay", "tap", {"48": "02001X"}, "field 48.02 at byte 5: expected 1 digits"),
    ("quicpay", "tap", {"48": "0200112"},
        "field 48 at byte 6: expected a tag of 2 and a length of 3 digits"),
    ("quicpay", "tap", {"48": "0200220"}, "field 48.02 at byte 5: expected 1 digits"),
    ("quicpay", "tap", {"48": "010179900"},
        "field 48.01 at byte 5: 17 characters expected, 4 left"),
    ("quicpay", "tap", {"48": "020011020012"}, "field 48.02 at byte 6: expected each tag once"),
]
# fmt: on


@pytest.mark.parametrize(("dialect", "name", "elements", "text"), BROKEN)
def test_what_breaks_the_format_is_named(
    dialect: str, name: str, elements: dict[str, str], text: str
) -> None:
    fields = {**read(DIALECTS[dialect], name).elements, **elements}

    with pytest.raises(DecodeError) as raised:
        canonical_for(DIALECTS[dialect]).read(fields)

    assert str(raised.value) == text


def test_an_unknown_tag_is_carried_through() -> None:
    message = canonical_for(QUICPAY).read({**read(QUICPAY, "tap").elements, "48": "02001299003ABC"})
    assert isinstance(message, AuthorizationRequest)
    assert (message.quicpay_mode, message.slip) == ("2", "")

    changed = canonical_for(QUICPAY).write(msgspec.structs.replace(message, slip="00001"))
    assert changed["48"] == "02001299003ABC0500500001"


def test_sound_elements_need_no_explanation() -> None:
    for name in ("contactless_purchase", "sign_on"):
        fields = read(VISANET, name).elements
        attributes = attributes_of("visanet", Kind.BY_MTI[fields["t"][:3]])
        canonical_for(VISANET)._explain(fields, attributes)


# fmt: off
UNWRITABLE: list[tuple[str, str, dict[str, Any], str]] = [
    ("visanet", BUY, {"amount": -1}, f"field 4: {AMOUNT}"),
    ("visanet", BUY, {"amount": 10**12}, f"field 4: {AMOUNT}"),
    ("visanet", BUY, {"transaction_id": "1"}, "field 62.2: expected 15 digits"),
    ("visanet", BUY, {"transaction_id": "X" * 15}, "field 62.2: expected 15 digits"),
    ("visanet", BUY, {"characteristics": "EE"}, "field 62.1: expected 1 characters"),
    ("visanet", BUY, {"characteristics": "ｶ"}, "field 62.1: expected characters of EBCDIC"),
    ("visanet", BUY, {"electronic_commerce": "5"}, "field 60.8: expected 2 digits"),
    ("visanet", ADJUST, {"replacement_amount": -400}, f"field 95.1: {AMOUNT}"),
    ("quicpay", "tap", {"slip": "321"}, "field 48.05: expected 5 digits"),
    ("quicpay", "tap", {"quicpay_id": "9" * 21}, "field 48.01: expected at most 20 characters"),
]
# fmt: on


@pytest.mark.parametrize(("dialect", "name", "changes", "text"), UNWRITABLE)
def test_a_value_that_does_not_fit_is_named(
    dialect: str, name: str, changes: dict[str, Any], text: str
) -> None:
    made = msgspec.structs.replace(read(DIALECTS[dialect], name), elements=NO_ELEMENTS, **changes)

    with pytest.raises(EncodeError) as raised:
        canonical_for(DIALECTS[dialect]).write(made)

    assert str(raised.value) == text


def test_a_debit_balance_has_sign_d() -> None:
    answer = AuthorizationResponse(
        mti="0110", additional_amounts=(AdditionalAmount("00", "02", "392", -500),)
    )
    fields = canonical_for(VISANET).write(answer)

    assert fields["54"] == "0002392D000000000500"
    assert canonical_for(VISANET).read(fields) == msgspec.structs.replace(answer, elements=fields)


def test_a_file_update_is_read_and_written() -> None:
    update = FileUpdate(
        mti="0302", stan="000001", pan=PAN, expiry="3012", update_code="1", security_code="00",
        file_name="E1", record="C1C2", action_date="261122",
    )  # fmt: skip
    codec, canonical = VISANET.codec, canonical_for(VISANET)
    again = canonical.read(codec.decode(codec.encode(canonical.write(update))))

    assert msgspec.structs.replace(again, elements=NO_ELEMENTS) == update


def test_no_repr_shows_a_secret() -> None:
    shown = repr(purchase(VISANET)) + repr(read(VISANET, "sign_on")) + repr(purchase(QUICPAY))

    assert "400000******7899" in shown
    assert PAN not in shown
    assert "D3012" not in shown


def test_the_tables_of_a_dialect_are_compiled_once() -> None:
    assert canonical_for(VISANET) is canonical_for(VISANET)
    assert isinstance(canonical_for(QUICPAY), Canonical)
