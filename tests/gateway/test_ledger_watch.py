"""What the ledger's tables tell of its state: looked at again and again, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from gateway.clearing_lag import LAG_BOUNDS, ClearingLags
from gateway.ledger_watch import LedgerFigures, LedgerWatch
from ledger.house import Placement
from ledger.outbox import Reader, number
from tests.ledger.books import DAY, NOW, Books, named

OUTBOX = Placement().outbox(0)
HOUR = DAY // 24


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(f"sqlite:///{tmp_path}/ledger.db")
    yield made
    made.close()


def look(books: Books, lags: ClearingLags) -> dict[str, tuple[int, int]]:
    """How many clearings of each network, and their seconds."""
    number(books.database, OUTBOX)
    with books.database.reading() as connection:
        lags.look(connection, OUTBOX)
    return {name: (lag.count, round(lag.sum)) for name, lag in lags.by_network().items()}


def purchase_cleared_after(books: Books, hours: int) -> None:
    transaction_id = f"transaction-{next(books.numbers)}"
    books.ask(books.authorize(100, books.origin(transaction_id)))
    books.now += hours * HOUR
    books.ask(books.clear(100, named(transaction_id)))


def test_clearings_are_counted_from_the_first_look_on(books: Books) -> None:
    lags = ClearingLags()
    purchase_cleared_after(books, 1)
    assert look(books, lags) == {}
    purchase_cleared_after(books, 20)
    assert look(books, lags) == {"visanet": (1, 20 * 3600)}
    assert look(books, lags) == {"visanet": (1, 20 * 3600)}
    books.ask(books.fund(5))
    books.ask(books.clear(10, named("no hold of ours")))
    purchase_cleared_after(books, 2)
    assert look(books, lags) == {"visanet": (2, 22 * 3600)}
    [histogram] = lags.by_network().values()
    assert histogram.bounds == LAG_BOUNDS


def test_what_is_too_much_is_passed_over(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.clearing_lag._ROWS_MOST", 3)
    lags = ClearingLags()
    look(books, lags)
    for hours in (1, 2, 3):
        purchase_cleared_after(books, hours)
    assert look(books, lags) == {"visanet": (2, 5 * 3600)}


def test_one_look_tells_holds_readers_and_clearings(books: Books) -> None:
    watch = LedgerWatch(books.database, seconds=60)
    assert watch.latest is None
    books.ask(books.authorize(300, expires_at=NOW + DAY))
    reader = Reader(books.database, OUTBOX, "mqtt", events_at_once=1)
    assert reader.fetch() is not None
    figures = watch.look()
    assert [(each.count, each.remaining) for each in figures.hold_ages] == [(1, 300)]
    assert figures.overdue_count == 0
    assert [(each.reader, each.rows) for each in figures.lags] == [("mqtt", 1)]
    assert figures.unnumbered_count == 0
    assert figures.clearing_lags == {}


class Watched(LedgerWatch):
    """Tells when it has looked."""

    looked: threading.Semaphore

    def next_with(self, *, figures: bool) -> None:
        """Look on until there are figures, or none."""
        while (self.latest is not None) is not figures:
            assert self.looked.acquire(timeout=30)

    def look(self) -> LedgerFigures:
        try:
            return super().look()
        finally:
            self.looked.release()


def test_while_the_ledger_cannot_be_read_there_is_nothing(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watched(books.database, seconds=0.001)
    watch.looked = threading.Semaphore(0)
    watch.start()
    watch.next_with(figures=True)
    with books.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE positions RENAME TO elsewhere")
    watch.next_with(figures=False)
    with books.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO positions")
    watch.next_with(figures=True)
    watch.stop()
    assert f"the ledger could not be looked at: {OperationalError.__name__}" in caplog.text
