# ruff: noqa: ANN401 - fields of a message or card are given by name
"""From requests to commands, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.authorize import authorize
from gateway.business_day import DAY_MICROSECONDS
from gateway.cards import CardControls, CardKind, CardState
from gateway.case import Case
from gateway.checks import Refusal
from ledger.commands import Authorize, Purpose, Reference, SpendingLimits
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.gateway.samples import AT, CARD, TRANSACTION_ID, card, case, purchase


def command_for(network: str = "visanet", on: Case | None = None, **changes: Any) -> Authorize:
    command = authorize(purchase(network, **changes), on or case(network=network))
    assert isinstance(command, Authorize)
    return command


POST_PAY = card(kind=CardKind.POST_PAY)


@pytest.mark.parametrize(
    ("network", "changes", "purpose", "amount"),
    [
        ("visanet", {}, Purpose.PURCHASE, 1250),
        ("visanet", {"processing_code": "010000"}, Purpose.CASH, 1250),
        ("visanet", {"processing_code": "100000"}, Purpose.PURCHASE, 1250),
        ("visanet", {"processing_code": "200000"}, Purpose.CREDIT, 1250),
        ("visanet", {"processing_code": "260000"}, Purpose.CREDIT, 1250),
        ("visanet", {"processing_code": "300000"}, Purpose.INQUIRY, 0),
        ("visanet", {"processing_code": "300000", "amount": 0}, Purpose.INQUIRY, 0),
        ("visanet", {"amount": 0, "condition": "51"}, Purpose.VERIFICATION, 0),
        ("quicpay", {}, Purpose.PURCHASE, 1250),
        ("quicpay", {"processing_code": "200000"}, Purpose.CREDIT, 1250),
        ("quicpay", {"processing_code": "310000"}, Purpose.VERIFICATION, 0),
        ("quicpay", {"processing_code": "310000", "amount": 0}, Purpose.VERIFICATION, 0),
        ("quicpay", {"processing_code": "900000"}, Purpose.PURCHASE, 1250),
        ("quicpay", {"processing_code": "900000", "amount": 0}, Purpose.PURCHASE, 30_000),
    ],
)
def test_the_processing_code_says_what_for(
    network: str, changes: dict[str, Any], purpose: Purpose, amount: int
) -> None:
    command = command_for(network, case(POST_PAY, network), **changes)
    assert (command.purpose, command.amount) == (purpose, Money(amount, "JPY"))
    assert command.refusal is None


@pytest.mark.parametrize(
    ("network", "changes", "outcome"),
    [
        ("visanet", {"processing_code": "310000"}, Outcome.TRANSACTION_INVALID),
        ("visanet", {"processing_code": "900000"}, Outcome.TRANSACTION_INVALID),
        ("quicpay", {"processing_code": "010000"}, Outcome.TRANSACTION_INVALID),
        ("quicpay", {"processing_code": "300000"}, Outcome.TRANSACTION_INVALID),
        ("visanet", {"amount": 0}, Outcome.AMOUNT_INVALID),
        ("visanet", {"amount": 0, "processing_code": "010000"}, Outcome.AMOUNT_INVALID),
        ("quicpay", {"amount": 0}, Outcome.AMOUNT_INVALID),
    ],
)
def test_what_is_no_transaction_is_refused_at_once(
    network: str, changes: dict[str, Any], outcome: Outcome
) -> None:
    refusal = authorize(purchase(network, **changes), case(network=network))
    assert isinstance(refusal, Refusal)
    assert refusal.outcome is outcome


def test_it_names_who_asks_for_what() -> None:
    command = command_for()
    assert (command.account_id, command.instrument_id) == (CARD.account_id, CARD.card_id)
    assert (command.at, command.day) == (AT, 20261122)
    assert command.origin.network == "visanet"
    assert command.origin.transaction_id == TRANSACTION_ID
    assert command.origin.rrn == "632601000101"
    assert command.details["merchant_category"] == "5411"


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({}, Money(1250, "JPY")),
        (
            {
                "currency": "840",
                "amount": 10_000,
                "billing_amount": 15_023,
                "billing_currency": "392",
            },
            Money(15_023, "JPY"),
        ),
        ({"billing_amount": 900, "billing_currency": "840"}, Money(900, "USD")),
    ],
)
def test_the_networks_conversion_goes_before_the_merchants_amount(
    changes: dict[str, Any], amount: Money
) -> None:
    assert command_for(**changes).amount == amount


def test_a_refusal_goes_to_the_ledger_with_its_reason() -> None:
    command = command_for(on=case(card(state=CardState.LOST)))
    assert (command.refusal, command.refusal_reason) == (
        Outcome.INSTRUMENT_LOST,
        "the card is lost",
    )


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, False),
        ({"partial_approval": "0"}, False),
        ({"partial_approval": "1"}, True),
        ({"partial_approval": "1", "merchant_category": "7011"}, False),  # an estimate
    ],
)
def test_only_a_terminal_that_says_so_gets_a_part(changes: dict[str, Any], allowed: bool) -> None:
    assert command_for(**changes).partial_allowed is allowed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"message_reason": "3900"}, Reference(transaction_id=TRANSACTION_ID)),
        ({"message_reason": "3901"}, None),
        ({"message_reason": "3900", "transaction_id": ""}, None),
    ],
)
def test_an_increment_names_its_hold(changes: dict[str, Any], expected: Reference | None) -> None:
    assert command_for(**changes).increment_of == expected


@pytest.mark.parametrize(
    ("changes", "amount", "estimated"),
    [
        ({"merchant_category": "5542", "amount": 1}, 10_000, True),
        ({"merchant_category": "5541", "amount": 9}, 10_000, True),
        ({"merchant_category": "5542", "amount": 10}, 10, False),
        ({"merchant_category": "5411", "amount": 1}, 1, False),
        ({"merchant_category": "5542", "amount": 1, "processing_code": "200000"}, 1, False),
    ],
)
def test_a_fuel_pump_that_checks_the_card_gets_a_full_tank_held(
    changes: dict[str, Any],
    amount: int,
    estimated: bool,
) -> None:
    command = command_for(**changes)
    assert (command.amount.amount, command.estimated) == (amount, estimated)


@pytest.mark.parametrize(
    ("network", "changes", "days"),
    [
        ("visanet", {}, 7),
        ("visanet", {"entry_mode": "0100", "condition": "59"}, 10),
        ("visanet", {"entry_mode": "1000"}, 10),
        ("visanet", {"condition": "08"}, 10),
        ("visanet", {"merchant_category": "7011"}, 30),
        ("visanet", {"merchant_category": "3351", "entry_mode": "0100"}, 30),
        ("visanet", {"merchant_category": "3999"}, 30),
        ("visanet", {"merchant_category": "7512"}, 30),
        ("visanet", {"merchant_category": "5542", "amount": 1}, 30),
        ("visanet", {"merchant_category": "5542"}, 7),
        ("quicpay", {}, 7),
        ("quicpay", {"processing_code": "900000"}, 30),
    ],
)
def test_how_long_a_hold_lasts(network: str, changes: dict[str, Any], days: int) -> None:
    command = command_for(network, case(POST_PAY, network), **changes)
    assert command.expires_at == AT + days * DAY_MICROSECONDS


LIMITS = CardControls(day_amount=50_000, day_count=5)


@pytest.mark.parametrize(
    ("controls", "changes", "limits"),
    [
        (LIMITS, {}, SpendingLimits(50_000, 5)),
        (LIMITS, {"processing_code": "010000"}, SpendingLimits(50_000, 5)),
        (LIMITS, {"processing_code": "200000"}, None),
        (LIMITS, {"processing_code": "300000"}, None),
        (CardControls(day_count=5), {}, SpendingLimits(None, 5)),
        (CardControls(amount_limit=5_000), {}, None),
    ],
)
def test_daily_limits_go_to_the_ledger_with_what_spends(
    controls: CardControls, changes: dict[str, Any], limits: SpendingLimits | None
) -> None:
    assert command_for(on=case(card(controls=controls)), **changes).limits == limits


def test_history_tells_the_merchants_amount_and_the_slip_where_there_are_some() -> None:
    foreign = command_for(currency="840", billing_amount=900, billing_currency="392").details
    assert (foreign["merchant_amount"], foreign["merchant_currency"]) == ("1250", "840")
    tap = command_for("quicpay").details
    assert (tap["slip"], tap["terminal_identity"]) == ("00321", "1310012345678")
    assert "slip" not in command_for().details


def test_nothing_secret_goes_to_the_ledger() -> None:
    secrets: dict[str, Any] = {
        "track2": f"{purchase().pan}D30122011000012300000",
        "pin_block": "0123456789ABCDEF",
        "card_verification": "11 123",
    }
    shown = repr(command_for(**secrets))
    assert purchase().pan not in shown
    assert not any(secret in shown for secret in secrets.values())
