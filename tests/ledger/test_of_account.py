"""What one account has is found by the days of its request keys, or by time if it has very many."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from cardrail.bench_history import load_accounts, load_past
from ledger import account_pages, of_account
from ledger.commands import DAYS, sent_on
from ledger.of_account import authorizations_of, holds_of
from ledger.reports import statement
from ledger.states import HoldState
from ledger.tables import authorizations
from tests.ledger.books import Books, named
from tests.ledger.engines import Engine

KEYED = {
    Engine.SQLITE: r"SEARCH authorizations USING INDEX \w+ \(sent_on=\? AND account_id=\?\)",
    Engine.POSTGRESQL: r"using authorizations_pkey|on authorizations_pkey",
}
SENT_ON = [
    # a request key, the month and day that it tells
    ("0115091530000042400552|00:123456789012:7", 115),
    ("0229|key", 229),
    ("1231235959", 1231),
    ("0231|a day that there is not, but no harm", 231),
    ("1301|key", 0),
    ("0100|key", 0),
    ("0132|key", 0),
    ("011|5", 0),
    ("7412345|ARN", 0),
    ("０１１５|key", 0),  # noqa: RUF001 - digits, but not these
    ("", 0),
]
TRACES = ("0115000001", "1231000001", "no day", "0115000002")


@pytest.mark.parametrize(("request_key", "day"), SENT_ON)
def test_the_day_of_a_request_key(request_key: str, day: int) -> None:
    assert sent_on(request_key) == day
    assert day in DAYS.values()


@pytest.mark.parametrize("many", [0, 10_000])
def test_holds_of_an_account_newest_first(
    books: Books, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_account, "_MANY", many)
    books.open(2, 1000)
    made = {1: list[int](), 2: list[int]()}
    for trace in TRACES:
        for account_id, ids in made.items():
            command = books.authorize(10, books.origin(trace=trace), account_id=account_id)
            ids.append(books.ask(command).authorization_id)
    declined = books.ask(books.authorize(10_000))
    assert not declined.outcome.approved
    ended = made[1].pop(1)
    books.ask(books.reverse(named(trace=TRACES[1]), 10))

    def page(before: int | None, state: HoldState | None) -> list[int]:
        with books.database.reading() as connection:
            found = account_pages.holds_before(connection, 1, before, state=state, limit=2)
        assert {each.account_id for each in found} <= {1}
        return [each.authorization_id for each in found]

    newest = sorted(made[1], reverse=True)
    every = sorted([*newest, ended], reverse=True)
    assert page(None, None) == every[:2]
    assert page(every[1], None) == every[2:]
    assert page(None, HoldState.PENDING) == newest[:2]
    assert page(newest[1], HoldState.PENDING) == newest[2:]
    assert page(None, HoldState.VOIDED) == [ended]
    assert page(newest[1], None) == sorted([*newest[2:], ended], reverse=True)
    with books.database.reading() as connection:
        pending = statement(connection, 1).pending
    assert sorted(each.authorization_id for each in pending) == sorted(newest)


def test_it_leads_to_the_rows_and_reads_no_others(engine: Engine, url: str) -> None:
    books = Books(url)
    load_accounts(books.database, 2000)
    load_past(books.database, accounts=2000, authorizations=20_000)
    explain = "EXPLAIN QUERY PLAN" if engine is Engine.SQLITE else "EXPLAIN"
    with books.database.reading() as connection:
        theirs = select(authorizations).where(authorizations_of(7, 8))
        for wanted in (theirs, holds_of(7)):
            asked = wanted.compile(connection, compile_kwargs={"literal_binds": True})
            plan = connection.exec_driver_sql(f"{explain} {asked}".replace("%", "%%")).all()
            steps = [str(step[-1]) for step in plan]
            assert any(re.search(KEYED[engine], step) for step in steps), steps
            assert not any(
                re.search("SCAN (authorizations|holds)|Seq Scan", step) for step in steps
            )
    books.close()
