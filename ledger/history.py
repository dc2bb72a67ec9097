"""Past authorizations, newest first, a page at a time, however many there are.

Those of an account lie together. For those of all accounts there is an index of their times that
costs the writer next to nothing, which finds spans of time and has no order; so a page is put
together from spans, looked through one after another, longer ones where there is little to find.
What a rare condition leaves of many rows takes long to find: a page then ends when the patience
does, with fewer rows or none, and the next goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_

from ledger.commands import sent_on
from ledger.of_account import authorizations_of, have_many
from ledger.report_lines import off_index
from ledger.requests import find_by_rrn
from ledger.row_sets import prefer_indexes
from ledger.rows import Authorization
from ledger.tables import authorizations

_PATIENCE_NANOSECONDS = 2_000_000_000
_EARLIEST = 1_704_067_200_000_000  # microseconds: no id is older (`ids`)
_FIRST_SPAN = 1_000_000  # microseconds
_LONGER = 4
_LEAST_ACCOUNT = -(2**63)
_LAST = 2**63 - 1

_columns = authorizations.c
_PLACE = (_columns.at, _columns.account_id, _columns.authorization_id)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: what is next comes before it. `at` in microseconds."""

    at: int
    account_id: int
    authorization_id: int


class HistoryPage(msgspec.Struct, frozen=True):
    """Authorizations, newest first. `next` is ``None`` where there are no more."""

    rows: tuple[Authorization, ...]
    next: Place | None


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Which authorizations: from `since` on and before `until` (microseconds), with `conditions`.

    `after` is the `next` of the page before.
    """

    conditions: Sequence[ColumnElement[bool]] = ()
    since: int = _EARLIEST
    until: int | None = None
    after: Place | None = None
    limit: int = 50


def of_accounts(
    connection: Connection, account_ids: Sequence[int], search: Search, now: int
) -> HistoryPage:
    """Those of a few accounts; `now` as for `of_all`, to which it comes where they have many."""
    if have_many(connection, account_ids):
        theirs = off_index(_columns.account_id).in_(account_ids)  # time leads to them
        by_time = msgspec.structs.replace(search, conditions=[*search.conditions, theirs])
        return of_all(connection, by_time, now)
    chosen = _chosen(search).where(authorizations_of(*account_ids))
    rows = _rows(connection, chosen, search.limit + 1)
    return _page(rows, search.limit)


def of_rrn(connection: Connection, rrn: str, search: Search) -> HistoryPage:
    """Those of an RRN, once the job that makes them findable has come by (`requests`)."""
    found = find_by_rrn(connection, rrn)
    keys = [
        (sent_on(each.request_key), each.wallet_id, each.network, each.request_key)
        for each in found
    ]
    key = tuple_(*authorizations.primary_key.columns)
    chosen = _chosen(search).where(key.in_(keys))
    return _page(_rows(connection, chosen, search.limit + 1), search.limit)


def of_all(
    connection: Connection,
    search: Search,
    now: int,
    patience_nanoseconds: int = _PATIENCE_NANOSECONDS,
) -> HistoryPage:
    """Those of all accounts; `now` (microseconds) is where the latest are looked for."""
    begin = time.monotonic_ns()
    end = search.after.at + 1 if search.after else _after_latest(connection, search, now)
    found: list[Authorization] = []
    chosen, span = _chosen(search), _FIRST_SPAN
    while end is not None:
        start = max(end - span, search.since)
        of_span = chosen.where(_columns.at >= start, _columns.at < end)
        asked = time.monotonic_ns()
        found += _rows(connection, of_span, search.limit + 1 - len(found))
        answered = time.monotonic_ns()
        if len(found) > search.limit or start == search.since:
            break
        if answered - begin > patience_nanoseconds:
            return HistoryPage(tuple(found), Place(start, _LEAST_ACCOUNT, 0))
        if answered - asked < patience_nanoseconds // (2 * _LONGER):
            span *= _LONGER
        end = start
    return _page(found, search.limit)


def _after_latest(connection: Connection, search: Search, now: int) -> int | None:
    """Where the latest one is, to the span, whatever its conditions; ``None`` if there is none.

    A night may be quiet, and the evening before it may have had millions.
    """
    prefer_indexes(connection)
    until = _LAST if search.until is None else search.until
    start = end = min(now - _FIRST_SPAN, until)
    of_now = select(func.max(_columns.at)).where(_columns.at >= start, _columns.at < until)
    latest: int | None = connection.scalar(of_now)
    if latest is not None:
        return latest + 1
    span = _FIRST_SPAN
    while not _has_any(connection, start, end):
        if end <= search.since:
            return None
        span *= _LONGER
        start, end = start - span, start
    while end - start > _FIRST_SPAN:
        middle = (start + end) // 2
        start, end = (middle, end) if _has_any(connection, middle, end) else (start, middle)
    return end


def _has_any(connection: Connection, start: int, end: int) -> bool:
    of_span = select(_columns.at).where(_columns.at >= start, _columns.at < end)
    return connection.execute(of_span.limit(1)).first() is not None


def _chosen(search: Search) -> Select[Any]:
    chosen = select(authorizations).where(_columns.at >= search.since, *search.conditions)
    if search.until is not None:
        chosen = chosen.where(_columns.at < search.until)
    if search.after is not None:
        chosen = chosen.where(tuple_(*_PLACE) < tuple_(*msgspec.structs.astuple(search.after)))
    return chosen


def _rows(connection: Connection, chosen: Select[Any], limit: int) -> list[Authorization]:
    newest = chosen.order_by(*(column.desc() for column in _PLACE)).limit(limit)
    return [Authorization(*row) for row in connection.execute(newest)]


def _page(found: Sequence[Authorization], limit: int) -> HistoryPage:
    rows = tuple(found[:limit])
    if len(found) <= limit:
        return HistoryPage(rows, None)
    last = rows[-1]
    return HistoryPage(rows, Place(last.at, last.account_id, last.authorization_id))
