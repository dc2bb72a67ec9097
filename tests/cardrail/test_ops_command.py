"""`cardrail ops` as a process: says where it is, serves, and goes when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cardrail.cli import program
from cardrail.keys import open_vault
from gateway.cards import NewCard, issue_cards
from ledger.database import Database
from networks.wire.pan import TEST_EXPIRY, synthetic_pan
from tests.cardrail.migrated import migrated

WAIT = 60


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = migrated(f"sqlite:///{tmp_path}/ledger.db")
    database = Database.open(made)
    with database.transaction() as connection:
        card = NewCard(card_id=1, account_id=1, pan=synthetic_pan(1), expiry=TEST_EXPIRY)
        issue_cards(connection, open_vault(made), [card])
    database.close()
    return made


@contextmanager
def started(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cardrail", "ops", "--ledger", url, "--http", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        yield process, ready["url"]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(url: str, tmp_path: Path, number: int) -> None:
    with started(url, tmp_path) as (process, address):
        assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{address}/readyz").status_code == 200
        with httpx.stream("GET", f"{address}/api/v1/stream/decisions") as stream:
            process.send_signal(number)
            assert list(stream.iter_lines()) == []  # a stream does not hold it up
        _, log = process.communicate(timeout=WAIT)
    assert process.returncode == 0, log
    events = [line.partition("event=")[2].partition(" ")[0] for line in log.splitlines()]
    assert [each for each in events if each in {"ready", "stopping", "stopped"}] == [
        "ready",
        "stopping",
        "stopped",
    ]
    assert "level=error" not in log


def refused(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(program(["ops", "jobs"]), ["ops", *arguments])
    return result.exit_code, result.stderr


def test_what_keeps_it_from_starting(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with started(url, tmp_path) as (_, address):
        taken = address.removeprefix("http://")
        code, told = refused("--ledger", url, "--http", taken)
        assert (code, told) == (
            2,
            f"cardrail ops: cannot listen on {taken}: Address already in use\n",
        )
    assert refused("--http", "8080") == (
        2,
        "cardrail ops: CARDRAIL_HTTP: expected HOST:PORT, e.g. 127.0.0.1:8583\n",
    )
    code, told = refused("--ledger", f"sqlite:///{tmp_path}/none.db")
    assert code == 2
    assert "there is no ledger" in told
    monkeypatch.setenv("CARDRAIL_KEY_FILE", str(tmp_path / "other.keys"))
    assert refused("--ledger", url, "--http", "127.0.0.1:0") == (
        2,
        "cardrail ops: the ledger's cards were issued with other keys\n",
    )
