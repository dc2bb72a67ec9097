from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from gateway.cards import (
    REFUSAL_BY_STATE,
    CardControls,
    CardKind,
    CardRefused,
    CardState,
    Channel,
    NewCard,
    create_card_schema,
    find_cards,
    issue_cards,
    keys_fit,
    load_cards,
)
from gateway.vault import PanVault
from ledger.database import Database
from networks.wire.pan import synthetic_pan

VAULT = PanVault(b"i" * 32, b"e" * 32)
CONTROLS = CardControls(
    blocked_categories=frozenset({"7995", "5993"}),
    blocked_channels=frozenset({Channel.ABROAD, Channel.ATM}),
    amount_limit=50_000,
    day_amount=100_000,
    day_count=20,
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = Database.open(f"sqlite:///{tmp_path}/cards.db")
    with database.transaction() as connection:
        create_card_schema(connection)
        yield connection
    database.close()


def new_card(number: int = 1, **changes: object) -> NewCard:
    values = {"card_id": number, "account_id": number * 10, "expiry": "3012"}
    return NewCard(**{"pan": synthetic_pan(number), **values, **changes})  # type: ignore[arg-type]


def test_cards_come_back_as_they_were_issued(connection: Connection) -> None:
    issued = new_card(kind=CardKind.POST_PAY, state=CardState.LOST, controls=CONTROLS)
    assert issue_cards(connection, VAULT, [issued, new_card(2)]) == 2
    first, second = sorted(load_cards(connection), key=lambda card: card.card_id)
    assert (first.card_id, first.account_id, first.expiry) == (1, 10, "3012")
    assert (first.kind, first.state, first.controls) == (issued.kind, issued.state, CONTROLS)
    assert first.index == VAULT.index(issued.pan)
    assert first.masked_pan == "400000******0010"
    assert (second.kind, second.state) == (CardKind.PREPAID, CardState.ACTIVE)
    assert second.controls == CardControls()


def test_more_cards_than_one_statement_takes(connection: Connection) -> None:
    cards = (new_card(number) for number in range(1, 1202))
    assert issue_cards(connection, VAULT, cards) == 1201
    assert len(list(load_cards(connection))) == 1201


def test_cards_of_equal_controls_share_them(connection: Connection) -> None:
    issue_cards(connection, VAULT, [new_card(n, controls=CONTROLS) for n in (1, 2)])
    first, second = load_cards(connection)
    assert first.controls is second.controls


def test_no_pan_is_stored_in_clear(connection: Connection) -> None:
    issue_cards(connection, VAULT, [new_card()])
    row = connection.execute(text("SELECT * FROM cards")).one()
    pan = synthetic_pan(1)
    assert all(pan not in str(value) for value in row)
    assert all(pan.encode() not in value for value in row if isinstance(value, bytes))


def test_cards_are_found_by_index(connection: Connection) -> None:
    issue_cards(connection, VAULT, [new_card(1), new_card(2)])
    wanted = [VAULT.index(synthetic_pan(number)) for number in (2, 3)]
    assert [card.card_id for card in find_cards(connection, wanted)] == [2]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pan": "5100000000000016"}, r"expected a test BIN \(400000\)"),
        ({"pan": "4000000000000011"}, "the check digit is wrong"),
        ({"pan": "400000"}, "expected 13 to 19 digits"),
        ({"pan": "40000000000000000000"}, "expected 13 to 19 digits"),
        ({"pan": "40000000000000a0"}, "expected 13 to 19 digits"),
        ({"expiry": "3013"}, "expected YYMM"),
        ({"expiry": "3000"}, "expected YYMM"),
        ({"expiry": "301"}, "expected YYMM"),
        ({"expiry": "30x2"}, "expected YYMM"),
    ],
)
def test_what_is_no_test_card_is_not_issued(
    connection: Connection, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(CardRefused, match=f"card 1 cannot be issued: .*{reason}") as refused:
        issue_cards(connection, VAULT, [new_card(1, **changes)])
    assert changes.get("pan", "no pan") not in str(refused.value) + repr(refused.value)


def test_other_test_ranges_can_be_configured(connection: Connection) -> None:
    cards = [new_card(1, pan=synthetic_pan(1, "499999"))]
    assert issue_cards(connection, VAULT, cards, ("400000", "499999")) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_number_is_issued_once(connection: Connection, at_once: bool) -> None:
    first, second = new_card(1), new_card(2, pan=synthetic_pan(1))
    if not at_once:
        issue_cards(connection, VAULT, [first])
    cards = [first, second] if at_once else [second]
    with pytest.raises(CardRefused, match=r"card [12] .*issued already"):
        issue_cards(connection, VAULT, cards)


def test_the_keys_that_issued_fit_and_others_do_not(connection: Connection) -> None:
    other = PanVault(b"j" * 32, b"e" * 32)
    assert keys_fit(connection, other), "no card yet: any keys will do"
    issue_cards(connection, VAULT, [new_card()])
    assert keys_fit(connection, VAULT)
    assert not keys_fit(connection, other)


def test_every_state_says_whether_the_card_may_be_used() -> None:
    assert set(REFUSAL_BY_STATE) == set(CardState)


def test_a_new_card_shows_no_number() -> None:
    assert repr(new_card()) == "NewCard(card_id=1, account_id=10)"
