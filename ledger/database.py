"""An open ledger database: which engine, transactions, and what is done again when one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from ledger.row_sets import Change, Driver, outside, with_driver, write

_DRIVERS = {"sqlite": "ledger.sqlite", "postgresql": "ledger.postgresql"}
ATTEMPTS = 4

Result = TypeVar("Result")


class OutcomeUnknown(Exception):
    """A commit was asked for and its answer lost: reading back tells whether it has happened."""

    def __str__(self) -> str:
        return "the database was lost while it committed"


class Session:
    """A connection for transactions that follow each other closely: not one after the other, but
    the next as soon as the last one's commit is asked for.
    """

    def __init__(self, engine: Engine, driver: Driver) -> None:
        self._engine = engine
        self._driver = driver
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A write transaction, which ends with its last changes."""
        connection, end_turn = self._take_turn()
        try:
            yield connection
        except Exception:
            end_turn()
            raise
        finally:
            if connection is self._connection and self._driver.is_lost(connection):
                connection.invalidate()
                self.close()

    def _take_turn(self) -> tuple[Connection, Callable[[], None]]:
        """A connection that has not been lost while its turn was waited for."""
        connection = self._connection or self._connect()
        end_turn = self._driver.take_turn(connection)
        return (connection, end_turn) if connection is self._connection else self._take_turn()

    def _connect(self) -> Connection:
        """Somebody else may have done so while we did."""
        made = self._engine.connect()
        if self._connection is None:
            self._connection = made
        else:
            made.close()
        return self._connection

    def close(self) -> None:
        """Give the connection back; the next transaction takes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Aside:
    """A connection for look-ups outside of transactions, made when it is first needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def connect(self) -> Connection:
        """Each look-up sees what has been committed by then."""
        if self._connection is None:
            self._connection = outside(self._engine.connect())
        return self._connection

    def close(self) -> None:
        """It is not used by anybody else: something may be under way on it."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


class Database:
    """An open ledger database; safe to use from several threads."""

    def __init__(self, driver: Driver, engine: Engine, readers: Engine) -> None:
        self.engine = with_driver(engine, driver)
        self._readers = with_driver(readers, driver)
        self._driver = driver

    @classmethod
    def open(cls, url: str, *, must_exist: bool = False) -> Database:
        """Open `url`: ``sqlite:///FILE``, made if it is not there, or ``postgresql://...``.

        Raises
        ------
        ValueError
            If the URL is neither, or names no file that is there though it `must_exist`.
        """
        try:
            parsed = make_url(url)
            module = _DRIVERS[parsed.get_backend_name()]
        except (ArgumentError, KeyError):
            expected = "sqlite:///FILE or postgresql://HOST/DATABASE"
            raise ValueError(f"the ledger's URL cannot be used: expected {expected}") from None
        driver: Driver = import_module(module).DRIVER  # psycopg takes its time to be imported
        driver.check(parsed, must_exist=must_exist)
        return cls(driver, *driver.open_engines(parsed))

    @property
    def lanes(self) -> int:
        """How many writers in one process are worth their while."""
        return self._driver.lanes

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

    def run(
        self,
        work: Callable[[Connection], tuple[Result, Sequence[Change]]],
        attempts: int = ATTEMPTS,
        session: Session | None = None,
    ) -> Result:
        """Do `work` in a write transaction; again, if that has not happened and now may.

        The changes that `work` gives are the transaction's last; they travel with its commit. In a
        `session` another one may be run while the commit is waited for.

        Raises
        ------
        OutcomeUnknown
            If a commit was asked for and its answer lost.
        Exception
            Whatever else went wrong: nothing has happened.
        """
        attempts_left = attempts
        while True:
            begun = committing = False
            attempts_left -= 1
            try:
                with (session or self).transaction() as connection:
                    begun = True
                    result, changes = work(connection)
                    committing = True
                    write(connection, changes, commit=True)
            except Exception as error:
                undone = self._driver.has_undone(error, committing=committing)
                if begun and undone and attempts_left:
                    continue
                if committing and not undone and self._driver.is_unknown(error):
                    raise OutcomeUnknown from error
                raise
            else:
                return result

    def session(self) -> Session:
        """A connection of one's own."""
        return Session(self.engine, self._driver)

    def aside(self) -> Aside:
        """A connection of one's own, to look something up without waiting for a transaction."""
        return Aside(self.engine)

    def is_operating_error(self, error: BaseException) -> bool:
        """Whether `error` is the database's trouble, busy, gone or full, not one command's."""
        return isinstance(error, OutcomeUnknown) or self._driver.is_operating_error(error)

    def is_key_taken(self, error: BaseException) -> bool:
        """Whether a row was not written because there is one of its key."""
        return self._driver.is_key_taken(error)

    def has_moved(self, error: BaseException) -> bool:
        """Whether a row was changed by another writer since it was read."""
        return self._driver.has_moved(error)

    def close(self) -> None:
        """Give back every connection."""
        self._readers.dispose()
        self.engine.dispose()
