"""A lane on the event loop: whatever the database does meanwhile, the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from sqlalchemy import Table

from ledger import sqlite
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.outcomes import Outcome
from ledger.writer import LedgerWriter, Undecided
from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.writing import Answers


@pytest.fixture
def books() -> Iterator[Books]:
    with fresh_ledger(Engine.POSTGRESQL) as url:
        made = Books(url)
        yield made
        made.close()


@contextmanager
def locked(books: Books) -> Iterator[Callable[[], None]]:
    """Somebody else holds the wallet's row until the test lets go of it."""
    with psycopg.connect(books.url) as other:
        other.execute("SELECT * FROM accounts FOR UPDATE")
        yield other.rollback


def test_the_loop_goes_on_while_a_lock_is_waited_for(books: Books) -> None:
    async def scene() -> None:
        answers = Answers()
        writer = LedgerWriter([books.ledger])
        writer.start()
        with locked(books) as let_go:
            writer.submit(books.authorize(5), answers)
            for _ in range(100):
                await asyncio.sleep(0)
            assert answers.decided == []
            let_go()
            await answers.some()
        assert answers.outcomes == [Outcome.APPROVED]
        await writer.stop()

    asyncio.run(scene())
    books.must_balance()


def test_what_comes_while_a_batch_is_written_is_the_next_batch(books: Books) -> None:
    async def scene() -> None:
        batches: list[int] = []
        answers = Answers()
        writer = LedgerWriter([books.ledger], on_written=lambda count, _: batches.append(count))
        writer.start()
        with locked(books) as let_go:
            writer.submit(books.authorize(1), answers)
            await asyncio.sleep(0)
            for _ in range(6):
                writer.submit(books.authorize(1), answers)
            assert writer.waiting_count == 6
            let_go()
            await writer.stop()
        assert batches == [1, 6]
        assert answers.outcomes == [Outcome.APPROVED] * 7

    asyncio.run(scene())


def test_more_than_a_socket_takes_at_once_is_sent_bit_by_bit(books: Books) -> None:
    async def scene() -> None:
        answers = Answers()
        writer = LedgerWriter([books.ledger], batch_limit=4000)
        writer.start()
        for _ in range(4000):
            writer.submit(books.authorize(1, approval_code="x" * 500), answers)
        await writer.stop()
        assert len(answers.decisions) == 4000

    asyncio.run(scene())
    books.must_balance()


def test_the_loop_goes_on_between_the_tables_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is only sent rows; a file is written by who asks."""
    with fresh_ledger(Engine.SQLITE) as url, closing(Books(url)) as books:

        async def scene() -> None:
            answers = Answers()
            told: list[str] = []
            insert_text = sqlite._insert_text

            def telling(table: Table, if_missing: bool) -> str:
                told.append(table.name)
                asyncio.get_running_loop().call_soon(told.append, "the loop")
                return insert_text(table, if_missing)

            monkeypatch.setattr(sqlite, "_insert_text", telling)
            writer = LedgerWriter([books.ledger])
            writer.start()
            for _ in range(100):
                writer.submit(books.authorize(1), answers)
            await writer.stop()
            assert told[:4] == ["authorizations", "the loop", "holds", "the loop"]
            assert answers.outcomes == [Outcome.APPROVED] * 100

        asyncio.run(scene())
        books.must_balance()


def test_a_server_that_is_not_there_holds_nobody_up(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connecting may take seconds: it is done on another thread."""

    async def scene() -> None:
        reached, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def connect(*_: object, **__: object) -> None:
            loop.call_soon_threadsafe(reached.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
            raise psycopg.OperationalError("nobody there")

        monkeypatch.setattr(psycopg, "connect", connect)
        database = Database.open("postgresql://nobody@nowhere/nothing")
        answers = Answers()
        writer = LedgerWriter([Ledger(database)])
        writer.start()
        writer.submit(books.authorize(1), answers)
        await reached.wait()
        assert answers.decided == []
        go_on.set()
        await writer.stop()
        assert answers.decided == [Undecided.NOT_DONE]
        database.close()

    asyncio.run(scene())
