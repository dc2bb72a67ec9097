"""The job that releases holds which nobody has cleared or reversed in time.

Never early: a hold ends at `expires_at` or later. Money that is cleared after that is posted all
the same (`clearing.Manner.LATE`).
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from ledger import store
from ledger.book import Book
from ledger.rows import Hold
from ledger.states import HoldState, Verb
from ledger.tables import holds


def load_due(connection: Connection, book: Book, now: int, limit: int) -> list[Hold]:
    """The pending holds that are due, the oldest first, with their accounts."""
    due = (
        select(holds)
        .where(holds.c.state == HoldState.PENDING.value, holds.c.expires_at <= now)
        .order_by(holds.c.expires_at)
        .limit(limit)
    )
    found = [Hold(*row) for row in connection.execute(due)]
    book.holds.update({(hold.account_id, hold.authorization_id): hold for hold in found})
    store.load_accounts(connection, book, {hold.account_id for hold in found})
    return found


def expire(book: Book, hold: Hold, now: int) -> None:
    """End one hold that is due. What it counted for in spending limits stays counted."""
    assert hold.expires_at <= now
    released = book.change_hold(hold, Verb.EXPIRE, amount=hold.amount, remaining=0)
    account = book.accounts[hold.account_id]
    data = {"amount": released, "currency": hold.currency, "available": account.available}
    book.record_event(account.account_id, "hold.expired", hold.authorization_id, now, data)
