"""Many statements in one trip to a real server, which may refuse one of them or go away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import psycopg
import pytest
import uvloop
from psycopg.pq import ConnStatus, TransactionStatus
from sqlalchemy import Connection
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.database import Database, Session
from ledger.pipelines import COMMIT, Pipeline, Statement
from ledger.postgresql import _pipeline
from ledger.row_sets import Change, Lookup, Row, find, write
from ledger.tables import accounts
from ledger.waiting import call
from tests import postgresql
from tests.ledger.engines import Engine, fresh_ledger

MAKE = Statement("CREATE TABLE numbers (number bigint PRIMARY KEY, name text)")
KEEP = "INSERT INTO numbers VALUES ($1::bigint, $2::text)"
ALL = Statement("SELECT * FROM numbers ORDER BY number")
OUR_PROCESS = Statement("SELECT pg_backend_pid()::bigint")


def keep(number: int, name: str = "") -> Statement:
    return Statement(KEEP, [str(number).encode(), name.encode()])


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_ledger(Engine.POSTGRESQL) as made:
        with psycopg.connect(made, autocommit=True) as connection:
            connection.execute(MAKE.text.encode())
        yield made


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection[Row]]:
    with closing(psycopg.connect(url)) as made:
        yield made


def status(connection: psycopg.Connection[Row]) -> TransactionStatus:
    return TransactionStatus(connection.pgconn.transaction_status)


def kept(url: str) -> list[Row]:
    """What another connection sees."""
    with psycopg.connect(url) as other:
        return other.execute(ALL.text.encode()).fetchall()


# --- what comes back ---


def test_each_statement_has_its_rows_in_their_own_types(
    connection: psycopg.Connection[Row],
) -> None:
    rows = Pipeline(connection).run([keep(1, "é"), keep(2, ""), ALL, Statement("SELECT 7"), ALL])
    assert rows == [[], [], [(1, "é"), (2, "")], [(7,)], [(1, "é"), (2, "")]]


def test_it_begins_a_transaction_where_none_is_open(connection: psycopg.Connection[Row]) -> None:
    pipeline = Pipeline(connection)
    assert status(connection) is TransactionStatus.IDLE
    pipeline.run([keep(1)])
    pipeline.run([keep(2)])
    assert status(connection) is TransactionStatus.INTRANS
    connection.rollback()
    assert pipeline.run([ALL]) == [[]]


def test_a_commit_travels_with_the_last_changes(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    Pipeline(connection).run([keep(1), COMMIT])
    assert status(connection) is TransactionStatus.IDLE
    assert kept(url) == [(1, "")]


# --- an error in the middle ---


ERRORS: list[tuple[list[Statement], type[psycopg.Error], str]] = [
    # what is asked, the error, what it says
    ([keep(1), keep(1), keep(2), COMMIT], psycopg.errors.UniqueViolation, "duplicate key"),
    ([keep(1), Statement(KEEP, [b"x", b""]), keep(2), COMMIT],
     psycopg.errors.InvalidTextRepresentation, "invalid input syntax"),
    ([Statement("SELECT 1/0"), keep(2), COMMIT], psycopg.errors.DivisionByZero, "by zero"),
    ([keep(1), Statement("SELECT 1/0"), Statement("SELECT 1/0"), keep(1)],
     psycopg.errors.DivisionByZero, "by zero"),
    ([keep(1), Statement("SELECT nothing"), COMMIT], psycopg.errors.UndefinedColumn, "nothing"),
]  # fmt: skip


@pytest.mark.parametrize("open_before", [False, True])
@pytest.mark.parametrize(("asked", "error", "told"), ERRORS)
def test_the_first_error_is_raised_and_nothing_is_done(
    url: str,
    connection: psycopg.Connection[Row],
    asked: list[Statement],
    error: type[psycopg.Error],
    told: str,
    *,
    open_before: bool,
) -> None:
    pipeline = Pipeline(connection)
    if open_before:
        pipeline.run([keep(9)])
    with pytest.raises(error, match=told):
        pipeline.run(asked)
    connection.rollback()
    assert kept(url) == []
    assert pipeline.run([keep(3), ALL]) == [[], [(3, "")]]


# --- more than the sockets hold ---


def test_neither_side_waits_for_the_other_to_read_first(
    connection: psycopg.Connection[Row],
) -> None:
    """Megabytes are on their way to the server while it writes as many back."""
    big = b"x" * 3_000_000
    echo = Statement("SELECT $1::text", [big])
    rows = Pipeline(connection).run([echo] * 12)
    assert [len(each[0][0]) for each in rows] == [len(big)] * 12


def test_one_statement_larger_than_any_buffer(connection: psycopg.Connection[Row]) -> None:
    numbers = Statement(
        "SELECT * FROM unnest($1::bigint[])",
        [f"{{{','.join(map(str, range(500_000)))}}}".encode()],
    )
    [rows] = Pipeline(connection).run([numbers])
    assert (rows[0], rows[-1], len(rows)) == ((0,), (499_999,), 500_000)


# --- transactions in turns, on an event loop ---

SLOWLY = Statement("SELECT pg_sleep(0.2)")


def in_a_turn(pipeline: Pipeline, *trips: list[Statement]) -> list[list[Row]]:
    """A transaction; the rows of its last trip."""
    end_turn = pipeline.take_turn()
    try:
        return [pipeline.run(trip) for trip in trips][-1]
    finally:
        end_turn()


def test_the_next_one_is_sent_before_the_last_one_is_answered(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    async def scene() -> None:
        pipeline = Pipeline(connection)
        begun = asyncio.get_running_loop().time()
        transactions = [
            asyncio.create_task(
                greenlet_spawn(in_a_turn, pipeline, [SLOWLY, keep(number), ALL, COMMIT])
            )
            for number in (1, 2, 3)
        ]
        await asyncio.sleep(0)
        assert len(pipeline._asked) == 3
        found = [rows[2] for rows in await asyncio.gather(*transactions)]
        assert found == [[(1, "")], [(1, ""), (2, "")], [(1, ""), (2, ""), (3, "")]]
        assert asyncio.get_running_loop().time() - begun >= 0.6

    asyncio.run(scene())
    assert kept(url) == [(1, ""), (2, ""), (3, "")]


def test_one_of_several_trips_keeps_its_turn_until_its_commit_is_sent(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    async def scene() -> None:
        pipeline = Pipeline(connection)
        found = await asyncio.gather(
            greenlet_spawn(in_a_turn, pipeline, [keep(1)], [SLOWLY], [keep(2), COMMIT]),
            greenlet_spawn(in_a_turn, pipeline, [ALL], [keep(3), ALL, COMMIT]),
            greenlet_spawn(in_a_turn, pipeline, [ALL, COMMIT]),
        )
        assert found[1][1] == found[2][0] == [(1, ""), (2, ""), (3, "")]

    asyncio.run(scene())
    assert len(kept(url)) == 3


def test_a_turn_that_ends_without_a_commit_is_undone(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    pipeline = Pipeline(connection)
    assert in_a_turn(pipeline, [keep(1)], [ALL]) == [[(1, "")]]
    assert status(connection) is TransactionStatus.IDLE
    in_a_turn(pipeline, [keep(2), COMMIT])
    assert kept(url) == [(2, "")]


def test_what_was_sent_after_one_that_fails_fails_and_what_is_sent_later_does_not(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    async def scene() -> None:
        pipeline = Pipeline(connection)
        wrong = [keep(1), Statement("SELECT 1/0"), COMMIT]
        asked = [greenlet_spawn(in_a_turn, pipeline, each) for each in (wrong, [keep(2), COMMIT])]
        first, second = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(first, psycopg.errors.DivisionByZero)
        assert isinstance(second, psycopg.errors.InFailedSqlTransaction)
        await greenlet_spawn(in_a_turn, pipeline, [keep(3), COMMIT])

    asyncio.run(scene())
    assert kept(url) == [(3, "")]


class Ending:
    """A connection that ends while it is sent to, which a real one does at its own time."""

    def __init__(self, connection: psycopg.Connection[Row], *, silently: bool) -> None:
        self._pgconn, self._silently = connection.pgconn, silently

    def __getattr__(self, name: str) -> object:
        return getattr(self._pgconn, name)

    status = ConnStatus.BAD

    def finish(self) -> None:
        """It is still to be closed by the test."""

    def flush(self) -> int:
        if not self._silently:
            raise psycopg.OperationalError("the end")
        return 0

    def get_error_message(self) -> str:
        return "the end"


@pytest.mark.parametrize("silently", [False, True])
@pytest.mark.parametrize("on_loop", [False, True])
def test_an_end_that_is_found_by_sending(
    connection: psycopg.Connection[Row],
    monkeypatch: pytest.MonkeyPatch,
    *,
    on_loop: bool,
    silently: bool,
) -> None:
    pipeline = Pipeline(connection)
    monkeypatch.setattr(pipeline, "_pgconn", Ending(connection, silently=silently))

    def ask() -> object:
        return asyncio.run(greenlet_spawn(pipeline.run, [ALL])) if on_loop else pipeline.run([ALL])

    with pytest.raises(psycopg.OperationalError, match="the end"):
        ask()
    pipeline._send_more()


def test_a_turn_whose_undoing_cannot_be_sent_ends_all_the_same(
    connection: psycopg.Connection[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(connection)
    end_turn = pipeline.take_turn()
    pipeline.run([keep(1)])

    def refuse(*_: object) -> None:
        raise psycopg.OperationalError("the end")

    monkeypatch.setattr(pipeline, "_send", refuse)
    end_turn()
    assert not pipeline._turns.is_taken
    assert connection.closed


def test_two_that_connect_at_once_have_one_connection(url: str) -> None:
    with closing(Database.open(url)) as database, closing(database.session()) as session:
        assert session._connect() is session._connect()
        with session.transaction() as connection:
            assert connection is session._connection


def test_who_waited_for_a_turn_on_a_connection_that_is_lost_has_it_on_another(url: str) -> None:
    asked = [Lookup(accounts, ("account_id",), [(1,)])]

    def ask(session: Session, *, and_end_it: bool) -> list[list[Row]]:
        with session.transaction() as connection:
            [[(process,)]] = _pipeline(connection).run([OUR_PROCESS])
            if and_end_it:
                call(partial(end, url, process))
            found = find(connection, asked)
            write(connection, [], commit=True)
            return found

    async def scene() -> None:
        with closing(Database.open(url)) as database, closing(database.session()) as session:
            await greenlet_spawn(ask, session, and_end_it=False)  # now it has a connection
            found = await asyncio.gather(
                greenlet_spawn(ask, session, and_end_it=True),
                greenlet_spawn(ask, session, and_end_it=False),
                return_exceptions=True,
            )
            assert isinstance(found[0], psycopg.OperationalError)
            assert found[1] == [[]]

    asyncio.run(scene())


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_connection_that_is_lost_is_lost_for_all_of_them(
    url: str,
    connection: psycopg.Connection[Row],
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Whether a loop tells of the end again and again, or only once beside the last words."""
    failed: list[dict[str, object]] = []

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: failed.append(told))
        pipeline = Pipeline(connection)
        [[[(process,)]]] = [await greenlet_spawn(in_a_turn, pipeline, [OUR_PROCESS])]
        transactions = [
            greenlet_spawn(in_a_turn, pipeline, [Statement("SELECT pg_sleep(60)"), COMMIT]),
            greenlet_spawn(in_a_turn, pipeline, [keep(1, "x" * 5_000_000), COMMIT]),
            greenlet_spawn(in_a_turn, pipeline, [keep(2), COMMIT]),
        ]
        tasks = [asyncio.create_task(each) for each in transactions]
        await asyncio.sleep(0.1)
        await asyncio.to_thread(end, url, process)
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in errors] == [psycopg.OperationalError] * 3

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(scene())
    assert kept(url) == []
    assert failed == []


