"""The job that releases holds which nobody has cleared or reversed in time.

Never early: a hold ends at `expires_at` or later. Money that is cleared after that is posted all
the same (`clearing.Manner.LATE`).
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from ledger import loading
from ledger.book import Book
from ledger.rows import Hold
from ledger.states import HoldState, Verb
from ledger.tables import holds


def load_due(connection: Connection, book: Book, now: int, limit: int) -> list[Hold]:
    """The pending holds that are due, the oldest first, with their accounts."""
    due = (
        select(holds.c.account_id, holds.c.authorization_id)
        .where(holds.c.state == HoldState.PENDING.value, holds.c.expires_at <= now)
        .order_by(holds.c.expires_at)
        .limit(limit)
    )
    keys = [(row.account_id, row.authorization_id) for row in connection.execute(due)]
    loading.load_accounts(connection, book, {account_id for account_id, _ in keys})
    # Another writer may have changed them until their accounts were locked.
    loading.load_holds(connection, book, keys)
    return [
        hold
        for hold in map(book.holds.__getitem__, keys)
        if hold.state == HoldState.PENDING and hold.expires_at <= now
    ]


def expire(book: Book, hold: Hold, now: int) -> None:
    """End one hold that is due. What it counted for in spending limits stays counted."""
    assert hold.expires_at <= now
    released = book.change_hold(hold, Verb.EXPIRE, amount=hold.amount, remaining=0)
    account = book.accounts[hold.account_id]
    data: dict[str, str | int | bool] = {
        "amount": released,
        "currency": hold.currency,
        "hold_id": hold.authorization_id,
        "points_pending": 0,
        "available": account.available,
    }
    book.record_event(account.account_id, "hold.expired", hold.authorization_id, now, data)
