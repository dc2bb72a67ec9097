"""What this issuer owes each network for each business day, or is owed by it.

It is worked out three times from what does not depend on each other: the clearing records, the
entries of the settlement accounts, and how the running balances of those accounts have moved.
Amounts are minor units; positive is owed to the network. Lanes and shards of one database are
summed.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from ledger.house import AccountKind
from ledger.posting import Manner
from ledger.tables import accounts, clearings, entries

DEBITS = (Manner.FINAL, Manner.PART, Manner.LATE, Manner.FORCED)
CREDITS = (Manner.CREDITED, Manner.SUSPENSE, Manner.WRITTEN_OFF)

Key: TypeAlias = tuple[int, str, str]  # day, network, currency


class SettlementPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One network's settlement of one business day (YYYYMMDD) in one currency.

    `debits` and `credits` are what it has cleared on that day, whatever has become of it since;
    `taken_back` what it has taken back on that day, of earlier debits less of earlier credits.
    `net` is what is owed for the day. `entries` and `movement` are the same as the entries of the
    settlement accounts and their running balances have it.
    """

    day: int
    network: str
    currency: str
    debits_count: int = 0
    debits: int = 0
    credits_count: int = 0
    credits: int = 0
    taken_back_count: int = 0
    taken_back: int = 0
    entries_count: int = 0
    entries: int = 0
    movement: int = 0

    @property
    def net(self) -> int:
        """Owed to the network; below zero, due from it."""
        return self.debits - self.credits - self.taken_back

    @property
    def cleared_count(self) -> int:
        """How many clearing records moved money."""
        return self.debits_count + self.credits_count + self.taken_back_count

    @property
    def agrees(self) -> bool:
        """Whether clearings, entries and balances tell the same."""
        counts = self.cleared_count == self.entries_count
        return counts and self.net == self.entries == self.movement


class Within(msgspec.Struct, frozen=True):
    """Which days a position is wanted for, first and last included, and of which network."""

    first_day: int | None = None
    last_day: int | None = None
    network: str | None = None

    def of(self, day: ColumnElement[int], network: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """The conditions on two columns."""
        conditions = []
        if self.first_day is not None:
            conditions.append(day >= self.first_day)
        if self.last_day is not None:
            conditions.append(day <= self.last_day)
        if self.network is not None:
            conditions.append(network == self.network)
        return conditions


def settlement_positions(
    connection: Connection,
    within: Within = Within(),  # noqa: B008 - frozen
) -> list[SettlementPosition]:
    """By day, network and currency; `connection` should be one reading transaction."""
    cleared = _cleared(connection, within)
    posted = _posted(connection, within)
    return [
        SettlementPosition(
            day=day,
            network=network,
            currency=currency,
            **cleared.get((day, network, currency), {}),
            **posted.get((day, network, currency), {}),
        )
        for day, network, currency in sorted({*cleared, *posted})
    ]


def _cleared(connection: Connection, within: Within) -> dict[Key, dict[str, int]]:
    table = clearings.c
    undone = table.manner == Manner.UNDONE
    signed = case((undone & (table.credit == 0), -table.amount), else_=table.amount)
    sums = []
    for name, chosen in (
        ("debits", table.manner.in_(DEBITS)),
        ("credits", table.manner.in_(CREDITS)),
        ("taken_back", undone),
    ):
        sums += [
            func.sum(case((chosen, 1), else_=0)).label(f"{name}_count"),
            func.sum(case((chosen, signed), else_=0)).label(name),
        ]
    moves = table.manner.in_([*DEBITS, *CREDITS, Manner.UNDONE])
    statement = (
        select(table.day, table.network, table.currency, *sums)
        .where(moves, *within.of(table.day, table.network))
        .group_by(table.day, table.network, table.currency)
    )
    return _by_key(connection, statement)


def _posted(connection: Connection, within: Within) -> dict[Key, dict[str, int]]:
    """An entry's own movement is its balance less that of the entry before it."""
    before = entries.alias("before")
    table, house = entries.c, accounts.c
    source = accounts.join(entries, table.account_id == house.account_id).outerjoin(
        before,
        (before.c.account_id == table.account_id) & (before.c.version == table.version - 1),
    )
    moved = table.balance - func.coalesce(before.c.balance, 0)
    statement = (
        select(
            table.day,
            house.network,
            table.currency,
            func.count().label("entries_count"),
            func.sum(table.amount).label("entries"),
            func.sum(moved).label("movement"),
        )
        .select_from(source)
        .where(
            house.account_id < 0,  # the house's own, which lie together
            house.kind == AccountKind.SETTLEMENT,
            *within.of(table.day, house.network),
        )
        .group_by(table.day, house.network, table.currency)
    )
    return _by_key(connection, statement)


def _by_key(connection: Connection, statement: Select[Any]) -> dict[Key, dict[str, int]]:
    """Rows of day, network, currency and named sums."""
    rows = connection.execute(statement)
    names = [*rows.keys()][3:]
    return {
        (day, network, currency): dict(zip(names, map(int, sums), strict=True))
        for day, network, currency, *sums in rows
    }
