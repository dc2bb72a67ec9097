"""A ledger database that tells each step before it is taken, so that a test can stop it there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

from ledger.database import Database
from ledger.row_sets import Change, Driver, Lookup, Meanwhile, Row

OnStep = Callable[[str], None]


class _Watched:
    """Another driver, watched. What SQLAlchemy executes by itself is watched by `watched`."""

    def __init__(self, driver: Driver, on_step: OnStep) -> None:
        self._driver = driver
        self._on_step = on_step
        self.lanes = driver.lanes

    def check(self, url: URL, *, must_exist: bool) -> None:
        self._driver.check(url, must_exist=must_exist)

    def open_engines(self, url: URL) -> tuple[Engine, Engine]:
        return self._driver.open_engines(url)

    def find(
        self,
        connection: Connection,
        lookups: Sequence[Lookup],
        meanwhile: Meanwhile | None = None,
    ) -> list[list[Row]]:
        self._on_step("find")
        return self._driver.find(connection, lookups, meanwhile)

    def write(
        self, connection: Connection, changes: Sequence[Change], *, commit: bool = False
    ) -> None:
        self._on_step("last write" if commit else "write")
        self._driver.write(connection, changes, commit=commit)

    def take_turn(self, connection: Connection) -> Callable[[], None]:
        return self._driver.take_turn(connection)

    def is_lost(self, connection: Connection) -> bool:
        return self._driver.is_lost(connection)

    def prefer_indexes(self, connection: Connection) -> None:
        self._driver.prefer_indexes(connection)

    def is_operating_error(self, error: BaseException) -> bool:
        return self._driver.is_operating_error(error)

    def has_undone(self, error: BaseException, *, committing: bool) -> bool:
        return self._driver.has_undone(error, committing=committing)

    def is_key_taken(self, error: BaseException) -> bool:
        return self._driver.is_key_taken(error)

    def has_moved(self, error: BaseException) -> bool:
        return self._driver.has_moved(error)

    def is_unknown(self, error: BaseException) -> bool:
        return self._driver.is_unknown(error)


def watched(url: str, on_step: OnStep) -> Database:
    """`url` opened; `on_step` is called before each statement and, on SQLite, each commit."""
    plain = Database.open(url)
    database = Database(_Watched(plain._driver, on_step), plain.engine, plain._readers)

    def before_statement(*_: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own arguments
        on_step("statement")

    for engine in (database.engine, database._readers):
        event.listen(engine, "before_cursor_execute", before_statement)
        event.listen(engine, "commit", lambda _connection: on_step("commit"))
    return database
