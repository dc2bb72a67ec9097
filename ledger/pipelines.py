"""Many statements in one round trip to PostgreSQL, by libpq's own pipeline mode.

The driver's cursors cost about a tenth of a millisecond for each statement, as much as ten rows;
here a statement is one call. Statements are few and long: each is prepared when it is first met.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count

import msgspec
import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from sqlalchemy.util.concurrency import await_, in_greenlet

from ledger.arrays import Parameter
from ledger.row_sets import Meanwhile, Row
from ledger.turns import Turns
from ledger.waiting import is_readable, wait_for

_BINARY = pq.Format.BINARY
_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_BAD = pq.ConnStatus.BAD
_SKIPPED = pq.ExecStatus.PIPELINE_ABORTED
_END = pq.ExecStatus.PIPELINE_SYNC


class NothingSent(psycopg.OperationalError):
    """The connection was lost before a transaction was begun on it."""


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A text and its parameters; in PostgreSQL's text form where `formats` does not say."""

    text: str
    values: Sequence[Parameter] = ()
    formats: Sequence[pq.Format] | None = None


BEGIN, COMMIT, ROLLBACK = Statement("BEGIN"), Statement("COMMIT"), Statement("ROLLBACK")


class _Asked:
    """What was sent up to one point of synchronization, and what has come back of it."""

    __slots__ = ("answered", "error", "future", "prepared", "results", "wanted")

    def __init__(self) -> None:
        self.wanted: list[bool] = []  # of each result: whether it is for who asked
        self.prepared: list[str] = []
        self.results: list[pq.abc.PGresult] = []
        self.error: psycopg.Error | None = None
        self.answered = False
        self.future: asyncio.Future[None] | None = None

    def end(self, error: psycopg.Error | None) -> None:
        """Nothing more comes back."""
        self.error, self.answered = error, True
        if self.future is not None and not self.future.done():
            self.future.set_result(None)


