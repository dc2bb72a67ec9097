"""Indexes are used: what is about an account with a long past reads what it asks for."""

from __future__ import annotations

import re
import sqlite3

import psycopg
import pytest
from sqlalchemy import Table, text

from ledger import postgresql, sqlite
from ledger.audit import checks
from ledger.database import Database
from ledger.row_sets import index_condition
from ledger.tables import authorizations, entries, metadata, reversals, spending
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
        statement = sqlite._find_text(table, columns, 1)
        driver = sqlite3.connect(url.removeprefix("sqlite:///"))
        plan = driver.execute(f"EXPLAIN QUERY PLAN {statement}", (7, 1)).fetchall()
        driver.close()
        database.close()
    assert f"USING INDEX {index}" in plan[-1][3]


@pytest.mark.parametrize(("table", "columns", "keys", "index"), PARTIAL)
def test_a_server_uses_it(
    table: Table, columns: tuple[str, ...], keys: list[str], index: str
) -> None:
    statement = postgresql._finding(table, columns, False, 0).text
    for place, key in enumerate(keys, 1):
        statement = statement.replace(f"${place}::", f"'{key}'::")
    with (
        fresh_ledger(Engine.POSTGRESQL) as url,
        psycopg.connect(url, options=postgresql._WRITER_OPTIONS) as driver,
    ):
        plan = driver.execute(f"EXPLAIN {statement}".encode()).fetchall()
    assert any(f"using {index} " in line for (line,) in plan), plan


def test_whoever_needs_no_partial_index_is_asked_nothing_more() -> None:
    assert index_condition(spending, ("account_id", "instrument_id", "day")) == ""
    assert index_condition(authorizations, ("account_id", "network", "request_key")) == ""


SEARCH = re.compile(r"SEARCH (\w+) USING (?:PRIMARY KEY|(AUTOMATIC) COVERING INDEX) \((.*)\)")


def test_an_audit_of_an_embedded_ledger_finds_each_row_by_its_whole_key() -> None:
    """By a part of it each hold of an account would cost reading all of the account's."""
    with fresh_ledger(Engine.SQLITE) as url:
        database = Database.open(url)
        metadata.create_all(database.engine)
        with database.reading() as connection:
            for check, _, statement in checks():
                asked = statement.compile(connection, compile_kwargs={"literal_binds": True})
                plan = connection.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all()
                for line in (step[3] for step in plan if "SEARCH" in step[3]):
                    found = SEARCH.match(line)
                    assert found is not None, f"{check}: {line}"
                    if found[2] is None:
                        table = metadata.tables.get(found[1], entries)  # "before" is an entry
                        whole = table.primary_key.columns
                        assert found[3].count("=?") == len(whole), f"{check}: {line}"
        database.close()
