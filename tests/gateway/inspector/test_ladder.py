"""The inspector's ladder is the gateway's and the ledger's, check by check and in their order."""

from __future__ import annotations

import pytest

from gateway import checks
from gateway.inspector.ladder import GATEWAY, LEDGER, RULES, declining_rule, verdicts
from gateway.inspector.timeline import Verdict
from ledger import rules
from ledger.outcomes import Outcome
from tests.gateway.test_checks import REFUSED, refused

_BEFORE = (checks.refuse_format, checks.refuse_processing_code, checks.refuse_amount)


def test_every_check_has_its_place() -> None:
    made = [rule.check for rule in RULES if rule.by == GATEWAY and rule.check is not None]
    assert made == [*_BEFORE, *checks.CHECKS]
    guards = [rule.check for rule in RULES if rule.by == LEDGER and rule.check is not None]
    assert guards == [guard for _, guard, _ in rules.LADDER]


def test_what_is_decided_together_stands_in_the_order_of_outcomes() -> None:
    """Up to the first check of the card all is refused beforehand, whatever else there is."""
    first = next(place for place, rule in enumerate(RULES) if rule.check is checks.check_state)
    order = [min(rule.outcomes) for rule in RULES[first:]]
    assert order == sorted(order)


def test_every_outcome_has_a_rule_or_approves() -> None:
    ruled = {outcome for rule in RULES for outcome in rule.outcomes}
    assert ruled == {each for each in Outcome if not each.approved}


@pytest.mark.parametrize(("network", "request_", "card", "outcome", "explanation"), REFUSED)
def test_the_gateways_refusals_are_told_by_their_own_check(
    network: str,
    request_: dict[str, object],
    card: dict[str, object],
    outcome: Outcome,
    explanation: str,
) -> None:
    found = refused(request_, card, network)
    rule = declining_rule(outcome, explanation)
    assert found is not None
    assert rule is not None
    assert (rule.by, rule.check in checks.CHECKS) == (GATEWAY, True)
    of_outcome = [each for each in RULES if outcome in each.outcomes and each.says in explanation]
    assert of_outcome == [rule]


# What the ledger says of each of its guards, in the order of its ladder.
_SAID = [
    (Outcome.AMOUNT_LIMIT, "JPY 50 on top of JPY 0 spent today exceeds the daily limit of JPY 10"),
    (Outcome.COUNT_LIMIT, "the daily limit of 3 purchases is reached"),
    (Outcome.CURRENCY_UNSUPPORTED, "the request is in USD, the account in JPY"),
    (Outcome.REVERSED_BEFORE, "its reversal came first"),
    (Outcome.ORIGINAL_UNKNOWN, "no pending hold of the authorization that this should add to"),
    (Outcome.INSUFFICIENT_FUNDS, "JPY 50 asked, JPY 10 available"),
    (Outcome.FORMAT_INVALID, "amount -1 is outside what can be held"),
]


@pytest.mark.parametrize(
    ("said", "guard"),
    [*zip(_SAID, [guard for _, guard, _ in rules.LADDER], strict=True)],
)
def test_the_ledgers_refusals_are_told_by_their_own_guard(
    said: tuple[Outcome, str], guard: object
) -> None:
    rule = declining_rule(*said)
    assert rule is not None
    assert (rule.by, rule.check) == (LEDGER, guard)


def test_what_stands_before_the_one_that_declined_has_passed() -> None:
    told = "JPY 50 asked, JPY 10 available"
    lines = verdicts(Outcome.INSUFFICIENT_FUNDS, told)
    place = next(each for each, rule in enumerate(RULES) if rule.title == "The money is there")
    assert [line.verdict for line in lines] == [
        *[Verdict.PASSED] * place,
        Verdict.DECLINED,
        *[Verdict.NOT_REACHED] * (len(RULES) - place - 1),
    ]
    assert lines[place].explanation == told


def test_an_approval_has_passed_them_all_or_one_in_part() -> None:
    assert {each.verdict for each in verdicts(Outcome.APPROVED, "held")} == {Verdict.PASSED}
    lines = verdicts(Outcome.APPROVED_PARTIALLY, "held JPY 10 of JPY 50 asked")
    in_part = [each for each in lines if each.verdict is not Verdict.PASSED]
    assert [(each.title, each.verdict) for each in in_part] == [
        ("The money is there", Verdict.IN_PART)
    ]
