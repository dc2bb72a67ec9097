"""Reasons to decline that the gateway finds by itself, in order of precedence.

Pure functions over `Facts`. The first check of the table that objects gives the answer; funds,
daily limits and originals are the ledger's, whose own reasons `ledger.outcomes.Outcome` orders
among these. The table's order from the card's state on is therefore `Outcome`'s order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import TypeAlias

import msgspec

from gateway.business_day import BusinessDay
from gateway.cards import NO_CONTROLS, REFUSAL_BY_STATE, Card, CardKind
from gateway.channels import channels_of
from gateway.policy import Policy
from gateway.transactions import Transaction
from ledger.commands import Purpose
from ledger.money import Money, alphabetic_code
from ledger.outcomes import Outcome
from networks.wire.messages import CardRequest

_PLAIN_QUICPAY = "1"  # QPX-1 DE 48.02
_LUMP_SUM = "10"  # QPX-1 DE 48.04
WITHOUT_AMOUNT = frozenset({Purpose.VERIFICATION, Purpose.INQUIRY})
_SPENDING = frozenset({Purpose.PURCHASE, Purpose.CASH})
_MANDATORY = (
    "2 (PAN)",
    "3 (processing code)",
    "4 (amount)",
    "7 (transmission)",
    "11 (STAN)",
    "32 (acquirer)",
    "49 (currency)",
    "51 (billing currency)",
)


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A reason to decline, and why for a person."""

    outcome: Outcome
    explanation: str


class Facts(msgspec.Struct, frozen=True, gc=False):
    """Everything a check may look at. `amount` is the one to be held, in the card's currency
    where the network has converted it.
    """

    request: CardRequest
    transaction: Transaction
    amount: Money
    card: Card
    day: BusinessDay
    policy: Policy


Check = Callable[[Facts], Refusal | None]


def refuse_format(request: CardRequest) -> Refusal | None:
    """Mandatory elements missing or implausible: without them there is nothing to decide."""
    is_plausible = (
        13 <= len(request.pan) <= 19 and request.pan.isdecimal(),
        len(request.processing_code) == 6,
        request.amount is not None,
        request.transmission != "",
        len(request.stan) == 6,
        request.acquirer != "",
        _is_currency(request.currency),
        request.billing_amount is None or _is_currency(request.billing_currency),
    )
    if all(is_plausible):
        return None
    field = _MANDATORY[is_plausible.index(False)]
    return Refusal(Outcome.FORMAT_INVALID, f"data element {field}: missing or implausible")


def refuse_processing_code(request: CardRequest) -> Refusal:
    """12: the network has no such transaction."""
    code = request.processing_code[:2]
    return Refusal(Outcome.TRANSACTION_INVALID, f"processing code {code} is not supported")


def refuse_amount(amount: Money, purpose: Purpose) -> Refusal | None:
    """13: nothing is asked for where something has to be."""
    if amount.amount or purpose in WITHOUT_AMOUNT:
        return None
    return Refusal(Outcome.AMOUNT_INVALID, "the amount is zero")


def check_state(facts: Facts) -> Refusal | None:
    """62, 41, 43, 78: the card is not to be used."""
    outcome = REFUSAL_BY_STATE[facts.card.state]
    if outcome is None:
        return None
    return Refusal(outcome, f"the card is {facts.card.state.value}")


def check_expiry(facts: Facts) -> Refusal | None:
    """54: the card's month has passed, or the expiry presented is not the card's."""
    card, presented = facts.card, facts.request.expiry
    if card.expiry < facts.day.month:
        return Refusal(Outcome.INSTRUMENT_EXPIRED, f"the card expired in {card.expiry} (YYMM)")
    if presented and presented != card.expiry:
        return Refusal(Outcome.INSTRUMENT_EXPIRED, "the expiry presented is not the card's")
    return None


def check_amount_limit(facts: Facts) -> Refusal | None:
    """61: more than this card may spend at once."""
    limit = facts.card.controls.amount_limit
    if limit is None or facts.transaction.purpose not in _SPENDING or facts.amount.amount <= limit:
        return None
    return Refusal(Outcome.AMOUNT_LIMIT, f"above the card's limit of {limit} a transaction")


