"""`cardrail ledger`, as a person or a script uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cardrail.cli import program
from cardrail.keys import open_vault
from cardrail.ledger_command import ledger_app
from gateway.cards import find_cards
from gateway.vault import PanVault
from ledger.database import Database
from networks.wire.pan import synthetic_pan
from tests.cardrail.migrated import migrated_books
from tests.ledger.books import DAY, NOW

INIT = "`cardrail ledger init`"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(ledger_app, [*arguments, "--ledger", url])


def test_init_makes_the_tables_and_keeps_what_is_there(url: str) -> None:
    for _ in range(2):
        result = run(url, "init")
        assert (result.exit_code, result.stdout) == (0, f"ledger {url} is ready\n")


def test_seed_opens_wallets_with_cards_once(url: str) -> None:
    first = run(url, "seed", "--accounts", "12", "--balance", "500")
    assert first.stdout.startswith("12 accounts opened, 12 cards issued in ")
    second = run(url, "seed", "--accounts", "12", "--balance", "500")
    assert second.stdout == "nothing added: all 12 accounts and cards are there\n"
    third = json.loads(run(url, "seed", "--accounts", "15", "--json").stdout)
    assert (third["opened"], third["issued"]) == (3, 3)
    assert run(url, "audit").exit_code == 0


def test_seed_issues_in_the_configured_test_ranges_only(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDRAIL_TEST_BINS", "499999")
    result = run(url, "seed", "--accounts", "2")
    assert result.exit_code == 2
    assert "card 1 cannot be issued: its number: expected a test BIN (499999)" in result.stderr


def test_a_seeded_card_is_found_by_its_number(url: str) -> None:
    run(url, "seed", "--accounts", "3")
    database, vault = Database.open(url), open_vault(url)
    with database.reading() as connection:
        card = find_cards(connection, [vault.index(synthetic_pan(2))])[0]
    database.close()
    assert (card.card_id, card.account_id, card.expiry) == (2, 2, "3012")


def test_accounts(url: str) -> None:
    run(url, "seed", "--accounts", "3", "--balance", "500")
    lines = run(url, "accounts").stdout.splitlines()
    assert len(lines) == 5
    page = json.loads(
        run(url, "accounts", "--kind", "wallet", "--limit", "1", "--offset", "2", "--json").stdout
    )
    assert page["accounts"] == [
        {
            "account_id": 3,
            "kind": "wallet",
            "network": "",
            "currency": "JPY",
            "posted": 500,
            "held": 0,
            "available": 500,
        }
    ]


def test_statement(tmp_path: Path) -> None:
    books = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    books.ask(books.authorize(250))
    lines = run(books.url, "statement", "1").stdout.splitlines()
    assert lines[0] == "account 1, wallet, JPY"
    assert lines[2].split() == ["1", "2027-01-15T08:00:00Z", "opening", "1,000", "1,000"]
    assert lines[4] == "pending holds: 1"
    assert lines[5].split()[1:] == ["250", "until", "2027-01-22T08:00:00Z"]
    assert lines[7] == "posted 1,000, held 250, available 750"
    assert lines[8] == "points: 0 pending, 0 confirmed"
    assert json.loads(run(books.url, "statement", "1", "--json").stdout)["account"]["held"] == 250
    books.close()


def test_a_statement_has_the_points_of_a_wallet_and_of_nobody_else(tmp_path: Path) -> None:
    books = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    books.ask(books.authorize(900, points=1234))
    CliRunner().invoke(program(["jobs"]), ["jobs", "--once", "--ledger", books.url])
    assert "points: 1,234 pending, 0 confirmed" in run(books.url, "statement", "1").stdout
    told = json.loads(run(books.url, "statement", "1", "--json").stdout)
    assert told["points"] == {"pending": 1234, "confirmed": 0}
    funding = json.loads(run(books.url, "accounts", "--kind", "funding", "--json").stdout)
    for account in funding["accounts"]:
        assert "points:" not in run(books.url, "statement", "--", str(account["account_id"])).stdout
    books.close()


def test_find_shows_what_the_jobs_have_come_by(tmp_path: Path) -> None:
    books = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    asked = books.authorize(250)
    books.ask(asked)
    before = run(books.url, "find", asked.origin.rrn)
    assert (before.exit_code, before.stdout) == (2, "")
    assert before.stderr.startswith("no authorization with that RRN is known (`cardrail jobs`")
    CliRunner().invoke(program(["jobs"]), ["jobs", "--once", "--ledger", books.url])
    lines = run(books.url, "find", asked.origin.rrn).stdout.splitlines()
    assert lines[0].split()[:3] == ["network", "account", "authorization"]
    assert lines[1].split()[:2] == ["visanet", "1"]
    assert lines[1].split()[3:] == [
        "2027-01-15T08:00:00Z", "authorize", "250", "250", "JPY", "APPROVED",
        asked.origin.request_key,
    ]  # fmt: skip
    [told] = json.loads(run(books.url, "find", asked.origin.rrn, "--json").stdout)["authorizations"]
    assert (told["account_id"], told["outcome"]) == (1, "APPROVED")
    assert run(books.url, "find", asked.origin.rrn, "--network", "quicpay").exit_code == 2
    books.close()


def test_audit_names_what_disagrees_and_exits_1(tmp_path: Path) -> None:
    books = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    clean = run(books.url, "audit")
    assert clean.exit_code == 0
    assert clean.stdout.splitlines()[-1] == "the books balance"
    with books.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE accounts SET posted = 1001 WHERE account_id = 1")
    broken = run(books.url, "audit")
    assert broken.exit_code == 1
    assert broken.stdout.splitlines()[0] == (
        "account 1: posted is not the sum of the entries: expected 1000, found 1001"
    )
    report = json.loads(run(books.url, "audit", "--json").stdout)
    assert report["clean"] is False
    assert report["disagreements"][0]["subject"] == "account 1"
    books.close()


def test_expire_now_or_as_of_a_time(tmp_path: Path) -> None:
    books = migrated_books(f"sqlite:///{tmp_path}/ledger.db")
    books.ask(books.authorize(250, expires_at=NOW + DAY))
    assert run(books.url, "expire", "--at", "2027-01-16T07:59:59").stdout == "0 holds expired\n"
    assert run(books.url, "expire", "--at", "2027-01-16T08:00:00").stdout == "1 holds expired\n"
    assert json.loads(run(books.url, "expire", "--json").stdout) == {"expired": 0}
    books.close()


@pytest.mark.parametrize(
    ("url", "arguments", "told"),
    [
        ("oracle://host/ledger", ["audit"], "postgresql://HOST/DATABASE"),
        ("nonsense", ["audit"], "expected sqlite:///FILE"),
        ("sqlite:////no/such/folder/ledger.db", ["init"], "unable to open database file"),
    ],
)
def test_a_wrong_url_is_one_line_and_exit_2(url: str, arguments: list[str], told: str) -> None:
    result = run(url, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_reading_what_is_no_ledger_is_told(url: str, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    told = f"the ledger at {url} has no tables (they are made by {INIT})\n"
    assert run(url, "audit").stderr == told


def test_an_unknown_account_is_told(url: str) -> None:
    run(url, "init")
    result = run(url, "statement", "5")
    assert (result.exit_code, result.stderr) == (2, "no account 5\n")


def test_keys_that_others_can_read_are_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "ledger.db.keys").write_text("")
    (tmp_path / "ledger.db.keys").chmod(0o644)
    result = run(url, "seed", "--accounts", "1")
    assert result.exit_code == 2
    assert "expected mode 0600" in result.stderr


@pytest.mark.parametrize("command", [["accounts"], ["statement", "1"], ["audit"], ["expire"]])
def test_a_mistyped_path_is_told_and_makes_no_file(
    url: str, tmp_path: Path, command: list[str]
) -> None:
    result = run(url, *command)
    assert result.exit_code == 2
    assert result.stderr == f"there is no ledger at {url} (a new one is made by {INIT})\n"
    assert list(tmp_path.iterdir()) == []


def test_keys_given_as_settings_are_those_of_the_cards(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARDRAIL_INDEX_KEY", "11" * 32)
    monkeypatch.setenv("CARDRAIL_ENCRYPTION_KEY", "22" * 32)
    run(url, "seed", "--accounts", "1")
    assert [path.name for path in tmp_path.glob("*.keys")] == []
    database = Database.open(url)
    with database.reading() as connection:
        index = PanVault(b"\x11" * 32, b"\x22" * 32).index(synthetic_pan(1))
        assert [card.card_id for card in find_cards(connection, [index])] == [1]
    database.close()
