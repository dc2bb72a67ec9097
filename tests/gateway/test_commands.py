# ruff: noqa: ANN401, E501 - fields of a message or card are given by name; a row of a table is a case
"""Advices, reversals and clearings: from message to command."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.advices import advise
from gateway.amounts import merchant_amount
from gateway.authorize import authorize
from gateway.business_day import DAY_MICROSECONDS
from gateway.clearing import clear, clear_at_once
from gateway.reversals import reverse, take_back
from ledger.commands import Authorize, Clear, Decision, Purpose, Reference
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.gateway.samples import (
    AT,
    CARD,
    TRANSACTION_ID,
    advice,
    case,
    financial,
    purchase,
    reversal,
)

TRACE = "1122013045000101400552"
FOREIGN = {"currency": "840", "amount": 10_000, "billing_amount": 15_000, "billing_currency": "392"}


def yen(amount: int) -> Money:
    return Money(amount, "JPY")


@pytest.mark.parametrize(
    ("response_code", "approved"),
    [("00", True), ("10", True), ("85", True), ("", True), ("05", False), ("51", False)],
)
def test_an_advice_tells_what_was_decided(response_code: str, approved: bool) -> None:
    assert advise(advice(response_code=response_code), case()).approved is approved


@pytest.mark.parametrize(
    ("network", "changes", "completes"),
    [
        ("visanet", {}, False),
        ("visanet", {"stand_in_reason": ""}, False),
        ("visanet", {"response_source": ""}, False),
        ("visanet", {"stand_in_reason": "", "response_source": ""}, True),
        ("quicpay", {"authorization_path": "1"}, False),
        ("quicpay", {"authorization_path": "2"}, False),
        ("quicpay", {}, True),
    ],
)
def test_a_completion_is_no_stand_in(
    network: str,
    changes: dict[str, str],
    completes: bool,
) -> None:
    assert advise(advice(network, **changes), case(network=network)).completes is completes


def test_an_advice_names_the_request_it_decides() -> None:
    command = advise(advice(), case())
    assert command.reference == Reference(TRANSACTION_ID, TRACE, "632601000101")
    assert command.approval_code == "STIP01"
    assert command.expires_at == AT + 7 * DAY_MICROSECONDS
    assert (command.account_id, command.instrument_id, command.day) == (70, 7, 20261122)


def test_an_advice_without_approval_code_gets_one() -> None:
    assert len(advise(advice(approval_code=""), case()).approval_code) == 6


@pytest.mark.parametrize(
    ("processing_code", "purpose"),
    [("000000", Purpose.PURCHASE), ("010000", Purpose.CASH), ("990000", Purpose.PURCHASE)],
)
def test_an_advice_is_applied_whatever_it_is_for(processing_code: str, purpose: Purpose) -> None:
    assert advise(advice(processing_code=processing_code), case()).purpose is purpose


# fmt: off
@pytest.mark.parametrize(
    ("changes", "amount", "replacement"),
    [
        ({},                                                                        yen(1250),   None),
        ({"replacement_amount": 400},                                               yen(1250),   yen(400)),
        ({"replacement_amount": 0},                                                 yen(1250),   None),
        ({"replacement_billing_amount": 300, "replacement_amount": 400},            yen(1250),   yen(300)),
        ({**FOREIGN},                                                               yen(15_000), None),
        ({**FOREIGN, "replacement_amount": 4_000},                                  yen(15_000), yen(6_000)),
        ({**FOREIGN, "replacement_amount": 4_000, "replacement_billing_amount": 1}, yen(15_000), yen(1)),
    ],
)
def test_what_a_reversal_leaves(
    changes: dict[str, Any], amount: Money, replacement: Money | None
) -> None:
    command = reverse(reversal(**changes), case())
    assert (command.amount, command.replacement) == (amount, replacement)


def test_a_reversal_names_its_original() -> None:
    command = reverse(reversal(), case())
    assert command.reference == Reference(TRANSACTION_ID, TRACE, "632601000101", "A1B2C3")
    assert command.origin.trace != TRACE
    assert (command.account_id, command.instrument_id) == (CARD.account_id, CARD.card_id)


def decision(amount: int = 1250, outcome: Outcome = Outcome.APPROVED) -> Decision:
    return Decision(
        outcome=outcome,
        authorization_id=1,
        account_id=70,
        amount=amount,
        currency="JPY",
        approval_code="ABC123" if outcome.approved else "",
        available=0,
        posted=0,
        explanation="",
    )


def held(**changes: Any) -> Authorize:
    command = authorize(financial(**changes), case())
    assert isinstance(command, Authorize)
    return command


def test_a_late_approval_is_taken_back_by_its_own_names() -> None:
    late = held()
    command = take_back(late)
    assert command.reference == Reference(TRANSACTION_ID, TRACE, late.origin.rrn, late.approval_code)
    assert command.origin.request_key != late.origin.request_key
    assert (command.account_id, command.amount) == (late.account_id, late.amount)


# fmt: off
@pytest.mark.parametrize(
    ("changes", "credit", "fee", "points"),
    [
        ({},                                           False, 0,   12),
        ({"processing_code": "010000"},                False, 110, 0),
        ({"processing_code": "200000"},                True,  0,   0),
        ({"processing_code": "260000"},                True,  0,   0),
        ({"processing_code": "990000"},                False, 0,   12),
    ],
)
def test_what_a_clearing_moves(changes: dict[str, Any], credit: bool, fee: int, points: int) -> None:
    command = clear(financial(mti="0220", **changes), case())
    assert (command.amount, command.credit, command.fee, command.points) == (
        yen(1250), credit, fee, points,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (0, 0)),
        ({"clearing_sequence": "01", "clearing_count": "03"}, (1, 3)),
        ({"clearing_sequence": "  ", "clearing_count": "x"}, (0, 0)),
    ],
)
def test_which_part_of_how_many(changes: dict[str, str], expected: tuple[int, int]) -> None:
    command = clear(financial(mti="0220", **changes), case())
    assert (command.sequence, command.count) == expected


@pytest.mark.parametrize(
    ("local_date", "days"),
    [
        ("1122", ("1121", "1122", "1123")),
        ("0101", ("1231", "0101", "0102")),
        ("1201", ("1130", "1201", "1202")),
        ("1399", ()),
        ("", ()),
    ],
)
def test_a_clearing_names_the_authorization(local_date: str, days: tuple[str, ...]) -> None:
    """Also by merchant, terminal and the days around the purchase, for what has lost its id."""
    message = financial(
        mti="0220", stan="000113", approval_code="A1B2C3", local_date=local_date
    )
    assert clear(message, case()).reference == Reference(
        TRANSACTION_ID,
        "",
        "632601000101",
        "A1B2C3",
        days=days,
        merchant="MERCHANT0000001",
        terminal="T0000001",
    )


@pytest.mark.parametrize(
    ("changes", "credit", "fee", "points"),
    [
        ({}, False, 0, 8),
        ({"processing_code": "010000"}, False, 110, 0),
        ({"processing_code": "200000"}, True, 0, 0),
    ],
)
def test_a_single_message_posts_what_it_has_held(
    changes: dict[str, Any], credit: bool, fee: int, points: int
) -> None:
    hold = held(**changes)
    command = clear_at_once(hold, decision(800, Outcome.APPROVED_PARTIALLY), case())
    assert isinstance(command, Clear)
    assert (command.amount, command.credit, command.fee, command.points) == (
        yen(800), credit, fee, points,
    )  # fmt: skip
    assert command.reference == Reference(TRANSACTION_ID, TRACE, hold.origin.rrn, "ABC123")
    assert command.origin.request_key != hold.origin.request_key


def test_a_single_message_that_is_declined_or_only_asks_posts_nothing() -> None:
    refused = decision(0, Outcome.INSUFFICIENT_FUNDS)
    assert clear_at_once(held(), refused, case()) is None
    assert clear_at_once(held(processing_code="300000"), decision(0), case()) is None


@pytest.mark.parametrize(
    ("changes", "approved", "merchants"),
    [({}, 800, 800), (FOREIGN, 1500, 1000), ({**FOREIGN, "billing_amount": 0}, 5, 5)],
)
def test_a_partial_approval_in_the_merchants_currency(
    changes: dict[str, Any], approved: int, merchants: int
) -> None:
    assert merchant_amount(purchase(**changes), approved) == merchants
