"""`cardrail explain`: the timeline as text and as JSON, and what it says of nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from cardrail.cli import program
from gateway.cards import issue_cards
from gateway.inspector.annotated import cover
from gateway.inspector.journal import FILE_NAME, Journal
from gateway.vault import PanVault
from ledger.commands import Origin
from tests.cardrail.migrated import migrated_books
from tests.gateway.inspector.exchanges import CARD_VERIFICATION, PAN, PIN_BLOCK, exchanged
from tests.gateway.running import new_card
from tests.ledger.books import CARD, Books, named


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """A ledger of one wallet with a card."""
    with closing(migrated_books(f"sqlite:///{tmp_path}/cardrail.db")) as books:
        with books.database.transaction() as connection:
            card = new_card(CARD, account_id=1)
            issue_cards(connection, PanVault(b"i" * 32, b"e" * 32), [card])
        monkeypatch.setenv("CARDRAIL_LEDGER", books.url)
        monkeypatch.setenv("CARDRAIL_RUNTIME", str(tmp_path))
        yield books


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(program(["explain", "jobs"]), ["explain", *arguments])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_a_decline_is_told_with_every_check(shop: Books) -> None:
    declined = shop.authorize(1300)
    shop.ask(declined)
    told = lines(explain(declined.origin.rrn))
    assert told[0] == "Declined: JPY 1,300 asked, JPY 1,000 available"
    assert "Why was this declined?" in told
    assert "\u2713 The card may be used (gateway)" in told
    assert "\u2717 The money is there: JPY 1,300 asked, JPY 1,000 available (ledger)" in told
    assert "\u00b7 The amount can be held (ledger)" in told
    assert any(line.startswith("card: 400000******") for line in told)


def test_the_money_and_the_events_are_told(shop: Books) -> None:
    held = shop.authorize(300, shop.origin("A"))
    shop.ask(held)
    shop.ask(shop.clear(280, named("A")))
    told = lines(explain(held.origin.rrn))
    assert "\u2713 all 24 checks passed" in told
    assert (
        "JPY 280: wallet \u2192 settlement with visanet (clearing); the wallet then had JPY 720"
        in told
    )
    assert any(line.startswith("event clearing.posted ") for line in told)


def test_an_account_and_an_id_name_anything(shop: Books) -> None:
    shop.ask(shop.clear(70))
    subject_id = shop.told()[-1].subject_id
    told = lines(explain(str(subject_id), "--account", "1"))
    assert told[0] == "JPY 70 cleared without a match"


def test_json_is_the_same_for_programs(shop: Books) -> None:
    held = shop.authorize(300)
    decision = shop.ask(held)
    [found] = json.loads(explain(held.origin.rrn, "--json").stdout)["timelines"]
    assert found["subject_id"] == decision.authorization_id
    assert found["steps"][0]["title"] == "Purchase approved"


def test_messages_are_shown_masked_byte_by_byte(shop: Books, tmp_path: Path) -> None:
    """As far as the journal has them."""
    message = exchanged()
    record = message.record
    trace = f"{record.transmission}{record.stan}400552"
    origin = Origin("visanet", f"{trace}|10:{record.rrn}:{CARD}", "", record.rrn, "same")
    decision = shop.ask(shop.authorize(1250, origin))
    kept = cover(message)
    of_ledger = replace(record, authorization_id=decision.authorization_id)
    without = lines(explain(record.rrn))
    assert not any("message 0100" in line for line in without)
    assert any("not kept: `cardrail ops` was not running" in line for line in without)
    with closing(Journal(tmp_path / FILE_NAME, most=10)) as journal:
        journal.add([replace(kept, record=of_ledger)] * 2)
    short = explain(record.rrn)
    assert any("message 2 of 2 0100 at" in line for line in lines(short))
    whole = explain(record.rrn, "--frames")
    assert any(line.endswith("authorization request") for line in lines(whole))
    for secret in (PAN, PIN_BLOCK, CARD_VERIFICATION.split()[1], PAN.encode("cp500").hex().upper()):
        assert not re.search(rf"\b{secret}\b", whole.stdout)  # three digits may be part of an id


def test_what_a_network_has_sent_does_not_steer_the_terminal(shop: Books) -> None:
    hostile = replace(shop.authorize(10), details={"merchant_name": "\x1b[31m[red]x"})
    shop.ask(hostile)
    result = explain(hostile.origin.rrn)
    assert "\x1b" not in result.stdout
    assert "\\x1b[31m[red]x" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none"], "neither the ledger nor the journal has anything of that RRN"),
        (["4000000000000010"], "an RRN has 12 characters, and this has more"),
        (["17", "--account", "1"], "account 1 has nothing with the id 17"),
        (["x", "--account", "1"], "with --account, expected the id of an authorization"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_is_not_there_is_one_line_and_exit_2(arguments: list[str], told: str) -> None:
    result = explain(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.usefixtures("shop")
def test_a_setting_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDRAIL_WORKERS", "0")
    result = explain("none")
    assert (result.exit_code, "CARDRAIL_WORKERS" in result.stderr) == (2, True)
