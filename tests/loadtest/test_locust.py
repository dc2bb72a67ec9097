"""The locust file as its user runs it; in a process of its own, because gevent patches."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.loadtest.gateway import ACCOUNTS, Gateway, environment, serving

LOCUSTFILE = Path(__file__).parent.parent.parent / "loadtest" / "locustfile.py"
RUN = ("--headless", "--only-summary", "--users", "20", "--spawn-rate", "20")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serving(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def locust(
    *options: str, seconds: int = 1, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options, *RUN, f"-t{seconds}s"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=env or environment(),
    )


def rows(prefix: Path, name: str) -> list[dict[str, str]]:
    with Path(f"{prefix}_{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_both_networks_are_loaded_reported_and_audited(gateway: Gateway, tmp_path: Path) -> None:
    prefix, page = tmp_path / "load", tmp_path / "load.html"
    ended = locust(
        *("--host", gateway.visanet, "--quicpay", gateway.quicpay, "--accounts", str(ACCOUNTS)),
        *("--csv", str(prefix), "--html", str(page)),
        seconds=4,
        env=gateway.environment,
    )
    assert ended.returncode == 0, ended.stderr
    assert "audit: the books balance" in ended.stderr
    stats = rows(prefix, "stats")
    assert {row["Type"] for row in stats} == {"visanet", "quicpay", ""}
    names = {(row["Type"], row["Name"]) for row in stats}
    assert {("visanet", "0100 contactless"), ("quicpay", "0100 tap")} <= names
    assert {("visanet", "0220 clearing"), ("quicpay", "0220 clearing")} <= names
    assert int(stats[-1]["Request Count"]) > 20
    assert int(stats[-1]["Failure Count"]) == 0
    assert "Locust" in page.read_text()


def test_failures_are_named_by_their_response_code(gateway: Gateway, tmp_path: Path) -> None:
    prefix = tmp_path / "load"
    ended = locust(
        *("--host", gateway.visanet, "--accounts", str(50 * ACCOUNTS), "--shape", "step"),
        *("--csv", str(prefix)),
    )
    assert ended.returncode == 1
    failures = rows(prefix, "failures")
    assert {row["Method"] for row in failures} == {"visanet"}  # no address, no QPX-1 users
    assert {row["Error"] for row in failures} == {"Declined('14 no such card')"}
    assert "audit:" not in ended.stderr


def test_a_failed_audit_fails_the_run(tmp_path: Path) -> None:
    with serving(tmp_path) as gateway:
        gateway.spoil_the_books()
        ended = locust(
            *("QuicpayUser", "--host", gateway.quicpay, "--accounts", str(ACCOUNTS - 1)),
            env=gateway.environment,
        )
    assert ended.returncode == 1
    assert f"1 disagreements, first account {ACCOUNTS}" in ended.stderr
    assert "quicpay  0100 tap" in ended.stderr
    assert "visanet " not in ended.stderr


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("127.0.0.1:1", "no link to visanet at 127.0.0.1:1: Connection refused"),
        ("nowhere", "expected HOST:PORT"),
    ],
)
def test_a_host_that_is_none_fails_the_run(host: str, told: str) -> None:
    ended = locust("--host", host)
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_ledger_that_cannot_be_audited_fails_the_run(gateway: Gateway, tmp_path: Path) -> None:
    nowhere = {**environment(), "CARDRAIL_LEDGER": f"sqlite:///{tmp_path}/none.db"}
    ended = locust("--host", gateway.visanet, "--accounts", str(ACCOUNTS), env=nowhere)
    assert ended.returncode == 1
    assert "audit: the audit failed: there is no ledger at" in ended.stderr
