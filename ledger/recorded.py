"""What was recorded on business days: authorizations, holds and clearings, added up by their kind.

`authorizations` and `clearings` have no index by day: each statement reads its table once, and goes
from there to holds by their key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select

from ledger.matching import Rung
from ledger.outcomes import Outcome
from ledger.posting import Manner
from ledger.report_lines import (
    Key,
    Line,
    Section,
    first_that_holds,
    number_and_amount,
    off_index,
    read_lines,
    summed,
)
from ledger.rows import REPEAT
from ledger.states import HoldState
from ledger.tables import authorizations, clearings, holds

MISSING = "missing"  # the state of a hold that is not there
AUTHORIZED = "authorized"

_APPROVED = authorizations.c.outcome.in_([each.name for each in Outcome if each.approved])
_ADVISED = authorizations.c.verb == "advise"
_MADE_A_HOLD = authorizations.c.hold_id == authorizations.c.authorization_id
_ITS_HOLD = and_(
    holds.c.account_id == off_index(authorizations.c.account_id),
    holds.c.authorization_id == authorizations.c.authorization_id,
)
_AUTHORIZED: Key = (authorizations.c.day, authorizations.c.network, authorizations.c.currency)
_CLEARED: Key = (clearings.c.day, clearings.c.network, clearings.c.currency)

_AUTHORIZATIONS = (
    ("repeat", authorizations.c.verb == REPEAT),
    ("advice refused", _ADVISED & ~_APPROVED),
    ("advised", _ADVISED & _MADE_A_HOLD),
    ("advised, no new hold", _ADVISED),
    ("declined", ~_APPROVED),
    ("approved, nothing held", authorizations.c.hold_id == 0),
    ("incremental", ~_MADE_A_HOLD),
    ("approved partially", authorizations.c.outcome == Outcome.APPROVED_PARTIALLY.name),
)
_RUNGS = tuple(
    (rung.removeprefix("matched by "), clearings.c.explanation.startswith(f"{rung}:"))
    for rung in Rung
)
_DIFFERENCES = (
    ("as authorized", holds.c.posted == holds.c.amount),
    ("under", holds.c.posted < holds.c.amount),
)
_APPROVED_ALL, _BY_HAND, _OVER = "approved", "hand", "over"

# The order of lines: rungs from the surest down, and the rest from what is usual to what is not.
_AUTHORIZATION_ITEMS = [
    _APPROVED_ALL,
    "approved partially",
    "incremental",
    "approved, nothing held",
    "advised",
    "advised, no new hold",
    "advice refused",
    "declined",
    "repeat",
]
_HOLD_ITEMS = [*HoldState, MISSING]
_RUNG_ITEMS = [*(item for item, _ in _RUNGS), _BY_HAND]
_DIFFERENCE_ITEMS = [*(item for item, _ in _DIFFERENCES), _OVER]


def recorded_lines(connection: Connection, days: Sequence[int]) -> Iterator[Line]:
    """What was recorded on each of `days`, and what has become of it by now."""
    found = _authorizations(days)
    yield from read_lines(connection, Section.AUTHORIZATIONS, found, order=_AUTHORIZATION_ITEMS)
    found, parts = _holds(days), (AUTHORIZED, "held", "cleared")
    yield from read_lines(connection, Section.HOLDS, found, *parts, order=_HOLD_ITEMS)
    yield from read_lines(connection, Section.CLEARINGS, _clearings(days), order=[*Manner])
    yield from read_lines(connection, Section.MATCHES, _matches(days), order=_RUNG_ITEMS)
    found = _differences(days)
    yield from read_lines(connection, Section.DIFFERENCES, found, order=_DIFFERENCE_ITEMS)


def _authorizations(days: Sequence[int]) -> Select[Any]:
    amount = case((_APPROVED, authorizations.c.amount), else_=authorizations.c.requested)
    item = first_that_holds(_AUTHORIZATIONS, _APPROVED_ALL)
    statement = summed(_AUTHORIZED, item, *number_and_amount(amount))
    return statement.where(authorizations.c.day.in_(days))


def _holds(days: Sequence[int]) -> Select[Any]:
    """By state: what was authorized first, what is held of it, what has been cleared."""
    sums = (
        *number_and_amount(authorizations.c.amount),
        *number_and_amount(holds.c.remaining, holds.c.remaining > 0),
        *number_and_amount(holds.c.posted, holds.c.posted > 0),
    )
    item = func.coalesce(holds.c.state, MISSING)
    return (
        summed(_AUTHORIZED, item, *sums)
        .select_from(authorizations.outerjoin(holds, _ITS_HOLD))
        .where(authorizations.c.day.in_(days), _MADE_A_HOLD)
    )


def _clearings(days: Sequence[int]) -> Select[Any]:
    statement = summed(_CLEARED, clearings.c.manner, *number_and_amount(clearings.c.amount))
    return statement.where(clearings.c.day.in_(days))


def _matches(days: Sequence[int]) -> Select[Any]:
    matched = (Manner.FINAL, Manner.PART, Manner.LATE, Manner.CREDITED)
    item = first_that_holds(_RUNGS, _BY_HAND)
    statement = summed(_CLEARED, item, *number_and_amount(clearings.c.amount))
    return statement.where(clearings.c.day.in_(days), clearings.c.manner.in_(matched))


def _differences(days: Sequence[int]) -> Select[Any]:
    """Of holds that a clearing of the day has ended, or found ended already."""
    ended = (
        select(
            *_CLEARED, off_index(clearings.c.account_id).label("account_id"), clearings.c.hold_id
        )
        .distinct()
        .where(
            clearings.c.day.in_(days),
            clearings.c.manner.in_([Manner.FINAL, Manner.LATE]),
            clearings.c.hold_id != 0,
        )
        .subquery()
    )
    item = first_that_holds(_DIFFERENCES, _OVER)
    found = ended.join(
        holds,
        and_(
            holds.c.account_id == ended.c.account_id,
            holds.c.authorization_id == ended.c.hold_id,
        ),
    )
    key = (ended.c.day, ended.c.network, ended.c.currency)
    amount = func.abs(holds.c.posted - holds.c.amount)
    return summed(key, item, *number_and_amount(amount)).select_from(found)
