"""The outbox is read whole: nothing twice, nothing left out, an account's events in their order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from threading import Event as Signal

import msgspec
import pytest
from msgspec.structs import astuple
from sqlalchemy import Connection, select

from ledger.database import Database
from ledger.events import Event, decode_events
from ledger.house import Placement
from ledger.ids import Ids
from ledger.ledger import Ledger, Wallet
from ledger.outbox import NUMBERING, Batch, Reader, number, prune
from ledger.row_sets import Change, Insert
from ledger.rows import Spending
from ledger.tables import events, positions, spending
from tests.ledger.books import DAY, NOW, Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.watching import watched

OUTBOX = Placement().outbox(0)
MANY = 300  # more rows than one transaction takes
WAIT = 30


def reader(books: Books, name: str = "reader", events_at_once: int = 128) -> Reader:
    return Reader(books.database, OUTBOX, name, events_at_once=events_at_once)


def batches(of: Reader) -> Iterator[Batch]:
    """What is there, acknowledged one after another."""
    while (batch := of.fetch()) is not None:
        yield batch
        assert of.acknowledge(batch)


def read(of: Reader) -> list[Event]:
    return [event for batch in batches(of) for event in batch.events]


def rrns(told: Iterable[Event]) -> list[str]:
    return [str(event.data["rrn"]) for event in told]


def written(books: Books) -> list[Event]:
    """Every event that is there, in no particular order."""
    with books.database.reading() as connection:
        rows = connection.scalars(select(events.c.data)).all()
    return [event for row in rows for event in decode_events(row)]


def sequences(books: Books) -> dict[int, int]:
    """By the ids of the rows, in their order."""
    with books.database.reading() as connection:
        rows = connection.execute(
            select(events.c.event_id, events.c.sequence).order_by(events.c.event_id)
        )
        return {row.event_id: row.sequence for row in rows}


def position(books: Books, name: str) -> int | None:
    with books.database.reading() as connection:
        return connection.scalar(select(positions.c.sequence).where(positions.c.reader == name))


def commit(books: Books, *amounts: int) -> None:
    """One transaction, and one row of the outbox."""
    books.ledger.apply([books.authorize(amount) for amount in amounts])


def test_rows_are_numbered_from_one_in_the_order_of_their_ids(books: Books) -> None:
    for _ in range(3):
        commit(books, 1)
    assert [*sequences(books).values()] == [0, 0, 0]
    number(books.database, OUTBOX)
    assert [*sequences(books).values()] == [1, 2, 3]
    commit(books, 1)
    number(books.database, OUTBOX)
    assert [*sequences(books).values()] == [1, 2, 3, 4]
    assert position(books, NUMBERING) == 4


@pytest.mark.parametrize("rows", [127, 128, 129, MANY])
def test_more_rows_than_are_numbered_at_once(books: Books, rows: int) -> None:
    for _ in range(rows):
        commit(books, 1)
    assert number(books.database, OUTBOX) == rows
    assert number(books.database, OUTBOX) == 0
    assert [*sequences(books).values()] == [*range(1, rows + 1)]


def test_nothing_is_written_where_nothing_is_new(books: Books) -> None:
    assert reader(books).fetch() is None
    assert position(books, NUMBERING) is None
    assert position(books, "reader") == 0


# --- numbering: the order of commits, and of each account ---


def test_an_earlier_id_that_comes_later_is_numbered_later(books: Books) -> None:
    """Two writers, one with its clock a day ahead; about one account they write in order."""
    books.open(2, 1000)
    ahead, behind = (Ledger(books.database, node=node) for node in (1, 2))
    behind.apply([books.authorize(1, account_id=2)])
    for writer, now, account_id in (
        (ahead, NOW + DAY, 1),
        (behind, NOW, 2),  # an id before the one that is numbered already
        (behind, NOW, 1),  # and one after it, for it is about the same account
    ):
        number(books.database, OUTBOX)
        books.now = now
        writer.apply([books.authorize(1, account_id=account_id)])
    told = read(reader(books))
    assert [*sequences(books).values()] == [1, 3, 2, 4]
    assert [(each.account_id, each.at) for each in told] == [
        (2, NOW), (1, NOW + DAY), (2, NOW), (1, NOW),
    ]  # fmt: skip
    assert told[1].event_id < told[3].event_id


def test_what_commits_while_others_are_read_is_not_left_out() -> None:
    """Two transactions at once: the first to get its ids is the last to commit.

    An embedded ledger has one at a time.
    """
    with fresh_ledger(Engine.POSTGRESQL) as url, ThreadPoolExecutor(1) as threads:
        books = Books(url)
        books.open(2, 1000)
        made, go = Signal(), Signal()

        def before_its_end(step: str) -> None:
            if step == "last write":
                made.set()
                assert go.wait(WAIT)

        slow = watched(url, before_its_end)
        commands = [books.authorize(1, account_id=1)], [books.authorize(1, account_id=2)]
        late = threads.submit(Ledger(slow, node=1).apply, commands[0])
        assert made.wait(WAIT)
        books.ledger.apply([msgspec.structs.replace(commands[1][0], at=books.now + DAY)])
        of = reader(books)
        assert rrns(read(of)) == [commands[1][0].origin.rrn]
        go.set()
        late.result(WAIT)
        assert rrns(read(of)) == [commands[0][0].origin.rrn]
        assert [*sequences(books).values()] == [2, 1]
        slow.close()
        books.close()


def test_writers_with_any_clocks_and_readers_in_between(books: Books) -> None:
    """Whatever is numbered when, a reader sees all, and each account's events by their ids."""
    chance = random.Random(7)
    for account_id in range(2, 6):
        books.open(account_id, 10_000)
    writers = [Ledger(books.database, node=node) for node in range(3)]
    clocks = [NOW, NOW + DAY, NOW - DAY]
    slow, quick = reader(books, "slow", events_at_once=1), reader(books, "quick")
    told: list[Event] = []
    for _ in range(120):
        place = chance.randrange(3)
        clocks[place] += chance.randint(0, 2000)
        books.now = clocks[place]
        accounts = chance.sample(range(1, 6), chance.randint(1, 3))
        writers[place].apply([books.authorize(1, account_id=each) for each in accounts])
        if chance.random() < 0.3:
            told += read(quick)
    told += read(quick)
    assert sorted(told, key=lambda each: each.event_id) == sorted(
        written(books), key=lambda each: each.event_id
    )
    assert told == read(slow)
    by_account = defaultdict(list)
    for each in told:
        by_account[each.account_id].append(each.event_id)
    assert len(by_account) == 5
    assert all(ids == sorted(ids) for ids in by_account.values())


