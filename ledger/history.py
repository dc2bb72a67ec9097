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

from ledger.requests import find_by_rrn
from ledger.rows import Authorization
from ledger.tables import authorizations

_PATIENCE_NANOSECONDS = 2_000_000_000
_EARLIEST = 1_704_067_200_000_000  # microseconds: no id is older (`ids`)
_FIRST_SPAN = 1_000_000  # microseconds
_LONGER = 4
_LEAST_ACCOUNT = -(2**63)

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


def of_accounts(connection: Connection, account_ids: Sequence[int], search: Search) -> HistoryPage:
    """Those of a few accounts."""
    chosen = _chosen(search).where(authorizations.c.account_id.in_(account_ids))
    return _page(_rows(connection, chosen, search.limit + 1), search.limit)


def of_rrn(connection: Connection, rrn: str, search: Search) -> HistoryPage:
    """Those of an RRN, once the job that makes them findable has come by (`requests`)."""
    found = find_by_rrn(connection, rrn)
    keys = [(each.wallet_id, each.network, each.request_key) for each in found]
    table = authorizations.c
    chosen = _chosen(search).where(
        tuple_(table.account_id, table.network, table.request_key).in_(keys)
    )
    return _page(_rows(connection, chosen, search.limit + 1), search.limit)


def of_all(
    connection: Connection,
    search: Search,
    now: int,
    patience_nanoseconds: int = _PATIENCE_NANOSECONDS,
) -> HistoryPage:
    """Those of all accounts; `now` (microseconds) is where the latest are looked for."""
    begin = time.monotonic_ns()
    end = _end(search)
    if search.after is None:
        end = _after_latest(connection, search, now)
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
    """Just after the latest one, whatever its conditions, for a night may be quiet."""
    end, span = _end(search), _FIRST_SPAN
    start = (now if end is None else min(now, end)) - span
    while True:
        latest = select(func.max(_columns.at)).where(_columns.at >= max(start, search.since))
        if end is not None:
            latest = latest.where(_columns.at < end)
        found = connection.scalar(latest)
        if found is not None:
            return int(found) + 1
        if start <= search.since:
            return None
        span *= _LONGER
        start, end = start - span, start


def _end(search: Search) -> int | None:
    ends = [search.until, None if search.after is None else search.after.at + 1]
    return min((each for each in ends if each is not None), default=None)


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