# --- a lost connection ---


def end(url: str, process: int) -> None:
    """Ends one server process of another connection, and waits until it is gone."""
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 30000)", [process])


Asking = Callable[[Pipeline], object]
LOST: dict[str, Asking] = {
    "a statement that it knows": lambda pipeline: pipeline.run([ALL]),
    "one that it does not": lambda pipeline: pipeline.run([Statement("SELECT 'new'")]),
    "several": lambda pipeline: pipeline.run([ALL, keep(1), COMMIT]),
    "more than a socket holds": lambda pipeline: pipeline.run([keep(1, "x" * 5_000_000)] * 5),
}


@pytest.mark.parametrize("open_before", [False, True])
@pytest.mark.parametrize("what", LOST)
def test_a_connection_that_was_lost_is_told(
    url: str, connection: psycopg.Connection[Row], what: str, *, open_before: bool
) -> None:
    pipeline = Pipeline(connection)
    [[(process,)], *_] = pipeline.run([OUR_PROCESS, ALL, keep(9)])
    if not open_before:
        connection.rollback()
    end(url, process)
    with pytest.raises(psycopg.OperationalError, match="server closed the connection") as caught:
        LOST[what](pipeline)
    assert caught.value.sqlstate is None
    assert connection.closed
    assert kept(url) == []


