"""`cardrail jobs` as a process: once, and all the time until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from cardrail.jobs_command import job_table
from cardrail.rounds import Rounds
from cardrail.settings import read_settings
from ledger.house import Placement
from ledger.ledger import Ledger, Wallet
from ledger.outbox import NUMBERING
from ledger.reports import PointsTotal, total_points
from ledger.requests import find_by_rrn
from ledger.shards import Shards
from ledger.tables import events, positions
from tests.cardrail.migrated import migrated_books
from tests.ledger.books import Books, named
from tests.ledger.engines import Engine, fresh_ledger

PROGRAM = [sys.executable, "-m", "cardrail", "jobs"]
WAIT = 60


@pytest.fixture(params=list(Engine))
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    with fresh_ledger(request.param, empty=True) as url:
        made = migrated_books(url)
        yield made
        made.close()


@pytest.fixture
def on_file(tmp_path: Path) -> Iterator[Books]:
    made = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    yield made
    made.close()


def once(url: str, **settings: str) -> tuple[int, dict[str, int], str]:
    """Exit status, what it has done, and its log."""
    environment = {**os.environ, **{f"CARDRAIL_{each}": to for each, to in settings.items()}}
    ended = subprocess.run(
        [*PROGRAM, "--ledger", url, "--once"],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
        env=environment,
    )
    done: dict[str, int] = json.loads(ended.stdout) if ended.stdout else {}
    return ended.returncode, done, ended.stderr


def points_of(books: Books) -> PointsTotal:
    with books.database.reading() as connection:
        return total_points(connection)


def rows_left(books: Books) -> int:
    with books.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(events)) or 0


def test_once_does_what_there_is_to_do(books: Books) -> None:
    """The books' day is in the future; a hold that is due ended long ago."""
    books.ask(books.authorize(900, books.origin("A"), points=9))
    books.ask(books.clear(400, named("A"), points=4))
    due = books.authorize(50, points=1, expires_at=1)
    books.ask(due)
    status, done, log = once(books.url, EVENTS_DAYS="0")
    assert (status, done) == (0, {"points": 3, "requests": 3, "expired": 1})
    assert "event=jobs points=3 requests=3 expired=1" in log
    assert points_of(books) == PointsTotal(1, 4)
    assert once(books.url)[1] == {"points": 1, "requests": 1}
    assert points_of(books) == PointsTotal(0, 4)
    assert once(books.url)[:2] == (0, {})
    with books.database.reading() as connection:
        assert [each.wallet_id for each in find_by_rrn(connection, due.origin.rrn)] == [1]
    books.must_balance()


def test_events_are_pruned_after_their_days(on_file: Books) -> None:
    on_file.now = time.time_ns() // 1000 - 3 * 86_400_000_000
    aged = Ledger(on_file.database)
    wallet = Wallet(account_id=2, currency="JPY", at=on_file.now, opening_balance=1000)
    assert aged.open_wallet(wallet)
    aged.apply([on_file.authorize(1, account_id=2)])
    assert once(on_file.url, EVENTS_DAYS="4")[1] == {"points": 1, "requests": 1}
    assert rows_left(on_file) == 1
    assert once(on_file.url, EVENTS_DAYS="2")[1] == {"pruned": 1}
    assert rows_left(on_file) == 0


def test_a_job_that_fails_is_told_and_the_others_are_done(on_file: Books) -> None:
    on_file.ask(on_file.authorize(900, points=9))
    with on_file.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE points RENAME COLUMN pending TO expected")
    status, done, log = once(on_file.url)
    assert (status, done) == (1, {"requests": 1})
    assert "the job failed that does: points" in log
    assert "level=error" in log


def test_a_process_of_its_own_until_it_is_told_to_stop(books: Books) -> None:
    with running(books.url) as process:
        books.ask(books.authorize(900, books.origin("A"), points=9))
        read_log(process, "points=1")
        books.ask(books.clear(900, named("A"), points=9))
        read_log(process, "points=1")
        assert points_of(books) == PointsTotal(0, 9)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT) == 0
    books.must_balance()


def test_a_stop_reads_what_is_left(on_file: Books) -> None:
    """It would have looked again after an hour."""
    with running(on_file.url, JOBS_SECONDS="3600") as process:
        until_it_has_looked(on_file)
        on_file.ask(on_file.authorize(900, points=9))
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT) == 0
    assert points_of(on_file) == PointsTotal(9, 0)


def test_a_stop_that_may_take_no_time_leaves_the_rest_for_later(on_file: Books) -> None:
    with running(on_file.url, JOBS_SECONDS="3600", DRAIN_SECONDS="0") as process:
        until_it_has_looked(on_file)
        on_file.ask(on_file.authorize(900, points=9))
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT) == 0
    assert points_of(on_file) == PointsTotal(0, 0)
    assert once(on_file.url)[1]["points"] == 1
    assert points_of(on_file) == PointsTotal(9, 0)


def test_killed_at_any_instant_it_goes_on_where_it_was(on_file: Books) -> None:
    for number in range(4):
        with running(on_file.url, JOBS_SECONDS="0.001") as process:
            for _ in range(10):
                on_file.ledger.apply([on_file.authorize(1, points=2)])
            process.kill()
            process.wait(WAIT)
        assert points_of(on_file).pending <= 20 * (number + 1)
        on_file.must_balance()
    assert once(on_file.url)[0] == 0
    assert points_of(on_file) == PointsTotal(80, 0)


def test_between_two_events_nothing_is_begun_that_must_not_be(on_file: Books) -> None:
    """Told to stop in the middle of its reading, a job ends after the batch at hand."""
    for _ in range(200):
        on_file.ledger.apply([on_file.authorize(1)])
    rounds = Rounds(job_table(Shards([on_file.database], Placement()), read_settings()))
    answers = iter([True, True, False, False])
    assert rounds.run(0.0, lambda: next(answers)).done["points"] < 200


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "expected sqlite:///FILE"),
        ("sqlite:///gone/away.db", "there is no ledger at sqlite:///gone/away.db"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_one_line(url: str, told: str) -> None:
    status, done, log = once(url)
    assert (status, done) == (2, {})
    assert told in log
    assert len(log.splitlines()) == 1


def test_a_setting_that_cannot_be_used_is_one_line(on_file: Books) -> None:
    status, _, log = once(on_file.url, JOBS_SECONDS="0")
    assert status == 2
    assert log.startswith("cardrail jobs: CARDRAIL_JOBS_SECONDS: ")
    assert len(log.splitlines()) == 1


def test_a_ledger_without_its_tables_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    status, _, log = once(f"sqlite:///{tmp_path}/ledger.db")
    assert status == 2
    assert "has no tables (they are made by `cardrail ledger init`)" in log
    assert len(log.splitlines()) == 1


@contextmanager
def running(url: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    environment: dict[str, Any] = {
        **os.environ,
        "CARDRAIL_JOBS_SECONDS": "0.05",
        **{f"CARDRAIL_{each}": to for each, to in settings.items()},
    }
    with subprocess.Popen(
        [*PROGRAM, "--ledger", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline()) == {"ready": True}
            yield process
        finally:
            process.kill()


def read_log(process: subprocess.Popen[str], told: str) -> None:
    """Wait until its log says so."""
    assert process.stderr is not None
    assert any(told in line for line in process.stderr)


def until_it_has_looked(books: Books) -> None:
    """Readers join when they first look, and the one that comes last has come then."""
    names: set[str] = set()
    while not {"points", "requests"} <= names:
        with books.database.reading() as connection:
            names = set(connection.scalars(select(positions.c.reader)))
    assert NUMBERING not in names
