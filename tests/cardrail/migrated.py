"""Ledgers whose tables came by their revisions, as the commands need them."""

from __future__ import annotations

from cardrail.migrating import bring_up_to_date
from ledger.database import Database
from tests.ledger.books import Books


def migrated(url: str) -> str:
    """`url`, its tables made."""
    database = Database.open(url)
    bring_up_to_date(database)
    database.close()
    return url


def migrated_books(url: str) -> Books:
    """One wallet with JPY 1,000."""
    return Books(migrated(url))
