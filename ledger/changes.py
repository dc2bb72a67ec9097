"""From a `Book` to the database: what is new and what has changed, table by table."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import msgspec
from sqlalchemy import Table

from ledger import tables
from ledger.book import Book
from ledger.events import encode_events
from ledger.row_sets import Change, Insert, Row, Update
from ledger.rows import EventRow

_ACCOUNT_CHANGES = ("posted", "held", "value", "owed", "early_at", "version", "last_id")
_HOLD_CHANGES = (
    "state",
    "amount",
    "remaining",
    "posted",
    "money",
    "parts",
    "estimated",
    "counted",
    "points",
    "expires_at",
)
_CLEARING_CHANGES = (
    "authorization_id",
    "hold_id",
    "suggested_id",
    "manner",
    "value",
    "returned",
)
_astuple = msgspec.structs.astuple
_account_values = attrgetter(*_ACCOUNT_CHANGES)


def changes_of(book: Book) -> list[Change]:
    """What is new and what has changed; accounts in the order of their ids, for their locks."""
    outbox = _outbox_rows(book)
    accounts = _changed_accounts(book)
    fresh: tuple[tuple[Table, Sequence[msgspec.Struct]], ...] = (
        (tables.accounts, book.new_accounts),
        (tables.authorizations, book.new_authorizations),
        (tables.holds, book.new_holds),
        (tables.spending, book.new_spending),
        (tables.reversals, book.new_reversals),
        (tables.clearings, book.new_clearings),
        (tables.entries, book.new_entries),
        (tables.points, book.new_points),
        (tables.events, outbox),
    )
    changes: list[Change] = [Update(tables.accounts, _ACCOUNT_CHANGES, accounts, "last_id")]
    changes += [Insert(table, list(map(_astuple, rows))) for table, rows in fresh if rows]
    for table, columns, changed, new in (
        (tables.holds, _HOLD_CHANGES, book.changed_holds, book.new_holds),
        (tables.spending, ("amount", "count"), book.changed_spending, book.new_spending),
        (tables.points, ("pending", "confirmed"), book.changed_points, book.new_points),
        (
            tables.authorizations,
            ("reversed",),
            book.changed_authorizations,
            book.new_authorizations,
        ),
        (tables.clearings, _CLEARING_CHANGES, book.changed_clearings, book.new_clearings),
    ):
        if changed:
            made = set(map(id, new))
            values = attrgetter(*columns, *(column.name for column in table.primary_key.columns))
            rows = [values(row) for row in changed.values() if id(row) not in made]
            changes.append(Update(table, columns, rows))
    return changes


def _outbox_rows(book: Book) -> list[EventRow]:
    """The batch's events as one row for each shard, which is one where batches are kept apart.

    Its id is later than all that it tells.
    """
    if not book.new_events:
        return []
    at = book.new_events[-1].at
    by_shard: dict[int, list[int]] = {}
    for place, event in enumerate(book.new_events):
        by_shard.setdefault(book.placement.shard_of(event.account_id), []).append(place)
    rows = []
    for shard, places in by_shard.items():
        events = [book.new_events[place] for place in places]
        outbox = book.placement.outbox(shard)
        rows.append(EventRow(outbox, book.ids.next(at), 0, encode_events(events)))
    return rows


def _changed_accounts(book: Book) -> list[Row]:
    """What becomes of accounts that there were, and their last ids before that.

    All that change keep the latest id of the batch: the next row about one of them, whoever writes
    it, has a later one. What was not read in this transaction is written even if it stays as it
    is, for that compares it.
    """
    last_id = book.ids.latest if book.new_events else book.ids.next(0)
    for account in book.changed_accounts.values():
        account.last_id = last_id
    last_ids = book.last_ids
    return [
        (*_account_values(account), account_id, last_ids[account_id])
        for account_id, account in sorted({**book.unread_accounts, **book.changed_accounts}.items())
        if account_id in last_ids
    ]
