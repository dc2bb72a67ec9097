"""What one account has in the tables whose keys begin with their time (decision 0018).

Its authorizations lie together day by day, and there are no more days than a year has. Where an
account has very many, time leads sooner to the latest few.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from ledger.commands import DAYS
from ledger.tables import authorizations, holds

_MANY = 10_000  # rows that are put in order at a moment's notice

_MADE = authorizations.join(
    holds,
    and_(
        holds.c.authorization_id == authorizations.c.authorization_id,
        holds.c.account_id == authorizations.c.account_id,
    ),
)


def authorizations_of(*account_ids: int) -> ColumnElement[bool]:
    """Whether an authorization is one of these accounts'."""
    return and_(
        authorizations.c.sent_on.in_(DAYS.values()), authorizations.c.account_id.in_(account_ids)
    )


def have_many(connection: Connection, account_ids: Collection[int]) -> bool:
    """Whether the accounts have so many authorizations that all are better read by their time."""
    theirs = authorizations_of(*account_ids)
    some = select(authorizations.c.account_id).where(theirs).limit(_MANY + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(some)) or 0) > _MANY


def holds_of(account_id: int) -> Select[Any]:
    """The account's holds, which have the ids of the authorizations that made them."""
    return select(holds).select_from(_MADE).where(authorizations_of(account_id))
