# ruff: noqa: ANN401, E501 - fields of a message or card are given by name; a row of a table is a case
"""Every check alone, and every pair of them in order of precedence."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from gateway.amounts import billed
from gateway.business_day import BusinessDay
from gateway.cards import Card, CardControls, CardKind, CardState, Channel
from gateway.checks import CHECKS, Facts, Refusal, first_refusal, refuse_amount, refuse_format
from gateway.transactions import transaction_of
from ledger.commands import Purpose
from ledger.money import Money
from ledger.outcomes import Outcome
from networks.wire.messages import AuthorizationRequest
from tests.gateway.samples import POLICY, card, purchase

TODAY = BusinessDay(20261122, "2611")

LIMITED = CardControls(amount_limit=1000)
NO_GROCERIES = CardControls(blocked_categories=frozenset({"5411"}))


def blocked(*channels: Channel) -> CardControls:
    return CardControls(blocked_channels=frozenset(channels))


def facts(request: AuthorizationRequest, of: Card, network: str) -> Facts:
    transaction = transaction_of(request, network)
    assert transaction is not None
    return Facts(request, transaction, billed(request), of, TODAY, POLICY)


def refused(
    request: dict[str, Any], of: dict[str, Any], network: str = "visanet"
) -> Refusal | None:
    return first_refusal(facts(purchase(network, **request), card(**of), network))


# fmt: off
REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], Outcome, str]] = [
    # network    request                                    card                                outcome                          explanation
    ("visanet", {},                                        {"state": CardState.RESTRICTED},     Outcome.INSTRUMENT_RESTRICTED,   "the card is restricted"),
    ("visanet", {},                                        {"state": CardState.LOST},           Outcome.INSTRUMENT_LOST,         "the card is lost"),
    ("visanet", {},                                        {"state": CardState.STOLEN},         Outcome.INSTRUMENT_STOLEN,       "the card is stolen"),
    ("visanet", {},                                        {"state": CardState.CLOSED},         Outcome.ACCOUNT_CLOSED,          "the card is closed"),
    ("visanet", {"expiry": "2610"},                        {"expiry": "2610"},                  Outcome.INSTRUMENT_EXPIRED,      "the card expired in 2610 (YYMM)"),
    ("visanet", {"expiry": ""},                            {"expiry": "2610"},                  Outcome.INSTRUMENT_EXPIRED,      "the card expired in 2610 (YYMM)"),
    ("visanet", {"expiry": "3011"},                        {},                                  Outcome.INSTRUMENT_EXPIRED,      "the expiry presented is not the card's"),
    ("visanet", {"amount": 1001},                          {"controls": LIMITED},               Outcome.AMOUNT_LIMIT,            "above the card's limit of 1000 a transaction"),
    ("quicpay", {"quicpay_mode": "1", "amount": 20_001},   {"kind": CardKind.POST_PAY},         Outcome.AMOUNT_LIMIT,            "above 20000 in QUICPay mode 1"),
    ("visanet", {},                                        {"controls": NO_GROCERIES},          Outcome.NOT_PERMITTED,           "merchant category 5411 is blocked"),
    ("visanet", {},                                        {"controls": blocked(Channel.CONTACTLESS)}, Outcome.NOT_PERMITTED,    "contactless is switched off"),
    ("visanet", {"entry_mode": "0100", "condition": "59"}, {"controls": blocked(Channel.ECOMMERCE)},   Outcome.NOT_PERMITTED,    "e-commerce is switched off"),
    ("visanet", {"electronic_commerce": "05"},             {"controls": blocked(Channel.ECOMMERCE)},   Outcome.NOT_PERMITTED,    "e-commerce is switched off"),
    ("visanet", {"processing_code": "010000"},             {"controls": blocked(Channel.ATM)},         Outcome.NOT_PERMITTED,    "atm is switched off"),
    ("visanet", {"merchant_category": "6011"},             {"controls": blocked(Channel.ATM)},         Outcome.NOT_PERMITTED,    "atm is switched off"),
    ("visanet", {"acquirer_country": "840"},               {"controls": blocked(Channel.ABROAD)},      Outcome.NOT_PERMITTED,    "abroad is switched off"),
    ("quicpay", {"quicpay_mode": "1"},                     {},                                  Outcome.NOT_PERMITTED,           "a prepaid card needs QUICPay+ (mode 2)"),
    ("quicpay", {"payment_plan": "61"},                    {},                                  Outcome.NOT_PERMITTED,           "payment plan 61 on a prepaid card"),
    ("quicpay", {"processing_code": "900000"},             {},                                  Outcome.NOT_PERMITTED,           "an allowance on a prepaid card"),
    ("visanet", {"currency": "840"},                       {},                                  Outcome.CURRENCY_UNSUPPORTED,    "USD on a card in JPY, no billing amount"),
]

ALLOWED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("visanet", {},                                        {}),
    ("visanet", {"expiry": ""},                            {}),
    ("visanet", {"expiry": "2611"},                        {"expiry": "2611"}),  # good through its month
    ("visanet", {"amount": 1000},                          {"controls": LIMITED}),
    ("visanet", {"amount": 1001, "processing_code": "200000"}, {"controls": LIMITED}),
    ("visanet", {"merchant_category": "5812"},             {"controls": NO_GROCERIES}),
    ("visanet", {},                                        {"controls": blocked(Channel.ECOMMERCE, Channel.ATM, Channel.ABROAD)}),
    ("visanet", {"entry_mode": "0510"},                    {"controls": blocked(*Channel)}),
    ("visanet", {"entry_mode": "0510", "acquirer_country": ""}, {"controls": blocked(Channel.ABROAD)}),
    ("visanet", {"currency": "840", "billing_amount": 900, "billing_currency": "392"}, {}),
    ("quicpay", {},                                        {}),
    ("quicpay", {"payment_plan": ""},                      {}),
    ("quicpay", {"quicpay_mode": "1", "amount": 20_000},   {"kind": CardKind.POST_PAY}),
    ("quicpay", {"amount": 20_001},                        {}),
    ("quicpay", {"payment_plan": "61"},                    {"kind": CardKind.POST_PAY}),
    ("quicpay", {"processing_code": "900000"},             {"kind": CardKind.POST_PAY}),
]
# fmt: on


@pytest.mark.parametrize(("network", "request_", "of", "outcome", "explanation"), REFUSED)
def test_each_reason_to_decline(
    network: str, request_: dict[str, Any], of: dict[str, Any], outcome: Outcome, explanation: str
) -> None:
    assert refused(request_, of, network) == Refusal(outcome, explanation)


@pytest.mark.parametrize(("network", "request_", "of"), ALLOWED)
def test_what_a_good_card_may_do(
    network: str, request_: dict[str, Any], of: dict[str, Any]
) -> None:
    assert refused(request_, of, network) is None


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """Both at once; None if they want different things of one field."""
    if any(one[name] != other[name] for name in one.keys() & other.keys()):
        return None
    return {**one, **other}


PAIRS = [
    (first, second, request, of)
    for first, second in combinations(REFUSED, 2)
    if (request := _together(first[1], second[1])) is not None
    and (of := _together(first[2], second[2])) is not None
    and (first[0] == second[0] or not first[1] or not second[1])
]


def test_nearly_all_pairs_can_hold_at_once() -> None:
    assert len(PAIRS) > 80


@pytest.mark.parametrize(("first", "second", "request_", "of"), PAIRS)
def test_of_two_reasons_the_one_of_precedence_is_told(
    first: Any, second: Any, request_: dict[str, Any], of: dict[str, Any]
) -> None:
    network = first[0] if first[1] else second[0]
    verdict = refused(request_, of, network)
    assert verdict is not None
    assert verdict.outcome == min(first[3], second[3])


def test_the_table_stands_in_the_order_of_the_ledgers_outcomes() -> None:
    """So that the gateway's first refusal and the ledger's own reasons fit one scale."""
    outcome_of = {}
    for check in CHECKS:
        outcome_of[check.__name__] = [
            verdict.outcome
            for network, request, of, *_ in REFUSED
            if (verdict := check(facts(purchase(network, **request), card(**of), network)))
        ]
    assert all(outcome_of.values()), "every check has its case above"
    lowest = [max(outcomes) for outcomes in outcome_of.values()]
    highest = [min(outcomes) for outcomes in outcome_of.values()]
    assert all(low <= high for low, high in zip(lowest, highest[1:], strict=False))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pan": ""}, "2 (PAN)"),
        ({"pan": "400000"}, "2 (PAN)"),
        ({"processing_code": ""}, "3 (processing code)"),
        ({"amount": None}, "4 (amount)"),
        ({"transmission": ""}, "7 (transmission)"),
        ({"stan": ""}, "11 (STAN)"),
        ({"acquirer": ""}, "32 (acquirer)"),
        ({"currency": ""}, "49 (currency)"),
        ({"currency": "000"}, "49 (currency)"),
        ({"billing_amount": 1, "billing_currency": ""}, "51 (billing currency)"),
        ({"billing_amount": 1, "billing_currency": "000"}, "51 (billing currency)"),
    ],
)
def test_what_has_to_be_in_a_request(changes: dict[str, Any], field: str) -> None:
    explanation = f"data element {field}: missing or implausible"
    assert refuse_format(purchase(**changes)) == Refusal(Outcome.FORMAT_INVALID, explanation)


def test_a_whole_request_has_a_good_format() -> None:
    assert refuse_format(purchase()) is None
    assert refuse_format(purchase(billing_amount=1, billing_currency="392")) is None


@pytest.mark.parametrize("purpose", Purpose)
def test_only_questions_may_ask_for_nothing(purpose: Purpose) -> None:
    refusal = refuse_amount(Money(0, "JPY"), purpose)
    is_question = purpose in (Purpose.VERIFICATION, Purpose.INQUIRY)
    assert refusal == (
        None if is_question else Refusal(Outcome.AMOUNT_INVALID, "the amount is zero")
    )
    assert refuse_amount(Money(1, "JPY"), purpose) is None
