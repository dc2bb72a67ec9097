"""Write transactions of one SQLite connection, of which the next is decided while one commits.

A commit writes pages and waits for the disk, in one call that does not need the interpreter: it is
made on another thread. Statements are short, and each would have to wait there for its turn in the
interpreter: they are made by who asks, on the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Lock

from sqlalchemy.util.concurrency import await_, in_greenlet

from ledger.checkpoints import Checkpoints
from ledger.turns import Turns
from ledger.waiting import call

BUSY_SECONDS = 5  # for which another writer is waited for, in this process or elsewhere
BEGIN = "BEGIN IMMEDIATE"  # a lock that is taken later fails where another writer was first
_RETRY_AFTER = timedelta(microseconds=500)

_committing = ThreadPoolExecutor(64, "ledger-commit")  # of which most are never made


class Transactions:
    """Those of one connection, in turns; each begins when the last one's commit is done."""

    def __init__(self, connection: sqlite3.Connection, checkpoints: Checkpoints) -> None:
        self._connection = connection
        self._checkpoints = checkpoints
        self._turns = Turns()
        self._is_begun = False
        self._commit: asyncio.Future[None] | None = None

    @property
    def is_turn_taken(self) -> bool:
        """Whether somebody's transaction is open, or would be with the first statement."""
        return self._turns.is_taken

    def take_turn(self) -> Callable[[], None]:
        """Wait until the commit of the last transaction is asked for.

        What is given back undoes what is open then; after a commit it does nothing any more.
        """
        return partial(self._end_turn, self._turns.take())

    def _end_turn(self, turn: object) -> None:
        if not self._turns.is_of(turn):
            return
        if self._is_begun:
            self._is_begun = False
            _roll_back(self._connection)
        self._turns.end()

    def begin(self) -> None:
        """Have a transaction open, with the write lock.

        Raises
        ------
        sqlite3.OperationalError
            If the lock is not to be had.
        """
        if self._is_begun:
            return
        if self._commit is not None and not self._commit.done():
            await_(asyncio.wait({self._commit}))
        if not _has_begun(self._connection):
            call(partial(when_free, self._connection, BEGIN))
        self._is_begun = True

    def commit(self) -> None:
        """End the turn, and return when all is on the disk.

        Raises
        ------
        sqlite3.Error
            If it is not; then it is undone.
        """
        self.begin()
        self._is_begun = False
        self._turns.end()
        if in_greenlet():
            loop, started = asyncio.get_running_loop(), Lock()
            started.acquire()
            self._commit = loop.run_in_executor(
                _committing, _commit, self._connection, started.release
            )
            started.acquire()  # else the thread has to wait until the interpreter is free
            await_(self._commit)
        else:
            _commit(self._connection, lambda: None)
        self._checkpoints.after_commit(is_pause=not self._turns.is_taken)


def _has_begun(connection: sqlite3.Connection) -> bool:
    """Whether nobody else was writing."""
    try:
        connection.execute(BEGIN).close()
    except sqlite3.OperationalError as error:
        if _is_busy(error):
            return False
        raise
    return True


def _commit(connection: sqlite3.Connection, tell_start: Callable[[], None]) -> None:
    tell_start()
    try:
        connection.execute("COMMIT").close()
    except sqlite3.Error:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # some errors have undone it already
        connection.execute("ROLLBACK").close()


def when_free(connection: sqlite3.Connection, statement: str) -> None:
    """Do it once the locks that it needs are to be had, or fail as SQLite does if that is long."""
    give_up_at = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() >= give_up_at:
                raise
        else:
            return
        time.sleep(_RETRY_AFTER.total_seconds())


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
