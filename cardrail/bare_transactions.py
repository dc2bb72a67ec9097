"""The least that holding money takes, by the bare driver: what a lone request is measured against.

Five statements, one after another: begin, read the account, insert an authorization, update the
account, commit. No key is looked up, nothing is decided, no event is told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count

from ledger.tables import accounts, authorizations

_ACCOUNT = 1
_OF_THE_BENCH = "bare"  # network under which its rows are left; they hold nothing


@contextmanager
def bare_transaction(url: str) -> Iterator[Callable[[], None]]:
    """One durable transaction on the ledger at `url`, at each call."""
    numbers = count(1)
    opened = _sqlite if url.startswith("sqlite:") else _postgresql
    with opened(url) as transact:
        yield lambda: transact(next(numbers))


@contextmanager
def _sqlite(url: str) -> Iterator[Callable[[int], None]]:
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        select, insert, update = _statements("?", "")

        def transact(number: int) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(select, (_ACCOUNT,)).fetchone()
            connection.execute(insert, _values(number))
            connection.execute(update, (_ACCOUNT,))
            connection.execute("COMMIT")

        yield transact


@contextmanager
def _postgresql(url: str) -> Iterator[Callable[[int], None]]:
    import psycopg

    select, insert, update = (text.encode() for text in _statements("%s", " FOR UPDATE"))
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:

        def transact(number: int) -> None:
            connection.execute(b"BEGIN")
            connection.execute(select, (_ACCOUNT,)).fetchone()
            connection.execute(insert, _values(number))
            connection.execute(update, (_ACCOUNT,))
            connection.execute(b"COMMIT")

        yield transact


def _statements(mark: str, lock: str) -> tuple[str, str, str]:
    marks = ", ".join([mark] * len(authorizations.columns))
    return (
        f"SELECT * FROM {accounts.name} WHERE account_id = {mark}{lock}",  # noqa: S608 - our own names
        f"INSERT INTO {authorizations.name} VALUES ({marks})",  # noqa: S608
        f"UPDATE {accounts.name} SET version = version WHERE account_id = {mark}",  # noqa: S608
    )


def _values(number: int) -> tuple[object, ...]:
    """A declined authorization, so that the books balance as before."""
    given: dict[str, object] = {
        "account_id": _ACCOUNT,
        "authorization_id": number,
        "network": _OF_THE_BENCH,
        "request_key": str(number),
        "trace": str(number),
        "transaction_id": str(number),
        "outcome": "INSUFFICIENT_FUNDS",
    }
    return tuple(
        given.get(column.name, 0 if column.type.python_type is int else "")
        for column in authorizations.columns
    )


@contextmanager
def bare_batch(url: str, size: int) -> Iterator[Callable[[], None]]:
    """The least that holding money for `size` requests at once takes, at each call.

    Three statements and a commit: the accounts locked and read, one narrow row inserted for each
    request, the accounts updated. It has its own table, which no audit looks at.
    """
    numbers = count()
    opened = _sqlite_batch if url.startswith("sqlite:") else _postgresql_batch
    with opened(url) as transact:
        yield lambda: transact([(next(numbers), 1 + n) for n in range(size)])


_BARE_TABLE = (
    "CREATE TABLE bare (account_id bigint, number bigint, amount bigint, at bigint,"
    " PRIMARY KEY (account_id, number))"
)


@contextmanager
def _sqlite_batch(url: str) -> Iterator[Callable[[list[tuple[int, int]]], None]]:
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_BARE_TABLE)

        def transact(rows: list[tuple[int, int]]) -> None:
            ids = [(account,) for _, account in rows]
            marks = ", ".join("?" * len(ids))
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                f"SELECT * FROM accounts WHERE account_id IN ({marks})",  # noqa: S608 - marks
                [account for _, account in rows],
            ).fetchall()
            connection.executemany("INSERT INTO bare VALUES (?2, ?1, 500, ?1)", rows)
            connection.executemany(
                "UPDATE accounts SET version = version WHERE account_id = ?", ids
            )
            connection.execute("COMMIT")

        yield transact


@contextmanager
def _postgresql_batch(url: str) -> Iterator[Callable[[list[tuple[int, int]]], None]]:
    import psycopg

    from ledger.pipelines import COMMIT, Pipeline, Statement

    lock = "SELECT * FROM accounts WHERE account_id = ANY($1::bigint[]) ORDER BY 1 FOR UPDATE"
    insert = "INSERT INTO bare SELECT a, n, 500, n FROM unnest($1::bigint[], $2::bigint[]) k(a, n)"
    update = (
        "UPDATE accounts t SET version = t.version FROM unnest($1::bigint[]) k(a)"
        " WHERE t.account_id = k.a AND t.account_id = ANY($1::bigint[])"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_BARE_TABLE.encode())
        pipeline = Pipeline(connection)

        def transact(rows: list[tuple[int, int]]) -> None:
            numbers, accounts_ = (
                f"{{{str(list(each))[1:-1]}}}".encode() for each in zip(*rows, strict=True)
            )
            pipeline.run([Statement(lock, [accounts_])])
            pipeline.run(
                [
                    Statement(insert, [accounts_, numbers]),
                    Statement(update, [accounts_]),
                    COMMIT,
                ]
            )

        yield transact
