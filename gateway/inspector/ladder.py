"""Every check that a request passes, in order of precedence, and the one that declined it.

The gateway makes its checks in the order of `gateway.checks.CHECKS`, the ledger in that of
`ledger.rules.LADDER`; of two that object, the one that stands first in `Outcome` is the answer, and
of two of the same outcome the gateway's. So what stands before the one that declined has passed. A
test holds this table to those two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gateway import checks
from gateway.inspector.timeline import CheckLine, Verdict
from ledger import rules
from ledger.outcomes import Outcome

GATEWAY, LEDGER = "gateway", "ledger"


class Rule(msgspec.Struct, frozen=True):
    """One check. `says` is in its explanations and in those of no other check of its outcomes."""

    title: str
    by: str
    outcomes: tuple[Outcome, ...]
    says: str = ""
    check: Callable[..., Any] | None = None


_GUARDS = {outcome: guard for outcome, guard, _ in rules.LADDER}
_OF_THE_CARD = (
    Outcome.INSTRUMENT_RESTRICTED,
    Outcome.INSTRUMENT_LOST,
    Outcome.INSTRUMENT_STOLEN,
    Outcome.ACCOUNT_CLOSED,
)


def _gateway(title: str, outcome: Outcome, check: Callable[..., Any], says: str = "") -> Rule:
    return Rule(title, GATEWAY, (outcome,), says, check)


def _ledger(title: str, outcome: Outcome, says: str = "") -> Rule:
    return Rule(title, LEDGER, (outcome,), says, _GUARDS.get(outcome))


RULES: tuple[Rule, ...] = (
    _gateway(
        "Mandatory elements are there and plausible",
        Outcome.FORMAT_INVALID,
        checks.refuse_format,
        "data element",
    ),
    Rule("The card exists", GATEWAY, (Outcome.INSTRUMENT_UNKNOWN,)),
    _gateway(
        "The network has such a transaction",
        Outcome.TRANSACTION_INVALID,
        checks.refuse_processing_code,
    ),
    _gateway("Something is asked for", Outcome.AMOUNT_INVALID, checks.refuse_amount),
    _ledger("The wallet exists", Outcome.ACCOUNT_UNKNOWN),
    _ledger("No other request came with its key", Outcome.CONFLICT),
    _ledger("It was not taken back before", Outcome.WITHDRAWN),
    Rule("The card may be used", GATEWAY, _OF_THE_CARD, "", checks.check_state),
    _gateway("The card has not expired", Outcome.INSTRUMENT_EXPIRED, checks.check_expiry),
    _gateway(
        "Within the card's limit a transaction",
        Outcome.AMOUNT_LIMIT,
        checks.check_amount_limit,
        "above the card's limit",
    ),
    _gateway(
        "Within the cap of QUICPay without the plus",
        Outcome.AMOUNT_LIMIT,
        checks.check_plain_quicpay_cap,
        "in QUICPay mode",
    ),
    _ledger("Within the card's amount a day", Outcome.AMOUNT_LIMIT, "daily limit"),
    _ledger("Within the card's purchases a day", Outcome.COUNT_LIMIT),
    _gateway(
        "The kind of merchant is allowed",
        Outcome.NOT_PERMITTED,
        checks.check_category,
        "merchant category",
    ),
    _gateway(
        "The way of paying is switched on",
        Outcome.NOT_PERMITTED,
        checks.check_channels,
        "is switched off",
    ),
    _gateway(
        "A prepaid card pays by QUICPay+",
        Outcome.NOT_PERMITTED,
        checks.check_prepaid_mode,
        "needs QUICPay+",
    ),
    _gateway(
        "A prepaid card pays at once",
        Outcome.NOT_PERMITTED,
        checks.check_prepaid_plan,
        "payment plan",
    ),
    _gateway(
        "No allowance on a prepaid card",
        Outcome.NOT_PERMITTED,
        checks.check_prepaid_allowance,
        "an allowance",
    ),
    _gateway(
        "The amount is in the card's currency",
        Outcome.CURRENCY_UNSUPPORTED,
        checks.check_currency,
        "no billing amount",
    ),
    _ledger(
        "The amount is in the wallet's currency", Outcome.CURRENCY_UNSUPPORTED, "the account in"
    ),
    _ledger("Its reversal did not come first", Outcome.REVERSED_BEFORE),
    _ledger("What it adds to is still held", Outcome.ORIGINAL_UNKNOWN),
    _ledger("The money is there", Outcome.INSUFFICIENT_FUNDS),
    _ledger("The amount can be held", Outcome.FORMAT_INVALID, "outside what can be held"),
)


def declining_rule(outcome: Outcome, explanation: str) -> Rule | None:
    """The check that declined; ``None`` for an approval."""
    return next(
        (rule for rule in RULES if outcome in rule.outcomes and rule.says in explanation), None
    )


def verdicts(outcome: Outcome, explanation: str) -> tuple[CheckLine, ...]:
    """Every check with what became of it, given the answer that was stored."""
    declined_by = declining_rule(outcome, explanation)
    place = len(RULES) if declined_by is None else RULES.index(declined_by)
    return tuple(
        _line(rule, number - place, outcome, explanation) for number, rule in enumerate(RULES)
    )


def _line(rule: Rule, beyond: int, outcome: Outcome, explanation: str) -> CheckLine:
    """`beyond` is how far it stands behind the check that declined."""
    if beyond == 0:
        return CheckLine(rule.title, rule.by, Verdict.DECLINED, explanation)
    if beyond > 0:
        return CheckLine(rule.title, rule.by, Verdict.NOT_REACHED)
    partly = outcome is Outcome.APPROVED_PARTIALLY and Outcome.INSUFFICIENT_FUNDS in rule.outcomes
    if partly:
        return CheckLine(rule.title, rule.by, Verdict.IN_PART, explanation)
    return CheckLine(rule.title, rule.by, Verdict.PASSED)
