"""What an audit checks: statements that return what does not add up.

The rows of each end with what was expected and what was found. Those of the house's accounts are in
`audit_house`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from ledger.house import AccountKind
from ledger.outcomes import Outcome
from ledger.posting import Manner
from ledger.rules import SPENDS
from ledger.states import HoldState
from ledger.tables import accounts, authorizations, clearings, entries, holds, spending

Check: TypeAlias = tuple[str, str, Select[Any]]  # name, subject, statement
_ZERO = literal(0)
_PENDING = holds.c.state == HoldState.PENDING.value
APPROVED = [outcome.name for outcome in Outcome if outcome.approved]
_DEBITS = [each.value for each in (Manner.FINAL, Manner.PART, Manner.LATE, Manner.FORCED)]
_TO_WALLET = [*_DEBITS, Manner.FUNDED.value]


def account_checks() -> Iterator[Check]:
    """Of each account, hold, spending counter and record by itself."""
    yield from _account_checks()
    yield from _wallet_checks()
    yield from _entry_checks()
    yield from _hold_checks()
    yield from _spending_checks()
    yield from _record_checks()


def _account_checks() -> Iterator[Check]:
    replay = (
        select(
            entries.c.account_id,
            func.sum(entries.c.amount).label("amount"),
            func.sum(entries.c.value).label("value"),
            func.count().label("count"),
            func.max(entries.c.version).label("last"),
        )
        .group_by(entries.c.account_id)
        .subquery()
    )
    joined = accounts.outerjoin(replay, replay.c.account_id == accounts.c.account_id)
    amount, value = _or_zero(replay.c.amount), _or_zero(replay.c.value)
    count, last = _or_zero(replay.c.count), _or_zero(replay.c.last)
    for check, expected, found in (
        ("posted is not the sum of the entries", amount, accounts.c.posted),
        ("value is not the sum of the entries", value, accounts.c.value),
        ("version is not the number of entries", count, accounts.c.version),
        ("versions of the entries have a gap", count, last),
    ):
        yield check, "account {0}", _unequal(joined, [accounts.c.account_id], expected, found)
    held = (
        select(holds.c.account_id, func.sum(holds.c.remaining).label("remaining"))
        .where(_PENDING)
        .group_by(holds.c.account_id)
        .subquery()
    )
    yield (
        "held is not the sum of the pending holds",
        "account {0}",
        _unequal(
            accounts.outerjoin(held, held.c.account_id == accounts.c.account_id),
            [accounts.c.account_id],
            _or_zero(held.c.remaining),
            accounts.c.held,
        ),
    )


def _wallet_checks() -> Iterator[Check]:
    """A wallet has money or owes some, never both, and its *Value* is never negative."""
    posted, value, owed = accounts.c.posted, accounts.c.value, accounts.c.owed
    wallet, floor = accounts.c.kind == AccountKind.WALLET.value, -accounts.c.credit_line
    for check, expected, found, wrong in (
        ("wallet is below its credit line", floor, posted, and_(wallet, posted < floor)),
        ("wallet owes and has money", floor, posted, and_(wallet, owed != 0, posted != floor)),
        ("debt is below zero", _ZERO, owed, owed < 0),
        ("value is below zero", _ZERO, value, value < 0),
        ("wallet has more value than all in all", posted - floor, value,
         and_(wallet, value > posted - floor)),
    ):  # fmt: skip
        yield check, "account {0}", select(accounts.c.account_id, expected, found).where(wrong)


def _entry_checks() -> Iterator[Check]:
    before = entries.alias("before")
    pairs = entries.outerjoin(
        before,
        and_(
            before.c.account_id == entries.c.account_id,
            before.c.version == entries.c.version - 1,
        ),
    )
    yield (
        "running balance does not follow from the entry before",
        "account {0} entry {1}",
        _unequal(
            pairs,
            [entries.c.account_id, entries.c.version],
            _or_zero(before.c.balance) + entries.c.amount,
            entries.c.balance,
        ),
    )
    owned = entries.outerjoin(accounts, accounts.c.account_id == entries.c.account_id)
    yield (
        "entry in another currency than its account",
        "account {0} entry {1}",
        _unequal(
            owned,
            [entries.c.account_id, entries.c.version],
            func.coalesce(accounts.c.currency, "an account"),
            entries.c.currency,
        ),
    )
    yield (
        "posting does not sum to zero",
        "posting {0} in {1}",
        select(entries.c.posting_id, entries.c.currency, _ZERO, func.sum(entries.c.amount))
        .group_by(entries.c.posting_id, entries.c.currency)
        .having(func.sum(entries.c.amount) != 0),
    )


def _hold_checks() -> Iterator[Check]:
    key = [holds.c.account_id, holds.c.authorization_id]
    subject = "account {0} hold {1}"
    yield (
        "hold remains below zero",
        subject,
        select(*key, _ZERO, holds.c.remaining).where(holds.c.remaining < 0),
    )
    yield (
        "ended hold still holds",
        subject,
        select(*key, _ZERO, holds.c.remaining).where(~_PENDING, holds.c.remaining != 0),
    )
    used = _clearings_of_holds()
    joined = holds.outerjoin(
        used,
        and_(used.c.account_id == holds.c.account_id, used.c.hold_id == holds.c.authorization_id),
    )
    yield (
        "posted of a hold is not the sum of its clearings",
        subject,
        _unequal(joined, key, _or_zero(used.c.amount), holds.c.posted),
    )
    yield (
        "parts of a hold are not the number of its clearings",
        subject,
        _unequal(joined, key, _or_zero(used.c.count), holds.c.parts),
    )
    # No index leads from a hold to its authorization: both sets are gone through once. (A join
    # had SQLite read, for each hold, all of its account's; with DISTINCT, PostgreSQL's hash table
    # of millions of keys did not come to an end.)
    told = select(*authorizations.c["account_id", "authorization_id"])
    untold = select(*key).except_(told).subquery()
    yield (
        "hold without its authorization",
        subject,
        select(*untold.c, untold.c.authorization_id.label("hold"), literal("none")),
    )
    yield (
        "more was paid from money than was posted",
        subject,
        select(*key, holds.c.posted, holds.c.money).where(
            or_(holds.c.money < 0, holds.c.money > holds.c.posted)
        ),
    )


def _spending_checks() -> Iterator[Check]:
    counted = (
        select(
            holds.c.account_id,
            holds.c.instrument_id,
            holds.c.day,
            func.sum(holds.c.counted).label("amount"),
            func.sum(case((holds.c.counted > 0, 1), else_=0)).label("count"),
        )
        .where(holds.c.day != 0)
        .group_by(holds.c.account_id, holds.c.instrument_id, holds.c.day)
        .subquery()
    )
    same = and_(
        counted.c.account_id == spending.c.account_id,
        counted.c.instrument_id == spending.c.instrument_id,
        counted.c.day == spending.c.day,
    )
    key = [spending.c.account_id, spending.c.instrument_id, spending.c.day]
    subject = "account {0} instrument {1} day {2}"
    joined = spending.outerjoin(counted, same)
    for name in ("amount", "count"):
        yield (
            f"spending {name} is not that of the holds",
            subject,
            _unequal(joined, key, _or_zero(counted.c[name]), spending.c[name]),
        )
    yield (
        "holds are counted in no spending counter",
        subject,
        select(
            counted.c.account_id,
            counted.c.instrument_id,
            counted.c.day,
            counted.c.amount,
            literal("none"),
        )
        .select_from(counted.outerjoin(spending, same))
        .where(spending.c.account_id.is_(None), counted.c.amount != 0),
    )


def _record_checks() -> Iterator[Check]:
    key = [authorizations.c.account_id, authorizations.c.authorization_id]
    subject = "account {0} authorization {1}"
    made = authorizations.outerjoin(
        holds,
        and_(
            holds.c.account_id == authorizations.c.account_id,
            holds.c.authorization_id == authorizations.c.hold_id,
        ),
    )
    missing = holds.c.authorization_id.is_(None)
    yield (
        "authorization without its hold",
        subject,
        select(*key, authorizations.c.hold_id, literal("none"))
        .select_from(made)
        .where(missing, or_(authorizations.c.hold_id != 0, _should_hold())),
    )
    posted = (
        select(
            entries.c.account_id,
            entries.c.posting_id,
            func.sum(entries.c.amount).label("amount"),
        )
        .where(entries.c.kind.in_(["clearing", "funded"]))
        .group_by(entries.c.account_id, entries.c.posting_id)
        .subquery()
    )
    joined = clearings.outerjoin(
        posted,
        and_(
            posted.c.account_id == clearings.c.account_id,
            posted.c.posting_id == clearings.c.clearing_id,
        ),
    )
    signed = case((clearings.c.credit == 1, clearings.c.amount), else_=-clearings.c.amount)
    yield (
        "clearing is not posted once",
        "account {0} clearing {1}",
        _unequal(
            joined,
            [clearings.c.account_id, clearings.c.clearing_id],
            case((clearings.c.manner.in_(_TO_WALLET), signed), else_=_ZERO),
            _or_zero(posted.c.amount),
        ),
    )


def _or_zero(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, 0)


def _unequal(
    source: FromClause,
    key: Sequence[ColumnElement[Any]],
    expected: ColumnElement[Any],
    found: ColumnElement[Any],
) -> Select[Any]:
    return select(*key, expected, found).select_from(source).where(expected != found)


def _clearings_of_holds() -> Subquery:
    """What is still posted of each hold's clearings, and how many there were."""
    return (
        select(
            clearings.c.account_id,
            clearings.c.hold_id,
            func.sum(clearings.c.amount - clearings.c.returned).label("amount"),
            func.count().label("count"),
        )
        .where(clearings.c.hold_id != 0, clearings.c.manner.in_(_DEBITS))
        .group_by(clearings.c.account_id, clearings.c.hold_id)
        .subquery()
    )


def _should_hold() -> ColumnElement[bool]:
    """An advice may be applied without a hold; a request of ours never."""
    return and_(
        authorizations.c.verb == "authorize",
        authorizations.c.outcome.in_(APPROVED),
        authorizations.c.purpose.in_(sorted(SPENDS)),
    )
