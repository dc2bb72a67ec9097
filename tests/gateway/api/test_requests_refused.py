# ruff: noqa: ANN401 - ASGI messages are anything
"""What cannot be used is refused as problem+json: the field is named, its value never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any
from unittest.mock import Mock

import pytest

from gateway.api.doors import Doors
from gateway.api.pages import cursor_of
from gateway.cards import NewCard
from networks.wire.pan import TEST_EXPIRY, synthetic_pan
from tests.gateway.api.conftest import OpsOn
from tests.gateway.api.ops import Ops, fields, problem
from tests.ledger.engines import Engine

PAN = synthetic_pan(1)
NUMBERS = count(100)
KEY = {"Idempotency-Key": "a-key-of-its-own"}


@pytest.fixture(scope="module")
def ops(ops_on: OpsOn) -> Ops:
    """One for all: what is refused changes nothing."""
    made = ops_on(Engine.SQLITE)
    made.begin_again()
    return made


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/authorizations?limit=0", "query.limit"),
        ("/authorizations?limit=201", "query.limit"),
        ("/authorizations?limit=many", "query.limit"),
        ("/authorizations?cursor=!", "query.cursor"),
        ("/authorizations?cursor=eyJ9", "query.cursor"),
        ("/authorizations?stan=12", "query.stan"),
        (f"/authorizations?rrn={PAN}", "query.rrn"),
        (f"/authorizations?masked_pan={PAN}", "query.masked_pan"),
        (f"/cards?masked_pan={PAN}", "query.masked_pan"),
        ("/cards", "query.masked_pan"),
        ("/authorizations?since=yesterday", "query.since"),
        ("/authorizations?outcome=FINE", "query.outcome"),
        ("/authorizations?response_code=5", "query.response_code"),
        ("/accounts?kind=secret", "query.kind"),
        ("/accounts/one", "path.account_id"),
        (f"/accounts/{2**63}", "path.account_id"),
        (f"/accounts/1/holds/{-(2**63) - 1}", "path.hold_id"),
        (f"/accounts/1/cards/{10**30}", "path.card_id"),
        (f"/authorizations?account_id={2**63}", "query.account_id"),
        (f"/accounts?cursor={cursor_of(2**63)}", "query.cursor"),
        (f"/authorizations?cursor={cursor_of((1, 2, -(2**70)))}", "query.cursor"),
        (f"/cards?masked_pan=400000******0010&cursor={cursor_of((10**30, 1))}", "query.cursor"),
        ("/accounts/1/holds?state=held", "query.state"),
        ("/reports/position?first=20270230", "query.first"),
        ("/reports/reconciliation?day=20271301", "query.day.0"),
        ("/reports/reconciliation?pending_days=-1", "query.pending_days"),
        ("/stream/decisions?most=0", "query.most"),
    ],
)
def test_questions(ops: Ops, path: str, field: str) -> None:
    answer = ops.ask("GET", path)
    assert fields(problem(answer, 422, "invalid")) == [field]
    assert PAN not in answer.text


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/accounts/1/holds/5/void", {}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": ""}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": "x" * 201}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": f"card {PAN} called"}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": "4000 0000-0000 0010"}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": "why\x00"}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": "why\nnot"}, "body.reason"),
        ("/accounts/1/holds/5/void", {"reason": "why", "pan": PAN}, "body.pan"),
        ("/accounts/1/holds/five/void", {"reason": "why"}, "path.hold_id"),
        ("/accounts/1/clearings/5/match", {"reason": "why"}, "body.authorization_id"),
        ("/accounts/1/cards/7/reissue", {"old_state": "lost", "expiry": "3013"}, "body.expiry"),
        ("/accounts/1/cards/7/reissue", {"old_state": "lost", "expiry": "2001"}, "body.expiry"),
        ("/accounts/1/cards/7/reissue", {"old_state": "gone", "expiry": "3012"}, "body.old_state"),
        (
            "/accounts/1/cards/7/reissue",
            {"old_state": "active", "expiry": "3012"},
            "body.old_state",
        ),
        ("/accounts/1/cards/7/melt", None, "path.turn"),
        ("/links/1-2-3/cut", None, "path.action"),
        ("/cards/find", {"pan": "4000"}, "body.pan"),
    ],
)
def test_writes(ops: Ops, path: str, body: dict[str, str] | None, field: str) -> None:
    answer = ops.write("POST", path, body)
    assert fields(problem(answer, 422, "invalid")) == [field]
    assert PAN not in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"blocked_categories": ["79"]},
        {"blocked_categories": [PAN]},
        {"blocked_channels": ["by post"]},
        {"amount_limit": -1},
        {"day_count": 2**31},
        {"state": "asleep"},
        {"colour": "red"},
        {"state": None},
        {"blocked_categories": None},
    ],
)
def test_changes_of_a_card(ops: Ops, change: dict[str, Any]) -> None:
    answer = ops.write("PATCH", "/accounts/1/cards/7", change)
    [field] = fields(problem(answer, 422, "invalid"))
    assert field.startswith(f"body.{next(iter(change))}")
    assert PAN not in answer.text


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "header.Idempotency-Key"),
        ({"Idempotency-Key": "short"}, "header.Idempotency-Key"),
        ({"Idempotency-Key": "with blanks in it"}, "header.Idempotency-Key"),
        ({"Idempotency-Key": "k" * 256}, "header.Idempotency-Key"),
    ],
)
def test_a_write_needs_a_key(ops: Ops, headers: dict[str, str], expected: str) -> None:
    answer = ops.ask("POST", "/accounts/1/cards/7/freeze", headers=headers)
    assert [each.lower() for each in fields(problem(answer, 422, "invalid"))] == [expected.lower()]


@pytest.mark.parametrize("content", ["{", '"text"', "[]", ""])
def test_a_body_that_is_no_object(ops: Ops, content: str) -> None:
    headers = {**KEY, "Content-Type": "application/json"}
    answer = ops.ask("POST", "/accounts/1/holds/5/void", headers=headers, content=content)
    problem(answer, 422, "invalid")


def test_a_body_that_does_not_say_it_is_json(ops: Ops) -> None:
    """As a form of another page would send it."""
    headers = {**KEY, "Content-Type": "text/plain"}
    body = '{"reason": "why"}'
    answer = ops.ask("POST", "/accounts/1/holds/5/void", headers=headers, content=body)
    problem(answer, 422, "invalid")


def test_a_body_beyond_all_measure(ops: Ops) -> None:
    """Whether it says so beforehand or not."""
    path = "/accounts/1/holds/5/void"
    problem(ops.write("POST", path, {"reason": "x" * 100_000}), 413, "too-long")

    async def piece_by_piece() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1024

    headers = {**KEY, "Content-Type": "application/json"}
    answer = ops.ask("POST", path, headers=headers, content=piece_by_piece())
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/accounts/1", 405), ("GET", "/cards/find", 405)],
)
def test_what_is_not_there(ops: Ops, method: str, path: str, status: int) -> None:
    answer = ops.ask(method, path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (status, "about:blank")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/accounts/2", "there is no account 2"),
        ("/accounts/2/entries", "there is no account 2"),
        ("/accounts/2/holds", "there is no account 2"),
        ("/accounts/1/holds/5", "account 1 has no hold 5"),
        ("/accounts/1/authorizations/5", "account 1 has no authorization 5"),
        ("/accounts/1/cards/5", "account 1 has no card 5"),
        ("/accounts/1/clearings/5", "account 1 has no clearing 5"),
    ],
)
def test_what_does_not_exist_is_named(ops: Ops, path: str, told: str) -> None:
    assert problem(ops.ask("GET", path), 404, "not-found")["detail"] == told


# --- who may come in ---


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "ops.example"}, 421),
        ({"Host": "ops.example:8080"}, 421),
        ({"Host": "127.0.0.1.ops.example"}, 421),
        ({"Host": "["}, 421),
    ],
)
def test_only_names_of_ours(ops: Ops, headers: dict[str, str], status: int) -> None:
    assert ops.ask("GET", "/accounts", headers=headers).status_code == status
    assert ops.ask("GET", "/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "http://127.0.0.1:9"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_no_page_from_elsewhere_writes(ops: Ops, headers: dict[str, str], status: int) -> None:
    number = next(NUMBERS)
    pan = synthetic_pan(number)
    ops.issue(NewCard(card_id=number, account_id=1, pan=pan, expiry=TEST_EXPIRY))
    path = f"/accounts/1/cards/{number}"
    key = {"Idempotency-Key": f"for-card-{number}"}
    answer = ops.ask("POST", f"{path}/freeze", headers={**key, **headers})
    assert answer.status_code == status
    assert ops.get(path)["state"] == ("restricted" if status == 200 else "active")


def test_a_browser_that_asks_first_is_not_answered(ops: Ops) -> None:
    headers = {
        "Origin": "http://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
    }
    answer = ops.ask("OPTIONS", "/accounts/1/cards/7/freeze", headers=headers)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "comes_in"),
    [
        ([(b"host", b"127.0.0.1"), (b"origin", b"http://127.0.0.1")], True),
        ([(b"host", b"127.0.0.1"), (b"origin", b"http://elsewhere.example")], False),
        ([(b"host", b"ops.example"), (b"origin", b"http://ops.example")], False),
    ],
)
def test_no_page_from_elsewhere_opens_a_web_socket(
    headers: list[tuple[bytes, bytes]], *, comes_in: bool
) -> None:
    """The pages' own: by it a page from elsewhere would press our buttons."""
    told: list[Any] = []

    async def page(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def send(message: Any) -> None:
        told.append(message)

    scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io", "headers": headers}
    asyncio.run(Doors(page, frozenset())(scope, Mock(), send))
    refused = {"type": "websocket.close", "code": 1008}
    assert told == [{"type": "websocket.accept"} if comes_in else refused]
