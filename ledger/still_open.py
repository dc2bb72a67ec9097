"""What is still open of everything up to a business day: pending holds, unmatched clearings, debts.

It is told as it stands now: what has been cleared since is not open any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, literal, select

from ledger.house import AccountKind
from ledger.posting import Manner
from ledger.report_lines import Line, Section, number_and_amount, off_index, read_lines, summed
from ledger.states import HoldState
from ledger.tables import accounts, authorizations, clearings, holds

_PENDING = "pending"
_AGES = ((1, "0-1 days"), (7, "2-7 days"), (30, "8-30 days"))
_OLDEST = "over 30 days"

# Pending holds are few and have an index. Set apart, they are what one pass over the authorizations
# is held against; else every authorization's hold is looked up.
PENDING_HOLDS = (
    select(holds.c.account_id, holds.c.authorization_id, holds.c.amount, holds.c.remaining)
    .where(holds.c.state == HoldState.PENDING.value)
    .cte("pending_holds")
    .prefix_with("MATERIALIZED")
)
THEIR_AUTHORIZATIONS = authorizations.join(
    PENDING_HOLDS,
    and_(
        PENDING_HOLDS.c.account_id == off_index(authorizations.c.account_id),
        PENDING_HOLDS.c.authorization_id == authorizations.c.authorization_id,
        authorizations.c.hold_id == authorizations.c.authorization_id,
    ),
)
LEFT = clearings.c.amount - clearings.c.returned
WAITING = and_(clearings.c.manner.in_([Manner.FORCED, Manner.SUSPENSE]), LEFT > 0)
OWING = and_(accounts.c.kind == AccountKind.WALLET.value, accounts.c.owed > 0)


def open_lines(connection: Connection, last: int, pending_days: int) -> Iterator[Line]:
    """Up to the day `last`; holds are old after `pending_days`.

    Raises
    ------
    ValueError
        If `last` is no date.
    """
    pending = list(read_lines(connection, Section.AGEING, _pending(last), order=[_PENDING]))
    yield from _by_age(pending, last)
    found, parts = _unmatched(last), ("", "one suggested")
    yield from read_lines(connection, Section.UNMATCHED, found, *parts, order=[*Manner])
    yield from _old(pending, last, pending_days)
    yield from read_lines(connection, Section.OWING, _owing(last), order=["wallets"])


def days_before(day: int, count: int) -> int:
    """The day so many days earlier.

    Raises
    ------
    ValueError
        If `day` is no date.
    """
    try:
        date = datetime.strptime(str(day), "%Y%m%d")  # noqa: DTZ007 - a day is in no time zone
    except ValueError:
        raise ValueError(f"day is {day}, expected a date as YYYYMMDD") from None
    return int(f"{date - timedelta(days=count):%Y%m%d}")


def _pending(last: int) -> Select[Any]:
    """By the day on which they were authorized."""
    table = authorizations.c
    key = (table.day, table.network, table.currency)
    sums = number_and_amount(PENDING_HOLDS.c.remaining)
    found = summed(key, literal(_PENDING), *sums).select_from(THEIR_AUTHORIZATIONS)
    return found.where(table.day <= last)


def _by_age(pending: Iterable[Line], last: int) -> Iterator[Line]:
    """A hold of no known day is among the oldest."""
    ages = [(days_before(last, count), age) for count, age in _AGES]
    named = [
        (next((age for first, age in ages if line.day >= first), _OLDEST), line) for line in pending
    ]
    for age in (*(age for _, age in _AGES), _OLDEST):
        yield from _added(Section.AGEING, last, age, [line for item, line in named if item == age])


def _old(pending: Iterable[Line], last: int, pending_days: int) -> Iterator[Line]:
    first = days_before(last, pending_days)
    item = f"{_PENDING} over {pending_days} days"
    yield from _added(Section.UNMATCHED, last, item, [line for line in pending if line.day < first])


def _added(section: Section, last: int, item: str, lines: Iterable[Line]) -> Iterator[Line]:
    """One line for each network and currency."""
    counts: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    for line in lines:
        counts[line.network, line.currency] += line.count
        amounts[line.network, line.currency] += line.amount
    for key in sorted(counts):
        yield Line(section, last, *key, item, counts[key], amounts[key])


def _unmatched(last: int) -> Select[Any]:
    table = clearings.c
    sums = (*number_and_amount(LEFT), *number_and_amount(LEFT, table.suggested_id != 0))
    key = (literal(last), table.network, table.currency)
    return summed(key, table.manner, *sums).where(WAITING, table.day <= last)


def _owing(last: int) -> Select[Any]:
    key = (literal(last), literal(""), accounts.c.currency)
    return summed(key, literal("wallets"), *number_and_amount(accounts.c.owed)).where(OWING)
