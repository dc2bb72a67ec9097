"""Clearing exceptions over HTTP: listed until a person has said what they are."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from gateway.kept_answers import KeptAnswers
from ledger.house import AccountKind
from ledger.posting import Manner
from ledger.states import HoldState
from ledger.unmatched import clearing_of
from tests.gateway.api.ops import Ops, fields, problem
from tests.ledger.books import named

WHY = "the merchant says so"
TRACE = "1122013045000101400552"


def exception_of(ops: Ops, amount: int = 200, *, credit: bool = False) -> str:
    """A clearing that matches nothing; the path under which something is done about it."""
    command = ops.books.clear(amount, credit=credit)
    ops.books.ask(command)
    row = ops.books.clearing(command.origin.request_key)
    return f"/accounts/1/clearings/{row.clearing_id}"


def hold(ops: Ops, amount: int = 200) -> int:
    command = ops.books.authorize(amount, ops.books.origin("T1", trace=TRACE))
    return ops.books.ask(command).authorization_id


def about(authorization_id: int) -> dict[str, str]:
    return {"authorization_id": str(authorization_id), "reason": WHY}


def test_they_are_listed_the_oldest_first(ops_on_each: Ops) -> None:
    ops = ops_on_each
    hold(ops, 100)
    ops.books.ask(ops.books.clear(100, named("T1")))  # matches, and is no exception
    paths = [exception_of(ops), exception_of(ops, 50, credit=True), exception_of(ops, 10)]
    found = ops.pages("/exceptions", limit=2)
    assert [f"/accounts/1/clearings/{each['clearing_id']}" for each in found] == paths
    told = [(each["manner"], each["credit"], each["amount"]) for each in found]
    assert told == [("forced", False, 200), ("suspense", True, 50), ("forced", False, 10)]
    assert ops.get(paths[0]) == found[0]
    assert ops.pages("/exceptions", network="quicpay") == []
    assert len(ops.pages("/exceptions", network="visanet")) == 3


def test_a_debit_that_is_matched_ends_its_hold(ops_on_each: Ops) -> None:
    ops = ops_on_each
    path, hold_id = exception_of(ops), hold(ops)
    answer = ops.write("POST", f"{path}/match", about(hold_id), key="match-once")
    assert answer.status_code == 200, answer.text
    assert answer.json()["authorization_id"] == str(hold_id)
    assert ops.books.hold(hold_id).state == HoldState.POSTED
    assert ops.get("/exceptions")["items"] == []
    assert ops.get(path)["manner"] == Manner.FINAL
    again = ops.write("POST", f"{path}/match", about(hold_id), key="match-once")
    assert again.content == answer.content
    ops.books.must_balance()


def test_a_credit_that_is_matched_goes_to_the_wallet(ops: Ops) -> None:
    path, hold_id = exception_of(ops, 50, credit=True), hold(ops)
    assert ops.write("POST", f"{path}/match", about(hold_id)).json()["posted"] == 1050
    assert "suspense" not in ops.books.house()


def test_a_credit_that_nobody_is_found_for_is_written_off(ops_on_each: Ops) -> None:
    ops = ops_on_each
    path = exception_of(ops, 50, credit=True)
    answer = ops.write("POST", f"{path}/write-off", {"reason": WHY})
    assert (answer.status_code, answer.json()["amount"]) == (200, 50)
    assert ops.books.house()[AccountKind.FEE] == 50
    assert ops.get(path)["manner"] == Manner.WRITTEN_OFF
    told = problem(ops.write("POST", f"{path}/write-off", {"reason": WHY}), 409, "not-waiting")
    assert told["detail"].endswith("is written off: it waits for nobody")


def test_a_debit_cannot_be_written_off(ops: Ops) -> None:
    path = exception_of(ops)
    problem(ops.write("POST", f"{path}/write-off", {"reason": WHY}), 409, "not-a-credit")
    assert ops.get(path)["manner"] == Manner.FORCED


def test_what_it_cannot_be_about(ops: Ops) -> None:
    path = exception_of(ops)
    answer = ops.write("POST", f"{path}/match", about(77))
    told = problem(answer, 422, "invalid")
    assert fields(told) == ["body.authorization_id"]
    assert "expected an authorization of visanet on account 1" in told["detail"]
    nameless = ops.books.ask(ops.books.authorize(10, ops.books.origin(key="no trace")))
    answer = ops.write("POST", f"{path}/match", about(nameless.authorization_id))
    problem(answer, 409, "not-named")
    assert len(ops.get("/exceptions")["items"]) == 1


def test_what_is_matched_waits_no_longer(ops: Ops) -> None:
    path, hold_id = exception_of(ops), hold(ops)
    ops.write("POST", f"{path}/match", about(hold_id))
    told = problem(ops.write("POST", f"{path}/match", about(hold_id)), 409, "not-waiting")
    assert told["detail"].endswith("is final: it waits for nobody")


@pytest.mark.parametrize("deed", ["match", "write-off"])
def test_after_a_crash_before_the_answer_was_kept_the_ledger_has_it(ops: Ops, deed: str) -> None:
    path = f"{exception_of(ops, 50, credit=True)}/{deed}"
    body = about(hold(ops)) if deed == "match" else {"reason": WHY}
    with patch.object(KeptAnswers, "keep", side_effect=OSError("gone")):
        problem(ops.write("POST", path, body, key="match-once"), 503, "unavailable")
    posted = ops.books.wallet().posted
    with patch("gateway.kept_answers._CLAIM_MICROSECONDS", 0):
        answer = ops.write("POST", path, body, key="match-once")
    assert (answer.status_code, answer.json()["amount"]) == (200, 50)
    assert ops.books.wallet().posted == posted


def test_two_who_decide_at_once_post_once(ops: Ops) -> None:
    """The second has seen it waiting too; the ledger says that it does not any more."""
    path = exception_of(ops, 50, credit=True)
    with ops.books.database.reading() as connection:
        seen = clearing_of(connection, 1, int(path.rpartition("/")[2]))
    with patch("gateway.api.exceptions._waiting", return_value=seen):
        first = ops.write("POST", f"{path}/write-off", {"reason": WHY})
        second = ops.write("POST", f"{path}/write-off", {"reason": WHY})
    assert first.status_code == 200
    assert problem(second, 409, "not-done")["detail"] == "no such clearing waits for a match"
    assert ops.books.house()[AccountKind.FEE] == 50
