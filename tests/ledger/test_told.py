"""Events are found by what they are about, with who has read them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ledger.house import Placement
from ledger.outbox import Reader
from ledger.told import COMMITTED_WITHIN, Subject, Told, find_in_outbox, read_told
from tests.ledger.books import DAY, NOW, Books, named

OUTBOX = Placement().outbox(0)


def told(books: Books, subjects: Sequence[Subject], account_id: int = 1) -> list[Told]:
    with books.database.reading() as connection:
        return read_told(connection, OUTBOX, account_id, subjects)


def about(subject_id: int, at: int = NOW) -> Subject:
    return Subject(subject_id, at, at + COMMITTED_WITHIN)


def read_on(books: Books, name: str) -> None:
    reader = Reader(books.database, OUTBOX, name, events_at_once=1)
    batch = reader.fetch()
    assert batch is not None
    assert reader.acknowledge(batch)


def types(found: Sequence[Told]) -> list[str]:
    return [each.event.type for each in found]


def test_the_events_about_some_records_are_found_in_their_order(books: Books) -> None:
    held = books.ask(books.authorize(10, books.origin("A"))).authorization_id
    books.ask(books.authorize(20))
    books.ask(books.clear(10, named("A")))
    cleared = books.told()[-1].subject_id
    found = told(books, [about(cleared), about(held)])
    assert types(found) == ["authorization.approved", "clearing.posted"]
    assert told(books, [about(held)], account_id=2) == []
    assert told(books, [about(held, NOW + COMMITTED_WITHIN)]) == []
    assert told(books, []) == []


def test_others_of_the_same_transaction_are_left_out(books: Books) -> None:
    first, _ = books.ledger.apply([books.authorize(10), books.authorize(20)])
    assert [each.event.data["amount"] for each in told(books, [about(first.authorization_id)])] == [
        10
    ]


def test_an_expiry_is_told_when_it_happens(books: Books) -> None:
    held = books.ask(books.authorize(10)).authorization_id
    books.ledger.expire(NOW + 8 * DAY)
    whole = Subject(held, NOW, NOW + 9 * DAY)
    assert types(told(books, [whole])) == ["authorization.approved", "hold.expired"]


def test_readers_have_passed_it_or_not(books: Books) -> None:
    first = books.ask(books.authorize(10)).authorization_id
    read_on(books, "mqtt")
    second = books.ask(books.authorize(20)).authorization_id
    read_on(books, "points")
    third = books.ask(books.authorize(30)).authorization_id
    found = told(books, [about(first), about(second), about(third)])
    assert [(each.read_by, each.awaited_by) for each in found] == [
        (("mqtt", "points"), ()),
        ((), ("mqtt", "points")),
        ((), ("mqtt", "points")),
    ]


def test_an_rrn_is_found_before_anybody_has_read_it(books: Books) -> None:
    command = books.authorize(10)
    again = books.authorize(20, replace(books.origin(), rrn=command.origin.rrn))
    longer = books.authorize(30, replace(books.origin(), rrn=f"{command.origin.rrn}0"))
    decided = books.ledger.apply([command, again, longer])
    with books.database.reading() as connection:
        found = find_in_outbox(connection, OUTBOX, command.origin.rrn)
        assert find_in_outbox(connection, OUTBOX, "none") == []
    assert [each.subject_id for each in found] == [each.authorization_id for each in decided[:2]]
