"""Confirm: what the network clears is posted, once, however it relates to its hold."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.commands import Purpose
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW, Books, named

CASES = [
    # held, cleared, posted, available, explanation
    (300, 300, 700, 700, "JPY 300 posted"),
    (300, 200, 800, 800, "JPY 200 posted, the other JPY 100 released"),
    (300, 345, 655, 655, "JPY 345 posted, JPY 45 more than was held"),
    (900, 1200, 0, 0, "JPY 1,200 posted, JPY 300 more than was held; JPY 200 of it is owed"),
]


@pytest.mark.parametrize(("held", "cleared", "posted", "available", "told"), CASES)
def test_a_single_clearing(
    books: Books, held: int, cleared: int, posted: int, available: int, told: str
) -> None:
    books.ask(books.authorize(held, books.origin("A")))
    decision = books.ask(books.clear(cleared, named("A")))
    assert decision.outcome is Outcome.APPROVED
    assert (decision.posted, decision.available) == (posted, available)
    assert decision.explanation == f"matched by transaction id: {told}"
    assert books.house()["settlement"] == cleared


def test_several_parts_and_the_last_ends_the_hold(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    steps = [
        # amount, posted, available, explanation
        (100, 900, 700, "JPY 100 posted, part 1 of 3; JPY 200 held"),
        (250, 650, 650, "JPY 250 posted, part 2 of 3, JPY 50 more than was held; JPY 0 held"),
        (10, 640, 640, "JPY 10 posted, JPY 10 more than was held"),
        (5, 635, 635, "JPY 5 posted late, the hold was posted"),
    ]
    for number, (amount, posted, available, told) in enumerate(steps, 1):
        decision = books.ask(books.clear(amount, named("A"), part=(min(number, 3), 3)))
        assert (decision.posted, decision.available) == (posted, available)
        assert decision.explanation == f"matched by transaction id: {told}"


def test_parts_may_come_in_any_order(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    assert books.ask(books.clear(100, named("A"), part=(2, 2))).available == 700
    assert books.ask(books.clear(100, named("A"), part=(1, 2))).available == 800


@pytest.mark.parametrize("ending", ["voided", "expired"])
def test_late_clearing_is_posted_all_the_same(books: Books, ending: str) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    if ending == "voided":
        books.ask(books.reverse(named("A")))
    else:
        books.ledger.expire(NOW + 7 * DAY)
    decision = books.ask(books.clear(300, named("A")))
    assert (decision.posted, decision.available) == (700, 700)
    told = f"matched by transaction id: JPY 300 posted late, the hold was {ending}"
    assert decision.explanation == told


def test_force_post_without_any_authorization(books: Books) -> None:
    decision = books.ask(books.clear(1500, named("nowhere")))
    assert (decision.posted, decision.authorization_id) == (0, 0)
    told = "no authorization matches: posted without a hold; JPY 500 of it is owed"
    assert decision.explanation == told


def test_force_post_of_what_we_declined(books: Books) -> None:
    declined = books.ask(books.authorize(5000, books.origin("A")))
    decision = books.ask(books.clear(500, named("A")))
    assert decision.authorization_id == declined.authorization_id
    assert decision.explanation == "matched by transaction id: posted without a hold"


def test_a_refund_moves_money_when_it_clears(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("R"), purpose=Purpose.CREDIT))
    decision = books.ask(books.clear(300, named("R"), credit=True))
    assert decision.posted == 1300
    told = "matched by transaction id: JPY 300 credited to the wallet"
    assert decision.explanation == told
    assert books.house()["settlement"] == -300


def test_a_refund_of_a_purchase_leaves_its_hold(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    decision = books.ask(books.clear(100, named("A"), credit=True))
    assert (decision.posted, decision.available) == (1100, 800)


def test_a_credit_that_matches_nothing_goes_to_suspense(books: Books) -> None:
    decision = books.ask(books.clear(300, named("nowhere"), credit=True))
    assert decision.posted == 1000
    assert books.house() == {"funding": -1000, "settlement": -300, "suspense": 300}


def test_a_fee_is_charged_on_top_and_points_are_told(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    decision = books.ask(books.clear(300, named("A"), fee=110, points=3))
    assert (decision.amount, decision.posted) == (300, 590)
    assert books.house() == {"funding": -1000, "settlement": 300, "fee": 110}
    assert books.told()[-1].data["points"] == 3


@pytest.mark.parametrize(
    ("amount", "how", "outcome"),
    [
        (Money(5, "USD"), {}, Outcome.CURRENCY_UNSUPPORTED),
        (Money(0, "JPY"), {}, Outcome.FORMAT_INVALID),
        (Money(-5, "JPY"), {}, Outcome.FORMAT_INVALID),
        (Money(10**16, "JPY"), {}, Outcome.FORMAT_INVALID),
        (Money(5, "JPY"), {"fee": -1}, Outcome.FORMAT_INVALID),
        (Money(5, "JPY"), {"points": -1}, Outcome.FORMAT_INVALID),
    ],
)
def test_what_cannot_be_posted(
    books: Books, amount: Money, how: dict[str, Any], outcome: Outcome
) -> None:
    command = books.clear(amount, **how)
    decision = books.ask(command)
    assert (decision.outcome, decision.posted) == (outcome, 1000)
    assert books.ask(command) == msgspec.structs.replace(decision, replayed=True)


def test_a_file_delivered_twice_posts_once(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    records = [books.clear(100, named("A"), part=(number, 3)) for number in (1, 2, 3)]
    first = books.ledger.apply(records)
    again = books.ledger.apply([*records, *records])
    assert again == [msgspec.structs.replace(each, replayed=True) for each in [*first, *first]]
    assert books.house()["settlement"] == 300
    books.must_balance()


def test_another_record_with_the_same_key_is_a_conflict(books: Books) -> None:
    command = books.clear(300)
    books.ask(command)
    other = msgspec.structs.replace(command.origin, fingerprint="other")
    decision = books.ask(msgspec.structs.replace(command, origin=other))
    assert (decision.outcome, decision.amount) == (Outcome.CONFLICT, 0)


def test_an_authorization_and_its_clearing_in_one_batch(books: Books) -> None:
    held, cleared = books.authorize(300, books.origin("A")), books.clear(300, named("A"))
    decisions = books.ledger.apply([held, cleared])
    assert [each.available for each in decisions] == [700, 700]
    books.must_balance()
