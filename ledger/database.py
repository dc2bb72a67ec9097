"""What differs between database engines, and nothing else: opening, transactions, sets of rows.

Only the embedded engine, a SQLite file, is here. It has one writer at a time: `transaction` takes
the write lock when it begins (a deferred lock fails with "busy" when it is upgraded late), readers
use connections of their own and see the last commit. A commit returns when it is on the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    insert,
    make_url,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 5
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit waits for the disk
    "foreign_keys = ON",
    "cache_size = -65536",  # KiB
    "wal_autocheckpoint = 16384",  # pages: checkpoints rewrite each page once for many commits
    "temp_store = MEMORY",
)


_KEYS_AT_ONCE = 1024
_OPERATING = (sqlite3.DatabaseError, DatabaseError, PoolTimeoutError, OSError)
_OF_ONE_COMMAND = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    IntegrityError,
    ProgrammingError,
)


def is_operating_error(error: BaseException) -> bool:
    """Whether `error` is the database's trouble rather than one command's: busy, gone, full."""
    return isinstance(error, _OPERATING) and not isinstance(error, _OF_ONE_COMMAND)


class Database:
    """An open ledger database; safe to use from several threads."""

    def __init__(self, engine: Engine, readers: Engine) -> None:
        self.engine = engine
        self._readers = readers

    @classmethod
    def open(cls, url: str, *, must_exist: bool = False) -> Database:
        """Open `url`, e.g. ``sqlite:///cardrail.db``; the file is made if it is not there.

        Raises
        ------
        ValueError
            If the URL is not that of a SQLite file, or of none that is there and `must_exist`.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
            raise ValueError(
                f"the ledger's URL is {parsed.render_as_string()}, expected sqlite:///FILE"
            )
        if must_exist and not Path(str(parsed.database)).is_file():
            raise ValueError(f"there is no ledger at {parsed.render_as_string()}")
        return cls(_engine(url, "BEGIN IMMEDIATE"), _engine(url, "BEGIN"))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, undone by an exception."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of what has been committed."""
        with self._readers.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self._readers.dispose()
        self.engine.dispose()


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows`, values in column order."""
    if rows:
        _driver(connection).executemany(_insert_text(table), rows)


def update_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set `columns`; each row has their values, then those of the primary key."""
    if rows:
        _driver(connection).executemany(_update_text(table, columns), rows)


def find_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    keys: Collection[tuple[Any, ...]],
) -> list[tuple[Any, ...]]:
    """Every row whose `columns` equal one of `keys` (each once), by set-based look-ups."""
    found: list[tuple[Any, ...]] = []
    remaining = list(keys)
    while remaining:
        some, remaining = remaining[:_KEYS_AT_ONCE], remaining[_KEYS_AT_ONCE:]
        size = 1 << (len(some) - 1).bit_length()  # a few texts serve every number of keys
        values = [*chain.from_iterable(some), *(None,) * ((size - len(some)) * len(columns))]
        found += _driver(connection).execute(_find_text(table, columns, size), values).fetchall()
    return found


def _driver(connection: Connection) -> sqlite3.Connection:
    """Sets of rows go to the driver as they are: SQLAlchemy's own rows would cost as much again."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


@cache
def _insert_text(table: Table) -> str:
    return str(insert(table).compile(dialect=sqlite.dialect(), column_keys=table.columns.keys()))


@cache
def _update_text(table: Table, columns: tuple[str, ...]) -> str:
    statement = update(table).values({name: bindparam(f"new_{name}") for name in columns})
    for column in table.primary_key.columns:
        statement = statement.where(column == bindparam(f"key_{column.name}"))
    compiled = statement.compile(dialect=sqlite.dialect())
    keys = [f"key_{column.name}" for column in table.primary_key.columns]
    assert compiled.positiontup == [f"new_{name}" for name in columns] + keys
    return str(compiled)


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
    )


def _engine(url: str, begin: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,  # an error may be logged; what a row holds may not
        connect_args={
            "timeout": _BUSY_SECONDS,
            "check_same_thread": False,
            "cached_statements": 512,
        },
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
