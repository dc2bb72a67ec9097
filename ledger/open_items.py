"""The records behind a reconciliation that a person may want to look at, one by one.

They name account, authorization, RRN and amount; the ledger knows no card.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, case, func, literal, select

from ledger.posting import Manner
from ledger.report_lines import Number, off_index
from ledger.still_open import (
    LEFT,
    OWING,
    PENDING_HOLDS,
    THEIR_AUTHORIZATIONS,
    WAITING,
    days_before,
)
from ledger.tables import accounts, authorizations, clearings, holds

_NONE, _BLANK = literal(0), literal("")


class OpenItem(msgspec.Struct, frozen=True):
    """One record; ids are 0 for none, amounts minor units.

    Attributes
    ----------
    why
        Which list it stands on: a manner of clearing, ``"under"`` or ``"over"`` what was
        authorized, ``"pending"``, ``"owing"``.
    suggested_id
        The authorization that a clearing may be about, if a person says so.
    authorized
        What its hold was for.
    amount
        What waits, is held or owed; of a difference, cleared less authorized.
    """

    why: str
    day: int
    network: str
    currency: str
    account_id: int
    authorization_id: int
    suggested_id: int
    rrn: str
    authorized: int
    amount: int
    explanation: str


def open_items(
    connection: Connection, days: Sequence[int], pending_days: int, *, limit: int
) -> Iterator[OpenItem]:
    """Of each list the first `limit`, by day and account.

    Clearings that were refused, and differences, are those of `days`; the rest is whatever is open
    of everything up to the last of them.
    """
    last = max(days)
    for statement in (
        _refused(days),
        _waiting(last),
        _differing(days),
        _pending(last, pending_days),
        _owing(last),
    ):
        for row in connection.execute(statement.limit(limit)):
            yield OpenItem(*row)


def _of_clearings(amount: Number) -> Select[Any]:
    table = clearings.c
    return select(
        table.manner,
        table.day,
        table.network,
        table.currency,
        table.account_id,
        table.authorization_id,
        table.suggested_id,
        table.rrn,
        _NONE,
        amount,
        table.explanation,
    ).order_by(table.day, off_index(table.account_id), table.clearing_id)


def _refused(days: Sequence[int]) -> Select[Any]:
    statement = _of_clearings(clearings.c.amount)
    return statement.where(clearings.c.day.in_(days), clearings.c.manner == Manner.REFUSED.value)


def _waiting(last: int) -> Select[Any]:
    return _of_clearings(LEFT).where(WAITING, clearings.c.day <= last)


def _differing(days: Sequence[int]) -> Select[Any]:
    """A hold once, though several clearings may have found it ended."""
    table = clearings.c
    account_id = off_index(table.account_id)
    ended = (
        select(
            account_id.label("account_id"),
            table.hold_id,
            table.network,
            func.min(table.day).label("day"),
            func.min(table.rrn).label("rrn"),
        )
        .where(
            table.day.in_(days),
            table.manner.in_([Manner.FINAL, Manner.LATE]),
            table.hold_id != 0,
        )
        .group_by(account_id, table.hold_id, table.network)
        .subquery()
    )
    source = ended.join(
        holds,
        and_(
            holds.c.account_id == ended.c.account_id,
            holds.c.authorization_id == ended.c.hold_id,
        ),
    )
    return (
        select(
            case((holds.c.posted < holds.c.amount, "under"), else_="over"),
            ended.c.day,
            ended.c.network,
            holds.c.currency,
            holds.c.account_id,
            holds.c.authorization_id,
            _NONE,
            ended.c.rrn,
            holds.c.amount,
            holds.c.posted - holds.c.amount,
            _BLANK,
        )
        .select_from(source)
        .where(holds.c.posted != holds.c.amount)
        .order_by(ended.c.day, holds.c.account_id, holds.c.authorization_id)
    )


def _pending(last: int, pending_days: int) -> Select[Any]:
    table = authorizations.c
    return (
        select(
            literal("pending"),
            table.day,
            table.network,
            table.currency,
            table.account_id,
            table.authorization_id,
            _NONE,
            table.rrn,
            PENDING_HOLDS.c.amount,
            PENDING_HOLDS.c.remaining,
            table.explanation,
        )
        .select_from(THEIR_AUTHORIZATIONS)
        .where(table.day < days_before(last, pending_days))
        .order_by(table.day, off_index(table.account_id), table.authorization_id)
    )


def _owing(last: int) -> Select[Any]:
    table = accounts.c
    return (
        select(
            literal("owing"),
            literal(last),
            _BLANK,
            table.currency,
            table.account_id,
            _NONE,
            _NONE,
            _BLANK,
            _NONE,
            table.owed,
            _BLANK,
        )
        .where(OWING)
        .order_by(table.account_id)
    )
