"""What differs between database engines, and nothing else: opening, transactions, sets of rows.

Only the embedded engine, a SQLite file, is here. It has one writer at a time: `transaction` takes
the write lock when it begins (a deferred lock fails with "busy" when it is upgraded late), readers
use connections of their own and see the last commit. A commit returns when it is on the disk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Row,
    Table,
    bindparam,
    create_engine,
    event,
    insert,
    make_url,
    update,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 5.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a commit waits for the disk
    "foreign_keys = ON",
    "cache_size = -65536",  # KiB
    "wal_autocheckpoint = 16384",  # pages: checkpoints rewrite each page once for many commits
    "temp_store = MEMORY",
)


def is_operating_error(error: BaseException) -> bool:
    """Whether `error` is the database's trouble rather than one command's: busy, gone, full."""
    if isinstance(error, (IntegrityError, ProgrammingError)):
        return False
    return isinstance(error, (DatabaseError, InterfaceError, PoolTimeoutError, OSError))


class Database:
    """An open ledger database; safe to use from several threads."""

    def __init__(self, engine: Engine, readers: Engine) -> None:
        self.engine = engine
        self._readers = readers

    @classmethod
    def open(cls, url: str) -> Database:
        """Open `url`, e.g. ``sqlite:///cardrail.db``; the file is made if it is not there.

        Raises
        ------
        ValueError
            If the URL is not that of a SQLite file.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
            raise ValueError(
                f"the ledger's URL is {parsed.render_as_string()}, expected sqlite:///FILE"
            )
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
        connection.exec_driver_sql(_insert_text(table), list(rows))


def update_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Set `columns`; each row has their values, then those of the primary key."""
    if rows:
        connection.exec_driver_sql(_update_text(table, columns), list(rows))


def find_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    keys: Collection[tuple[Any, ...]],
) -> Sequence[Row[Any]]:
    """Every row whose `columns` equal one of `keys`, in one statement whatever their number."""
    if not keys:
        return ()
    text = msgspec.json.encode(list(keys)).decode()
    return connection.exec_driver_sql(_find_text(table, columns), (text,)).all()


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
def _find_text(table: Table, columns: tuple[str, ...]) -> str:
    """The keys come as one JSON array; CROSS JOIN keeps them the outer loop of index look-ups."""
    names = ", ".join(f"t.{column.name}" for column in table.columns)
    match = " AND ".join(f"t.{name} = k.value ->> {place}" for place, name in enumerate(columns))
    return f"SELECT {names} FROM json_each(?) AS k CROSS JOIN {table.name} AS t ON {match}"  # noqa: S608 - names of our own tables


def _engine(url: str, begin: str) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        hide_parameters=True,  # an error may be logged; what a row holds may not
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