def test_several_number_at_once(books: Books) -> None:
    for _ in range(MANY):
        commit(books, 1)
    together = Barrier(3)

    def run() -> None:
        database = Database.open(books.url)
        together.wait(WAIT)
        number(database, OUTBOX)
        database.close()

    with ThreadPoolExecutor(3) as threads:
        for each in [threads.submit(run) for _ in range(3)]:
            each.result(WAIT)
    assert [*sequences(books).values()] == [*range(1, MANY + 1)]


# --- reading ---


@pytest.mark.parametrize(
    ("rows", "events_at_once", "sizes"),
    [
        ([1, 1, 1], 128, [3]),
        ([1, 1, 1], 1, [1, 1, 1]),
        ([3, 3, 3], 4, [6, 3]),  # a batch ends with the row that reaches it
        ([9, 1], 4, [9, 1]),  # a row is never divided
        ([1] * 30, 128, [8, 16, 6]),  # at first few rows are asked for, then more
    ],
)
def test_batches_are_bounded(
    books: Books, rows: list[int], events_at_once: int, sizes: list[int]
) -> None:
    for size in rows:
        commit(books, *[1] * size)
    of = reader(books, events_at_once=events_at_once)
    assert [len(batch.events) for batch in batches(of)] == sizes


def test_readers_have_their_own_positions(books: Books) -> None:
    commit(books, 1, 2)
    first = reader(books, "first")
    told = read(first)
    commit(books, 3)
    assert len(read(first)) == 1
    assert read(reader(books, "second"))[:2] == told
    assert (position(books, "first"), position(books, "second")) == (2, 2)


def test_what_is_not_acknowledged_is_told_again(books: Books) -> None:
    """At least once: the work is done elsewhere, and only then the reader goes on."""
    commit(books, 1)
    batch = reader(books).fetch()
    assert batch is not None
    assert reader(books).fetch() == batch
    assert reader(books).acknowledge(batch)
    assert reader(books).fetch() is None


def test_one_may_read_ahead_of_what_is_still_to_be_acknowledged(books: Books) -> None:
    commit(books, 1)
    commit(books, 2)
    of = reader(books, events_at_once=1)
    first = of.fetch()
    assert first is not None
    second = of.fetch(first)
    assert second is not None
    assert (first.through, second.after) == (1, 1)
    assert of.fetch(second) is None
    commit(books, 3)
    third = of.fetch(second)
    assert third is not None
    assert not of.acknowledge(second)
    assert of.fetch() == first
    assert [of.acknowledge(each) for each in (first, second, third)] == [True] * 3
    assert of.fetch() is None


def mark(_connection: Connection, told: Sequence[Event]) -> list[Change]:
    """Work that fails if it is done twice: a new row for each event."""
    return [Insert(spending, [astuple(Spending(each.event_id, 0, 0, 0, 0)) for each in told])]


def marked(books: Books) -> list[int]:
    with books.database.reading() as connection:
        return [*connection.scalars(select(spending.c.account_id))]


def consume_all(of: Reader) -> None:
    while (batch := of.fetch()) is not None:
        of.consume(batch, mark)


