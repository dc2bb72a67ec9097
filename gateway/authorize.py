"""An authorization request becomes the ledger's `Authorize` command (DOMAIN 1.9).

Pure but for the approval codes, which are a running number. Whatever is refused beforehand goes
to the ledger too, so that history shows it and a repeat gets the same answer; only what names no
transaction at all (12, 13) does not.
"""

from __future__ import annotations

from gateway.amounts import billed
from gateway.cards import CardControls, has_limits
from gateway.case import Case
from gateway.checks import (
    WITHOUT_AMOUNT,
    Facts,
    Refusal,
    first_refusal,
    refuse_amount,
    refuse_processing_code,
)
from gateway.common import details_of
from gateway.expiry import expires_at, is_travel
from gateway.points import points_for
from gateway.policy import Policy
from gateway.references import origin_of, sale_of
from gateway.transactions import FUEL_CATEGORIES, Transaction, transaction_of
from ledger.commands import Authorize, Purpose, Reference, SpendingLimits
from ledger.money import Money
from networks.wire.messages import CardRequest

_INCREMENTAL = "3900"  # DE 63.3
_PARTIAL_ALLOWED = "1"  # DE 60.10
_TAP_AGAIN = 3_000_000  # microseconds: the same terminal and slip again is the same sale
_SPENDING = frozenset({Purpose.PURCHASE, Purpose.CASH})


def authorize(request: CardRequest, case: Case) -> Authorize | Refusal:
    """The command for `request`."""
    transaction = transaction_of(request, case.network)
    if transaction is None:
        return refuse_processing_code(request)
    policy, card, purpose = case.policy, case.card, transaction.purpose
    asked = billed(request)
    fuel_check = _is_fuel_check(request, purpose, asked, policy)
    amount = _amount_to_hold(transaction, asked, policy, fuel_check=fuel_check)
    invalid = refuse_amount(amount, purpose)
    if invalid is not None:
        return invalid
    refusal = first_refusal(Facts(request, transaction, amount, card, case.day, policy))
    spends = purpose in _SPENDING
    estimated = spends and (transaction.allowance or fuel_check or is_travel(request))
    sale = sale_of(request)
    return Authorize(
        account_id=card.account_id,
        origin=origin_of(request, case.network, card.card_id, sale),
        at=case.at,
        instrument_id=card.card_id,
        day=case.day.number,
        details=details_of(request),
        purpose=purpose,
        amount=amount,
        approval_code=case.codes.next(),
        expires_at=expires_at(request, case.at, estimated=estimated),
        partial_allowed=request.partial_approval == _PARTIAL_ALLOWED and not estimated,
        estimated=estimated,
        refusal=None if refusal is None else refusal.outcome,
        refusal_reason="" if refusal is None else refusal.explanation,
        limits=_limits(card.controls) if spends else None,
        points=points_for(amount, purpose, policy),
        increment_of=_increment_of(request),
        repeats_within=_TAP_AGAIN if sale else 0,
    )


def _amount_to_hold(
    transaction: Transaction, asked: Money, policy: Policy, *, fuel_check: bool
) -> Money:
    """What is asked for, except where the issuer holds another amount."""
    if transaction.purpose in WITHOUT_AMOUNT:
        return Money(0, asked.currency)
    if transaction.allowance and asked.amount == 0:
        return Money(policy.allowance, asked.currency)
    return Money(policy.fuel_hold, asked.currency) if fuel_check else asked


def _is_fuel_check(request: CardRequest, purpose: Purpose, asked: Money, policy: Policy) -> bool:
    """A fuel pump asks for next to nothing, to see whether the card is good."""
    return (
        request.merchant_category in FUEL_CATEGORIES
        and purpose is Purpose.PURCHASE
        and asked.amount < policy.fuel_check_below
    )


def _limits(controls: CardControls) -> SpendingLimits | None:
    if not has_limits(controls):
        return None
    return SpendingLimits(controls.day_amount, controls.day_count)


def _increment_of(request: CardRequest) -> Reference | None:
    if request.message_reason != _INCREMENTAL or not request.transaction_id:
        return None
    return Reference(transaction_id=request.transaction_id)
