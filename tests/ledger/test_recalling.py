"""Reading back what became of a request, for a caller whose connection was lost while it waited."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from ledger.commands import Advise, Authorize, Purpose
from ledger.outcomes import Outcome
from tests.ledger.books import Books, named

REQUESTS: dict[str, Callable[[Books], Authorize | Advise]] = {
    "approved": lambda books: books.authorize(300),
    "approved in part": lambda books: books.authorize(1300, partial=True),
    "declined": lambda books: books.authorize(1300),
    "refused": lambda books: books.authorize(5, refusal=Outcome.INSTRUMENT_LOST),
    "a credit": lambda books: books.authorize(300, purpose=Purpose.CREDIT),
    "advised": lambda books: books.advise(1300),
    "advised that it was declined": lambda books: books.advise(300, approved=False),
}


@pytest.mark.parametrize("title", REQUESTS)
def test_the_answer_as_it_was(books: Books, title: str) -> None:
    request = REQUESTS[title](books)
    first = books.ask(request)
    books.ask(books.clear(7))
    assert books.ask(books.recall(request)) == msgspec.structs.replace(first, replayed=True)


@pytest.mark.parametrize("title", REQUESTS)
def test_what_was_never_decided(books: Books, title: str) -> None:
    books.ask(books.authorize(100))
    decision = books.ask(books.recall(REQUESTS[title](books)))
    assert (decision.outcome, decision.authorization_id) == (Outcome.ORIGINAL_UNKNOWN, 0)
    assert (decision.amount, decision.replayed) == (0, False)
    assert (decision.posted, decision.available) == (1000, 900)
    assert decision.explanation == "the request has not been decided"


def test_it_changes_nothing(books: Books) -> None:
    request = books.authorize(300)
    before = books.wallet()
    books.ask(books.recall(request))
    assert (books.wallet(), books.told()) == (before, [])
    assert not books.ask(request).replayed


def test_a_request_of_another_fingerprint_is_not_the_one(books: Books) -> None:
    request = books.authorize(300)
    books.ask(request)
    other = msgspec.structs.replace(request.origin, fingerprint="other")
    decision = books.ask(books.recall(msgspec.structs.replace(request, origin=other)))
    assert (decision.outcome, decision.amount) == (Outcome.CONFLICT, 0)


def test_a_reversal_is_not_recalled(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    origin = books.origin()
    books.ask(books.reverse(named("A"), 300, origin))
    recall = books.recall(books.authorize(300, origin))
    assert books.ask(recall).outcome is Outcome.ORIGINAL_UNKNOWN


def test_in_one_batch(books: Books) -> None:
    request = books.authorize(300)
    recall = books.recall(request)
    before, asked, after = books.ledger.apply([recall, request, recall])
    assert before.outcome is Outcome.ORIGINAL_UNKNOWN
    assert after == msgspec.structs.replace(asked, replayed=True)
