"""Killed at any instant: what was told is there, what is there balances, nothing needs a hand."""

from __future__ import annotations

import random
import subprocess
import sys

from sqlalchemy import select

from ledger.database import Database
from ledger.tables import authorizations, clearings, reversals
from tests.ledger.books import Books
from tests.ledger.crashing import ACCOUNTS

ROUNDS = 5
TABLE = {"Authorize": authorizations, "Clear": clearings, "Reverse": reversals}


def run_until_killed(url: str, first: int, lines: int) -> list[str]:
    """Whole lines told before and after the kill, which comes after `lines` of them."""
    command = [sys.executable, "-m", "tests.ledger.crashing", url, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        told += process.stdout.readlines()
    assert process.returncode == -9
    return [line for line in told if line.endswith("\n")]


def stored(database: Database) -> set[tuple[str, int, str, str]]:
    with database.reading() as connection:
        return {
            (row.request_key, row.account_id, verb, row.outcome)
            for verb, table in TABLE.items()
            for row in connection.execute(
                select(table.c.request_key, table.c.account_id, table.c.outcome)
            )
        }


def test_nothing_that_was_told_is_lost(url: str) -> None:
    books = Books(url, 1000)
    for account in range(2, ACCOUNTS + 1):
        books.open(account, 1000)
    chance, told, first = random.Random(8583), set[tuple[str, int, str, str]](), 1
    for _ in range(ROUNDS):
        for line in run_until_killed(url, first, chance.randint(1, 1500)):
            number, account_id, verb, outcome = line.split()
            told.add((f"k{number}", int(account_id), verb, outcome))
            first = max(first, int(number) + 1)
        first += 1000  # what was committed and not told keeps its keys
        books.must_balance()
        assert told <= stored(books.database)
    assert len(told) > ROUNDS
    books.close()
