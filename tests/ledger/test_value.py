"""*Value* (points turned into balance, gifts) and *Money*: which is paid, which comes back.

Value is paid before Money. A refund goes to Money first, up to what was paid from it, and the rest
to Value (DOMAIN 1.9 item 12). What is taken back leaves the books as if it had never been.
"""

from __future__ import annotations

import pytest

from ledger.commands import AnyCommand, Purpose
from ledger.outcomes import Outcome
from tests.ledger.books import Books, named

WALLET = 2

Step = tuple[str, str, int, tuple[int, int, int]]  # what, name, amount; Money, Value, owed after it
MIXED: list[Step] = [("give", "", 60, (0, 60, 0)), ("fund", "", 100, (100, 60, 0))]
BOUGHT: list[Step] = [*MIXED, ("buy", "A", 100, (60, 0, 0))]  # 60 from Value, 40 from Money

STORIES: dict[str, list[Step]] = {
    # --- what is paid ---
    "Value is paid first": [*MIXED, ("buy", "A", 50, (100, 10, 0))],
    "Value to the last": [*MIXED, ("buy", "A", 60, (100, 0, 0))],
    "then Money": BOUGHT,
    "then both are gone": [*MIXED, ("buy", "A", 160, (0, 0, 0))],
    "then it is owed": [*MIXED, ("buy", "A", 200, (0, 0, 40))],
    "by force, too": [*MIXED, ("clear", "", 100, (60, 0, 0))],
    "a gift after Money was spent": [
        ("fund", "", 100, (100, 0, 0)), ("buy", "A", 30, (70, 0, 0)), ("give", "", 5, (70, 5, 0)),
        ("buy", "B", 30, (45, 0, 0)),
    ],

    # --- what comes back ---
    "a refund goes to Money first": [*BOUGHT, ("refund", "A", 30, (90, 0, 0))],
    "up to what was paid from it": [*BOUGHT, ("refund", "A", 40, (100, 0, 0))],
    "the rest to Value": [*BOUGHT, ("refund", "A", 70, (100, 30, 0))],
    "all of it": [*BOUGHT, ("refund", "A", 100, (100, 60, 0))],
    "several refunds": [
        *BOUGHT, ("refund", "A", 30, (90, 0, 0)), ("refund", "A", 30, (100, 20, 0)),
        ("refund", "A", 40, (100, 60, 0)),
    ],
    "more than was paid": [*BOUGHT, ("refund", "A", 150, (100, 110, 0))],
    "of each purchase its own": [
        *BOUGHT, ("buy", "B", 60, (0, 0, 0)), ("refund", "A", 60, (40, 20, 0)),
        ("refund", "B", 60, (100, 20, 0)),
    ],
    "of one paid from Value alone": [
        *MIXED, ("buy", "A", 50, (100, 10, 0)), ("refund", "A", 50, (100, 60, 0)),
    ],
    "of one that nobody knows": [*MIXED, ("announce", "R", 30, (100, 60, 0)),
                                 ("refund", "R", 30, (130, 60, 0))],
    "before the purchase has cleared": [
        *MIXED, ("hold", "A", 100, (100, 60, 0)), ("refund", "A", 30, (130, 60, 0)),
        ("post", "A", 100, (90, 0, 0)),
    ],
    "of a purchase in two parts": [
        *MIXED, ("hold", "A", 100, (100, 60, 0)), ("part", "A", 50, (100, 10, 0)),
        ("post", "A", 50, (60, 0, 0)), ("refund", "A", 50, (100, 10, 0)),
    ],

    # --- what is owed is paid back from what was Money ---
    "a refund of what was owed": [
        ("give", "", 60, (0, 60, 0)), ("buy", "A", 100, (0, 0, 40)),
        ("refund", "A", 100, (0, 60, 0)),
    ],
    "part of it": [
        ("give", "", 60, (0, 60, 0)), ("buy", "A", 100, (0, 0, 40)),
        ("refund", "A", 30, (0, 0, 10)), ("refund", "A", 30, (0, 20, 0)),
    ],
    "a gift pays a debt": [("clear", "", 40, (0, 0, 40)), ("give", "", 60, (0, 20, 0))],

    # --- what is taken back ---
    "a purchase": [*BOUGHT, ("undo", "A", 0, (100, 60, 0))],
    "a purchase but for 50, which Value had paid": [*BOUGHT, ("undo", "A", 50, (100, 10, 0))],
    "a purchase but for 80": [*BOUGHT, ("undo", "A", 80, (80, 0, 0))],
    "a purchase step by step": [
        *BOUGHT, ("undo", "A", 80, (80, 0, 0)), ("undo", "A", 50, (100, 10, 0)),
        ("undo", "A", 0, (100, 60, 0)),
    ],
    "a purchase that was owed": [
        ("give", "", 60, (0, 60, 0)), ("buy", "A", 100, (0, 0, 40)), ("undo", "A", 0, (0, 60, 0)),
    ],
    "a refund": [*BOUGHT, ("refund", "A", 70, (100, 30, 0)), ("undo refund", "A", 0, (60, 0, 0))],
    "a refund but for 50, of which 40 are Money": [
        *BOUGHT, ("refund", "A", 100, (100, 60, 0)), ("undo refund", "A", 50, (100, 10, 0)),
    ],
    "a refund but for 30, all Money": [
        *BOUGHT, ("refund", "A", 100, (100, 60, 0)), ("undo refund", "A", 30, (90, 0, 0)),
    ],
    "a refund, which then comes again": [
        *BOUGHT, ("refund", "A", 70, (100, 30, 0)), ("undo refund", "A", 0, (60, 0, 0)),
        ("refund", "A", 70, (100, 30, 0)),
    ],
    "a refund that was spent": [
        *BOUGHT, ("refund", "A", 100, (100, 60, 0)), ("clear", "", 120, (40, 0, 0)),
        ("undo refund", "A", 0, (0, 0, 60)),
    ],
    "a refund whose Value was spent and whose Money was not": [
        *BOUGHT, ("refund", "A", 100, (100, 60, 0)), ("clear", "", 60, (100, 0, 0)),
        ("undo refund", "A", 0, (0, 0, 0)),
    ],
    "a refund of Money that was spent, when there is Value again": [
        ("announce", "R", 30, (0, 0, 0)), ("refund", "R", 30, (30, 0, 0)),
        ("clear", "", 30, (0, 0, 0)), ("give", "", 50, (0, 50, 0)),
        ("undo refund", "R", 0, (0, 20, 0)),
    ],
    "a purchase after its refund, and then the refund": [
        *BOUGHT, ("refund", "A", 40, (100, 0, 0)), ("undo", "A", 0, (140, 60, 0)),
        ("undo refund", "A", 0, (100, 60, 0)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("title", STORIES)
def test_what_is_paid_and_what_comes_back(books: Books, title: str) -> None:
    books.open(WALLET)
    for what, name, amount, purse in STORIES[title]:
        for command in commands(books, what, name, amount):
            assert books.ask(command).outcome is Outcome.APPROVED
        assert books.purse(WALLET) == purse, (what, name, amount)


def commands(books: Books, what: str, name: str, amount: int) -> list[AnyCommand]:
    """Those of one step; an advice holds what a wallet need not have."""
    about = named(name)
    hold = books.advise(amount, about, books.origin(name, f"{name} held"), account_id=WALLET)
    posted, credited = books.origin(key=f"posted {name}"), books.origin("", f"credited {name}")
    post = books.clear(amount, about, posted, account_id=WALLET)
    match what:
        case "give" | "fund":
            return [books.fund(amount, to_value=what == "give", account_id=WALLET)]
        case "hold":
            return [hold]
        case "announce":
            return [
                books.authorize(
                    amount, books.origin(name), purpose=Purpose.CREDIT, account_id=WALLET
                )
            ]
        case "buy":
            return [hold, post]
        case "post":
            return [post]
        case "part":
            return [books.clear(amount, about, part=(1, 2), account_id=WALLET)]
        case "clear":
            return [books.clear(amount, account_id=WALLET)]
        case "refund":
            return [books.clear(amount, about, credited, credit=True, account_id=WALLET)]
        case "undo":
            return [books.clear(amount, undoes=posted.request_key, account_id=WALLET)]
        case _:
            return [books.clear(amount, undoes_reference=f"credited {name}", account_id=WALLET)]


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (40, "JPY 40 credited to the wallet"),
        (70, "JPY 70 credited to the wallet, JPY 30 of it as value"),
    ],
)
def test_a_refund_says_what_it_gave_as_value(books: Books, amount: int, told: str) -> None:
    books.open(WALLET)
    for what, name, paid, _ in BOUGHT:
        for command in commands(books, what, name, paid):
            books.ask(command)
    decision = books.ask(books.clear(amount, named("A"), credit=True, account_id=WALLET))
    assert decision.explanation == f"matched by transaction id: {told}"


def test_a_clearing_keeps_what_of_it_was_value(books: Books) -> None:
    books.ask(books.fund(60, to_value=True))
    books.ask(books.authorize(100, books.origin("A")))
    books.ask(books.clear(100, named("A"), books.origin(key="post")))
    assert books.clearing("post").value == 60
    [hold] = [books.hold(each.subject_id) for each in books.told() if "approved" in each.type]
    assert (hold.posted, hold.money) == (100, 40)


def test_a_hold_promises_both(books: Books) -> None:
    books.ask(books.fund(60, to_value=True))
    assert books.ask(books.authorize(1060)).outcome is Outcome.APPROVED


def test_a_fee_is_paid_from_value_too_and_comes_back_as_it_was_paid(books: Books) -> None:
    books.ask(books.fund(400, to_value=True))
    books.ask(books.clear(300, origin=books.origin(key="post"), fee=110))
    assert books.purse() == (990, 0, 0)
    books.ask(books.clear(0, undoes="post"))
    assert books.purse() == (1000, 400, 0)


def test_the_fee_of_a_credit_comes_back_as_it_was_paid(books: Books) -> None:
    books.ask(books.authorize(50, books.origin("A"), purpose=Purpose.CREDIT))
    books.ask(books.fund(400, to_value=True))
    books.ask(books.clear(50, named("A"), books.origin(key="post"), credit=True, fee=110))
    assert books.purse() == (1050, 290, 0)
    books.ask(books.clear(0, undoes="post"))
    assert books.purse() == (1000, 400, 0)
