"""The general ledger: what each kind of account had before a business day, moved, and has after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, func, select

from ledger.report_lines import Line, Section
from ledger.tables import accounts, entries


class Turnover(msgspec.Struct, frozen=True):
    """Number and sum of the entries of one day on all accounts of a kind (and network)."""

    day: int
    network: str
    currency: str
    kind: str
    count: int
    amount: int


def turnovers(connection: Connection) -> list[Turnover]:
    """Every day's, oldest first; what there is to tell of a day follows from all before it."""
    key = (entries.c.day, accounts.c.network, entries.c.currency, accounts.c.kind)
    statement = (
        select(*key, func.count(), func.sum(entries.c.amount))
        .select_from(entries.join(accounts, accounts.c.account_id == entries.c.account_id))
        .group_by(*key)
    )
    return [
        Turnover(day, network, currency, kind, count, int(amount))
        for day, network, currency, kind, count, amount in sorted(connection.execute(statement))
    ]


def general_ledger_lines(found: Sequence[Turnover], days: Sequence[int]) -> Iterator[Line]:
    """Opening balance, movement and closing balance of each of `days`; counts are entries."""
    for day in days:
        for section, told in (
            (Section.OPENING, [each for each in found if each.day < day]),
            (Section.MOVEMENT, [each for each in found if each.day == day]),
            (Section.CLOSING, [each for each in found if each.day <= day]),
        ):
            yield from _added(section, day, told)


def _added(section: Section, day: int, found: Sequence[Turnover]) -> Iterator[Line]:
    counts: Counter[tuple[str, str, str]] = Counter()
    amounts: Counter[tuple[str, str, str]] = Counter()
    for each in found:
        key = each.network, each.currency, each.kind
        counts[key] += each.count
        amounts[key] += each.amount
    for key in sorted(counts):
        yield Line(section, day, *key, counts[key], amounts[key])