class Pipeline:
    """The pipelines of one connection, which begins a transaction of its own where none is open.

    On an event loop several may use it in turns. A turn ends when a commit is sent: the next
    transaction is asked for before that one is answered. The server does one after the other. Where
    one fails, so do those that were sent after it.
    """

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._descriptor = self._pgconn.socket
        self._names: dict[str, bytes] = {}
        self._numbers = count()
        self._asked: deque[_Asked] = deque()
        self._turns = Turns()
        self._listening: asyncio.AbstractEventLoop | None = None

    def take_turn(self) -> Callable[[], None]:
        """Wait until no other transaction is open. What is given back ends the turn.

        That undoes what is open; after a commit it does nothing any more.
        """
        return partial(self._end_turn, self._turns.take())

    def _end_turn(self, turn: object) -> None:
        if not self._turns.is_of(turn):
            return
        try:
            if self._pgconn.transaction_status == pq.TransactionStatus.INTRANS:
                self._wait_for(self._send([], [ROLLBACK]))
        except psycopg.OperationalError as error:
            self._lose(error)
        self._turns.end()

    def run(
        self, statements: Sequence[Statement], meanwhile: Meanwhile | None = None
    ) -> list[list[Row]]:
        """The rows of each statement; `meanwhile` is called once the server has them.

        With a commit at their end they are sent before anything else can happen on the loop.

        Raises
        ------
        psycopg.Error
            For the first that failed (those after it have not been done), or a lost connection.
        NothingSent
            If it had been lost before.
        """
        asked = self._ask(self._opening(), statements)
        if statements[-1] is COMMIT:
            self._turns.end()
        try:
            if meanwhile is not None:
                self._flush()
                meanwhile()
        finally:  # what was asked is not left to the next
            self._wait_for(asked)
        return self._answer(asked)

    def look(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """The rows of each statement, outside of any transaction.

        Raises
        ------
        psycopg.Error
            For the first that failed, or a lost connection.
        """
        self._require_connection()
        asked = self._ask([], statements)
        self._wait_for(asked)
        return self._answer(asked)

    def _ask(self, opening: Sequence[Statement], statements: Sequence[Statement]) -> _Asked:
        try:
            return self._send(opening, statements)
        except psycopg.OperationalError as error:
            self._lose(error)
            raise

    def _answer(self, asked: _Asked) -> list[list[Row]]:
        if asked.error is not None:
            raise asked.error
        found = zip(asked.results, asked.wanted, strict=True)
        return [self._rows(result) for result, wanted in found if wanted]

    def _opening(self) -> list[Statement]:
        if self._asked:
            return [BEGIN]
        match self._pgconn.transaction_status:
            case pq.TransactionStatus.IDLE:
                self._require_connection()
                return [BEGIN]
            case pq.TransactionStatus.INERROR:
                return [ROLLBACK, BEGIN]
            case _:
                return []

    def _require_connection(self) -> None:
        """A server that went away while nothing was asked has said so."""
        try:
            self._read()
        except psycopg.OperationalError as error:
            raise NothingSent(str(error)) from error

    def _send(self, opening: Sequence[Statement], statements: Sequence[Statement]) -> _Asked:
        pgconn, asked = self._pgconn, _Asked()
        if not self._asked:
            pgconn.enter_pipeline_mode()
        for place, statement in enumerate((*opening, *statements)):
            name = self._names.get(statement.text) or self._prepare(statement.text, asked)
            pgconn.send_query_prepared(name, statement.values, statement.formats, _BINARY)
            asked.wanted.append(place >= len(opening))
        pgconn.pipeline_sync()
        self._asked.append(asked)
        return asked

    def _prepare(self, text: str, asked: _Asked) -> bytes:
        name = self._names[text] = b"cardrail_%d" % next(self._numbers)
        asked.prepared.append(text)
        asked.wanted.append(False)
        self._pgconn.send_prepare(name, text.encode())
        return name

    # --- waiting ---

    def _wait_for(self, asked: _Asked) -> None:
        """Send what is left and take in what comes, on a loop or by ourselves.

        The connection does not block: a server that is busy writing results is listened to while
        statements are still on their way.
        """
        on_loop = in_greenlet()
        while not asked.answered:
            unsent = self._flush()
            if asked.error is not None:
                return
            if on_loop:
                self._listen(unsent=unsent)
                asked.future = asyncio.get_running_loop().create_future()
                await_(asked.future)
            else:
                wait_for(self._descriptor, writable=unsent)
                self._take_in()

    def _listen(self, *, unsent: bool) -> None:
        loop = asyncio.get_running_loop()
        if unsent:
            loop.add_writer(self._descriptor, self._send_more)
        if self._listening is None:
            self._listening = loop
            loop.add_reader(self._descriptor, self._take_in)

    def _send_more(self) -> None:
        if not self._flush() and self._listening is not None:
            self._listening.remove_writer(self._descriptor)

    def _flush(self) -> bool:
        """Whether something is left to be sent."""
        try:
            unsent = bool(self._pgconn.flush())
            self._require_living()
        except psycopg.OperationalError as error:
            self._lose(error)
            return False
        return unsent

    def _stop_listening(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            for stop in (listening.remove_reader, listening.remove_writer):
                with suppress(OSError):  # of a lost connection the socket is closed already
                    stop(self._descriptor)

    # --- what comes back ---

    def _take_in(self) -> None:
        """Every result that is there."""
        pgconn = self._pgconn
        try:
            self._read()
            while self._asked and not pgconn.is_busy():
                self._take(pgconn.get_result())
            self._require_living()
        except psycopg.OperationalError as error:
            self._lose(error)
        if not self._asked:
            self._stop_listening()
            if pgconn.status != _BAD:
                pgconn.exit_pipeline_mode()

    def _read(self) -> None:
        """All that is there: of a server that ends first the last words, and then the end.

        libuv listens no more to a socket that had an error, and tells of it once.
        """
        while is_readable(self._descriptor):
            self._pgconn.consume_input()

    def _require_living(self) -> None:
        """Sending and taking results can find the end as well, and say nothing of it."""
        if self._pgconn.status == _BAD:
            raise psycopg.OperationalError(self._pgconn.get_error_message().strip())

    def _lose(self, error: psycopg.OperationalError) -> None:
        """The connection is gone, and with it whatever was to come."""
        self._stop_listening()
        self._pgconn.finish()  # what could not be sent to is not used again
        while self._asked:
            self._asked.popleft().end(psycopg.OperationalError(str(error)))

    def _take(self, result: pq.abc.PGresult | None) -> None:
        """One statement's result, nothing at its end, or the end of what was sent with it."""
        if result is None:
            self._require_living()
        elif result.status == _END:
            self._end(self._asked.popleft())
        elif result.status != _SKIPPED:
            self._asked[0].results.append(result)

    def _end(self, asked: _Asked) -> None:
        failed = next((each for each in asked.results if each.status not in _GOOD), None)
        if failed is not None:
            for text in asked.prepared:
                self._names.pop(text, None)
        asked.end(None if failed is None else error_from_result(failed))

    def _rows(self, result: pq.abc.PGresult) -> list[Row]:
        if not result.ntuples:
            return []
        transformer = Transformer.from_context(self._connection)
        transformer.set_pgresult(result, format=_BINARY)
        rows: list[Row] = transformer.load_rows(0, result.ntuples, tuple)
        return rows
