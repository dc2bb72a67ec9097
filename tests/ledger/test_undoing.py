"""What a single message has posted is taken back: once, with its fee and points, part by part."""

from __future__ import annotations

import pytest

from ledger.commands import Clear, Purpose
from ledger.outcomes import Outcome
from ledger.reports import list_accounts
from tests.ledger.books import Books, named


def balances(books: Books) -> dict[str, int]:
    with books.database.reading() as connection:
        return {each.kind: each.posted for each in list_accounts(connection)}


def post(books: Books, amount: int = 300, fee: int = 110, points: int = 10) -> Clear:
    """A hold and its posting, at once."""
    books.ask(books.authorize(amount, books.origin("A")))
    command = books.clear(
        amount, named("A"), books.origin(key="post"), fee=fee, points=points, unless_reversed=True
    )
    assert books.ask(command).outcome is Outcome.APPROVED
    return command


def test_all_of_it_comes_back(books: Books) -> None:
    before = balances(books)
    post(books)
    decision = books.ask(books.clear(0, named("A"), undoes="post"))
    assert (decision.outcome, decision.amount) == (Outcome.APPROVED, 300)
    assert decision.explanation == "matched by transaction id: JPY 300 of it taken back"
    after = balances(books)
    assert {kind: after[kind] for kind in before} == before
    assert (after["settlement"], after["fee"], after["points"]) == (0, 0, 0)


STEPS = [
    # what stays, step by step;  taken back,       posted, fee, points
    ([0],                        [300],            1000,   0,   0),
    ([100],                      [200],            790,    110, 3),
    ([200, 100, 0],              [100, 100, 100],  1000,   0,   0),
    ([0, 0],                     [300, 0],         1000,   0,   0),
    ([100, 200],                 [200, 0],         790,    110, 3),
    ([300],                      [0],              590,    110, 10),
    ([400],                      [0],              590,    110, 10),
]  # fmt: skip


@pytest.mark.parametrize(("stays", "taken_back", "posted", "fee", "points"), STEPS)
def test_what_stays_of_it(
    books: Books, stays: list[int], taken_back: list[int], posted: int, fee: int, points: int
) -> None:
    post(books)
    decisions = [books.ask(books.clear(each, named("A"), undoes="post")) for each in stays]
    assert [each.amount for each in decisions] == taken_back
    for each in decisions:
        assert (each.outcome is Outcome.APPROVED) == (each.amount > 0)
    found = balances(books)
    assert (found["wallet"], found["fee"], found["points"]) == (posted, fee, points)


def test_the_same_record_again_takes_nothing_more(books: Books) -> None:
    post(books)
    command = books.clear(100, named("A"), undoes="post")
    first, again = books.ask(command), books.ask(command)
    assert (first.amount, again.amount, again.replayed) == (200, 200, True)
    assert balances(books)["wallet"] == 790


def test_a_credit_is_taken_back_whole(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), purpose=Purpose.CREDIT))
    books.ask(books.clear(300, named("A"), books.origin(key="post"), credit=True))
    part = books.ask(books.clear(100, named("A"), undoes="post"))
    assert part.outcome is Outcome.ORIGINAL_UNKNOWN
    assert books.ask(books.clear(0, named("A"), undoes="post")).amount == 300
    found = balances(books)
    assert (found["wallet"], found["settlement"]) == (1000, 0)


def test_a_clearing_that_does_not_exist_cannot_be_taken_back(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A")))
    decision = books.ask(books.clear(0, named("A"), undoes="post"))
    assert (decision.outcome, decision.amount) == (Outcome.ORIGINAL_UNKNOWN, 0)
    assert decision.explanation == "nothing of that clearing is left to take back"


def test_the_clearing_of_another_hold_cannot_be_taken_back(books: Books) -> None:
    post(books)
    books.ask(books.authorize(50, books.origin("B")))
    decision = books.ask(books.clear(0, named("B"), undoes="post"))
    assert decision.outcome is Outcome.ORIGINAL_UNKNOWN


@pytest.mark.parametrize("purpose", [Purpose.PURCHASE, Purpose.CREDIT])
def test_what_is_reversed_before_its_posting_is_not_posted(books: Books, purpose: Purpose) -> None:
    books.ask(books.authorize(300, books.origin("A"), purpose=purpose))
    books.ask(books.reverse(named("A"), 300))
    credit = purpose is Purpose.CREDIT
    decision = books.ask(books.clear(300, named("A"), credit=credit, unless_reversed=True))
    assert decision.outcome is Outcome.REVERSED_BEFORE
    assert balances(books)["wallet"] == 1000


def test_without_an_original_the_posting_is_forced(books: Books) -> None:
    decision = books.ask(books.clear(300, named("A"), unless_reversed=True))
    assert decision.outcome is Outcome.APPROVED