def test_a_connection_that_is_lost_while_it_waits_is_told(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    pipeline = Pipeline(connection)
    [[(process,)]] = pipeline.run([OUR_PROCESS])
    ending = threading.Timer(0.1, end, (url, process))
    ending.start()
    with pytest.raises(psycopg.OperationalError):
        pipeline.run([keep(1), Statement("SELECT pg_sleep(60)"), COMMIT])
    ending.join()
    assert kept(url) == []


def test_a_transaction_whose_connection_is_lost_is_done_again_on_a_new_one(url: str) -> None:
    """And every statement is prepared there again."""
    database = Database.open(url)
    processes: list[int] = []

    def work(connection: Connection) -> tuple[int, list[Change]]:
        lookups = [Lookup(accounts, ("account_id",), [(1,)], locked=True)]
        assert find(connection, lookups) == [[]]
        processes.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        if len(processes) == 2:
            end(url, processes[-1])
        found = find(connection, lookups)
        prepared = "SELECT count(*) FROM pg_prepared_statements WHERE starts_with(name, 'cardrail')"
        assert connection.exec_driver_sql(prepared).scalar() == 2
        return len(found), []

    with closing(database):
        assert database.run(work) == 1
        assert database.run(work) == 1
    assert len(processes) == 3
    assert processes[0] == processes[1] != processes[2]


def test_a_statement_is_prepared_once(connection: psycopg.Connection[Row]) -> None:
    pipeline = Pipeline(connection)
    for number in range(3):
        pipeline.run([keep(number), ALL])
    names = connection.execute("SELECT name FROM pg_prepared_statements").fetchall()
    assert len(names) == 3  # BEGIN is the third


def test_a_server_that_is_killed_and_started_again(url: str) -> None:
    server = postgresql.server()
    with closing(Database.open(url)) as database:
        asked = [Lookup(accounts, ("account_id",), [(1,)])]
        assert database.run(lambda connection: (find(connection, asked), [])) == [[]]
        server.kill()
        try:
            with pytest.raises(Exception, match="connection") as caught:
                database.run(lambda connection: (find(connection, asked), []))
            assert database.is_operating_error(caught.value)
        finally:
            server.start()
        assert database.run(lambda connection: (find(connection, asked), [])) == [[]]


def test_something_else_is_done_while_the_server_works(
    connection: psycopg.Connection[Row],
) -> None:
    pipeline, done = Pipeline(connection), []
    assert pipeline.run([keep(1), ALL], lambda: done.append("work"))[1] == [(1, "")]
    assert done == ["work"]


def test_what_fails_meanwhile_leaves_no_answer_behind(
    connection: psycopg.Connection[Row],
) -> None:
    pipeline = Pipeline(connection)

    def fail() -> None:
        raise ValueError("meanwhile")

    with pytest.raises(ValueError, match="meanwhile"):
        pipeline.run([keep(1), ALL], fail)
    assert status(connection) is TransactionStatus.INTRANS
    assert pipeline.run([ALL]) == [[(1, "")]]


def test_a_look_sees_what_is_committed_and_begins_nothing(
    url: str, connection: psycopg.Connection[Row]
) -> None:
    pipeline, other = Pipeline(connection), psycopg.connect(url)
    with closing(other):
        writing = Pipeline(other)
        writing.run([keep(1)])
        assert pipeline.look([ALL]) == [[]]
        writing.run([COMMIT])
        assert pipeline.look([ALL, OUR_PROCESS])[0] == [(1, "")]
        assert status(connection) is TransactionStatus.IDLE
        with pytest.raises(psycopg.errors.UndefinedTable):
            pipeline.look([Statement("SELECT FROM nowhere")])
        assert pipeline.look([ALL]) == [[(1, "")]]
