"""An open ledger database: which engine, transactions, and what is done again when one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from ledger.row_sets import Change, Driver, with_driver, write

_DRIVERS = {"sqlite": "ledger.sqlite", "postgresql": "ledger.postgresql"}
_ATTEMPTS = 4

Result = TypeVar("Result")


class OutcomeUnknown(Exception):
    """A commit was asked for and its answer lost: reading back tells whether it has happened."""

    def __str__(self) -> str:
        return "the database was lost while it committed"


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

    @property
    def is_remote(self) -> bool:
        """Whether it works elsewhere while its caller waits."""
        return self._driver.is_remote

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

    def run(self, work: Callable[[Connection], tuple[Result, Sequence[Change]]]) -> Result:
        """Do `work` in a write transaction; again, if that has not happened and now may.

        The changes that `work` gives are the transaction's last; they travel with its commit.

        Raises
        ------
        OutcomeUnknown
            If a commit was asked for and its answer lost.
        Exception
            Whatever else went wrong: nothing has happened.
        """
        attempts_left = _ATTEMPTS
        while True:
            begun = committing = False
            attempts_left -= 1
            try:
                with self.transaction() as connection:
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
