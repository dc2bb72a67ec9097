"""Pending holds by age, and those that should have expired, on both engines."""

from __future__ import annotations

from ledger.hold_ageing import hold_ages, overdue_count
from tests.ledger.books import DAY, NOW, Books, named


def ages(books: Books, now: int) -> set[tuple[int, int, int]]:
    """Days, number and what is left."""
    with books.database.reading() as connection:
        found = hold_ages(connection, now)
    assert {each.currency for each in found} <= {"JPY"}
    return {(each.days, each.count, each.remaining) for each in found}


def overdue(books: Books, now: int) -> int:
    with books.database.reading() as connection:
        return overdue_count(connection, now)


def test_pending_holds_are_told_by_age(books: Books) -> None:
    for days, amount in ((0, 160), (20, 80), (37, 40), (40, 20), (40, 10)):
        books.now = NOW + days * DAY
        books.ask(books.authorize(amount))
    assert ages(books, books.now) == {(1, 2, 30), (7, 1, 40), (30, 1, 80), (0, 1, 160)}
    assert ages(books, books.now + 5 * DAY) == {(7, 2, 30), (30, 2, 120), (0, 1, 160)}


def test_a_hold_that_has_ended_is_not_pending(books: Books) -> None:
    books.ask(books.authorize(100, books.origin("A")))
    books.ask(books.clear(60, named("A"), part=(1, 2)))
    assert ages(books, NOW) == {(1, 1, 40)}
    books.ask(books.clear(40, named("A"), part=(2, 2)))
    assert ages(books, NOW) == set()


def test_holds_past_their_time_are_overdue_until_they_are_released(books: Books) -> None:
    hold = books.hold(books.ask(books.authorize(100)).authorization_id)
    assert overdue(books, hold.expires_at - 1) == 0
    assert overdue(books, hold.expires_at) == 1
    books.ledger.expire(hold.expires_at)
    assert overdue(books, hold.expires_at) == 0
