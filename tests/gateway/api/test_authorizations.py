"""Authorizations over HTTP: found by whatever is known of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.cards import NewCard
from ledger.commands import Origin, Purpose
from ledger.ledger import Wallet
from ledger.outcomes import Outcome
from networks.wire.pan import TEST_EXPIRY, synthetic_pan
from tests.gateway.api.conftest import OpsOn
from tests.gateway.api.ops import Ops
from tests.ledger.books import CARD, NOW, Books
from tests.ledger.engines import Engine

SECOND = 1_000_000
ORIGIN = Origin("visanet", "0115080000000001400552|10:RRN:7", "T1", "703100000001", "same")


@pytest.fixture(scope="module", params=list(Engine))
def ops(ops_on: OpsOn, request: pytest.FixtureRequest) -> Ops:
    """One for all: these tests only read."""
    made = ops_on(request.param)
    made.begin_again()
    fill(made)
    return made


def fill(ops: Ops) -> None:
    """Two accounts, two networks, and each kind of answer; one a second."""
    books = ops.books
    books.ledger.open_wallets([Wallet(account_id=2, currency="JPY", at=NOW, opening_balance=500)])
    ops.issue(NewCard(card_id=9, account_id=2, pan=synthetic_pan(2), expiry=TEST_EXPIRY))
    for number, command in enumerate(commands(books), start=1):
        stan = f"{number:06d}"
        origin = replace(
            command.origin,
            request_key=f"0115080000{stan}400552|10:{number}:7",
            rrn=f"70310{number:07d}",
            transaction_id=f"T{number}",
        )
        books.ask(replace(command, origin=origin, at=NOW + number * SECOND))
    ops.make_findable()


def commands(books: Books) -> Iterator[Any]:
    yield books.authorize(100)  # 1
    yield books.authorize(5000)  # 2: 51
    yield books.authorize(5000, partial=True)  # 3: 10
    yield books.authorize(0, purpose=Purpose.VERIFICATION)  # 4: 85
    yield books.authorize(0, ORIGIN_OF_QUICPAY, purpose=Purpose.VERIFICATION)  # 5: 00
    yield replace(books.authorize(50, account_id=2), instrument_id=9)  # 6: 00
    yield books.authorize(50, account_id=2, refusal=Outcome.INSTRUMENT_STOLEN)  # 7: 43
    yield books.advise(30)  # 8


ORIGIN_OF_QUICPAY = replace(ORIGIN, network="quicpay")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [8, 7, 6, 5, 4, 3, 2, 1]),
        ({"rrn": "703100000003"}, [3]),
        ({"rrn": "703100000099"}, []),
        ({"rrn": "703100000003", "network": "quicpay"}, []),
        ({"stan": "000006"}, [6]),
        ({"stan": "400552"}, []),
        ({"account_id": 2}, [7, 6]),
        ({"account_id": 2, "stan": "000007"}, [7]),
        ({"account_id": 3}, []),
        ({"card_id": 9}, [6]),
        ({"account_id": 1, "card_id": 9}, []),
        ({"masked_pan": "400000******0010"}, [8, 5, 4, 3, 2, 1]),
        ({"masked_pan": "400000******0028"}, [6]),
        ({"masked_pan": "400000******9999"}, []),
        ({"masked_pan": "400000******0010", "account_id": 2}, []),
        ({"network": "quicpay"}, [5]),
        ({"response_code": "51"}, [2]),
        ({"response_code": "10"}, [3]),
        ({"response_code": "85"}, [4]),
        ({"response_code": "00"}, [6, 5, 1]),
        ({"response_code": "43"}, [7]),
        ({"response_code": "ZZ"}, []),
        ({"outcome": "APPROVED"}, [8, 6, 5, 4, 1]),
        ({"since": "2027-01-15T08:00:06Z"}, [8, 7, 6]),
        ({"since": "2027-01-15T17:00:06+09:00"}, [8, 7, 6]),
        ({"until": "2027-01-15T08:00:03"}, [2, 1]),
        ({"since": "2027-01-15T08:00:02Z", "until": "2027-01-15T08:00:04Z"}, [3, 2]),
        ({"account_id": 1, "since": "2027-01-15T08:00:04Z", "response_code": "00"}, [5]),
    ],
)
@pytest.mark.parametrize("limit", [2, 200])
def test_all_that_is_given_must_fit(
    ops: Ops, query: dict[str, Any], expected: list[int], limit: int
) -> None:
    found = ops.pages("/authorizations", **query, limit=limit)
    assert [int(each["stan"]) for each in found] == expected


def test_one_as_it_is_shown(ops: Ops) -> None:
    [found] = ops.get("/authorizations", rrn="703100000002")["items"]
    assert found.pop("authorization_id").isdecimal()
    assert found == {
        "account_id": "1",
        "card_id": f"{CARD}",
        "pan": "400000******0010",
        "network": "visanet",
        "at": "2027-01-15T08:00:02Z",
        "day": 20270115,
        "verb": "authorize",
        "purpose": "purchase",
        "stan": "000002",
        "rrn": "703100000002",
        "transaction_id": "T2",
        "outcome": "INSUFFICIENT_FUNDS",
        "response_code": "51",
        "approved": False,
        "requested": 5000,
        "amount": 0,
        "currency": "JPY",
        "approval_code": "",
        "hold_id": None,
        "available": 900,
        "posted": 1000,
        "explanation": found["explanation"],
        "reversed": False,
        "withdrawn": False,
        "details": {},
    }


def test_an_advice_has_no_response_code_of_ours_and_a_card_may_be_gone(ops: Ops) -> None:
    [advice] = ops.get("/authorizations", rrn="703100000008")["items"]
    assert (advice["verb"], advice["response_code"]) == ("advise", None)
    [refused] = ops.get("/authorizations", rrn="703100000007")["items"]
    assert refused["pan"] is None


def test_a_masked_pan_that_too_many_cards_share(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.authorizations._CARDS_MOST", 0)
    answer = ops.ask("GET", "/authorizations?masked_pan=400000******0010")
    assert answer.json()["detail"] == "query.masked_pan: more than 0 cards are shown so"
