"""A demo that ends badly says so: in the verdict, line by line, and in its JSON."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from sqlalchemy import text

from cardrail.demo_report import Report, as_json, report, show
from gateway.records import DecisionRecord
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from networks.beliefs import Belief, Kind
from networks.tally import Phase, Tally
from networks.traffic import Purpose

SETTLED = dict(Tally("visanet").progress(Phase.DONE, 1.0, links=1, in_flight=0))


def belief(number: int) -> Belief:
    return Belief(
        network="visanet",
        kind=Kind.AUTHORIZATION,
        purpose=Purpose.PURCHASE,
        mti="0100",
        rrn=f"{number:012d}",
        stan="000001",
        transmission="1122013045",
        trace="",
        transaction_id="",
        pan="",
        currency="392",
        requested=500,
        response_code="00",
        approval_code="A1B2C3",
        approved=500,
        held=500,
        answered=True,
    )


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """A ledger with one wallet and no authorization at all."""
    url = f"sqlite:///{tmp_path}/cardrail.db"
    database = Database.open(url)
    books = Ledger(database)
    books.create_schema()
    books.open_wallet(Wallet(account_id=1, currency="JPY", at=1, opening_balance=1000))
    database.close()
    return url


def reported(tmp_path: Path, ledger: str, beliefs: int = 0, **summary: object) -> Report:
    lines = [msgspec.json.encode(belief(number)) for number in range(beliefs)]
    (tmp_path / "beliefs").write_bytes(b"".join(line + b"\n" for line in lines))
    records = [
        DecisionRecord(
            at=1, network="visanet", mti="0100", rrn=f"{0:012d}", response_code=code, outcome=""
        )
        for code in ("51", "91")
    ]
    decisions = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    (tmp_path / "decisions").write_bytes(decisions if beliefs else b"")
    networks = {"visanet": {**SETTLED, **summary}}
    return report(networks, [tmp_path / "beliefs"], tmp_path / "decisions", ledger, 0)


def shown(result: Report) -> str:
    console = Console(file=io.StringIO(), width=100, record=True)
    show(result, console)
    return console.export_text()


def test_nothing_happened_and_all_agree(tmp_path: Path, ledger: str) -> None:
    result = reported(tmp_path, ledger)
    assert result.agreed
    assert "The three truths agree" in shown(result)


def test_a_hold_that_only_the_network_believes_in(tmp_path: Path, ledger: str) -> None:
    result = reported(tmp_path, ledger, beliefs=1)
    assert not result.agreed
    assert [str(each) for each in result.disagreements] == [
        "visanet 000000000000 approved: network says True, gateway says False",
        "visanet 000000000000 approval_code: network says A1B2C3, gateway says nothing",
        "visanet 000000000000 held: network says 500, ledger says 0",
    ]
    assert as_json(result)["disagreements"] == [str(each) for each in result.disagreements]
    assert "The truths differ: 3 disagreements, 0 faults in the books." in shown(result)


def test_the_first_twenty_are_shown(tmp_path: Path, ledger: str) -> None:
    assert "and 12 more (--json lists them all)" in shown(reported(tmp_path, ledger, beliefs=30))


def test_books_that_do_not_balance(tmp_path: Path, ledger: str) -> None:
    database = Database.open(ledger)
    with database.transaction() as connection:
        connection.execute(text("UPDATE accounts SET posted = 999 WHERE account_id = 1"))
    database.close()
    result = reported(tmp_path, ledger)
    assert not result.agreed
    assert not as_json(result)["audit"]["clean"]
    assert "expected 1000, found 999" in shown(result)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("INSERT INTO points VALUES (1, 7, 30, 0)", "Points: 30 pending, 0 confirmed"),
        ("INSERT INTO points VALUES (1, 7, 0, 1200)", "Points: 0 pending, 1,200 confirmed"),
    ],
)
def test_points_that_nobody_has_earned(
    tmp_path: Path, ledger: str, statement: str, said: str
) -> None:
    database = Database.open(ledger)
    with database.transaction() as connection:
        connection.execute(text(statement))
    database.close()
    result = reported(tmp_path, ledger)
    assert not result.agreed
    assert as_json(result)["points"] != as_json(result)["points_due"]
    assert f"{said}; holds and clearings say 0 and 0" in shown(result)


@pytest.mark.parametrize("fault", ["unanswered", "repeats_differing", "broken_promises"])
def test_a_network_that_saw_something_wrong(tmp_path: Path, ledger: str, fault: str) -> None:
    result = reported(tmp_path, ledger, **{fault: 1})
    assert not result.agreed
    assert "visanet: unanswered requests or differing answers" in shown(result)
