"""Accounts over HTTP: balances and entries, a page at a time."""

from __future__ import annotations

from tests.gateway.api.ops import Ops
from tests.ledger.books import yen


def test_one_account(ops: Ops) -> None:
    ops.books.ask(ops.books.authorize(300, points=3))
    assert ops.get("/accounts/1") == {
        "account_id": "1",
        "kind": "wallet",
        "network": "",
        "currency": "JPY",
        "posted": 1000,
        "held": 300,
        "available": 700,
        "credit_line": 0,
        "value": 0,
        "owed": 0,
        "version": 1,
        "points_pending": 0,
        "points_confirmed": 0,
    }


def test_all_accounts_in_the_order_of_their_ids(ops_on_each: Ops) -> None:
    ops = ops_on_each
    for number in (5, 3, 4):
        ops.books.open(number, 10)
    found = ops.pages("/accounts", limit=2)
    ids = [int(each["account_id"]) for each in found]
    assert ids == sorted(ids)
    assert ids[-4:] == [1, 3, 4, 5]
    assert ids[0] < 0, "the house's own come first, and their ids are texts"
    wallets = ops.pages("/accounts", kind="wallet", limit=3)
    assert [each["account_id"] for each in wallets] == ["1", "3", "4", "5"]
    assert [each["kind"] for each in ops.pages("/accounts", kind="funding")] == ["funding"]


def test_entries_newest_first(ops_on_each: Ops) -> None:
    ops = ops_on_each
    for amount in (10, 20, 30):
        ops.books.ask(ops.books.fund(yen(amount)))
    found = ops.pages("/accounts/1/entries", limit=2)
    assert [(each["version"], each["amount"], each["balance"]) for each in found] == [
        (4, 30, 1060),
        (3, 20, 1030),
        (2, 10, 1010),
        (1, 1000, 1000),
    ]
    assert [each["kind"] for each in found] == ["funded"] * 3 + ["opening"]
    assert found[0]["explanation"] == "JPY 30 added as money"
