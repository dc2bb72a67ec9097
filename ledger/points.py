"""The points job: what holds bring their cardholders, posted from events, off the hot path.

An event tells the points that its hold may expect from now on (`points_pending`) and, of a
clearing, those that are granted for good (`points`; below zero where it is taken back). They come
from the house's funding and lie in two accounts of the wallet's own: pending, and confirmed. Only
these are locked, so that no authorization waits, nor a transfer: its funding is another lane's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from ledger import loading
from ledger.book import Book
from ledger.changes import changes_of
from ledger.events import Event
from ledger.house import AccountKind, Placement
from ledger.ids import Ids
from ledger.row_sets import Change
from ledger.rows import Account, Points

READER = "points"
EVENTS_AT_ONCE = 16  # few, for an embedded database is locked while they are posted
NO_HOLD = 0  # what was cleared without one


class _Posting(msgspec.Struct, frozen=True, gc=False):
    """What one event moves: accounts, as they are opened, and what each gets."""

    event: Event
    lines: Sequence[tuple[Account, int]]


class PointsJob:
    """What a reader of the outbox does with its events (`Reader.consume`).

    `day_of` tells the business day (YYYYMMDD) of a time in microseconds.
    """

    def __init__(self, placement: Placement, day_of: Callable[[int], int]) -> None:
        self._placement = placement
        self._day_of = day_of

    def post(self, connection: Connection, events: Sequence[Event]) -> list[Change]:
        """The entries of the events and the new points of their holds."""
        book = Book(Ids(), self._placement)
        told = [each for each in events if _tells_points(each)]
        loading.load_points(connection, book, {key for each in told for key in _keys(each)})
        postings = [_Posting(each, self._lines(each, *_learn(book, each))) for each in told]
        opened = {each.account_id: each for posting in postings for each, _ in posting.lines}
        loading.load_accounts(connection, book, opened)
        loading.open_missing(connection, book, opened.values())
        for posting in postings:
            self._post(book, posting)
        return changes_of(book)

    def _lines(self, event: Event, pending: int, confirmed: int) -> list[tuple[Account, int]]:
        wallet_id, currency = event.account_id, str(event.data["currency"])
        place = self._placement
        lines = []
        for kind, amount in (
            (AccountKind.POINTS_PENDING, pending),
            (AccountKind.POINTS, confirmed),
        ):
            if amount:
                account_id = place.points_account(kind, wallet_id, currency)
                lines.append((Account(account_id, kind.value, "", currency), amount))
        if funded := pending + confirmed:
            account_id = place.points_funding(wallet_id, currency)
            lines.append((Account(account_id, AccountKind.FUNDING.value, "", currency), -funded))
        return lines

    def _post(self, book: Book, posting: _Posting) -> None:
        event = posting.event
        lines = [(book.accounts[each.account_id], amount, 0) for each, amount in posting.lines]
        if lines:
            book.post(event.event_id, "points", (self._day_of(event.at), event.at), lines)


def _tells_points(event: Event) -> bool:
    told = event.data
    return "points_pending" in told and bool(told["hold_id"] or told.get("points"))


def _number(event: Event, name: str) -> int:
    value = event.data.get(name, 0)
    assert isinstance(value, int)
    return value


def _keys(event: Event) -> list[tuple[int, int]]:
    keys = [(event.account_id, _number(event, "hold_id"))]
    if "points_found" in event.data:
        keys.append((event.account_id, NO_HOLD))
    return keys


def _learn(book: Book, event: Event) -> tuple[int, int]:
    """Change the points of the event's hold; by how much, pending and confirmed.

    Points that were confirmed before their hold was known (`points_found`) become its own.
    """
    wallet_id, hold_id = event.account_id, _number(event, "hold_id")
    found = _number(event, "points_found")
    _add(book, (wallet_id, NO_HOLD), 0, -found)
    row = book.points.get((wallet_id, hold_id))
    pending = _number(event, "points_pending") - (row.pending if row is not None else 0)
    confirmed = _number(event, "points")
    _add(book, (wallet_id, hold_id), pending, confirmed + found)
    return pending, confirmed


def _add(book: Book, key: tuple[int, int], pending: int, confirmed: int) -> None:
    if not (pending or confirmed):
        return
    row = book.points.get(key)
    if row is None:
        row = book.points[key] = Points(*key, 0, 0)
        book.new_points.append(row)
    row.pending += pending
    row.confirmed += confirmed
    book.changed_points[key] = row
