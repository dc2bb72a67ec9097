"""The demo as a user runs it: real processes, real sockets, a real ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def cardrail(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cardrail", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    ended = cardrail("demo", "--seconds", "4", "--rate", "100", "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    assert list(folder.iterdir()) == []
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_the_three_truths_agree(result: dict[str, Any]) -> None:
    assert result["agreed"]
    assert result["disagreements"] == []
    assert result["audit"]["clean"]


def test_the_jobs_have_posted_all_points(result: dict[str, Any]) -> None:
    assert result["points"] == result["points_due"]
    assert min(result["points"].values()) > 0


@pytest.mark.parametrize("network", ["visanet", "quicpay"])
def test_every_network_did_something_worth_comparing(result: dict[str, Any], network: str) -> None:
    told, truths = result["networks"][network], result["truths"][network]
    assert told["authorizations"] == 400
    assert told["unanswered"] == told["repeats_differing"] == 0
    assert min(told["approved"], told["repeats"], told["reversals"], told["cleared"]) > 0
    assert told["declined"]
    assert truths["network"]["approved"] == truths["gateway"]["approved"] > 0
    assert truths["network"]["cleared"] == truths["ledger"]["cleared"] > 0
    assert truths["network"]["held_count"] == truths["ledger"]["held_count"] > 0


def test_a_signal_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "cardrail", "demo", "--seconds", "60", "--rate", "20"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as demo:
        assert demo.stderr is not None
        assert demo.stderr.readline().startswith("Dashboard, API and metrics: http://127.0.0.1:")
        assert "answered" in demo.stderr.readline()  # everything has started
        os.kill(demo.pid, signal.SIGTERM)
        demo.stderr.read()
    assert demo.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


def test_a_ledger_that_cannot_be_opened_is_said_in_a_line(tmp_path: Path) -> None:
    ended = cardrail("demo", "--ledger", "mysql://nowhere/cardrail", folder=tmp_path)
    assert ended.returncode == 1
    assert "expected sqlite:///FILE" in ended.stderr
    assert "Traceback" not in ended.stderr
