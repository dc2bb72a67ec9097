"""Partial indexes are used: a look-up on an account with a long past reads what it asks for."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import Table

from ledger import postgresql, sqlite
from ledger.database import Database
from ledger.row_sets import index_condition
from ledger.tables import authorizations, metadata, reversals, spending
from tests.ledger.engines import Engine, fresh_ledger

TRANSACTION, EARLY = ("account_id", "transaction_id"), ("account_id", "early")
PARTIAL = [
    (authorizations, TRANSACTION, ["{7}", '{"A"}'], "authorizations_transaction"),
    (reversals, EARLY, ["{7}", "{1}"], "reversals_early"),
]


@pytest.mark.parametrize(("table", "columns", "_keys", "index"), PARTIAL)
def test_an_embedded_ledger_uses_it(
    table: Table, columns: tuple[str, ...], _keys: list[str], index: str
) -> None:
    with fresh_ledger(Engine.SQLITE) as url:
        database = Database.open(url)
        metadata.create_all(database.engine)
        text = sqlite._find_text(table, columns, 1)
        driver = sqlite3.connect(url.removeprefix("sqlite:///"))
        plan = driver.execute(f"EXPLAIN QUERY PLAN {text}", (7, 1)).fetchall()
        driver.close()
        database.close()
    assert f"USING INDEX {index}" in plan[-1][3]


@pytest.mark.parametrize(("table", "columns", "keys", "index"), PARTIAL)
def test_a_server_uses_it(
    table: Table, columns: tuple[str, ...], keys: list[str], index: str
) -> None:
    text = postgresql._finding(table, columns, False, 0).text
    for place, key in enumerate(keys, 1):
        text = text.replace(f"${place}::", f"'{key}'::")
    with (
        fresh_ledger(Engine.POSTGRESQL) as url,
        psycopg.connect(url, options=postgresql._WRITER_OPTIONS) as driver,
    ):
        plan = driver.execute(f"EXPLAIN {text}".encode()).fetchall()
    assert any(f"using {index} " in line for (line,) in plan), plan


def test_whoever_needs_no_partial_index_is_asked_nothing_more() -> None:
    assert index_condition(spending, ("account_id", "instrument_id", "day")) == ""
    assert index_condition(authorizations, ("account_id", "network", "request_key")) == ""
