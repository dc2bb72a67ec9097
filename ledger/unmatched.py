"""Clearings that wait for a person: money that has moved and matches no authorization.

The oldest first, a page at a time. They have an index of their own, for they are few among many.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, literal_column, select, tuple_

from ledger.of_account import authorizations_of
from ledger.rows import Authorization, Clearing
from ledger.tables import IS_WAITING, authorizations, clearings

_PLACE = (clearings.c.day, clearings.c.account_id, clearings.c.clearing_id)


class WaitingPlace(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: what is next comes after it. `day` is YYYYMMDD."""

    day: int
    account_id: int
    clearing_id: int


class WaitingPage(msgspec.Struct, frozen=True):
    """Clearings, the oldest first. `next` is ``None`` where there are no more."""

    rows: tuple[Clearing, ...]
    next: WaitingPlace | None


def waiting_clearings(
    connection: Connection, *, network: str = "", after: WaitingPlace | None = None, limit: int = 50
) -> WaitingPage:
    """Those that wait, of one network if it is named."""
    chosen = _waiting()
    if network:
        chosen = chosen.where(clearings.c.network == network)
    if after is not None:
        chosen = chosen.where(tuple_(*_PLACE) > tuple_(*msgspec.structs.astuple(after)))
    found = connection.execute(chosen.order_by(*_PLACE).limit(limit + 1)).all()
    rows = tuple(Clearing(*row) for row in found[:limit])
    if len(found) <= limit:
        return WaitingPage(rows, None)
    last = rows[-1]
    return WaitingPage(rows, WaitingPlace(last.day, last.account_id, last.clearing_id))


def clearing_of(connection: Connection, account_id: int, clearing_id: int) -> Clearing | None:
    """One clearing, whether it waits or not; ``None`` if the account has none of that id."""
    table = clearings.c
    key = (table.account_id == account_id, table.clearing_id == clearing_id)
    row = connection.execute(select(clearings).where(*key)).one_or_none()
    return None if row is None else Clearing(*row)


def authorization_of(
    connection: Connection, account_id: int, authorization_id: int
) -> Authorization | None:
    """One authorization; ``None`` if the account has none of that id."""
    key = (
        authorizations_of(account_id),
        authorizations.c.authorization_id == authorization_id,
    )
    row = connection.execute(select(authorizations).where(*key)).one_or_none()
    return None if row is None else Authorization(*row)


def _waiting() -> Select[Any]:
    """In the index's own words, by which the planner knows it."""
    is_waiting: ColumnElement[bool] = literal_column(f"({IS_WAITING})")
    return select(clearings).where(is_waiting, clearings.c.returned < clearings.c.amount)
