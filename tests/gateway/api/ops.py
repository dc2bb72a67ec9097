# ruff: noqa: ANN401 - JSON is anything
"""The operations API over a ledger of a test's own, asked in the process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from gateway.api.app import create_app
from gateway.api.context import OpsContext
from gateway.audit_watch import AuditWatch
from gateway.cards import NewCard, create_card_schema, issue_cards
from gateway.control_client import GatewayControl
from gateway.kept_answers import METADATA
from gateway.ledger_watch import LedgerWatch
from gateway.vault import PanVault
from ledger.database import Database
from ledger.house import Placement
from ledger.outbox import Reader
from ledger.requests import EVENTS_AT_ONCE, READER, keep_requests
from ledger.tables import metadata
from networks.wire.pan import TEST_BIN, TEST_EXPIRY, synthetic_pan
from tests.ledger.books import CARD, Books

URL = "http://127.0.0.1"
NOBODY = Path("no-gateway")
_KEYS = count(1)


def context_over(database: Database, runtime: Path = NOBODY) -> OpsContext:
    """As `cardrail ops` makes it; nothing watches by itself."""
    return OpsContext(
        database=database,
        control=GatewayControl(runtime),
        vault=PanVault(b"i" * 32, b"e" * 32),
        audits=AuditWatch(database, seconds=3600),
        figures=LedgerWatch(database, seconds=3600),
        day_offset_minutes=540,
        test_bins=[TEST_BIN],
    )


class Ops:
    """The API and its books: wallet 1 with JPY 1,000 and card `CARD`."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.context = context_over(books.database)
        self.app = create_app(self.context)
        with books.database.transaction() as connection:
            create_card_schema(connection)
        self._issue_first()

    def begin_again(self) -> None:
        """As new, but for the application, which takes longer to make than most tests."""
        with self.books.database.transaction() as connection:
            for table in (*metadata.sorted_tables, *METADATA.sorted_tables):
                connection.execute(table.delete())
        self.books.open(1, 1000)
        self.context.audits._latest = None
        self._issue_first()

    def _issue_first(self) -> None:
        self.issue(NewCard(card_id=CARD, account_id=1, pan=synthetic_pan(1), expiry=TEST_EXPIRY))

    def issue(self, *cards: NewCard) -> None:
        with self.books.database.transaction() as connection:
            issue_cards(connection, self.context.vault, cards)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""
        if not path.startswith(("/healthz", "/readyz", "/metrics", "/openapi")):
            path = f"/api/v1{path}"
        return asyncio.run(self._ask(method, path, more))

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of what is there."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def write(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> httpx.Response:
        """One write, with a key of its own unless it is given."""
        headers = {"Idempotency-Key": key or f"test-key-{next(_KEYS)}"}
        return self.ask(method, path, headers=headers, json=body)

    def pages(self, path: str, **query: Any) -> list[Any]:
        """The items of all pages."""
        items, cursor = [], None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    def make_findable(self) -> None:
        """What the job of RRNs does."""
        database, placement = self.books.database, Placement()
        reader = Reader(database, placement.outbox(0), READER, events_at_once=EVENTS_AT_ONCE)
        while (batch := reader.fetch()) is not None:
            keep_requests([database], placement, batch.events)
            reader.acknowledge(batch)

    async def _ask(self, method: str, path: str, more: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.request(method, path, **more)


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem that `answer` is."""
    told: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"]) == (status, status), told
    assert told["type"] == f"urn:cardrail:problem:{kind}", told
    return told


def fields(told: dict[str, Any]) -> list[str]:
    """The fields that a problem names."""
    return [each["field"] for each in told["errors"]]


@contextmanager
def ops_over(url: str) -> Iterator[Ops]:
    """Gone at the end, and the books balance."""
    books = Books(url)
    try:
        yield Ops(books)
        books.must_balance()
    finally:
        books.close()
