"""A request of the same transaction that comes a moment later under another key is a repeat."""

from __future__ import annotations

import msgspec
import pytest

from ledger.commands import Authorize
from tests.ledger.books import DAY, NOW, Books, named

WINDOW = 3_000_000


def ask(books: Books, transaction: str = "T") -> Authorize:
    return books.authorize(300, books.origin(transaction), repeats_within=WINDOW)


def test_it_gets_the_stored_answer_under_its_own_key_for_ever(books: Books) -> None:
    first = books.ask(ask(books))
    second = ask(books)
    repeated = books.ask(second)
    assert repeated == msgspec.structs.replace(first, replayed=True)
    books.ask(books.authorize(100))
    assert books.ask(msgspec.structs.replace(second, at=NOW + DAY)) == repeated
    assert repeated.available == 700


def test_three_in_a_chain_are_one(books: Books) -> None:
    answers = []
    for number in range(3):
        books.now = NOW + number * WINDOW
        answers.append(books.ask(ask(books)))
    assert len({each.authorization_id for each in answers}) == 1


def test_in_one_batch(books: Books) -> None:
    first, second = books.ledger.apply([ask(books), ask(books)])
    assert (first.authorization_id, second.replayed) == (second.authorization_id, True)
    books.must_balance()


@pytest.mark.parametrize(
    ("what", "replayed"),
    [("cleared", True), ("reversed", False), ("expired", False)],
)
def test_only_what_still_stands_is_repeated(books: Books, what: str, replayed: bool) -> None:
    command = books.authorize(
        300, books.origin("T"), repeats_within=WINDOW, expires_at=NOW + WINDOW
    )
    books.ask(command)
    if what == "cleared":
        books.ask(books.clear(300, named(trace=command.origin.trace)))
    elif what == "reversed":
        books.ask(books.reverse(named(trace=command.origin.trace), 300))
    else:
        books.ledger.expire(NOW + WINDOW)
    assert books.ask(ask(books)).replayed == replayed


def test_it_can_be_reversed_and_cleared_by_its_own_name(books: Books) -> None:
    books.ask(ask(books))
    second = ask(books)
    books.ask(second)
    released = books.ask(books.reverse(named(trace=second.origin.trace), 300))
    assert (released.amount, released.available) == (300, 1000)
    posted = books.ask(books.clear(300, named(trace=second.origin.trace)))
    assert "posted late" in posted.explanation


def test_without_a_window_each_request_is_its_own(books: Books) -> None:
    for _ in range(2):
        assert not books.ask(books.authorize(300, books.origin("T"))).replayed
