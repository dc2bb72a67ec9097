"""How old the pending holds are, and which should have expired: for those who watch."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, case, func, select

from ledger.ids import first_id_at
from ledger.states import HoldState
from ledger.tables import holds

AGES_DAYS = (1, 7, 30)
OLDER = 0
_DAY_MICROSECONDS = 86_400_000_000


class HoldAge(msgspec.Struct, frozen=True):
    """The pending holds of one currency that were authorized at most so many `days` ago.

    Those of a younger age are not among them; `OLDER` stands for what is older than all of
    `AGES_DAYS`. `remaining` is minor units.
    """

    currency: str
    days: int
    count: int
    remaining: int


def hold_ages(connection: Connection, now: int) -> list[HoldAge]:
    """At `now`, microseconds since the epoch. Pending holds have an index: no other is read."""
    made = holds.c.authorization_id
    ages = [(made >= first_id_at(now - days * _DAY_MICROSECONDS), days) for days in AGES_DAYS]
    found = (
        select(
            holds.c.currency,
            case(*ages, else_=OLDER).label("days"),
            func.count().label("number"),
            func.sum(holds.c.remaining).label("left"),
        )
        .where(holds.c.state == HoldState.PENDING.value)
        .group_by("currency", "days")
    )
    return [
        HoldAge(row.currency, row.days, row.number, int(row.left))
        for row in connection.execute(found)
    ]


def overdue_count(connection: Connection, now: int) -> int:
    """How many holds are pending though their time is over: the jobs release them (`expire`)."""
    overdue = select(func.count()).where(
        holds.c.state == HoldState.PENDING.value, holds.c.expires_at <= now
    )
    return connection.scalar(overdue) or 0
