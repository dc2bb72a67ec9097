"""What a wallet lacks for a clearing is lent to it, and paid back by what comes in first.

A wallet has money or owes some, never both; the audit after every step holds it.
"""

from __future__ import annotations

import pytest

from ledger.commands import AnyCommand, Purpose
from ledger.reports import statement
from tests.ledger.books import Books, named

WALLET = 2

# balance, credit line, then each step: what happens, how much, what is posted and owed after it
STORIES: dict[str, tuple[int, int, list[tuple[str, int, int, int]]]] = {
    "just enough": (300, 0, [("clear", 300, 0, 0)]),
    "a tip too much": (300, 0, [("clear", 345, 0, 45)]),
    "twice": (300, 0, [("clear", 345, 0, 45), ("clear", 5, 0, 50)]),
    "a transfer pays some of it back": (
        300, 0, [("clear", 500, 0, 200), ("fund", 50, 0, 150), ("fund", 50, 0, 100)],
    ),
    "a transfer pays it back and stays": (300, 0, [("clear", 500, 0, 200), ("fund", 250, 50, 0)]),
    "a transfer pays back exactly": (300, 0, [("clear", 500, 0, 200), ("fund", 200, 0, 0)]),
    "a refund pays it back": (300, 0, [("clear", 500, 0, 200), ("refund", 500, 300, 0)]),
    "a gift pays it back too": (300, 0, [("clear", 500, 0, 200), ("give", 250, 50, 0)]),
    "down to the credit line": (300, 100, [("clear", 400, -100, 0)]),
    "below the credit line": (300, 100, [("clear", 500, -100, 100)]),
    "a transfer restores the line, then the balance": (
        300, 100, [
            ("clear", 500, -100, 100), ("fund", 60, -100, 40), ("fund", 60, -80, 0),
            ("fund", 180, 100, 0),
        ],
    ),
    "a refund with a credit line": (0, 100, [("clear", 150, -100, 50), ("refund", 150, 0, 0)]),
    "nothing but a line": (0, 100, [("clear", 60, -60, 0), ("clear", 60, -100, 20)]),
    "nothing at all": (0, 0, [("clear", 7, 0, 7), ("fund", 7, 0, 0)]),
    "paid back, and lent again": (
        0, 0, [("clear", 7, 0, 7), ("fund", 9, 2, 0), ("clear", 9, 0, 7), ("refund", 9, 2, 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", STORIES)
def test_what_is_lent_and_paid_back(books: Books, title: str) -> None:
    balance, credit_line, steps = STORIES[title]
    books.open(WALLET, balance, credit_line)
    books.ask(books.authorize(1, books.origin("R"), purpose=Purpose.CREDIT, account_id=WALLET))
    command: AnyCommand
    for what, amount, posted, owed in steps:
        match what:
            case "clear":
                command = books.clear(amount, account_id=WALLET)
            case "refund":
                command = books.clear(amount, named("R"), credit=True, account_id=WALLET)
            case _:
                command = books.fund(amount, to_value=what == "give", account_id=WALLET)
        decision = books.ask(command)
        assert (decision.posted, books.wallet(WALLET).owed) == (posted, owed)
        assert books.house().get("receivable", 0) == -owed


def test_the_entries_tell_what_was_lent(books: Books) -> None:
    books.ask(books.clear(1200))
    books.ask(books.fund(300))
    with books.database.reading() as connection:
        lines = statement(connection, 1).lines
    assert [(line.kind, line.amount, line.balance) for line in lines] == [
        ("opening", 1000, 1000),
        ("clearing", -1200, -200),
        ("lent", 200, 0),
        ("funded", 300, 300),
        ("repaid", -200, 100),
    ]


def test_a_fee_can_be_owed_too(books: Books) -> None:
    books.ask(books.clear(950, fee=110))
    assert books.purse() == (0, 0, 60)
    assert books.house() == {
        "funding": -1000, "settlement": 950, "fee": 110, "receivable": -60,
    }  # fmt: skip


def test_what_is_held_is_not_lent(books: Books) -> None:
    """Holds promise more than there is only by an advice; nothing is lent until it clears."""
    books.ask(books.advise(1500, named("A"), books.origin("A")))
    assert (books.wallet().available, books.wallet().owed) == (-500, 0)
    assert books.ask(books.clear(1500, named("A"))).available == 0
    assert books.wallet().owed == 500


def test_who_owes_can_buy_nothing_until_it_is_paid_back(books: Books) -> None:
    books.ask(books.clear(1200))
    assert not books.ask(books.authorize(1)).outcome.approved
    books.ask(books.fund(200))
    assert not books.ask(books.authorize(1)).outcome.approved
    books.ask(books.fund(1))
    assert books.ask(books.authorize(1)).outcome.approved


def test_taking_the_clearing_back_pays_the_debt_back(books: Books) -> None:
    books.ask(books.clear(1200, origin=books.origin(key="ARN|1")))
    assert books.purse() == (0, 0, 200)
    books.ask(books.clear(0, undoes_reference="ARN"))
    assert (books.purse(), books.house()) == ((1000, 0, 0), {"funding": -1000})


def test_lent_and_paid_back_within_a_batch(books: Books) -> None:
    decisions = books.ledger.apply([books.clear(1200), books.fund(150), books.fund(150)])
    assert [each.posted for each in decisions] == [0, 0, 100]
    books.must_balance()


def test_a_debt_is_told(books: Books) -> None:
    told = books.ask(books.clear(1200)).explanation
    assert told == "no authorization matches: posted without a hold; JPY 200 of it is owed"
    told = books.ask(books.clear(1200)).explanation
    assert told == "no authorization matches: posted without a hold; JPY 1,200 of it is owed"
