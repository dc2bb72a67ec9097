"""`cardrail ledger position` and `reconcile`, as docs/REPORTS.md shows them, and for programs."""

from __future__ import annotations

import csv
import json
import re
import time
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cardrail.ledger_command import ledger_app
from cardrail.settings import read_settings
from gateway.business_day import BusinessCalendar
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from tests.cardrail.migrated import migrated
from tests.ledger.books import NOW
from tests.ledger.test_reconciliation import ITEMS, LINES
from tests.ledger.two_days import FIRST, SECOND, TwoDays

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "REPORTS.md"
SHOWN = re.findall(
    r"```console\n\$ cardrail ledger ([^\n]*)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL
)
BOTH_DAYS = ("--day", "2027-01-15", "--day", "20270116")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger that has been told the story."""
    made = migrated(f"sqlite:///{tmp_path}/ledger.db")
    database = Database.open(made)
    TwoDays(database).tell()
    database.close()
    return made


def run(url: str, *arguments: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "80"})
    return runner.invoke(ledger_app, [*arguments, "--ledger", url])


def tamper(url: str, statement: str) -> None:
    database = Database.open(url)
    with database.transaction() as connection:
        connection.exec_driver_sql(statement)
    database.close()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


# --- for people ---


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_what_the_document_shows_is_what_is_printed(url: str, command: str, output: str) -> None:
    result = run(url, *command.split())
    printed = [line.rstrip() for line in result.stdout.rstrip().splitlines()]
    assert printed == output.splitlines()
    assert result.exit_code == 0


def test_details_stand_below_and_no_line_is_wider_than_the_terminal(url: str) -> None:
    result = run(url, "reconcile", *BOTH_DAYS, "--details", "--limit", "3")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert max(map(len, lines)) <= 80
    assert "Of each list at most 3 records are shown (--limit)." in lines
    assert "over visanet, JPY" in lines
    at = lines.index("forced visanet, JPY")
    assert [line.split() for line in lines[at + 3 : at + 5]] == [
        ["2027-01-15", "1", "rrn-J", "45"],
        ["2027-01-16", "1", f"{suggested(url)}?", "rrn-S", "33"],
    ]


def suggested(url: str) -> str:
    told = json.loads(run(url, "reconcile", *BOTH_DAYS, "--details", "--format", "json").stdout)
    [found] = {each["suggested_id"] for each in told["details"]} - {0}
    return str(found)


def test_what_is_not_reconciled_is_told_with_exit_1(url: str) -> None:
    tamper(url, "UPDATE clearings SET amount = 501 WHERE manner = 'part'")
    tamper(url, "DELETE FROM holds WHERE amount = 700")
    result = run(url, "reconcile", "--day", "2027-01-15")
    assert result.exit_code == 1
    day = "2027-01-15 visanet JPY"
    assert result.stdout.splitlines()[-6:] == [
        "Not reconciled: 5 of 32 checks.",
        f"  {day}: settlement entries sum to the clearings: expected 536, found 535",
        f"  {day}: settlement balances moved by the clearings: expected 536, found 535",
        f"  {day}: authorizations have their holds: expected 8, found 7",
        "  JPY: held is what pending holds have left: expected 51, found 751",
        "  JPY: holds know what was cleared: expected 3,221, found 3,220",
    ]
    as_csv = run(url, "reconcile", "--day", "2027-01-15", "--format", "csv")
    assert as_csv.exit_code == 1
    assert [line.partition(": ")[0] for line in as_csv.stderr.splitlines()] == [
        "not reconciled"
    ] * 5
    told = json.loads(run(url, "reconcile", "--day", "2027-01-15", "--format", "json").stdout)
    assert told["reconciled"] is False
    assert [each["found"] for each in told["checks"] if not each["agrees"]] == [
        535,
        535,
        7,
        751,
        3220,
    ]


def test_a_position_that_does_not_agree_is_told_with_exit_1(url: str) -> None:
    tamper(url, "UPDATE clearings SET amount = 1951 WHERE currency = 'USD'")
    for how in ("table", "json", "csv"):
        assert run(url, "position", "--format", how).exit_code == 1
    assert run(url, "position").stdout.splitlines()[-1] == (
        "2027-01-16 visanet, USD: 19.51 by 1 clearings, 19.50 by 1 entries, 19.50 by balances"
    )
    assert run(url, "position", "--to", "2027-01-15").exit_code == 0


def test_what_a_network_has_sent_is_never_read_as_markup(tmp_path: Path) -> None:
    url = migrated(f"sqlite:///{tmp_path}/ledger.db")
    database = Database.open(url)
    story = TwoDays(database)
    story.day = FIRST
    story.clear("[", 45)
    database.close()
    result = run(url, "reconcile", "--day", "20270115", "--details")
    assert "rrn-[" in result.stdout


def test_nothing_to_tell(tmp_path: Path) -> None:
    url = migrated(f"sqlite:///{tmp_path}/ledger.db")
    assert run(url, "position").stdout == "Nothing was cleared on these days.\n"
    reconciled = run(url, "reconcile", "--day", "2027-01-15")
    assert reconciled.stdout == "Reconciled: 0 checks of records against accounts agree.\n"
    as_csv = run(url, "position", "--format", "csv")
    assert as_csv.stdout.startswith("day,network,currency,debits_count,debits,")
    assert len(as_csv.stdout.splitlines()) == 1


# --- for programs ---


def test_the_lines_as_csv_and_json(url: str) -> None:
    as_csv = rows(run(url, "reconcile", *BOTH_DAYS, "--format", "csv").stdout)
    assert [tuple(row.values()) for row in as_csv] == [
        tuple(str(each) for each in line) for line in LINES
    ]
    told = json.loads(run(url, "reconcile", *BOTH_DAYS, "--format", "json").stdout)
    assert (told["reconciled"], told["days"], told["pending_days"]) == (True, [FIRST, SECOND], 7)
    assert [tuple(line.values()) for line in told["lines"]] == LINES
    assert all(each["expected"] == each["found"] for each in told["checks"])
    assert "details" not in told


def test_the_records_as_csv_and_json(url: str) -> None:
    as_csv = rows(run(url, "reconcile", *BOTH_DAYS, "--details", "--format", "csv").stdout)
    assert [(row["why"], row["rrn"], int(row["amount"])) for row in as_csv] == [
        (item[0], item[7], item[9]) for item in ITEMS
    ]
    told = json.loads(run(url, "reconcile", *BOTH_DAYS, "--details", "--format", "json").stdout)
    assert [(each["why"], each["account_id"]) for each in told["details"]] == [
        (item[0], item[4]) for item in ITEMS
    ]


def test_pending_days_and_the_limit(url: str) -> None:
    found = run(url, "reconcile", *BOTH_DAYS, "--pending-days", "2", "--format", "csv")
    assert "unmatched,20270116,visanet,JPY,pending over 2 days,3,18" in found.stdout.splitlines()
    details = ("--details", "--limit", "1", "--format", "csv")
    found = run(url, "reconcile", *BOTH_DAYS, "--pending-days", "2", *details)
    assert [row["why"] for row in rows(found.stdout)] == [
        "refused", "forced", "under", "pending", "owing",
    ]  # fmt: skip


def test_positions_as_json(url: str) -> None:
    told = json.loads(run(url, "position", "--network", "quicpay", "--format", "json").stdout)
    assert told["agree"] is True
    assert [(each["day"], each["net"], each["agrees"]) for each in told["positions"]] == [
        (FIRST, 120, True),
        (SECOND, 250, True),
    ]


def test_without_a_day_it_is_today(tmp_path: Path) -> None:
    url = migrated(f"sqlite:///{tmp_path}/ledger.db")
    database = Database.open(url)
    Ledger(database).open_wallet(Wallet(account_id=1, currency="JPY", at=NOW, opening_balance=5))
    database.close()
    calendar = BusinessCalendar(read_settings().business_day_offset_minutes)
    before = calendar.day(now()).number
    told = json.loads(run(url, "reconcile", "--format", "json").stdout)
    assert told["days"][0] in {before, calendar.day(now()).number}


def now() -> int:
    return time.time_ns() // 1000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["reconcile", "--day", "2027-02-30"], "2027-02-30"),
        (["position", "--from", "yesterday"], "yesterday"),
        (["reconcile", "--pending-days", "-1"], "'--pending-days'"),
        (["reconcile", "--format", "xml"], "xml"),
    ],
)
def test_what_cannot_be_understood_is_exit_2(url: str, arguments: list[str], told: str) -> None:
    result = run(url, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
