"""The embedded engine: a SQLite file.

It has one writer at a time: a write transaction takes the write lock when it begins (a deferred
lock fails with "busy" when it is upgraded late), which is every row's lock as well. Readers use
connections of their own and see the last commit. A commit returns when it is on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from ledger.checkpoints import Checkpoints
from ledger.row_sets import (
    AFTER_ALL,
    Change,
    Driver,
    Insert,
    Lookup,
    Meanwhile,
    Row,
    Update,
    index_condition,
    set_and_match,
)
from ledger.sqlite_transactions import BEGIN, BUSY_SECONDS, Transactions, when_free
from ledger.waiting import give_way

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit waits for the disk
    "foreign_keys = ON",
    "cache_size = -65536",  # KiB
    "wal_autocheckpoint = 16384",  # pages: checkpoints rewrite each page once for many commits
    "temp_store = MEMORY",
)
_KEYS_AT_ONCE = 1024
_MANY_ROWS = 32  # take so long to be written that a loop has other things to do
_TRANSACTIONS = "cardrail_transactions"
_OPERATING = (sqlite3.DatabaseError, PoolTimeoutError, OSError)
_OF_ONE_COMMAND = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)


class RowMissing(Exception):
    """A row that is to be changed is not there any more."""


class _SqliteDriver:
    lanes = 1  # it has one writer at a time

    def check(self, url: URL, *, must_exist: bool) -> None:
        shown = url.render_as_string()
        if url.database in {None, "", ":memory:"}:
            raise ValueError(f"the ledger's URL is {shown}, expected sqlite:///FILE")
        if must_exist and not Path(str(url.database)).is_file():
            raise ValueError(f"there is no ledger at {shown}")

    def open_engines(self, url: URL) -> tuple[Engine, Engine]:
        writers, readers = _engine(url, _begin_writing), _engine(url, _begin_reading)
        event.listen(writers, "connect", _wait_by_itself)
        return writers, readers

    def find(
        self,
        connection: Connection,
        lookups: Sequence[Lookup],
        meanwhile: Meanwhile | None = None,
    ) -> list[list[Row]]:
        driver, transactions = _driver(connection), _in_turn(connection)
        if meanwhile is not None:
            meanwhile()
        if transactions is not None:
            transactions.begin()
        return [_find(driver, lookup) for lookup in lookups]

    def write(
        self,
        connection: Connection,
        changes: Sequence[Change],
        *,
        commit: bool = False,
    ) -> None:
        driver, transactions = _driver(connection), _in_turn(connection)
        if transactions is not None:
            transactions.begin()
        for change in changes:
            if isinstance(change, Insert):
                text = _insert_text(change.table, change.if_missing)
            else:
                text = _update_text(change.table, change.columns, change.unless_moved)
            changed = driver.executemany(text, change.rows).rowcount
            if isinstance(change, Update) and change.unless_moved and changed != len(change.rows):
                raise RowMissing(change.table.name)
            if len(change.rows) > _MANY_ROWS:
                give_way()
        if commit and transactions is not None:
            transactions.commit()

    def prefer_indexes(self, connection: Connection) -> None:
        """It does."""

    def is_operating_error(self, error: BaseException) -> bool:
        cause = error.orig if isinstance(error, DBAPIError) else error
        return isinstance(cause, _OPERATING) and not isinstance(cause, _OF_ONE_COMMAND)

    def has_undone(self, error: BaseException, *, committing: bool) -> bool:  # noqa: ARG002
        return False  # a lock is waited for; what fails here fails again

    def is_key_taken(self, error: BaseException) -> bool:
        name = getattr(error, "sqlite_errorname", "")
        return name in {"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE"}

    def has_moved(self, error: BaseException) -> bool:
        name = getattr(error, "sqlite_errorname", "")
        return isinstance(error, RowMissing) or name == "SQLITE_CONSTRAINT_NOTNULL"

    def is_unknown(self, error: BaseException) -> bool:
        cause = error.orig if isinstance(error, DBAPIError) else error
        name = getattr(cause, "sqlite_errorname", "")
        return isinstance(cause, OSError) or name.startswith("SQLITE_IOERR")

    def take_turn(self, connection: Connection) -> Callable[[], None]:
        info = connection.connection.info
        if _TRANSACTIONS not in info:
            checkpoints = Checkpoints(f"{connection.engine.url.database}")
            info[_TRANSACTIONS] = Transactions(_driver(connection), checkpoints)
        transactions: Transactions = info[_TRANSACTIONS]
        return transactions.take_turn()

    def is_lost(self, connection: Connection) -> bool:  # noqa: ARG002 - a file does not go away
        return False


DRIVER: Driver = _SqliteDriver()


def _driver(connection: Connection) -> sqlite3.Connection:
    """Sets of rows go to the driver as they are: SQLAlchemy's own rows would cost as much again."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _in_turn(connection: Connection) -> Transactions | None:
    """Those of a session, in its turn; whatever else writes has SQLAlchemy begin and commit."""
    transactions: Transactions | None = connection.connection.info.get(_TRANSACTIONS)
    return transactions if transactions is not None and transactions.is_turn_taken else None


