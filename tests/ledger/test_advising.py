"""Advices apply unconditionally and replace what we had decided."""

from __future__ import annotations

import msgspec
import pytest

from ledger.commands import Purpose, SpendingLimits
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW, Books, named


def test_a_stand_in_approval_is_held_even_below_zero(books: Books) -> None:
    decision = books.ask(books.advise(1500, named("A")))
    assert decision.outcome is Outcome.APPROVED
    assert decision.available == -500
    assert decision.explanation == "held JPY 1,500 as advised"
    assert decision.approval_code == "654321"


def test_it_replaces_a_local_approval_of_the_same_transaction(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    decision = books.ask(books.advise(400, named("A")))
    assert decision.available == 600
    assert decision.explanation == "JPY 400 replaces the hold of JPY 300"


def test_it_replaces_by_its_own_transaction_id_if_it_names_no_other(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    assert books.ask(books.advise(400, origin=books.origin("A"))).available == 600


def test_it_replaces_by_trace_where_there_is_no_transaction_id(books: Books) -> None:
    books.ask(books.authorize(300, books.origin(trace="s1")))
    assert books.ask(books.advise(300, named(trace="s1"))).available == 700


def test_it_replaces_a_local_decline(books: Books) -> None:
    assert not books.ask(books.authorize(3000, books.origin("A"))).outcome.approved
    assert books.ask(books.advise(3000, named("A"), books.origin("A"))).available == -2000
    assert books.ask(books.clear(3000, named("A"))).available == 0
    assert books.purse() == (0, 0, 2000)


def test_a_declined_advice_releases_a_local_hold(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    decision = books.ask(books.advise(300, named("A"), approved=False))
    assert (decision.outcome, decision.amount) == (Outcome.APPROVED, 0)
    assert decision.available == 1000
    assert decision.explanation == "declined by the network: hold of JPY 300 released"


def test_a_declined_advice_of_nothing_we_know(books: Books) -> None:
    decision = books.ask(books.advise(300, named("A"), approved=False))
    assert decision.explanation == "declined by the network: there was no hold to release"


@pytest.mark.parametrize(("actual", "available"), [(80, 920), (500, 500), (1500, -500), (0, 1000)])
def test_a_completion_replaces_the_estimate(books: Books, actual: int, available: int) -> None:
    books.ask(books.authorize(300, books.origin("A"), estimated=True))
    assert books.ask(books.advise(actual, named("A"), completes=True)).available == available
    cleared = max(actual, 1)
    assert books.ask(books.clear(cleared, named("A"))).posted == max(0, 1000 - cleared)
    assert books.wallet().owed == max(0, cleared - 1000)


def test_a_completion_counts_what_is_cleared_already(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(100, named("A"), part=(1, 2)))
    assert books.ask(books.advise(250, named("A"), completes=True)).available == 750


@pytest.mark.parametrize(
    ("ending", "told", "available"),
    [
        ("clear", "the original is cleared already: nothing is held", 700),
        ("reverse", "the original is reversed already: nothing is held", 1000),
        ("expire", "held JPY 300 as advised", 700),
    ],
)
def test_after_the_end(books: Books, ending: str, told: str, available: int) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    if ending == "clear":
        books.ask(books.clear(300, named("A")))
    elif ending == "reverse":
        books.ask(books.reverse(named("A")))
    else:
        assert books.ledger.expire(NOW + 7 * DAY) == 1
    decision = books.ask(books.advise(300, named("A")))
    assert (decision.explanation, decision.available) == (told, available)


@pytest.mark.parametrize("amount", [200, 300, 400])
def test_an_expired_hold_holds_again_and_no_second_one_beside_it(books: Books, amount: int) -> None:
    """So that its clearing, by whichever name, finds the one that holds."""
    limits = SpendingLimits(5000)
    books.ask(books.authorize(300, books.origin("A"), limits=limits, points=30))
    books.ledger.expire(NOW + 7 * DAY)
    books.ask(books.advise(amount, named("A"), points=amount // 10))
    assert (books.wallet().held, books.told()[-1].data["points_pending"]) == (amount, amount // 10)
    decision = books.ask(books.clear(amount, named("A")))
    assert decision.explanation.endswith(f"JPY {amount} posted")
    assert (decision.available, books.wallet().held) == (1000 - amount, 0)


def test_of_an_expired_hold_what_is_cleared_counts_towards_the_advice(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(100, named("A"), part=(1, 2)))
    books.ledger.expire(NOW + 7 * DAY)
    assert books.ask(books.advise(300, named("A"))).available == 700


def test_a_hold_that_expired_and_was_reversed_is_over(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ledger.expire(NOW + 7 * DAY)
    books.ask(books.reverse(named("A")))
    decision = books.ask(books.advise(300, named("A")))
    assert decision.explanation == "the original is reversed already: nothing is held"


def test_an_advice_of_nothing_about_an_expired_hold(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ledger.expire(NOW + 7 * DAY)
    assert (
        books.ask(books.advise(0, named("A"))).explanation == "advice of nothing: nothing is held"
    )


def test_a_reversal_that_came_first_wins(books: Books) -> None:
    books.ask(books.reverse(named("A")))
    decision = books.ask(books.advise(300, named("A"), books.origin("A")))
    assert decision.explanation == "its reversal came first: nothing is held"
    assert decision.available == 1000


@pytest.mark.parametrize("purpose", [Purpose.CREDIT, Purpose.VERIFICATION, Purpose.INQUIRY])
def test_what_holds_nothing_is_noted(books: Books, purpose: Purpose) -> None:
    decision = books.ask(books.advise(50, purpose=purpose))
    assert decision.explanation == f"{purpose} noted, nothing held"
    assert decision.available == 1000


def test_an_advice_of_nothing(books: Books) -> None:
    assert books.ask(books.advise(0)).explanation == "advice of nothing: nothing is held"


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        (Money(5, "USD"), Outcome.CURRENCY_UNSUPPORTED),
        (Money(-5, "JPY"), Outcome.FORMAT_INVALID),
        (Money(10**16, "JPY"), Outcome.FORMAT_INVALID),
    ],
)
def test_what_no_account_can_hold(books: Books, amount: Money, outcome: Outcome) -> None:
    decision = books.ask(books.advise(amount))
    assert (decision.outcome, decision.available) == (outcome, 1000)


def test_repeats_and_conflicts(books: Books) -> None:
    command = books.advise(300, named("A"))
    first = books.ask(command)
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)
    other = msgspec.structs.replace(command.origin, fingerprint="other")
    assert books.ask(msgspec.structs.replace(command, origin=other)).outcome is Outcome.CONFLICT


def test_an_advice_that_counts_takes_its_part_of_the_day(books: Books) -> None:
    limits = SpendingLimits(day_amount=500)
    books.ask(books.authorize(200, limits=limits))
    books.ask(books.advise(250, counted=True))
    assert books.ask(books.authorize(100, limits=limits)).outcome is Outcome.AMOUNT_LIMIT
    assert books.ask(books.authorize(50, limits=limits)).outcome is Outcome.APPROVED
