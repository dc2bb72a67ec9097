"""Holds over HTTP: listed, and voided once whatever is asked how often."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from gateway.kept_answers import KEPT_ANSWERS, KeptAnswers
from ledger.database import OutcomeUnknown
from ledger.states import HoldState
from networks.wire.pan import synthetic_pan
from tests.gateway.api.ops import Ops, fields, problem
from tests.ledger.books import named

WHY = {"reason": "the cardholder called"}


def hold(ops: Ops, amount: int = 300, trace: str = "1122013045000101400552") -> int:
    """A hold; its id."""
    books = ops.books
    command = books.authorize(amount, books.origin("T1", trace=trace))
    return books.ask(command).authorization_id


def path_of(hold_id: int) -> str:
    return f"/accounts/1/holds/{hold_id}"


def test_holds_of_an_account_newest_first_and_by_state(ops_on_each: Ops) -> None:
    ops = ops_on_each
    made = [ops.books.ask(ops.books.authorize(amount)).authorization_id for amount in (1, 2, 3)]
    ops.write("POST", f"{path_of(made[1])}/void", WHY)
    found = ops.pages("/accounts/1/holds", limit=2)
    assert [each["hold_id"] for each in found] == [str(each) for each in reversed(made)]
    assert [each["amount"] for each in found] == [3, 0, 1]
    pending = ops.pages("/accounts/1/holds", limit=1, state="pending")
    assert [each["hold_id"] for each in pending] == [str(made[2]), str(made[0])]
    assert ops.get(path_of(made[0])) == found[2]


def test_a_hold_is_voided_as_a_reversal_would(ops_on_each: Ops) -> None:
    ops, hold_id = ops_on_each, hold(ops_on_each)
    answer = ops.write("POST", f"{path_of(hold_id)}/void", WHY)
    assert answer.json() == {
        "account_id": "1",
        "authorization_id": str(hold_id),
        "amount": 300,
        "currency": "JPY",
        "available": 1000,
        "posted": 1000,
        "explanation": "released JPY 300, all that was held",
    }
    assert ops.books.hold(hold_id).state == HoldState.VOIDED
    told = ops.get(f"/accounts/1/authorizations/{hold_id}")
    assert told["reversed"] is True
    ops.books.must_balance()


def test_the_same_key_has_the_same_answer_and_does_nothing_again(ops: Ops) -> None:
    hold_id = hold(ops)
    first = ops.write("POST", f"{path_of(hold_id)}/void", WHY, key="once-and-once")
    events = len(ops.books.told())
    again = ops.write("POST", f"{path_of(hold_id)}/void", WHY, key="once-and-once")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(ops.books.told()) == events


@pytest.mark.parametrize("changed", ["body", "path"])
def test_a_key_is_good_for_one_request(ops: Ops, changed: str) -> None:
    hold_id, other = hold(ops), hold(ops, trace="1122013045000102400552")
    ops.write("POST", f"{path_of(hold_id)}/void", WHY, key="once-and-once")
    path = path_of(other if changed == "path" else hold_id)
    body = {"reason": "another"} if changed == "body" else WHY
    told = problem(ops.write("POST", f"{path}/void", body, key="once-and-once"), 422, "key-reused")
    assert fields(told) == ["header.idempotency-key"]
    assert ops.books.hold(other).state == HoldState.PENDING


def test_a_refusal_is_an_answer_too(ops: Ops) -> None:
    first = ops.write("POST", f"{path_of(77)}/void", WHY, key="nothing-there")
    assert problem(first, 404, "not-found")["detail"] == "account 1 has no hold 77"
    again = ops.write("POST", f"{path_of(77)}/void", WHY, key="nothing-there")
    assert (again.content, again.headers["content-type"]) == (
        first.content,
        first.headers["content-type"],
    )
    assert again.headers["idempotency-replayed"] == "true"


def test_after_a_crash_before_the_answer_was_kept_the_ledger_has_it(ops: Ops) -> None:
    hold_id = hold(ops)
    with patch.object(KeptAnswers, "keep", side_effect=OSError("gone")):
        answer = ops.write("POST", f"{path_of(hold_id)}/void", WHY, key="once-and-once")
    problem(answer, 503, "unavailable")
    assert ops.books.hold(hold_id).state == HoldState.VOIDED
    path = f"{path_of(hold_id)}/void"
    assert problem(ops.write("POST", path, WHY, key="once-and-once"), 409, "under-way")
    with patch("gateway.kept_answers._CLAIM_MICROSECONDS", 0):
        answer = ops.write("POST", path, WHY, key="once-and-once")
    assert (answer.status_code, answer.json()["amount"]) == (200, 300)
    other = ops.write("POST", path, WHY)
    assert problem(other, 409, "hold-ended")["detail"].endswith(
        "is voided: nothing is left to release"
    )


def test_what_is_forgotten_here_the_ledger_still_knows(ops: Ops) -> None:
    """A key that comes back after its week."""
    path = f"{path_of(hold(ops))}/void"
    ops.write("POST", path, WHY, key="once-and-once")
    with ops.books.database.transaction() as connection:
        connection.execute(KEPT_ANSWERS.delete())
    answer = ops.write("POST", path, {"reason": "another"}, key="once-and-once")
    assert fields(problem(answer, 422, "key-reused")) == ["header.idempotency-key"]
    with ops.books.database.transaction() as connection:
        connection.execute(KEPT_ANSWERS.delete())
    assert ops.write("POST", path, WHY, key="once-and-once").json()["amount"] == 300


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("gone"), "the ledger does not answer: nothing has happened; ask again"),
        (OutcomeUnknown(), "the ledger was lost while it committed: ask again with the same"),
    ],
)
def test_while_the_ledger_is_away_nothing_is_kept(ops: Ops, error: Exception, told: str) -> None:
    path = f"{path_of(hold(ops))}/void"
    with patch("ledger.ledger.Ledger.apply", side_effect=error):
        answer = ops.write("POST", path, WHY, key="once-and-once")
    assert problem(answer, 503, "unavailable")["detail"].startswith(told)
    assert answer.headers["retry-after"] == "1"
    assert ops.write("POST", path, WHY, key="once-and-once").json()["amount"] == 300


@pytest.mark.parametrize("reason", ["order 1234567890123", "RRN 703100000001, 3,000 yen", "理由"])
def test_a_reason_may_have_numbers_in_it(ops: Ops, reason: str) -> None:
    hold_id = hold(ops)
    assert ops.write("POST", f"{path_of(hold_id)}/void", {"reason": reason}).status_code == 200


def test_a_mistake_of_ours_is_told_without_its_words(ops: Ops) -> None:
    path = f"{path_of(hold(ops))}/void"
    with patch("ledger.ledger.Ledger.apply", side_effect=ArithmeticError(synthetic_pan(1))):
        answer = ops.write("POST", path, WHY)
    problem(answer, 500, "internal")
    assert synthetic_pan(1) not in answer.text


def test_what_is_cleared_cannot_be_voided(ops: Ops) -> None:
    hold_id = hold(ops)
    ops.books.ask(ops.books.clear(300, named("T1")))
    told = problem(ops.write("POST", f"{path_of(hold_id)}/void", WHY), 409, "hold-ended")
    assert told["detail"] == f"hold {hold_id} is posted: nothing is left to release"


def test_a_hold_without_a_name_of_its_own_is_left_alone(ops: Ops) -> None:
    """Whatever named it would name the other as well, or nothing."""
    books = ops.books
    trace = "1122013045000101400552"
    twins = [books.ask(books.authorize(10, books.origin(trace=trace))) for _ in range(2)]
    nameless = books.ask(books.authorize(10, books.origin(key="no trace in it")))
    for each in (*twins, nameless):
        answer = ops.write("POST", f"{path_of(each.authorization_id)}/void", WHY)
        assert "might strike another one" in problem(answer, 409, "not-named")["detail"]
        assert books.hold(each.authorization_id).state == HoldState.PENDING


def test_increments_go_with_the_hold_they_added_to(ops: Ops) -> None:
    books, hold_id = ops.books, hold(ops)
    books.ask(books.authorize(50, books.origin("T1"), increment_of=named("T1")))
    assert ops.write("POST", f"{path_of(hold_id)}/void", WHY).json()["amount"] == 350
    original = ops.get(f"/accounts/1/authorizations/{hold_id}")
    assert original["reversed"] is True
