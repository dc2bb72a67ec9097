"""Transactions of one SQLite connection in turns: committed beside the loop, one after another."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger import sqlite_transactions
from ledger.checkpoints import Checkpoints
from ledger.sqlite_transactions import BEGIN, Transactions


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "numbers.db", isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        made.execute("CREATE TABLE pairs (number REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)")
    return tmp_path / "numbers.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(opened(path)) as made:
        made.execute("PRAGMA foreign_keys = ON")
        yield made


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)


@pytest.fixture
def transactions(connection: sqlite3.Connection) -> Transactions:
    return Transactions(connection, Checkpoints(":memory:"))


@pytest.fixture
def writing(connection: sqlite3.Connection, transactions: Transactions) -> Callable[..., None]:
    """A transaction that inserts, and tells of each step."""

    def insert(number: int, told: list[str], table: str = "numbers") -> None:
        end_turn = transactions.take_turn()
        told.append(f"turn of {number}")
        try:
            transactions.begin()
            connection.execute(f"INSERT INTO {table} VALUES (?)", (number,))  # noqa: S608 - ours
            told.append(f"wrote {number}")
            transactions.commit()
            told.append(f"kept {number}")
        finally:
            end_turn()

    return insert


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Commits that are on their way to a slow disk until the test lets them arrive."""
    arrived = threading.Event()
    commit = sqlite_transactions._commit

    def slowly(connection: sqlite3.Connection, tell_start: Callable[[], None]) -> None:
        tell_start()
        assert arrived.wait(30)
        commit(connection, lambda: None)

    monkeypatch.setattr(sqlite_transactions, "_commit", slowly)
    yield arrived
    arrived.set()


def kept(path: Path) -> list[int]:
    """What another connection sees."""
    with closing(opened(path)) as other:
        return [number for (number,) in other.execute("SELECT number FROM numbers")]


def test_the_next_one_has_its_turn_while_one_commits_and_begins_after_it(
    path: Path, writing: Callable[..., None], held: threading.Event
) -> None:
    async def scene() -> None:
        told: list[str] = []
        both = [asyncio.create_task(greenlet_spawn(writing, each, told)) for each in (1, 2)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert told == ["turn of 1", "wrote 1", "turn of 2"]
        assert kept(path) == []
        held.set()
        await asyncio.gather(*both)
        assert told[3:] == ["kept 1", "wrote 2", "kept 2"] or told[3:] == [
            "wrote 2",
            "kept 1",
            "kept 2",
        ]

    asyncio.run(scene())
    assert kept(path) == [1, 2]


def test_a_commit_that_fails_is_undone_and_told_and_the_next_one_goes_on(
    path: Path, writing: Callable[..., None]
) -> None:
    async def scene() -> None:
        told: list[str] = []
        failing = asyncio.create_task(greenlet_spawn(writing, 7, told, "pairs"))
        following = asyncio.create_task(greenlet_spawn(writing, 8, told))
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            await failing
        await following
        assert "kept 7" not in told

    asyncio.run(scene())
    assert kept(path) == [8]


def test_what_is_open_when_its_turn_ends_is_undone(
    path: Path, connection: sqlite3.Connection, transactions: Transactions
) -> None:
    end_turn = transactions.take_turn()
    transactions.begin()
    connection.execute("INSERT INTO numbers VALUES (1)")
    end_turn()
    assert not connection.in_transaction
    assert not transactions.is_turn_taken
    end_turn = transactions.take_turn()
    end_turn()  # with nothing open
    assert kept(path) == []


def test_without_a_loop_a_commit_is_waited_for(path: Path, writing: Callable[..., None]) -> None:
    told: list[str] = []
    writing(1, told)
    writing(2, told)
    assert kept(path) == [1, 2]


def test_the_loop_goes_on_while_another_writer_is_waited_for(
    path: Path, writing: Callable[..., None]
) -> None:
    async def scene() -> None:
        told: list[str] = []
        with closing(opened(path)) as other:
            other.execute(BEGIN)
            waiting = asyncio.create_task(greenlet_spawn(writing, 1, told))
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert told == ["turn of 1"]
            other.execute("COMMIT")
            await waiting

    asyncio.run(scene())
    assert kept(path) == [1]


def test_another_writer_is_not_waited_for_for_ever(
    path: Path, writing: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_transactions, "BUSY_SECONDS", 0)
    with closing(opened(path)) as other:
        other.execute(BEGIN)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writing(1, [])
    writing(2, [])
    assert kept(path) == [2]


def test_what_is_wrong_otherwise_is_told_at_once(
    connection: sqlite3.Connection, transactions: Transactions
) -> None:
    connection.execute(BEGIN)
    end_turn = transactions.take_turn()
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        transactions.begin()
    end_turn()
    assert not transactions.is_turn_taken


def test_what_an_error_has_undone_is_not_undone_again(
    path: Path, connection: sqlite3.Connection, transactions: Transactions
) -> None:
    end_turn = transactions.take_turn()
    transactions.begin()
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT OR ROLLBACK INTO numbers VALUES (1), (1)")
    end_turn()
    assert kept(path) == []
