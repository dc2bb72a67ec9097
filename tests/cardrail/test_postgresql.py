"""The commands on a PostgreSQL ledger, as a person uses them: real processes, a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from networks.wire.pan import synthetic_pan
from tests.ledger.engines import Engine, fresh_ledger


@pytest.fixture
def url() -> Iterator[str]:
    with fresh_ledger(Engine.POSTGRESQL, empty=True) as made:
        yield made


def cardrail(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cardrail", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_ledger_is_made_filled_and_audited(tmp_path: Path, url: str) -> None:
    ledger = ("--ledger", url, "--json")
    assert json.loads(cardrail(tmp_path, "ledger", "init", *ledger).stdout) == {"ledger": url}
    seeded = cardrail(tmp_path, "ledger", "seed", "--accounts", "12", *ledger)
    assert json.loads(seeded.stdout)["issued"] == 12
    listed = cardrail(tmp_path, "ledger", "accounts", "--kind", "wallet", *ledger)
    assert len(json.loads(listed.stdout)["accounts"]) == 12
    assert json.loads(cardrail(tmp_path, "ledger", "expire", *ledger).stdout) == {"expired": 0}
    audited = cardrail(tmp_path, "ledger", "audit", *ledger)
    assert (audited.returncode, json.loads(audited.stdout)["clean"]) == (0, True)


def test_a_second_demo_on_one_ledger_compares_its_own_part(tmp_path: Path, url: str) -> None:
    options = ["--seconds", "1", "--rate", "100", "--cards", "50", "--ledger", url]
    for more in (["--seed", "1", "--json"], ["--seed", "2"]):
        ended = cardrail(tmp_path, "demo", *options, *more)
        assert ended.returncode == 0, ended.stderr
        assert '"agreed": true' in ended.stdout or "The three truths agree" in ended.stdout
    what_networks_cleared_is_reconciled(tmp_path, url)


def what_networks_cleared_is_reconciled(tmp_path: Path, url: str) -> None:
    ledger = ("--ledger", url, "--format", "json")
    settled = cardrail(tmp_path, "ledger", "position", *ledger)
    assert settled.returncode == 0, settled.stdout
    networks = {each["network"]: each["day"] for each in json.loads(settled.stdout)["positions"]}
    assert set(networks) == {"visanet", "quicpay"}
    days = [f"--day={day}" for day in sorted({*networks.values()})]
    reconciled = cardrail(tmp_path, "ledger", "reconcile", *days, "--details", *ledger)
    assert reconciled.returncode == 0, reconciled.stdout
    assert json.loads(reconciled.stdout)["details"]
    assert not any(synthetic_pan(number) in reconciled.stdout for number in range(1, 51))


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://rail:secret@/ledger?host={tmp_path}"
    ended = cardrail(tmp_path, "ledger", "audit", "--ledger", url)
    assert ended.returncode == 2
    assert ended.stderr.startswith("the ledger at postgresql://rail:***@/ledger?host=")
    assert "secret" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
