"""A PostgreSQL server, or what speaks as one.

Several writers may write at once. A batch locks its accounts in the order of their ids and reads
everything else after that, so that each statement sees what those before it have committed; plain
READ COMMITTED is enough then. Accounts that a writer has kept are not locked, but compared when
they are written (`kept`). Look-ups that belong together travel in one round trip, and so do
changes.

A column of values is sent as one array (`arrays`). One row's values are sent as they are: for a
lone request arrays of one would be a fifth of the server's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import msgspec
import psycopg
from psycopg import pq
from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Dialect,
    Engine,
    Integer,
    Table,
    create_engine,
    event,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.arrays import FORMS, Form
from ledger.pipelines import COMMIT, NothingSent, Pipeline, Statement
from ledger.row_sets import (
    AFTER_ALL,
    Change,
    Driver,
    Insert,
    Lookup,
    Meanwhile,
    Row,
    index_condition,
    is_outside,
    set_and_match,
)
from ledger.waiting import call

# Seconds, and milliseconds for the last: a server that is silent for so long is taken for lost.
_CONNECTING: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Hot look-ups go by keys; a plan made while a table was small must not read it whole later on.
# And each is made once: for one row, planning an UPDATE takes as long as doing it.
_WRITER_OPTIONS = (
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
    " -c plan_cache_mode=force_generic_plan"
)
_NOT_HAPPENED = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_CONNECTION_ENDED = frozenset({"57P01", "57P02", "57P03"})  # shut down, crashed, starting up
_PIPELINE = "cardrail_pipeline"
_DISTRIBUTED = "distributed"  # of the URL: tables are spread over shards by their account ids


class _PostgresqlDriver:
    lanes = 1  # a second halves the batches, and a batch has its own cost (decision 0008)

    def check(self, url: URL, *, must_exist: bool) -> None:  # noqa: ARG002 - a server says itself
        if not url.database:
            shown = url.render_as_string()
            raise ValueError(f"the ledger's URL is {shown}, expected postgresql://HOST/DATABASE")

    def open_engines(self, url: URL) -> tuple[Engine, Engine]:
        distributed = url.query.get(_DISTRIBUTED) == "1"
        url = url.set(drivername="postgresql+psycopg").difference_update_query([_DISTRIBUTED])
        # The URL may set options too, the schema of a shard for example.
        options = f"{url.query.get('options', '')} {_WRITER_OPTIONS}"
        # Once the driver has prepared a statement, a rollback makes it forget them all, the
        # pipelines' own as well.
        alone: dict[str, Any] = {"options": options, "prepare_threshold": None}
        writers = _engine(url, {"connect_args": {**_CONNECTING, **alone}})
        writers = writers.execution_options(**{_DISTRIBUTED: distributed})
        # A reader asks whether its connection still lives; a writer is done again (`has_undone`).
        reading = {"isolation_level": "REPEATABLE READ", "pool_pre_ping": True}
        readers = _engine(url, {"connect_args": _CONNECTING, **reading})
        return writers, readers.execution_options(postgresql_readonly=True)

    def find(
        self,
        connection: Connection,
        lookups: Sequence[Lookup],
        meanwhile: Meanwhile | None = None,
    ) -> list[list[Row]]:
        statements = [_ask(lookup) for lookup in lookups]
        if is_outside(connection):
            return _pipeline(connection).look(statements)
        return _pipeline(connection).run(statements, meanwhile)

    def write(
        self, connection: Connection, changes: Sequence[Change], *, commit: bool = False
    ) -> None:
        distributed = connection.get_execution_options()[_DISTRIBUTED]
        statements = [each for change in changes for each in _make(change, distributed)]
        _pipeline(connection).run([*statements, COMMIT] if commit else statements)

    def prefer_indexes(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")

    def is_operating_error(self, error: BaseException) -> bool:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.ProgrammingError):
            return cause.sqlstate is not None  # the driver's own complaint is about a value
        of_one_command = (psycopg.IntegrityError, psycopg.DataError)
        operating = (psycopg.Error, PoolTimeoutError, OSError)
        return isinstance(cause, operating) and not isinstance(cause, of_one_command)

    def has_undone(self, error: BaseException, *, committing: bool) -> bool:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if any(isinstance(each, NothingSent) for each in _chain(error)):
            return True
        if isinstance(cause, psycopg.errors.InFailedSqlTransaction):
            return True  # of the transaction before it, in whose pipeline it was sent
        if not isinstance(cause, psycopg.OperationalError):
            return False
        if cause.sqlstate in _NOT_HAPPENED:
            return True
        # Until a commit was asked for, a transaction whose connection is lost has not happened.
        return not committing and _is_lost(cause)

    def take_turn(self, connection: Connection) -> Callable[[], None]:
        return _pipeline(connection).take_turn()

    def is_lost(self, connection: Connection) -> bool:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        return driver.closed

    def is_key_taken(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.errors.UniqueViolation)

    def has_moved(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.errors.NotNullViolation)

    def is_unknown(self, error: BaseException) -> bool:
        cause = error.orig if isinstance(error, DBAPIError) else error
        return isinstance(cause, psycopg.OperationalError) and _is_lost(cause)


DRIVER: Driver = _PostgresqlDriver()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and what it came of: undoing on a lost connection fails in its turn."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_lost(error: psycopg.OperationalError) -> bool:
    state = error.sqlstate
    return state is None or state in _CONNECTION_ENDED or state.startswith("08")


def _engine(url: URL, options: dict[str, Any]) -> Engine:
    # An error may be logged; what a row holds may not.
    engine = create_engine(url, hide_parameters=True, **options)
    event.listen(engine, "do_connect", _connect)
    return engine


def _connect(
    dialect: Dialect, _record: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
) -> DBAPIConnection:
    """As SQLAlchemy would; a server that is away is not waited for on an event loop."""
    return call(partial(dialect.connect, *arguments, **options))


def _pipeline(connection: Connection) -> Pipeline:
    """Sets of rows go to the driver as they are: SQLAlchemy's own rows would cost as much again."""
    pooled = connection.connection
    pipeline = pooled.info.get(_PIPELINE)
    if pipeline is None:
        driver = pooled.driver_connection
        assert isinstance(driver, psycopg.Connection)
        pipeline = pooled.info[_PIPELINE] = Pipeline(driver)
    assert isinstance(pipeline, Pipeline)
    return pipeline


