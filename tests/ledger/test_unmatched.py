"""Clearings that match nothing are found by their index, and no longer once somebody has spoken."""

from __future__ import annotations

from sqlalchemy import text

from ledger import unmatched
from ledger.commands import Clear
from ledger.posting import Manner
from ledger.unmatched import WaitingPage, authorization_of, clearing_of, waiting_clearings
from tests.ledger.books import Books, named
from tests.ledger.engines import Engine


def waiting(books: Books, **asked: object) -> WaitingPage:
    with books.database.reading() as connection:
        return waiting_clearings(connection, **asked)  # type: ignore[arg-type] # by name


def keys(page: WaitingPage) -> list[str]:
    return [row.request_key for row in page.rows]


def test_they_come_in_order_until_they_are_resolved(books: Books) -> None:
    asked: list[Clear] = [books.clear(10), books.clear(20, credit=True), books.clear(30)]
    for command in asked:
        books.ask(command)
    expected = [each.origin.request_key for each in asked]
    first = waiting(books, limit=2)
    assert keys(first) == expected[:2]
    rest = waiting(books, after=first.next)
    assert (keys(rest), rest.next) == (expected[2:], None)
    assert keys(waiting(books, network="visanet")) == expected
    assert keys(waiting(books, network="quicpay")) == []
    books.ask(books.resolve(asked[1]))
    assert keys(waiting(books)) == [expected[0], expected[2]]


def test_what_has_come_back_waits_for_nobody(books: Books) -> None:
    command = books.clear(10)
    books.ask(command)
    books.ask(books.clear(0, undoes=command.origin.request_key))
    assert keys(waiting(books)) == []


def test_one_by_its_id(books: Books) -> None:
    decided = books.ask(books.authorize(10, books.origin("A")))
    command = books.clear(10, named("A"))
    books.ask(command)
    clearing_id = books.clearing(command.origin.request_key).clearing_id
    with books.database.reading() as connection:
        found = clearing_of(connection, 1, clearing_id)
        assert found is not None
        assert found.manner == Manner.FINAL
        assert clearing_of(connection, 2, clearing_id) is None
        authorization = authorization_of(connection, 1, decided.authorization_id)
        assert authorization is not None
        assert authorization.amount == 10
        assert authorization_of(connection, 1, clearing_id) is None


def test_the_index_is_used(engine: Engine, books: Books) -> None:
    """Its condition is written as those who ask write it."""
    look = "EXPLAIN QUERY PLAN" if engine is Engine.SQLITE else "EXPLAIN"
    with books.database.reading() as connection:
        if engine is Engine.POSTGRESQL:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement = (
            unmatched._waiting()
            .order_by(*unmatched._PLACE)
            .compile(connection.engine, compile_kwargs={"literal_binds": True})
        )
        plan = " ".join(str(row) for row in connection.execute(text(f"{look} {statement}")))
    assert "clearings_waiting" in plan
