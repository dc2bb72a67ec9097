"""Replay the books: every balance against its entries, every hold against what it is part of.

Each check is one statement that returns what disagrees, so that an audit of a clean ledger moves
no rows. It reads one consistent view and can run beside the writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
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

from ledger.clearing import Manner
from ledger.outcomes import Outcome
from ledger.rules import SPENDS
from ledger.states import HoldState
from ledger.tables import (
    accounts,
    authorizations,
    clearings,
    entries,
    holds,
    metadata,
    postings,
    spending,
)


class Disagreement(msgspec.Struct, frozen=True):
    """One thing that does not add up. `subject` names it, e.g. ``"account 17"``."""

    check: str
    subject: str
    expected: str
    found: str


class AuditReport(msgspec.Struct, frozen=True):
    """What was looked at (rows of each table) and what disagreed."""

    counts: dict[str, int]
    totals: dict[str, int]
    disagreements: tuple[Disagreement, ...]

    @property
    def clean(self) -> bool:
        """Whether the books balance."""
        return not self.disagreements


def audit(connection: Connection) -> AuditReport:
    """Check everything; `connection` should be one reading transaction."""
    found = [
        Disagreement(check, subject.format(*row), str(row[-2]), str(row[-1]))
        for check, subject, statement in _checks()
        for row in map(tuple, connection.execute(statement))
    ]
    counts = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in metadata.sorted_tables
    }
    currencies = select(accounts.c.currency, func.sum(accounts.c.posted)).group_by(
        accounts.c.currency
    )
    totals = {currency: int(total) for currency, total in connection.execute(currencies)}
    return AuditReport(counts, totals, tuple(found))


_Check = tuple[str, str, Select[Any]]
_ZERO = literal(0)
_PENDING = holds.c.state == HoldState.PENDING.value
_APPROVED = [outcome.name for outcome in Outcome if outcome.approved]


def _checks() -> Iterator[_Check]:
    """Name, subject and statement; each row ends with what was expected and what was found."""
    yield from _account_checks()
    yield from _entry_checks()
    yield from _hold_checks()
    yield from _record_checks()


def _account_checks() -> Iterator[_Check]:
    replay = (
        select(
            entries.c.account_id,
            func.sum(entries.c.amount).label("amount"),
            func.count().label("count"),
            func.max(entries.c.version).label("last"),
        )
        .group_by(entries.c.account_id)
        .subquery()
    )
    joined = accounts.outerjoin(replay, replay.c.account_id == accounts.c.account_id)
    amount, count = _or_zero(replay.c.amount), _or_zero(replay.c.count)
    last = _or_zero(replay.c.last)
    for check, expected, found in (
        ("posted is not the sum of the entries", amount, accounts.c.posted),
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


def _entry_checks() -> Iterator[_Check]:
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
    yield (
        "entry without its posting",
        "account {0} entry {1}",
        select(
            entries.c.account_id, entries.c.version, entries.c.posting_id, literal("none")
        ).where(entries.c.posting_id.not_in(select(postings.c.posting_id))),
    )


def _hold_checks() -> Iterator[_Check]:
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
    made = holds.outerjoin(
        authorizations,
        and_(
            authorizations.c.account_id == holds.c.account_id,
            authorizations.c.authorization_id == holds.c.authorization_id,
        ),
    )
    yield (
        "hold without its authorization",
        subject,
        select(*key, holds.c.authorization_id, literal("none"))
        .select_from(made)
        .where(authorizations.c.authorization_id.is_(None)),
    )
    yield from _spending_checks()


def _spending_checks() -> Iterator[_Check]:
    counted = (
        select(
            holds.c.account_id,
            holds.c.instrument_id,
            holds.c.day,
            func.sum(holds.c.counted).label("amount"),
            func.sum(case((holds.c.counted > 0, 1), else_=0)).label("count"),
        )
        .where(holds.c.instrument_id != 0)
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


def _record_checks() -> Iterator[_Check]:
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
    records = [clearings.c.account_id, clearings.c.clearing_id]
    counts = (
        select(postings.c.account_id, postings.c.clearing_id, func.count().label("count"))
        .where(postings.c.kind.in_(["clearing", "credit"]))
        .group_by(postings.c.account_id, postings.c.clearing_id)
        .subquery()
    )
    joined = clearings.outerjoin(
        counts,
        and_(
            counts.c.account_id == clearings.c.account_id,
            counts.c.clearing_id == clearings.c.clearing_id,
        ),
    )
    once = case((clearings.c.outcome.in_(_APPROVED), 1), else_=0)
    yield (
        "clearing is not posted once",
        "account {0} clearing {1}",
        _unequal(joined, records, once, _or_zero(counts.c.count)),
    )
    yield (
        "clearing record was taken twice",
        "account {0} {1} record {2}",
        select(
            clearings.c.account_id,
            clearings.c.network,
            clearings.c.request_key,
            literal(1),
            func.count(),
        )
        .group_by(clearings.c.account_id, clearings.c.network, clearings.c.request_key)
        .having(func.count() > 1),
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
    """What was taken back lowers the sum; it is no part of its own."""
    undone = clearings.c.manner == Manner.UNDONE.value
    return (
        select(
            clearings.c.account_id,
            clearings.c.hold_id,
            func.sum(case((undone, -clearings.c.amount), else_=clearings.c.amount)).label("amount"),
            func.sum(case((undone, 0), else_=1)).label("count"),
        )
        .where(
            clearings.c.hold_id != 0,
            or_(clearings.c.credit == 0, undone),
            clearings.c.outcome.in_(_APPROVED),
        )
        .group_by(clearings.c.account_id, clearings.c.hold_id)
        .subquery()
    )


def _should_hold() -> ColumnElement[bool]:
    """An advice may be applied without a hold; a request of ours never."""
    return and_(
        authorizations.c.verb == "authorize",
        authorizations.c.outcome.in_(_APPROVED),
        authorizations.c.purpose.in_(sorted(SPENDS)),
    )
