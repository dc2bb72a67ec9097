# ruff: noqa: ANN401 - fields of a command are given by name
"""A request of the same transaction that comes a moment later under another key is a repeat."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.commands import Authorize, Purpose
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW, Books, named

WINDOW = 3_000_000


def ask(
    books: Books, transaction: str = "T", purpose: Purpose = Purpose.PURCHASE, **how: Any
) -> Authorize:
    origin = books.origin(transaction)
    return books.authorize(300, origin, repeats_within=WINDOW, purpose=purpose, **how)


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
    [("cleared", True), ("cleared and returned", False), ("reversed", False), ("expired", False)],
)
def test_only_what_still_stands_is_repeated(books: Books, what: str, replayed: bool) -> None:
    command = books.authorize(
        300, books.origin("T"), repeats_within=WINDOW, expires_at=NOW + WINDOW
    )
    books.ask(command)
    if what.startswith("cleared"):
        clearing = books.clear(300, named(trace=command.origin.trace), part=(1, 2))
        books.ask(clearing)
        if what == "cleared and returned":
            books.ask(books.clear(0, undoes=clearing.origin.request_key))
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


@pytest.mark.parametrize("purpose", [Purpose.PURCHASE, Purpose.CREDIT])
def test_its_reversal_is_the_reversal_of_what_it_repeats(books: Books, purpose: Purpose) -> None:
    """Whoever takes back what was posted goes by that authorization."""
    first, second = ask(books, purpose=purpose), ask(books, purpose=purpose)
    decided = [books.ask(each) for each in (first, second)]
    assert decided[1] == msgspec.structs.replace(decided[0], replayed=True)
    assert books.ask(second) == decided[1]
    back = books.ask(books.reverse(named(trace=second.origin.trace), 300))
    assert back.authorization_id == decided[0].authorization_id
    posting = books.clear(
        300, named(trace=first.origin.trace), credit=purpose is Purpose.CREDIT, unless_reversed=True
    )
    assert books.ask(posting).outcome is Outcome.REVERSED_BEFORE
    assert not books.ask(ask(books, purpose=purpose)).replayed


def test_a_repeat_of_an_increment_is_taken_back_as_one(books: Books) -> None:
    books.ask(books.authorize(500, books.origin("T", "first", fingerprint="another")))
    for trace in ("s1", "s2"):
        origin = books.origin("T", trace)
        adds = books.authorize(300, origin, increment_of=named("T"), repeats_within=WINDOW)
        assert books.ask(adds).amount == 300
    assert books.ask(books.reverse(named(trace="s2"))).amount == 300
    assert books.ask(books.reverse(named(trace="s1"))).amount == 0
    assert books.wallet().held == 500


def test_what_was_withdrawn_is_not_given_to_its_repeats(books: Books) -> None:
    first, second = ask(books), ask(books)
    books.ledger.apply([first, second])
    books.ask(books.reverse(named(trace=first.origin.trace), 300, withdraws=True))
    assert books.ask(second).outcome is Outcome.WITHDRAWN


def test_an_advice_is_no_request_to_be_repeated(books: Books) -> None:
    """APPROVED only says that it was applied: here, that the network has declined."""
    books.ask(books.advise(300, origin=books.origin("T"), approved=False))
    decision = books.ask(ask(books))
    assert (decision.replayed, decision.amount) == (False, 300)
