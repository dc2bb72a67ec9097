"""Reports over HTTP say what the command line says; health, and the document."""

from __future__ import annotations

import json
from unittest.mock import patch

import msgspec
import pytest
from sqlalchemy import text

from ledger.reconciliation import reconcile
from ledger.settlement import settlement_positions
from tests.gateway.api.ops import Ops, problem
from tests.ledger.books import TODAY, named


@pytest.fixture
def cleared(ops: Ops) -> Ops:
    """One purchase that is cleared, and one exception."""
    books = ops.books
    books.ask(books.authorize(300, books.origin("T1")))
    books.ask(books.clear(300, named("T1")))
    books.ask(books.clear(40))
    return ops


def test_the_position_of_each_day(cleared: Ops) -> None:
    with cleared.books.database.reading() as connection:
        [expected] = settlement_positions(connection)
    told = cleared.get("/reports/position")
    [position] = told["positions"]
    assert told["agree"] is True
    assert position == {**msgspec.to_builtins(expected), "net": 340, "agrees": True}
    assert cleared.get("/reports/position", first=TODAY, last=TODAY)["positions"] == [position]
    assert cleared.get("/reports/position", first=TODAY + 1)["positions"] == []
    assert cleared.get("/reports/position", network="quicpay")["positions"] == []


def test_the_reconciliation_of_days(cleared: Ops) -> None:
    with cleared.books.database.reading() as connection:
        expected = reconcile(connection, [TODAY])
    told = cleared.get("/reports/reconciliation", day=TODAY, details=True)
    assert (told["reconciled"], told["days"], told["pending_days"]) == (True, [TODAY], 7)
    assert told["lines"] == [*msgspec.to_builtins(expected.lines)]
    assert [each["agrees"] for each in told["checks"]] == [True] * len(expected.checks)
    assert [each["why"] for each in told["details"]] == ["forced"]
    assert told["details"][0]["account_id"] == "1"
    assert cleared.get("/reports/reconciliation", day=[TODAY, TODAY + 1])["details"] is None


def test_without_a_day_it_is_today(cleared: Ops) -> None:
    at = 1_800_000_000_000_000 + 9 * 3_600_000_000  # 17:00 UTC: tomorrow in Japan
    with patch("gateway.api.reports.now", return_value=at):
        assert cleared.get("/reports/reconciliation")["days"] == [TODAY + 1]


def test_the_last_audit(cleared: Ops) -> None:
    problem(cleared.ask("GET", "/reports/audit"), 503, "not-yet")
    cleared.context.audits.audit_now()
    told = cleared.get("/reports/audit")
    assert (told["clean"], told["disagreements_count"], told["disagreements"]) == (True, 0, [])
    assert told["counts"]["clearings"] == 2
    with cleared.books.database.transaction() as connection:
        connection.execute(text("UPDATE accounts SET posted = posted + 1 WHERE account_id = 1"))
    cleared.context.audits.audit_now()
    told = cleared.get("/reports/audit")
    assert told["clean"] is False
    assert told["disagreements_count"] == len(told["disagreements"]) > 0
    assert "account 1" in {each["subject"] for each in told["disagreements"]}
    with cleared.books.database.transaction() as connection:
        connection.execute(text("UPDATE accounts SET posted = posted - 1 WHERE account_id = 1"))


# --- health ---


def test_alive_and_ready(ops: Ops) -> None:
    assert ops.ask("GET", "/healthz").json() == {"status": "ok"}
    answer = ops.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "checks": {"ledger": "ok"}})


def test_alive_and_not_ready_while_the_ledger_is_away(ops: Ops) -> None:
    with patch.object(type(ops.context.database), "reading", side_effect=OSError("gone")):
        assert ops.ask("GET", "/healthz").status_code == 200
        answer = ops.ask("GET", "/readyz")
        problem(ops.ask("GET", "/accounts"), 503, "unavailable")
    with patch.object(type(ops.context.database), "reading", side_effect=ArithmeticError):
        problem(ops.ask("GET", "/readyz"), 500, "internal")
    told = {"ready": False, "checks": {"ledger": "the database does not answer"}}
    assert (answer.status_code, answer.json()) == (503, told)


def test_metrics_are_those_of_ledger_and_audit(ops: Ops) -> None:
    answer = ops.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "cardrail_ledger_up 0.0" in answer.text
    ops.context.audits.audit_now()
    assert "cardrail_audit_disagreements 0.0" in ops.ask("GET", "/metrics").text


# --- the document ---


def test_the_document_tells_of_every_key_and_every_problem(ops: Ops) -> None:
    document = ops.ask("GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    assert "/api/v1/authorizations" in document["paths"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            told = f"{method} {path}"
            assert operation["summary"], told
            if path.startswith("/api/"):
                assert "application/problem+json" in operation["responses"]["default"]["content"]
            headers = [
                each["name"].lower()
                for each in operation.get("parameters", [])
                if each["in"] == "header"
            ]
            writes = method != "get" and path != "/api/v1/cards/find"
            assert headers == ["idempotency-key"] * writes, told


def test_the_document_has_no_link_without_an_end(ops: Ops) -> None:
    document = ops.ask("GET", "/openapi.json").json()
    links: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, dict):
            links.update(link for key, link in value.items() if key == "$ref")
            any(map(look, value.values()))
        elif isinstance(value, list):
            any(map(look, value))

    look(json.loads(json.dumps(document)))
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert links
    assert links <= schemas


def test_every_operation_has_a_name_of_its_own(ops: Ops) -> None:
    document = ops.ask("GET", "/openapi.json").json()
    names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len({*names}) == len(names)
