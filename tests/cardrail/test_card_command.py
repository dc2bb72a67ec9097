"""`cardrail card`, as an operator uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cardrail.card_command import card_app
from cardrail.ledger_command import ledger_app

AS_ISSUED: dict[str, Any] = {
    "account_id": 2,
    "card_id": 2,
    "pan": "400000******0028",
    "expiry": "3012",
    "state": "active",
    "kind": "prepaid",
    "currency": "JPY",
    "amount_limit": None,
    "day_amount": None,
    "day_count": None,
    "blocked_categories": [],
    "blocked_channels": [],
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'ledger.db'}"
    seeded = CliRunner().invoke(ledger_app, ["seed", "--accounts", "2", "--ledger", made])
    assert seeded.exit_code == 0
    return made


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(card_app, [*arguments, "--ledger", url])


def test_a_card_is_shown_masked(url: str) -> None:
    assert json.loads(run(url, "show", "2", "2", "--json").stdout) == AS_ISSUED
    lines = dict(line.split(maxsplit=1) for line in run(url, "show", "2", "2").stdout.splitlines())
    assert lines["pan"] == "400000******0028"
    assert lines["day_count"] == lines["blocked_channels"] == "none"


def test_what_is_named_changes_and_the_rest_stays(url: str) -> None:
    limits = ["--amount-limit", "500", "--day-amount", "900", "--day-count", "3"]
    blocks = ["--block-categories", "7995,5993", "--block-channels", "atm,abroad"]
    first = json.loads(run(url, "change", "2", "2", *limits, *blocks, "--json").stdout)
    assert first == AS_ISSUED | {
        "amount_limit": 500,
        "day_amount": 900,
        "day_count": 3,
        "blocked_categories": ["5993", "7995"],
        "blocked_channels": ["abroad", "atm"],
    }
    assert run(url, "change", "2", "2", "--state", "lost").exit_code == 0
    opened = ["--day-count", "none", "--block-channels", "none"]
    assert run(url, "change", "2", "2", *opened).exit_code == 0
    last = json.loads(run(url, "show", "2", "2", "--json").stdout)
    assert last == first | {"state": "lost", "day_count": None, "blocked_channels": []}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "2", "3"], "account 2 has no card 3"),
        (["change", "1", "2"], "account 1 has no card 2"),
        (["change", "2", "2", "--amount-limit", "-5"], "amount_limit is '-5', expected a number"),
        (["change", "2", "2", "--block-categories", "79"], "expected categories of four digits"),
        (["change", "2", "2", "--block-channels", "moon"], "expected some of e-commerce,"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(url: str, arguments: list[str], told: str) -> None:
    result = run(url, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