class _Text(msgspec.Struct, frozen=True, gc=False):
    """A statement's text, and how its parameters are sent; `one` is for a row."""

    text: str
    forms: tuple[Form, ...]
    formats: tuple[pq.Format, ...]
    one: str = ""

    def of(self, rows: Sequence[Row]) -> Statement:
        if self.one and len(rows) == 1:
            given = zip(self.forms, rows[0], strict=True)
            return Statement(self.one, [form.value(value) for form, value in given])
        columns = zip(self.forms, zip(*rows, strict=True), strict=True)
        arrays = [form.array(values) for form, values in columns]
        return Statement(self.text, arrays, self.formats)


def _ask(lookup: Lookup) -> Statement:
    text = _finding(lookup.table, lookup.columns, lookup.locked, lookup.begins, lookup.only)
    return text.of(list(lookup.keys))


def _make(change: Change, distributed: bool) -> Iterator[Statement]:  # noqa: FBT001 - of the connection
    if isinstance(change, Insert):
        yield _inserting(change.table, change.if_missing).of(change.rows)
        return
    columns = change.columns
    yield _updating(change.table, columns, change.unless_moved, distributed).of(change.rows)
    if change.unless_moved:
        keys = [(row[len(columns)],) for row in change.rows]
        yield _requiring(change.table).of(keys)


# --- statements ---
#
# Citus sends an UPDATE to one shard only if it names the account ids as well, which a URL with
# `distributed=1` asks for. Elsewhere the planner may take them for the better way in: it reads all
# rows of the accounts instead of those that change.


