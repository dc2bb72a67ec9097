from __future__ import annotations

from ledger.outcomes import Outcome


def test_only_the_two_approvals_approve() -> None:
    assert [each for each in Outcome if each.approved] == [
        Outcome.APPROVED_PARTIALLY,
        Outcome.APPROVED,
    ]


def test_what_may_be_answered_otherwise_later() -> None:
    assert {each.name for each in Outcome if each.transient} == {
        "INSTRUMENT_RESTRICTED",
        "AMOUNT_LIMIT",
        "COUNT_LIMIT",
        "INSUFFICIENT_FUNDS",
    }


def test_precedence_is_the_order_of_the_numbers() -> None:
    assert list(Outcome) == sorted(Outcome)
