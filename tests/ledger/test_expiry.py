from __future__ import annotations

from tests.ledger.books import DAY, NOW, Books, named


def test_a_hold_ends_when_its_time_has_come_and_never_before(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), expires_at=NOW + DAY))
    assert books.ledger.expire(NOW + DAY - 1) == 0
    assert books.ledger.expire(NOW + DAY) == 1
    assert books.ledger.expire(NOW + DAY) == 0
    books.must_balance()
    assert books.ask(books.authorize(1000)).outcome.approved


def test_what_has_ended_does_not_end_again(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.authorize(300, books.origin("B")))
    books.ask(books.clear(300, named("A")))
    books.ask(books.reverse(named("B")))
    assert books.ledger.expire(NOW + 100 * DAY) == 0


def test_many_at_once(books: Books) -> None:
    commands = [books.authorize(1, limits=None) for _ in range(1000)]
    books.open(2, 1000)
    commands += [books.authorize(1, account_id=2) for _ in range(500)]
    assert all(each.outcome.approved for each in books.ledger.apply(commands))
    assert books.ledger.expire(NOW + 7 * DAY) == 1500
    books.must_balance()
