"""`cardrail publish` as a process: once, and all the time until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from cardrail.broker import EmbeddedBroker
from cardrail.cli import program
from ledger.tables import positions
from tests.cardrail.migrated import migrated_books
from tests.gateway.subscribing import by_account, subscribed
from tests.ledger.books import Books

PROGRAM = [sys.executable, "-m", "cardrail", "publish"]
NOBODY = "mqtt://127.0.0.1:1"  # where no broker listens
WAIT = 60


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as started:
        yield started


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    yield made
    made.close()


def once(ledger: str, broker: str) -> tuple[int, str, str]:
    """Exit status, what it has printed, and its log."""
    ended = subprocess.run(
        [*PROGRAM, "--ledger", ledger, "--mqtt", broker, "--once"],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


@contextmanager
def running(ledger: str, broker: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*PROGRAM, "--ledger", ledger, "--mqtt", broker],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready == {"ready": True, "mqtt": broker.replace(":secret@", ":***@")}
            yield process
        finally:
            process.kill()


def commit(books: Books, rows: int) -> None:
    for _ in range(rows):
        books.ledger.apply([books.authorize(1)])


def position(books: Books) -> int | None:
    with books.database.reading() as connection:
        return connection.scalar(select(positions.c.sequence).where(positions.c.reader == "mqtt"))


def test_once_publishes_what_there_is(broker: EmbeddedBroker, books: Books) -> None:
    commit(books, 3)
    status, printed, _ = once(books.url, broker.url)
    assert (status, json.loads(printed)) == (0, {"published": 3})
    assert position(books) == 3


def test_once_without_a_broker_fails_and_nothing_is_lost(books: Books) -> None:
    commit(books, 3)
    status, printed, log = once(books.url, NOBODY)
    assert (status, json.loads(printed)) == (1, {"published": 0})
    assert "Connection refused" in log
    assert position(books) == 0


def test_killed_in_the_middle_it_goes_on_where_it_was(broker: EmbeddedBroker, books: Books) -> None:
    async def run() -> None:
        async with subscribed(broker.url) as subscriber:
            commit(books, 300)
            with running(books.url, broker.url) as process:
                await subscriber.until_there_are(1)
                process.kill()
                process.wait(WAIT)
            with running(books.url, broker.url) as process:
                await subscriber.until_there_are(300)
                commit(books, 1)
                await subscriber.until_there_are(301)
                process.send_signal(signal.SIGTERM)
                _, log = process.communicate(timeout=WAIT)
            assert process.returncode == 0
            assert "event=stopped published=" in log
            assert position(books) == 301
            ids = [each.event_id for each in books.told()]
            assert by_account(subscriber.events) == {"1": ids}

    asyncio.run(run())


def test_without_a_broker_it_runs_and_can_be_stopped(books: Books) -> None:
    with running(books.url, NOBODY.replace("//", "//rail:secret@")) as process:
        assert process.stderr is not None
        assert any("Connection refused" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=WAIT)
    assert process.returncode == 0
    assert "secret" not in log


@pytest.mark.parametrize(
    ("ledger", "broker", "settings", "told"),
    [
        ("sqlite:///gone/away.db", NOBODY, {}, "there is no ledger at sqlite:///gone/away.db"),
        ("sqlite:///x.db", "broker:1883", {}, "CARDRAIL_MQTT: expected mqtt://HOST:PORT"),
        ("sqlite:///x.db", NOBODY, {"MQTT_TOPIC": "a/#"}, "CARDRAIL_MQTT_TOPIC: "),
        ("sqlite:///x.db", NOBODY, {"PUBLISH_IN_FLIGHT": "0"}, "CARDRAIL_PUBLISH_IN_FLIGHT: "),
    ],
)
def test_what_cannot_be_used_is_one_line(
    ledger: str, broker: str, settings: dict[str, str], told: str
) -> None:
    environment = {f"CARDRAIL_{name}": value for name, value in settings.items()}
    arguments = ["publish", "--ledger", ledger, "--mqtt", broker]
    result = CliRunner(env=environment).invoke(program(["publish"]), arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
