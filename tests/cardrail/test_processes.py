"""Children are started together, and none is left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cardrail.processes import Child, ChildFailed, Children

SLEEPER = ["serve", "--visanet", "127.0.0.1:0", "--quicpay", "127.0.0.1:0"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CARDRAIL_LEDGER": f"sqlite:///{tmp_path}/cardrail.db",
        "CARDRAIL_RUNTIME": f"{tmp_path}/run",
    }


def gone(child: Child) -> bool:
    try:
        os.kill(child.process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_leaving_stops_what_still_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    with Children(tmp_path, environment) as children:
        child = children.start("gateway", SLEEPER)
        assert '"ready"' in child.read_line(30)
        assert not child.ended
    assert gone(child)


def test_an_error_in_the_block_stops_them_too(tmp_path: Path, environment: dict[str, str]) -> None:
    children = Children(tmp_path, environment)
    children.start("gateway", SLEEPER).read_line(30)
    with pytest.raises(KeyboardInterrupt), children:
        raise KeyboardInterrupt
    assert gone(children.running[0])


def test_a_child_that_ends_before_it_is_ready(tmp_path: Path, environment: dict[str, str]) -> None:
    with (
        pytest.raises(ChildFailed, match=r"gateway exited with 2; the end of its log:\n"),
        Children(tmp_path, environment) as children,
    ):
        children.start("gateway", ["serve", "--visanet", "nowhere"]).read_line(30)


def test_a_child_that_never_says_anything(tmp_path: Path, environment: dict[str, str]) -> None:
    with (
        pytest.raises(ChildFailed, match="did not become ready"),
        Children(tmp_path, environment) as children,
    ):
        children.start("gateway", SLEEPER).read_line(0)


def test_a_child_that_does_not_end(tmp_path: Path, environment: dict[str, str]) -> None:
    with (
        pytest.raises(ChildFailed, match="did not end within 0 s"),
        Children(tmp_path, environment) as children,
    ):
        children.start("gateway", SLEEPER).finish(0)


def test_a_killed_child_is_gone_at_once(tmp_path: Path, environment: dict[str, str]) -> None:
    with Children(tmp_path, environment) as children:
        child = children.start("gateway", SLEEPER)
        child.read_line(30)
        child.kill()
        assert child.process.returncode == -signal.SIGKILL
        assert gone(child)