@cache
def _finding(
    table: Table,
    columns: tuple[str, ...],
    locked: bool,  # noqa: FBT001 - a key of the cache
    begins: int,
    only: str = "",
) -> _Text:
    sought = [table.c[name] for name in (*columns, *filter(None, [only]))]
    names = ", ".join(f"t.{column.name}" for column in table.columns)
    source = f"SELECT {names} FROM {table.name} AS t WHERE"  # noqa: S608 - names of our own tables
    if len(columns) == 1:
        lock = " ORDER BY t.account_id FOR UPDATE" if locked else ""
        return _statement(f"{source} t.account_id = ANY($1::bigint[]){lock}", sought)
    # OFFSET 0 keeps the keys the outer loop. Naming the account ids here as well would have the
    # planner guess that there is next to nothing to find, and read an account's rows one by one.
    equal, few = [f"t.{name} = k.k{place}" for place, name in enumerate(columns, 1)], "OFFSET 0"
    if begins:
        name, key = columns[-1], f"k.k{len(columns)}"
        equal[-1] = f"t.{name} >= {key} AND t.{name} < {key} || '{AFTER_ALL}'"
        few = f"ORDER BY t.{name} DESC LIMIT {begins}"
    match = " AND ".join(equal) + index_condition(table, columns)
    found = f"{source} {match} {few}"
    if only:
        found = f"SELECT t.* FROM ({found}) AS t WHERE t.{only} = k.k{len(sought)}"  # noqa: S608 - names of our own tables
    each = f"LATERAL ({found}) AS t"
    return _statement(f"SELECT t.* FROM {_unnested(sought)} CROSS JOIN {each}", sought)  # noqa: S608 - names of our own tables


@cache
def _inserting(table: Table, if_missing: bool) -> _Text:  # noqa: FBT001 - a key of the cache
    columns = list(table.columns)
    names = ", ".join(column.name for column in columns)
    conflict = " ON CONFLICT DO NOTHING" if if_missing else ""
    source = f"SELECT * FROM {_unnested(columns)}{conflict}"  # noqa: S608 - names of our own tables
    insert = f"INSERT INTO {table.name} ({names})"
    one = f"{insert} VALUES ({', '.join(_given(columns))}){conflict}"
    return _statement(f"{insert} {source}", columns, one)


@cache
def _updating(
    table: Table,
    columns: tuple[str, ...],
    unless_moved: str,
    distributed: bool,  # noqa: FBT001 - a key of the cache
) -> _Text:
    every = [table.c[name] for name in columns]
    every += table.primary_key.columns
    if unless_moved:
        every.append(table.c[unless_moved])
    setting = partial(set_and_match, table, columns, unless_moved)
    many, match = setting([f"k.k{place}" for place in range(1, len(every) + 1)])
    one, match_one = setting(_given(every))
    if distributed:
        place = [column.name for column in every].index("account_id") + 1
        match += f" AND t.account_id = ANY(${place}::bigint[])"
    update = f"UPDATE {table.name} AS t SET"
    source = f"FROM {_unnested(every)} WHERE {match}"
    return _statement(f"{update} {many} {source}", every, f"{update} {one} WHERE {match_one}")


@cache
def _requiring(table: Table) -> _Text:
    """Fails where a row is missing: as a new one it would have nothing but its key."""
    [key] = table.primary_key.columns
    insert = f"INSERT INTO {table.name} ({key.name})"
    there, [given] = f"SELECT FROM {table.name} AS t WHERE t.{key.name}", _given([key])
    missing = f"SELECT k.k1 FROM {_unnested([key])} WHERE NOT EXISTS ({there} = k.k1)"  # noqa: S608 - names of our own tables
    one = f"SELECT {given} WHERE NOT EXISTS ({there} = {given})"
    return _statement(f"{insert} {missing}", [key], f"{insert} {one}")


def _statement(text: str, columns: Sequence[Column[Any]], one: str = "") -> _Text:
    forms = tuple(FORMS[_type(column)] for column in columns)
    return _Text(text, forms, tuple(form.format for form in forms), one)


def _given(columns: Sequence[Column[Any]]) -> list[str]:
    """The values of one row."""
    return [f"${place}::{_type(each)}" for place, each in enumerate(columns, 1)]


def _unnested(columns: Sequence[Column[Any]]) -> str:
    """Row by row. Arrays that are unnested in a FROM are each copied to a store of rows first."""
    arrays = (f"unnest(${n}::{_type(each)}[]) AS k{n}" for n, each in enumerate(columns, 1))
    return f"(SELECT {', '.join(arrays)}) AS k"


def _type(column: Column[Any]) -> str:
    if isinstance(column.type, BigInteger):
        return "bigint"
    return "integer" if isinstance(column.type, Integer) else "text"