def test_of_two_with_one_name_one_goes_on(books: Books) -> None:
    commit(books, 1)
    one, other = reader(books), reader(books)
    batch = one.fetch()
    assert batch is not None
    assert other.fetch() == batch
    assert one.consume(batch, mark)
    assert not other.consume(batch, mark)
    assert not other.acknowledge(batch)
    assert marked(books) == [batch.events[0].event_id]


def test_two_processes_with_one_name_do_all_of_it_once(books: Books) -> None:
    for _ in range(40):
        commit(books, 1)
    together = Barrier(2)

    def run() -> None:
        database = Database.open(books.url)
        of = Reader(database, OUTBOX, "reader", events_at_once=1)
        together.wait(WAIT)
        consume_all(of)
        database.close()

    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(run) for _ in range(2)]:
            each.result(WAIT)
    assert sorted(marked(books)) == sorted(each.event_id for each in written(books))


class Crashed(Exception):
    """The process ends here."""


def test_a_crash_at_any_step_leaves_out_nothing_and_does_nothing_twice(books: Books) -> None:
    """Before each step there is a crash; what has been written by then is consumed later."""
    steps: list[str] = []
    crash_at = 0

    def on_step(step: str) -> None:
        steps.append(step)
        if len(steps) == crash_at:
            raise Crashed

    database = watched(books.url, on_step)
    of = Reader(database, OUTBOX, "reader", events_at_once=128)
    crashes = 0
    while crashes == crash_at:
        commit(books, 1)
        steps.clear()
        crash_at += 1
        try:
            batch = of.fetch()
            assert batch is not None
            assert of.consume(batch, mark)
        except Crashed:
            crashes += 1
            database.close()  # whatever it held is gone
    assert crashes >= 10
    assert {"statement", "last write"} <= set(steps)
    consume_all(reader(books))
    assert sorted(marked(books)) == sorted(each.event_id for each in written(books))
    database.close()


# --- pruning ---


@pytest.fixture
def aged(books: Books) -> Books:
    """Rows 1 to 3, a day between them; all are numbered."""
    for day in range(3):
        books.now = NOW + day * DAY
        commit(books, 1)
    number(books.database, OUTBOX)
    return books


@pytest.mark.parametrize(
    ("passed", "before", "kept"),
    [
        # by each reader;  before,   rows that stay
        ([3], NOW + 3 * DAY, []),
        ([3], NOW + 2 * DAY, [3]),
        ([3], NOW, [1, 2, 3]),
        ([3], 0, [1, 2, 3]),
        ([1], NOW + 3 * DAY, [2, 3]),
        ([3, 1], NOW + 3 * DAY, [2, 3]),  # what a slow reader needs
        ([3, 0], NOW + 3 * DAY, [1, 2, 3]),
        ([], NOW + 3 * DAY, [1, 2, 3]),  # nobody has ever read
    ],
)
def test_only_what_is_old_and_read_by_all_is_pruned(
    aged: Books, passed: list[int], before: int, kept: list[int]
) -> None:
    for place, rows in enumerate(passed):
        pass_rows(reader(aged, f"reader {place}", events_at_once=1), rows)
    assert prune(aged.database, OUTBOX, before) == 3 - len(kept)
    assert [*sequences(aged).values()] == kept


def pass_rows(of: Reader, rows: int) -> None:
    """Look, and go on by so many rows."""
    batch = of.fetch()
    for _ in range(rows):
        assert batch is not None
        assert of.acknowledge(batch)
        batch = of.fetch()


def test_many_are_pruned(books: Books) -> None:
    for _ in range(MANY):
        commit(books, 1)
    read(reader(books))
    assert prune(books.database, OUTBOX, NOW + DAY) == MANY
    assert prune(books.database, OUTBOX, NOW + DAY) == 0


def test_what_has_no_number_yet_is_kept(aged: Books) -> None:
    """Its writer's clock was behind, and it has only just been committed."""
    read(reader(aged))
    late = Ledger(aged.database)
    late._made_ids = Ids()
    aged.now = NOW - DAY
    late.open_wallet(Wallet(account_id=2, currency="JPY", at=aged.now, opening_balance=1000))
    late.apply([aged.authorize(1, account_id=2)])
    assert prune(aged.database, OUTBOX, NOW + DAY) == 1
    assert [*sequences(aged).values()] == [0, 2, 3]
    assert len(read(reader(aged))) == 1


def test_numbers_go_on_where_all_rows_are_gone(aged: Books) -> None:
    assert len(read(reader(aged))) == 3
    prune(aged.database, OUTBOX, NOW + 3 * DAY)
    commit(aged, 1)
    assert len(read(reader(aged))) == 1
    assert [*sequences(aged).values()] == [4]


def test_a_new_reader_begins_with_the_oldest_row_that_is_kept(aged: Books) -> None:
    read(reader(aged))
    prune(aged.database, OUTBOX, NOW + DAY)
    assert len(read(reader(aged, "new"))) == 2
