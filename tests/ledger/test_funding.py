"""Money from outside the networks: a bank transfer, a gift; each once."""

from __future__ import annotations

import msgspec
import pytest

from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.books import Books

CASES = [
    # amount, as a gift, what is said, then Money and Value
    (250, False, "JPY 250 added as money", (1250, 0, 0)),
    (250, True, "JPY 250 added as value", (1000, 250, 0)),
]


@pytest.mark.parametrize(("amount", "to_value", "told", "purse"), CASES)
def test_it_is_there_at_once(
    books: Books, amount: int, told: str, purse: tuple[int, int, int], *, to_value: bool
) -> None:
    decision = books.ask(books.fund(amount, to_value=to_value))
    assert (decision.outcome, decision.amount) == (Outcome.APPROVED, amount)
    assert (decision.available, decision.posted) == (1000 + amount, 1000 + amount)
    assert (decision.explanation, decision.authorization_id) == (told, 0)
    assert (books.purse(), books.house()) == (purse, {"funding": -1000 - amount})
    assert books.ask(books.authorize(1000 + amount)).outcome is Outcome.APPROVED


def test_a_repeat_adds_nothing(books: Books) -> None:
    command = books.fund(250)
    first = books.ask(command)
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)
    assert books.wallet().posted == 1250


def test_a_repeat_in_the_same_batch_adds_nothing(books: Books) -> None:
    command = books.fund(250)
    first, again = books.ledger.apply([command, command])
    assert again == msgspec.structs.replace(first, replayed=True)
    books.must_balance()


def test_another_transfer_under_the_same_key_is_a_conflict(books: Books) -> None:
    command = books.fund(250)
    books.ask(command)
    other = msgspec.structs.replace(command.origin, fingerprint="other")
    decision = books.ask(books.fund(300, other))
    assert (decision.outcome, decision.amount) == (Outcome.CONFLICT, 0)
    assert books.wallet().posted == 1250


@pytest.mark.parametrize(
    ("amount", "outcome", "told"),
    [
        (Money(5, "USD"), Outcome.CURRENCY_UNSUPPORTED,
         "the transfer is in USD, the account in JPY"),
        (Money(0, "JPY"), Outcome.FORMAT_INVALID, "amount 0 cannot be added"),
        (Money(-5, "JPY"), Outcome.FORMAT_INVALID, "amount -5 cannot be added"),
        (Money(10**16, "JPY"), Outcome.FORMAT_INVALID, f"amount {10**16} cannot be added"),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_refused_and_stays_refused(
    books: Books, amount: Money, outcome: Outcome, told: str
) -> None:
    command = books.fund(amount)
    decision = books.ask(command)
    assert (decision.outcome, decision.explanation) == (outcome, told)
    assert books.ask(command) == msgspec.structs.replace(decision, replayed=True)
    assert books.purse() == (1000, 0, 0)
    assert books.told()[-1].type == "clearing.refused"


def test_subscribers_are_told(books: Books) -> None:
    books.ask(books.fund(250, to_value=True))
    [event] = books.told()
    assert (event.type, event.account_id) == ("wallet.funded", 1)
    assert (event.data["amount"], event.data["available"], event.data["credit"]) == (
        250,
        1250,
        True,
    )