def _find(driver: sqlite3.Connection, lookup: Lookup) -> list[Row]:
    if lookup.begins:
        return _find_beginnings(driver, lookup)
    found: list[Row] = []
    columns = lookup.columns
    remaining = list(lookup.keys)
    while remaining:
        some, remaining = remaining[:_KEYS_AT_ONCE], remaining[_KEYS_AT_ONCE:]
        size = 1 << (len(some) - 1).bit_length()  # a few texts serve every number of keys
        values = [*chain.from_iterable(some), *(None,) * ((size - len(some)) * len(columns))]
        text = _find_text(lookup.table, columns, size)
        found += driver.execute(text, values).fetchall()
    return found


def _find_beginnings(driver: sqlite3.Connection, lookup: Lookup) -> list[Row]:
    """Key by key: a limit for each of them is more than one statement can say here."""
    text = _beginning_text(lookup.table, lookup.columns, lookup.begins, lookup.only)
    last = len(lookup.columns) - 1
    found: list[Row] = []
    for key in lookup.keys:
        values = (*key[: last + 1], key[last] + AFTER_ALL, *key[last + 1 :])
        found += driver.execute(text, values).fetchall()
    return found


@cache
def _insert_text(table: Table, if_missing: bool) -> str:  # noqa: FBT001 - a key of the cache
    statement = sqlite.insert(table)
    if if_missing:
        statement = statement.on_conflict_do_nothing()
    return str(statement.compile(dialect=sqlite.dialect(), column_keys=table.columns.keys()))


@cache
def _update_text(table: Table, columns: tuple[str, ...], unless_moved: str) -> str:
    count = len(columns) + len(table.primary_key.columns) + bool(unless_moved)
    values = [f"?{place}" for place in range(1, count + 1)]
    changes, match = set_and_match(table, columns, unless_moved, values)
    return f"UPDATE {table.name} AS t SET {changes} WHERE {match}"  # noqa: S608 - names of our own tables


@cache
def _find_text(table: Table, columns: tuple[str, ...], size: int) -> str:
    """NULL pads the keys, for it equals nothing; CROSS JOIN keeps them the outer loop."""
    names = ", ".join(f"t.{column.name}" for column in table.columns)
    keys = ", ".join(f"k{place}" for place in range(len(columns)))
    values = ", ".join([f"({', '.join('?' * len(columns))})"] * size)
    match = " AND ".join(f"t.{name} = k.k{place}" for place, name in enumerate(columns))
    return (
        f"WITH k({keys}) AS (VALUES {values}) "  # noqa: S608 - names of our own tables
        f"SELECT {names} FROM k CROSS JOIN {table.name} AS t ON {match}"
        f"{index_condition(table, columns)}"
    )


@cache
def _beginning_text(table: Table, columns: tuple[str, ...], most: int, only: str) -> str:
    names = ", ".join(column.name for column in table.columns)
    last = columns[-1]
    equal = [f"{name} = ?" for name in columns[:-1]]
    match = " AND ".join([*equal, f"{last} >= ?", f"{last} < ?"])
    latest = f"FROM {table.name} WHERE {match} ORDER BY {last} DESC LIMIT {most}"
    if not only:
        return f"SELECT {names} {latest}"
    # Of the many that are not meant nothing else is read.
    found = f"SELECT rowid FROM (SELECT rowid, {only} {latest}) WHERE {only} = ?"  # noqa: S608 - names of our own tables
    return f"SELECT {names} FROM {table.name} WHERE rowid IN ({found})"  # noqa: S608 - names of our own tables


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    try:
        when_free(_driver(connection), BEGIN)
    except sqlite3.OperationalError as error:
        raise OperationalError(BEGIN, None, error) from error


def _engine(url: URL, begin: Callable[[Connection], None]) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,  # an error may be logged; what a row holds may not
        connect_args={
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "cached_statements": 512,
        },
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in _PRAGMAS:  # SQLite itself does not wait where several make a file WAL
        when_free(connection, f"PRAGMA {pragma}")


def _wait_by_itself(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    """A writer: SQLite's own waits grow to a tenth of a second, long beside a transaction."""
    connection.execute("PRAGMA busy_timeout = 0").close()
