"""Cards over HTTP: found without a PAN in a URL, frozen, limited, issued anew."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from sqlalchemy import select

from gateway.card_changes import cards_changed_since
from gateway.cards import CARDS, CardState, NewCard
from gateway.kept_answers import KeptAnswers
from networks.wire.pan import TEST_EXPIRY, luhn_digit, synthetic_pan
from tests.gateway.api.ops import Ops, fields, problem
from tests.ledger.books import CARD

PATH = f"/accounts/1/cards/{CARD}"
CARD_SHOWN: dict[str, object] = {
    "account_id": "1",
    "card_id": "7",
    "pan": "400000******0010",
    "expiry": TEST_EXPIRY,
    "state": "active",
    "kind": "prepaid",
    "currency": "JPY",
    "amount_limit": None,
    "day_amount": None,
    "day_count": None,
    "blocked_categories": [],
    "blocked_channels": [],
}
REISSUE = {"old_state": "lost", "expiry": "3106"}


def test_a_card_is_shown_masked(ops: Ops) -> None:
    assert ops.get(PATH) == CARD_SHOWN
    assert ops.get("/accounts/1/cards") == [CARD_SHOWN]
    assert ops.get("/accounts/2/cards") == []


def test_a_card_is_found_by_its_number(ops: Ops) -> None:
    assert ops.ask("POST", "/cards/find", json={"pan": synthetic_pan(1)}).json() == CARD_SHOWN
    answer = ops.ask("POST", "/cards/find", json={"pan": synthetic_pan(2)})
    assert problem(answer, 404, "not-found")["detail"] == "no card has that number"


def test_cards_that_look_alike_come_page_by_page(ops_on_each: Ops) -> None:
    """Their numbers differ where they are masked."""
    ops = ops_on_each
    alike = [f"400000{number:05d}0001"[:15] for number in range(1, 60)]
    same_end = [pan + "0" for pan in alike if luhn_digit(pan) == "0"][:3]
    assert len(same_end) == 3
    for account_id, pan in enumerate(same_end, start=20):
        ops.issue(NewCard(card_id=1, account_id=account_id, pan=pan, expiry=TEST_EXPIRY))
    found = ops.pages("/cards", masked_pan="400000******0010", limit=2)
    assert [each["account_id"] for each in found] == ["1", "20", "21", "22"]
    assert ops.pages("/cards", masked_pan="400000******9999") == []


def test_freezing_and_unfreezing(ops_on_each: Ops) -> None:
    ops = ops_on_each
    assert ops.write("POST", f"{PATH}/freeze").json() == {**CARD_SHOWN, "state": "restricted"}
    told = problem(ops.write("POST", f"{PATH}/freeze"), 409, "card-state")
    assert told["detail"] == "card 7 is restricted, expected active"
    assert ops.write("POST", f"{PATH}/unfreeze").json() == CARD_SHOWN
    assert ops.write("PATCH", PATH, {"state": "stolen"}).json()["state"] == "stolen"
    problem(ops.write("POST", f"{PATH}/unfreeze"), 409, "card-state")
    problem(ops.write("POST", "/accounts/1/cards/8/freeze"), 404, "not-found")


def test_a_running_gateway_is_told(ops: Ops) -> None:
    ops.write("POST", f"{PATH}/freeze")
    with ops.books.database.reading() as connection:
        [card], _ = cards_changed_since(connection, 0)
    assert (card.card_id, card.state) == (CARD, CardState.RESTRICTED)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_limit": 5000},
        {"day_amount": 20_000, "day_count": 3},
        {"blocked_categories": ["5993", "7995"]},
        {"blocked_channels": ["abroad", "e-commerce"]},
        {"state": "lost"},
        {},
    ],
)
def test_what_is_not_named_stays_and_null_takes_away(ops: Ops, change: dict[str, object]) -> None:
    before = ops.write("PATCH", PATH, {"amount_limit": 1, "blocked_channels": ["atm"]}).json()
    answer = ops.write("PATCH", PATH, change).json()
    assert answer == {**before, **change}
    assert ops.get(PATH) == answer
    gone = ops.write("PATCH", PATH, {"amount_limit": None, "blocked_channels": []}).json()
    assert (gone["amount_limit"], gone["blocked_channels"]) == (None, [])


def test_a_new_card_takes_the_place_of_a_lost_one(ops_on_each: Ops) -> None:
    ops = ops_on_each
    ops.write("PATCH", PATH, {"day_count": 3, "blocked_channels": ["atm"]})
    answer = ops.write("POST", f"{PATH}/reissue", REISSUE, key="issue-once")
    assert answer.status_code == 201
    old, new = answer.json()["old"], answer.json()["new"]
    assert (old["card_id"], old["state"]) == ("7", "lost")
    assert (new["state"], new["expiry"], new["account_id"]) == ("active", "3106", "1")
    assert (new["day_count"], new["blocked_channels"]) == (3, ["atm"])
    assert new["card_id"] not in {"7", "0"}
    assert [each["state"] for each in ops.get("/accounts/1/cards")] == ["lost", "active"]
    with ops.books.database.reading() as connection:
        sealed = connection.scalars(select(CARDS.c.pan_sealed).order_by(CARDS.c.card_id)).all()
    pan = ops.context.vault.unseal(sealed[-1])
    assert (len(pan), pan[:6], luhn_digit(pan[:-1])) == (16, "400000", pan[-1])
    assert pan not in answer.text
    assert ops.ask("POST", "/cards/find", json={"pan": pan}).json() == new


def test_a_reissue_is_done_once_even_if_nobody_lived_to_tell(ops: Ops) -> None:
    path = f"{PATH}/reissue"
    with patch.object(KeptAnswers, "keep", side_effect=OSError("gone")):
        problem(ops.write("POST", path, REISSUE, key="issue-once"), 503, "unavailable")
    with patch("gateway.kept_answers._CLAIM_MICROSECONDS", 0):
        first = ops.write("POST", path, REISSUE, key="issue-once")
    again = ops.write("POST", path, REISSUE, key="issue-once")
    assert first.status_code == 201
    assert again.content == first.content
    assert len(ops.get("/accounts/1/cards")) == 2
    other = ops.write("POST", path, REISSUE)
    assert other.json()["new"]["card_id"] != first.json()["new"]["card_id"]


def test_a_full_test_range_issues_nothing(ops: Ops) -> None:
    with patch("gateway.reissuing.secrets.randbelow", return_value=1):
        told = problem(ops.write("POST", f"{PATH}/reissue", REISSUE), 409, "out-of-numbers")
    assert "CARDRAIL_TEST_BINS" in told["detail"]
    assert ops.get("/accounts/1/cards") == [CARD_SHOWN]


def test_an_expiry_of_this_month_is_good_and_one_before_is_not(ops: Ops) -> None:
    at = 1_795_312_245_000_000  # 2026-11-22
    with patch("gateway.api.writes.now", return_value=at):
        path = f"{PATH}/reissue"
        answer = ops.write("POST", path, {**REISSUE, "expiry": "2610"})
        assert fields(problem(answer, 422, "invalid")) == ["body.expiry"]
        assert ops.write("POST", path, {**REISSUE, "expiry": "2611"}).status_code == 201
