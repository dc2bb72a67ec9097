from __future__ import annotations

import sqlite3
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import psycopg
import psycopg.errors as pe
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import IntegrityError, OperationalError

from ledger import sqlite_transactions
from ledger.commands import AnyCommand, SpendingLimits
from ledger.database import Database, OutcomeUnknown
from ledger.row_sets import Change, Insert, Lookup, Row, Update, find, write
from ledger.tables import accounts, metadata, spending
from tests.ledger.books import Books
from tests.ledger.books import named as named_
from tests.ledger.engines import Engine, fresh_ledger


@pytest.mark.parametrize("url", ["oracle://host/ledger", "ledger.db", ""])
def test_only_known_engines_are_opened(url: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:///FILE or postgresql://HOST/DATABASE"):
        Database.open(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_an_embedded_ledger_is_a_file(url: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:///FILE"):
        Database.open(url)


def test_a_file_that_somebody_else_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = threading.Timer(0.1, other.execute, ["COMMIT"])
        ended.start()
        database = Database.open(f"sqlite:///{path}")
        with database.reading():
            assert ended.finished.is_set()
        database.close()


def test_a_file_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no ledger at sqlite:"):
        Database.open(f"sqlite:///{tmp_path}/ledger.db", must_exist=True)
    assert list(tmp_path.iterdir()) == []


def test_a_server_has_many_databases() -> None:
    with pytest.raises(ValueError, match=r"is postgresql://rail:\*\*\*@host, expected"):
        Database.open("postgresql://rail:secret@host")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with ExitStack() as resources:
        made = Database.open(url)
        resources.callback(made.close)
        with made.transaction() as connection:
            metadata.create_all(connection)
        yield made


def settings_of(connection: Connection) -> dict[str, object]:
    if connection.dialect.name == "sqlite":
        names = ("journal_mode", "synchronous", "foreign_keys")
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    names = ("synchronous_commit", "transaction_isolation", "enable_seqscan")
    return {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}


SETTINGS: dict[Engine, dict[str, object]] = {
    Engine.SQLITE: {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1},
    Engine.POSTGRESQL: {
        "synchronous_commit": "on",
        "transaction_isolation": "read committed",
        "enable_seqscan": "off",
    },
}


def test_commits_wait_for_the_disk(database: Database, engine: Engine) -> None:
    with database.transaction() as connection:
        assert settings_of(connection) == SETTINGS[engine]


def io_error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    return error


def row(account_id: int, network: str = "") -> tuple[object, ...]:
    return (account_id, "wallet", network, "JPY", *(0,) * 8)


def by_id(keys: list[Row], *, locked: bool = False) -> Lookup:
    return Lookup(accounts, ("account_id",), keys, locked=locked)


def test_sets_of_rows(database: Database) -> None:
    with database.transaction() as connection:
        write(connection, [Insert(accounts, [row(number) for number in range(3000)])])
        write(connection, [Insert(accounts, []), Update(accounts, ("posted",), [])])
        write(
            connection,
            [
                Update(accounts, ("posted", "held"), [(5, 6, 1), (7, 8, 2)]),
                Insert(accounts, [row(1, "left as it is"), row(5000)], if_missing=True),
            ],
        )
        keys = [(number,) for number in range(0, 6000, 2)]
        posted = Lookup(accounts, ("account_id", "posted"), [(1, 5), (2, 5), (9, 0)])
        some, nothing, both = find(connection, [by_id(keys, locked=True), by_id([]), posted])
        assert len(some) == 1501
        assert nothing == []
        assert sorted((each[0], each[4], each[5]) for each in both) == [(1, 5, 6), (9, 0, 0)]


@pytest.mark.parametrize(
    "text", ["", "visanet", 'a "quoted" one', r"back\slash", "{,}", "NULL", "é\n\t\x1f"]
)
def test_texts_come_back_as_they_went(database: Database, text: str) -> None:
    with database.transaction() as connection:
        write(connection, [Insert(accounts, [row(1, text), row(2), row(3, text)])])
        found = find(connection, [Lookup(accounts, ("account_id", "network"), [(3, text)])])
    assert [(each[0], each[2]) for each in found[0]] == [(3, text)]


@pytest.mark.parametrize("count", [1, 2, 64])
@pytest.mark.parametrize("number", [0, -1, 1, 255, 256, 10**15, 2**63 - 1, -(2**63)])
def test_numbers_come_back_as_they_went(database: Database, number: int, count: int) -> None:
    day = max(min(number, 2**31 - 1), -(2**31))
    rows = [(each, number, day, -1, number) for each in range(count)]
    with database.transaction() as connection:
        write(connection, [Insert(spending, rows)])
        keys = [(each, number) for each in range(-count, count)]
        [found] = find(connection, [Lookup(spending, ("account_id", "instrument_id"), keys)])
    assert sorted(found) == rows


@pytest.mark.parametrize("count", [1, 2])
def test_a_number_of_more_than_64_bits_is_the_fault_of_its_command(
    database: Database, count: int
) -> None:
    rows = [(each, 0, 0, 2**63, 0) for each in range(count)]
    refusals = (OverflowError, struct.error, pe.NumericValueOutOfRange)
    with pytest.raises(refusals) as refused, database.transaction() as connection:
        write(connection, [Insert(spending, rows)])
    assert not database.is_operating_error(refused.value)
    with database.reading() as reading:
        assert find(reading, [Lookup(spending, ("account_id",), [(0,)])]) == [[]]


def test_readers_see_the_last_commit_while_a_writer_is_busy(database: Database) -> None:
    with database.transaction() as writing:
        write(writing, [Insert(accounts, [row(1)])])
        with database.reading() as reading:
            assert find(reading, [by_id([(1,)])]) == [[]]
    with database.reading() as reading:
        assert len(find(reading, [by_id([(1,)])])[0]) == 1


def test_an_embedded_writer_waits_for_the_other_and_then_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with fresh_ledger(Engine.SQLITE) as url, ThreadPoolExecutor(1) as threads:
        database, other = Database.open(url), Database.open(url)
        metadata.create_all(database.engine)
        pauses: list[float] = []
        with database.transaction():
            monkeypatch.setattr(time, "sleep", pauses.append)
            waiting = threads.submit(other.run, lambda _: ("done", [Insert(accounts, [row(1)])]))
            while not pauses:
                pass
        assert waiting.result(timeout=30) == "done"
        monkeypatch.setattr(sqlite_transactions, "BUSY_SECONDS", 0)
        with database.transaction(), pytest.raises(OperationalError, match="locked"):
            other.run(lambda _: (None, []))
        database.close()
        other.close()


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    def interrupted(connection: Connection) -> NoReturn:
        write(connection, [Insert(accounts, [row(1)])])
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.run(interrupted)
    with database.reading() as reading:
        assert find(reading, [by_id([(1,)])]) == [[]]


@pytest.mark.parametrize(
    ("error", "operating"),
    [
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.DatabaseError("file is not a database"), True),
        (OperationalError("", None, sqlite3.OperationalError()), True),
        (OSError(), True),
        (sqlite3.IntegrityError(), False),
        (sqlite3.ProgrammingError(), False),
        (IntegrityError("", None, sqlite3.IntegrityError()), False),
        (ValueError(), False),
    ],
)
def test_whose_fault_an_error_of_sqlite_is(error: Exception, *, operating: bool) -> None:
    with fresh_ledger(Engine.SQLITE) as url:
        database = Database.open(url)
        assert database.is_operating_error(error) is operating
        database.close()


@pytest.mark.parametrize(
    ("error", "operating"),
    [
        (psycopg.OperationalError("the connection is lost"), True),
        (pe.AdminShutdown(), True),
        (pe.DiskFull(), True),
        (pe.UndefinedTable(), True),
        (OperationalError("", None, psycopg.OperationalError()), True),
        (OSError(), True),
        (pe.UniqueViolation(), False),
        (pe.InvalidTextRepresentation(), False),
        (psycopg.ProgrammingError("cannot adapt type"), False),
        (IntegrityError("", None, pe.UniqueViolation()), False),
        (TypeError(), False),
    ],
)
def test_whose_fault_an_error_of_postgresql_is(error: Exception, *, operating: bool) -> None:
    database = Database.open("postgresql://host/ledger")
    assert database.is_operating_error(error) is operating


LOST = psycopg.OperationalError("the connection is lost")
AGAIN, RAISED, UNKNOWN = "done again", "raised", "unknown"


@pytest.mark.parametrize("when", ["working", "committing"])
@pytest.mark.parametrize(
    ("error", "while_working", "while_committing"),
    [
        (pe.SerializationFailure(), AGAIN, AGAIN),
        (pe.DeadlockDetected(), AGAIN, AGAIN),
        (OperationalError("", None, pe.DeadlockDetected()), AGAIN, AGAIN),
        (LOST, AGAIN, UNKNOWN),
        (OperationalError("", None, LOST), AGAIN, UNKNOWN),
        (pe.AdminShutdown(), AGAIN, UNKNOWN),
        (pe.ConnectionFailure(), AGAIN, UNKNOWN),
        (pe.DiskFull(), RAISED, RAISED),
        (pe.UniqueViolation(), RAISED, RAISED),
        (ValueError(), RAISED, RAISED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_is_done_about_an_error(
    error: Exception, while_working: str, while_committing: str, when: str
) -> None:
    """What has not happened is done again; of a commit whose answer is lost, nobody knows."""
    with fresh_ledger(Engine.POSTGRESQL) as url:
        database = Database.open(url)
        failing = Failing(database, error, when, times=1)
        expected = while_working if when == "working" else while_committing
        if expected == AGAIN:
            assert database.run(failing) == "done"
        else:
            raised = OutcomeUnknown if expected == UNKNOWN else type(error)
            with pytest.raises(raised) as caught:
                database.run(failing)
            assert database.is_operating_error(caught.value) is not isinstance(
                error, pe.UniqueViolation | ValueError
            )
        assert failing.attempts == (2 if expected == AGAIN else 1)
        database.close()


@pytest.mark.parametrize(
    ("error", "when", "raised"),
    [
        (io_error("SQLITE_IOERR_WRITE"), "committing", OutcomeUnknown),
        (OperationalError("", None, io_error("SQLITE_IOERR")), "committing", OutcomeUnknown),
        (OSError(), "committing", OutcomeUnknown),
        (io_error("SQLITE_IOERR_WRITE"), "working", sqlite3.OperationalError),
        (io_error("SQLITE_FULL"), "committing", sqlite3.OperationalError),
        (io_error("SQLITE_BUSY"), "committing", sqlite3.OperationalError),
        (ValueError(), "committing", ValueError),
    ],
)
def test_a_disk_that_fails_in_a_commit_leaves_it_open(
    error: Exception, when: str, raised: type[Exception]
) -> None:
    with fresh_ledger(Engine.SQLITE) as url:
        database = Database.open(url)
        failing = Failing(database, error, when, times=99)
        with pytest.raises(raised):
            database.run(failing)
        assert failing.attempts == 1
        database.close()


def test_an_outcome_that_is_unknown_says_so() -> None:
    assert str(OutcomeUnknown()) == "the database was lost while it committed"


def test_nothing_is_done_again_for_ever() -> None:
    with fresh_ledger(Engine.POSTGRESQL) as url:
        database = Database.open(url)
        failing = Failing(database, pe.DeadlockDetected(), "working", times=99)
        with pytest.raises(pe.DeadlockDetected):
            database.run(failing)
        assert failing.attempts == 4
        database.close()


def test_a_server_that_cannot_be_reached_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = Mock(wraps=psycopg.connect)
    monkeypatch.setattr(psycopg, "connect", connect)
    database = Database.open(f"postgresql://postgres@/ledger?host={tmp_path}")
    with pytest.raises(OperationalError):
        database.run(lambda connection: (find(connection, []), []))
    assert connect.call_count == 1


class Failing:
    """Work that fails so many times, of itself or as it is committed."""

    def __init__(self, database: Database, error: Exception, when: str, times: int) -> None:
        self.error, self.when, self.times = error, when, times
        self.attempts = 0
        event.listen(database.engine, "commit", lambda _connection: self.fail("committing"))

    def fail(self, when: str) -> None:
        if when == self.when and self.attempts <= self.times:
            raise self.error

    def __call__(self, connection: Connection) -> tuple[str, list[Change]]:
        connection.exec_driver_sql("SELECT 1")
        self.attempts += 1
        self.fail("working")
        return "done", []


def test_writers_that_stand_in_each_others_way_both_get_through() -> None:
    """A real deadlock: each has locked what the other wants next. One is told to do it again."""
    with fresh_ledger(Engine.POSTGRESQL) as url, closing(Database.open(url)) as database:
        with database.transaction() as connection:
            metadata.create_all(connection)
            write(connection, [Insert(accounts, [row(1), row(2)])])
        both_have_one = threading.Barrier(2)
        through = {1: threading.Event(), 2: threading.Event()}
        attempts: list[int] = []

        def lock(first: int, second: int) -> None:
            def work(connection: Connection) -> tuple[None, list[Change]]:
                attempts.append(first)
                if attempts.count(first) > 1:
                    assert through[second].wait(30)  # or they might meet again
                find(connection, [by_id([(first,)], locked=True)])
                if attempts.count(first) == 1:
                    both_have_one.wait(30)
                find(connection, [by_id([(second,)], locked=True)])
                return None, []

            database.run(work)
            through[first].set()

        with ThreadPoolExecutor() as threads:
            for done in [threads.submit(lock, 1, 2), threads.submit(lock, 2, 1)]:
                done.result()
        assert sorted(attempts) in ([1, 1, 2], [1, 2, 2])


@pytest.mark.parametrize(("asked", "named"), [("", False), ("distributed=1", True)])
def test_changes_of_a_distributed_ledger_name_their_accounts(*, asked: str, named: bool) -> None:
    """Citus then sends each to one shard. What they change is the same."""
    with fresh_ledger(Engine.POSTGRESQL) as url:
        separator = "&" if "?" in url else "?"
        books = Books(f"{url}{separator}{asked}" if asked else url)
        books.open(2, 1000)
        limits = SpendingLimits(5000, 5)
        for name, accounts in (("A", (1, 2)), ("B", (1,))):
            batches: tuple[list[AnyCommand], ...] = (
                [
                    books.authorize(300, books.origin(name), limits=limits, account_id=each)
                    for each in accounts
                ],
                [books.clear(200, named_(name), part=(1, 2), account_id=each) for each in accounts],
                [books.reverse(named_(name), account_id=each) for each in accounts],
            )
            for batch in batches:
                books.ledger.apply(batch)
                books.must_balance()
        assert (books.wallet().posted, books.wallet().held) == (600, 0)
        assert (books.wallet(2).posted, books.wallet(2).held) == (800, 0)
        with books.database.transaction() as connection:
            [pipeline] = list(connection.connection.info.values())
            changes = [each for each in pipeline._names if each.startswith("UPDATE")]
        of_several = [each for each in changes if "unnest" in each]
        of_one = [each for each in changes if "unnest" not in each]
        assert min(len(of_several), len(of_one)) >= 3
        assert {"account_id = ANY(" in each for each in of_several} == {named}
        assert {"account_id = $" in each for each in of_one} == {True}
        books.close()


def test_a_rollback_forgets_no_statement_of_the_pipelines() -> None:
    """The driver prepares for itself what it has seen five times, and drops all at a rollback."""
    with fresh_ledger(Engine.POSTGRESQL) as url:
        database = Database.open(url)
        lookups = [Lookup(accounts, ("account_id",), [(1,)])]
        for _ in range(2):
            with database.engine.connect() as connection:
                for _ in range(10):
                    connection.execute(accounts.select())
                assert find(connection, lookups) == [[]]
                connection.rollback()
        database.close()
