"""How far readers have come, as one sees it who is none, on both engines."""

from __future__ import annotations

from ledger.events import decode_events
from ledger.house import Placement
from ledger.outbox import Reader, number
from ledger.outbox_watch import Lag, lags, last_number, rows_after, unnumbered_count
from tests.ledger.books import NOW, Books

OUTBOX = Placement().outbox(0)
SECOND = 1_000_000


def lagging(books: Books) -> list[Lag]:
    with books.database.reading() as connection:
        return lags(connection, OUTBOX)


def unnumbered(books: Books) -> int:
    with books.database.reading() as connection:
        return unnumbered_count(connection, OUTBOX)


def write(books: Books, *seconds: int) -> None:
    """A commit for each of those times after `NOW`."""
    for each in seconds:
        books.now = NOW + each * SECOND
        books.ask(books.authorize(1))


def reader(books: Books, name: str) -> Reader:
    return Reader(books.database, OUTBOX, name, events_at_once=1)


def test_where_nobody_reads_there_is_no_lag(books: Books) -> None:
    write(books, 0, 1)
    assert lagging(books) == []
    assert unnumbered(books) == 2
    with books.database.reading() as connection:
        assert last_number(connection, OUTBOX) == 0
        assert rows_after(connection, OUTBOX, 0, 100) == []


def test_each_reader_has_its_own_lag(books: Books) -> None:
    write(books, 0, 1, 2)
    quick, slow = reader(books, "quick"), reader(books, "slow")
    assert slow.fetch() is not None
    for _ in range(2):
        batch = quick.fetch()
        assert batch is not None
        quick.acknowledge(batch)
    assert lagging(books) == [Lag("quick", 1, NOW + 2 * SECOND), Lag("slow", 3, NOW)]


def test_what_has_no_number_yet_is_behind_everything_else(books: Books) -> None:
    write(books, 0)
    only = reader(books, "only")
    batch = only.fetch()
    assert batch is not None
    only.acknowledge(batch)
    assert lagging(books) == [Lag("only", 0, 0)]
    write(books, 5, 6)
    assert lagging(books) == [Lag("only", 2, NOW + 5 * SECOND)]
    assert unnumbered(books) == 2
    number(books.database, OUTBOX)
    assert lagging(books) == [Lag("only", 2, NOW + 5 * SECOND)]
    assert unnumbered(books) == 0


def test_rows_are_read_by_their_numbers(books: Books) -> None:
    write(books, 0, 1, 2, 3)
    number(books.database, OUTBOX)
    with books.database.reading() as connection:
        assert last_number(connection, OUTBOX) == 4
        rows = rows_after(connection, OUTBOX, 1, 3)
    assert [event.at for row in rows for event in decode_events(row)] == [
        NOW + SECOND,
        NOW + 2 * SECOND,
    ]
