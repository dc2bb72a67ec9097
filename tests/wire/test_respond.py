"""Answers follow from requests: those of the golden vectors byte for byte.

One rule gives all of them. Where DOMAIN 1.6 lists DE 19, 25, (62.1) and 63.1 among the echoes of
every answer, the vectors have them in a full approval only: the declined purchase, the partial
approval, the balance inquiry, the reversal's and the advice's answers leave them out although
their requests have them. The vectors win; DOMAIN names what an answer may carry.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from networks.wire.canonical import canonical_for
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.messages import (
    NO_ELEMENTS,
    AdditionalAmount,
    AuthorizationResponse,
    CardRequest,
    CardResponse,
    FileUpdate,
    Message,
    ReversalResponse,
    response_mti,
)
from networks.wire.respond import acknowledge, respond
from tests.wire.pairs import PAN, purchase, read
from tests.wire.vectors import vector

ORIGINAL = AdditionalAmount("00", "57", "392", 1250)
BALANCES = (
    AdditionalAmount("00", "02", "392", 123456),
    AdditionalAmount("00", "01", "392", 130000),
)
BARE = {"characteristics": "", "network_id": "0000"}

# fmt: off
ANSWERS: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    # dialect, request, what differs from that vector's request, the decision, answer
    ("visanet", "contactless_purchase", {},
        {"response_code": "00", "approval_code": "A1B2C3"}, "approval"),
    ("visanet", "contactless_purchase", {}, {"response_code": "51"}, "decline_insufficient_funds"),
    ("visanet", "contactless_purchase", {"stan": "000105", "rrn": "632601000105"},
        {"response_code": "10", "approval_code": "Z9Y8X7", "amount": 800,
            "additional_amounts": (ORIGINAL,)},
        "partial_approval"),
    ("visanet", "contactless_purchase",
        {"stan": "000106", "rrn": "632601000106", "processing_code": "300000", "amount": 0,
            "transaction_id": "", **BARE},
        {"response_code": "00", "additional_amounts": BALANCES}, "balance_inquiry_answer"),
    ("visanet", "reversal", {}, {"response_code": "00"}, "reversal_answer"),
    ("visanet", "standin_advice", {}, {"response_code": "00"}, "standin_advice_answer"),
    ("quicpay", "tap", {}, {"response_code": "00", "approval_code": "K00001"}, "tap_approved"),
]
# fmt: on


def encoded(dialect: Dialect, message: Message) -> bytes:
    return dialect.codec.encode(canonical_for(dialect).write(message))


@pytest.mark.parametrize(("dialect", "request_name", "changes", "decision", "answer"), ANSWERS)
def test_the_answer_of_a_vector_follows_from_its_request(
    dialect: str,
    request_name: str,
    changes: dict[str, Any],
    decision: dict[str, Any],
    answer: str,
) -> None:
    request = msgspec.structs.replace(read(DIALECTS[dialect], request_name), **changes)
    assert isinstance(request, CardRequest)

    assert (
        encoded(DIALECTS[dialect], respond(request, **decision)) == vector(dialect, answer).message
    )


@pytest.mark.parametrize(
    ("dialect", "request_name", "answer"),
    [("visanet", "sign_on", "sign_on_answer"), ("quicpay", "logon", "logon_answer")],
)
def test_management_is_acknowledged_as_in_the_vectors(
    dialect: str, request_name: str, answer: str
) -> None:
    acknowledged = acknowledge(read(DIALECTS[dialect], request_name))

    assert encoded(DIALECTS[dialect], acknowledged) == vector(dialect, answer).message


def test_the_approved_amount_replaces_the_one_asked_for_in_both_currencies() -> None:
    request = read(VISANET, "foreign_currency")
    assert isinstance(request, CardRequest)

    answer = respond(request, response_code="10", amount=8000, billing_amount=12018)
    assert (answer.amount, answer.currency) == (8000, "840")
    assert (answer.billing_amount, answer.billing_currency) == (12018, "392")

    whole = respond(request, response_code="00")
    assert (whole.amount, whole.billing_amount, whole.billing_currency) == (10000, None, "")


def test_what_is_the_request_s_alone_is_not_echoed() -> None:
    for dialect in (VISANET, QUICPAY):
        fields = canonical_for(dialect).write(
            respond(purchase(dialect), response_code="00", approval_code="A1B2C3")
        )
        assert not fields.keys() & {
            "14",
            "18",
            "22",
            "35",
            "43",
            "45",
            "52",
            "55",
            "60",
            "104",
            "126",
        }


@pytest.mark.parametrize(
    ("request_name", "mti", "answer_class"),
    [
        ("contactless_purchase", "0110", AuthorizationResponse),
        ("repeat", "0110", AuthorizationResponse),
        ("reversal_advice_timeout", "0430", ReversalResponse),
        ("multiple_clearing_advice", "0230", CardResponse),
    ],
)
def test_the_answer_s_type_follows_from_the_request_s(
    request_name: str, mti: str, answer_class: type[Message]
) -> None:
    answer = acknowledge(read(VISANET, request_name), "91")

    assert isinstance(answer, answer_class)
    assert (answer.mti, getattr(answer, "response_code", "")) == (mti, "91")


def test_a_repeat_gets_the_answer_of_its_original_byte_for_byte() -> None:
    original, repeat = read(VISANET, "contactless_purchase"), read(VISANET, "repeat")
    assert isinstance(original, CardRequest)
    assert isinstance(repeat, CardRequest)

    answers = {
        encoded(VISANET, respond(request, response_code="00", approval_code="A1B2C3"))
        for request in (original, repeat)
    }
    assert len(answers) == 1


def test_text_and_file_updates_are_acknowledged() -> None:
    text = read(VISANET, "fx_and_fees_admin")
    answer = acknowledge(text)
    assert (answer.mti, answer.stan, answer.elements) == ("0630", text.stan, NO_ELEMENTS)
    assert canonical_for(VISANET).write(answer)["39"] == "00"

    update = acknowledge(FileUpdate(mti="0302", stan="000001", pan=PAN, update_code="1"))
    assert isinstance(update, FileUpdate)
    assert (update.mti, update.pan, update.response_code) == ("0312", PAN, "00")


def test_an_answer_has_no_answer() -> None:
    with pytest.raises(TypeError, match="AuthorizationResponse is no request"):
        acknowledge(read(VISANET, "approval"))


@pytest.mark.parametrize(
    ("mti", "answer"),
    [("0100", "0110"), ("0101", "0110"), ("0121", "0130"), ("0302", "0312"), ("0800", "0810")],
)
def test_the_type_that_answers(mti: str, answer: str) -> None:
    assert response_mti(mti) == answer
