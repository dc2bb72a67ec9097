"""Whether to promise money: a pure ladder of guards, each with its explanation.

Rules of this file:

1. It changes nothing and reads nothing but its arguments.
2. The ladder stands in the order of `Outcome`: the first guard that holds is the ledger's reason,
   and of that and the caller's own refusal the one that takes precedence is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from ledger.commands import Authorize, Purpose, SpendingLimits
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.rows import Account, Spending

LARGEST_AMOUNT = 10**15  # minor units; DE 4 has 12 digits, and sums must stay within 63 bits
SPENDS = frozenset({Purpose.PURCHASE, Purpose.CASH})
NO_LIMITS = SpendingLimits()


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What is known when a request is judged.

    `amount` is what is asked for, in minor units; `spends` whether approval holds money; `limits`
    those of the instrument. `spent` is the counter of the instrument's day, `reversed_before`
    whether a reversal of this very request came first, `original_missing` whether it adds to a
    hold that is not pending.
    """

    command: Authorize
    account: Account
    amount: int
    spends: bool
    limits: SpendingLimits
    spent: Spending | None = None
    reversed_before: bool = False
    original_missing: bool = False

    def money(self, amount: int) -> str:
        """`amount` as a person reads it."""
        currency = self.account.currency
        return f"{currency} {format_minor_units(amount, currency)}"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The answer to a request, and the amount promised by it in minor units."""

    outcome: Outcome
    amount: int
    explanation: str


def judge(standing: Standing) -> Verdict:
    """Decide one request."""
    refusal = standing.command.refusal
    for outcome, holds, say in LADDER:
        if refusal is not None and refusal <= outcome:
            break
        if holds(standing):
            if outcome is Outcome.INSUFFICIENT_FUNDS and _part_is_possible(standing):
                return _approve_partially(standing)
            return Verdict(outcome, 0, say(standing))
    if refusal is not None:
        return Verdict(refusal, 0, standing.command.refusal_reason or refusal.name)
    return _approve(standing)


def malformed(amount: int, *, zero_allowed: bool) -> bool:
    """Whether no ledger could hold `amount`."""
    return not (0 if zero_allowed else 1) <= amount <= LARGEST_AMOUNT


# --- the guards, in the order of Outcome ---


def _over_amount_limit(standing: Standing) -> bool:
    limit = standing.limits.day_amount
    if limit is None or not standing.spends or _in_another_currency(standing):
        return False
    spent = standing.spent.amount if standing.spent else 0
    return spent + standing.amount > limit


def _over_count_limit(standing: Standing) -> bool:
    limit = standing.limits.day_count
    if limit is None or not standing.spends or standing.command.increment_of is not None:
        return False  # an increment is no purchase of its own
    return (standing.spent.count if standing.spent else 0) >= limit


def _in_another_currency(standing: Standing) -> bool:
    return standing.command.amount.currency != standing.account.currency


def _reversed_before(standing: Standing) -> bool:
    return standing.reversed_before


def _original_missing(standing: Standing) -> bool:
    return standing.original_missing


def _over_funds(standing: Standing) -> bool:
    return standing.spends and standing.amount > standing.account.available


def _malformed(standing: Standing) -> bool:
    return malformed(standing.amount, zero_allowed=not standing.spends)


# --- and what is said of them ---


def _say_amount_limit(standing: Standing) -> str:
    spent = standing.spent.amount if standing.spent else 0
    return (
        f"{standing.money(standing.amount)} on top of {standing.money(spent)} spent today exceeds"
        f" the daily limit of {standing.money(standing.limits.day_amount or 0)}"
    )


def _say_count_limit(standing: Standing) -> str:
    return f"the daily limit of {standing.limits.day_count} purchases is reached"


def _say_currency(standing: Standing) -> str:
    return (
        f"the request is in {standing.command.amount.currency},"
        f" the account in {standing.account.currency}"
    )


def _say_reversed(_standing: Standing) -> str:
    return "its reversal came first"


def _say_original(_standing: Standing) -> str:
    return "no pending hold of the authorization that this should add to"


def _say_funds(standing: Standing) -> str:
    return (
        f"{standing.money(standing.amount)} asked,"
        f" {standing.money(standing.account.available)} available"
    )


def _say_malformed(standing: Standing) -> str:
    return f"amount {standing.amount} is outside what can be held"


Guard: TypeAlias = Callable[[Standing], bool]
Saying: TypeAlias = Callable[[Standing], str]

LADDER: tuple[tuple[Outcome, Guard, Saying], ...] = (
    (Outcome.AMOUNT_LIMIT, _over_amount_limit, _say_amount_limit),
    (Outcome.COUNT_LIMIT, _over_count_limit, _say_count_limit),
    (Outcome.CURRENCY_UNSUPPORTED, _in_another_currency, _say_currency),
    (Outcome.REVERSED_BEFORE, _reversed_before, _say_reversed),
    (Outcome.ORIGINAL_UNKNOWN, _original_missing, _say_original),
    (Outcome.INSUFFICIENT_FUNDS, _over_funds, _say_funds),
    (Outcome.FORMAT_INVALID, _malformed, _say_malformed),
)


# --- approvals ---


def _part_is_possible(standing: Standing) -> bool:
    command = standing.command
    return command.partial_allowed and command.refusal is None and standing.account.available > 0


def _approve(standing: Standing) -> Verdict:
    if standing.command.purpose is Purpose.INQUIRY:
        return Verdict(Outcome.APPROVED, 0, "balance told, nothing held")
    if standing.command.purpose is Purpose.VERIFICATION:
        return Verdict(Outcome.APPROVED, 0, "account is good, nothing held")
    if standing.command.purpose is Purpose.CREDIT:
        told = standing.money(standing.amount)
        return Verdict(Outcome.APPROVED, standing.amount, f"credit of {told} awaits its clearing")
    told, available = standing.money(standing.amount), standing.money(standing.account.available)
    return Verdict(Outcome.APPROVED, standing.amount, f"held {told} of {available} available")


def _approve_partially(standing: Standing) -> Verdict:
    part = standing.account.available
    told = f"held {standing.money(part)} of {standing.money(standing.amount)} asked"
    return Verdict(Outcome.APPROVED_PARTIALLY, part, f"{told}: no more is available")
