"""Many statements in one round trip to PostgreSQL, by libpq's own pipeline mode.

The driver's cursors cost about a tenth of a millisecond for each statement, as much as ten rows;
here a statement is one call. Statements are few and long: each is prepared when it is first met.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import msgspec
import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

from ledger.row_sets import Row
from ledger.waiting import is_readable, wait_for

_BINARY = pq.Format.BINARY
_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_SKIPPED = pq.ExecStatus.PIPELINE_ABORTED
_END = pq.ExecStatus.PIPELINE_SYNC


class NothingSent(psycopg.OperationalError):
    """The connection was lost before a transaction was begun on it."""


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A text and its parameters, in PostgreSQL's text form."""

    text: str
    values: Sequence[bytes] = ()


BEGIN, COMMIT = Statement("BEGIN"), Statement("COMMIT")


class Pipeline:
    """The pipelines of one connection, which begins a transaction of its own where none is open."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._names: dict[str, bytes] = {}
        self._numbers = count()

    def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """The rows of each statement.

        Raises
        ------
        psycopg.Error
            For the first that failed (those after it have not been done), or a lost connection.
        NothingSent
            If it had been lost before.
        """
        pgconn, asked = self._pgconn, len(statements)
        if pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self._require_connection()
            statements = [BEGIN, *statements]
        for statement in statements:
            if statement.text not in self._names:
                self._prepare(statement.text)
        pgconn.enter_pipeline_mode()
        for statement in statements:
            pgconn.send_query_prepared(
                self._names[statement.text], statement.values, result_format=_BINARY
            )
        pgconn.pipeline_sync()
        results = self._receive()
        pgconn.exit_pipeline_mode()
        failed = next((each for each in results if each.status not in _GOOD), None)
        if failed is not None:
            raise _error(failed)
        return [self._rows(each) for each in results[-asked:]]

    def _require_connection(self) -> None:
        """A server that went away while nothing was asked has said so."""
        try:
            while is_readable(self._pgconn.socket):
                self._pgconn.consume_input()  # first its last words, then the end
        except psycopg.OperationalError as error:
            raise NothingSent(str(error)) from error

    def _prepare(self, text: str) -> None:
        name = b"cardrail_%d" % next(self._numbers)
        result = self._pgconn.prepare(name, text.encode())
        if result.status not in _GOOD:
            raise _error(result)
        self._names[text] = name

    def _receive(self) -> list[pq.abc.PGresult]:
        """Send what is left and take every result up to the end of the pipeline.

        The connection does not block: a server that is busy writing results is listened to while
        statements are still on their way.
        """
        pgconn, results = self._pgconn, list[pq.abc.PGresult]()
        unsent = pgconn.flush()
        while True:
            while unsent or pgconn.is_busy():
                unsent = self._wait(unsent)
            result = pgconn.get_result()
            if result is None:
                continue  # one statement's end
            if result.status == _END:
                return results
            if result.status != _SKIPPED:
                results.append(result)

    def _wait(self, unsent: int) -> int:
        if wait_for(self._pgconn.socket, writable=bool(unsent)):
            self._pgconn.consume_input()
        return self._pgconn.flush() if unsent else 0

    def _rows(self, result: pq.abc.PGresult) -> list[Row]:
        if not result.ntuples:
            return []
        transformer = Transformer.from_context(self._connection)
        transformer.set_pgresult(result, format=_BINARY)
        rows: list[Row] = transformer.load_rows(0, result.ntuples, tuple)
        return rows


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """What failed; libpq itself tells of a lost connection, without an SQLSTATE."""
    if result.error_field(pq.DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    return error_from_result(result)