def check_plain_quicpay_cap(facts: Facts) -> Refusal | None:
    """61: QUICPay without the plus ends at a cap (DOMAIN 3.3)."""
    cap = facts.policy.plain_quicpay_cap
    if facts.request.quicpay_mode != _PLAIN_QUICPAY or facts.amount.amount <= cap:
        return None
    return Refusal(Outcome.AMOUNT_LIMIT, f"above {cap} in QUICPay mode 1")


def check_category(facts: Facts) -> Refusal | None:
    """57: the cardholder, or the programme, bars this kind of merchant."""
    category = facts.request.merchant_category
    if category not in facts.card.controls.blocked_categories:
        return None
    return Refusal(Outcome.NOT_PERMITTED, f"merchant category {category} is blocked")


def check_channels(facts: Facts) -> Refusal | None:
    """57: the cardholder has switched this way of paying off."""
    blocked = facts.card.controls.blocked_channels
    if not blocked:
        return None
    used = sorted(blocked & channels_of(facts.request, facts.policy.home_country))
    return Refusal(Outcome.NOT_PERMITTED, f"{used[0]} is switched off") if used else None


def check_prepaid_mode(facts: Facts) -> Refusal | None:
    """57: a prepaid card is decided online, which only QUICPay+ does (DOMAIN 3.1)."""
    if facts.request.quicpay_mode != _PLAIN_QUICPAY or facts.card.kind is not CardKind.PREPAID:
        return None
    return Refusal(Outcome.NOT_PERMITTED, "a prepaid card needs QUICPay+ (mode 2)")


def check_prepaid_plan(facts: Facts) -> Refusal | None:
    """57: a prepaid card pays at once; instalments, bonus and revolving are credit."""
    plan = facts.request.payment_plan
    if plan in ("", _LUMP_SUM) or facts.card.kind is not CardKind.PREPAID:
        return None
    return Refusal(Outcome.NOT_PERMITTED, f"payment plan {plan} on a prepaid card")


def check_prepaid_allowance(facts: Facts) -> Refusal | None:
    """57: only post-pay cards reserve an allowance to pay offline from."""
    if not facts.transaction.allowance or facts.card.kind is not CardKind.PREPAID:
        return None
    return Refusal(Outcome.NOT_PERMITTED, "an allowance on a prepaid card")


def check_currency(facts: Facts) -> Refusal | None:
    """The network has not converted into the card's currency."""
    if facts.amount.currency == facts.card.currency:
        return None
    return Refusal(
        Outcome.CURRENCY_UNSUPPORTED,
        f"{facts.amount.currency} on a card in {facts.card.currency}, no billing amount",
    )


CHECKS: tuple[Check, ...] = (
    check_state,
    check_expiry,
    check_amount_limit,
    check_plain_quicpay_cap,
    check_category,
    check_channels,
    check_prepaid_mode,
    check_prepaid_plan,
    check_prepaid_allowance,
    check_currency,
)


_OF_CONTROLS = frozenset({check_amount_limit, check_category, check_channels})
_OF_PREPAID = frozenset({check_prepaid_mode, check_prepaid_plan, check_prepaid_allowance})
_OF_PLAIN_QUICPAY = frozenset({check_plain_quicpay_cap, check_prepaid_mode})


_Of: TypeAlias = tuple[CardKind, bool, bool]  # whether with controls, whether plain QUICPay


def _checks_for(of: _Of) -> tuple[Check, ...]:
    """`CHECKS` without those that never object to such a card used in such a way."""
    kind, has_controls, is_plain_quicpay = of
    concerned = (
        (_OF_CONTROLS, has_controls),
        (_OF_PREPAID, kind is CardKind.PREPAID),
        (_OF_PLAIN_QUICPAY, is_plain_quicpay),
    )
    needless = {check for checks, holds in concerned if not holds for check in checks}
    return tuple(check for check in CHECKS if check not in needless)


_CHECKS_FOR = {of: _checks_for(of) for of in product(CardKind, (False, True), (False, True))}


def first_refusal(facts: Facts) -> Refusal | None:
    """The answer of the first check that objects, ``None`` if the card may go on."""
    card = facts.card
    is_plain_quicpay = facts.request.quicpay_mode == _PLAIN_QUICPAY
    for check in _CHECKS_FOR[card.kind, card.controls is not NO_CONTROLS, is_plain_quicpay]:
        refusal = check(facts)
        if refusal is not None:
            return refusal
    return None


@lru_cache(maxsize=1024)
def _is_currency(number: str) -> bool:
    try:
        alphabetic_code(number)
    except ValueError:
        return False
    return True
