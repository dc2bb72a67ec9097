"""Everything that the books have of one authorization, from its request to its last entry.

A life cycle lies on one account and network. It is the request that began it, whatever shares its
hold or its transaction id (increments, advices, repeats, new attempts), the reversals and clearings
of those, and the entries of the clearings. It is found by reading one account: off the hot path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, literal, or_, select

from ledger.commands import TRACE_END, trace_in
from ledger.of_account import authorizations_of
from ledger.outcomes import Outcome
from ledger.rows import Account, Authorization, Clearing, Entry, Hold, Points, Reversal
from ledger.tables import (
    accounts,
    authorizations,
    clearings,
    entries,
    holds,
    points,
    reversals,
)

_NEAR_MOST = 5
_FOUND_MOST = 20
_APPROVED = [each.name for each in Outcome if each.approved]

Row = TypeVar("Row")
Condition = ColumnElement[bool]


class LifeCycle(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one life cycle, oldest first; `subject_id` is what was asked for.

    `near` are authorizations that an unmatched clearing might be about, had it named them: they
    share the RRN, the transaction id or the amount with it.
    """

    account: Account
    subject_id: int
    network: str
    authorizations: tuple[Authorization, ...] = ()
    reversals: tuple[Reversal, ...] = ()
    clearings: tuple[Clearing, ...] = ()
    hold: Hold | None = None
    points: Points | None = None
    entries: tuple[Entry, ...] = ()
    near: tuple[Authorization, ...] = ()

    @property
    def rows(self) -> tuple[Authorization | Reversal | Clearing, ...]:
        """What was asked and answered, kind by kind."""
        return (*self.authorizations, *self.reversals, *self.clearings)


class NotRecorded(LookupError):
    """The account has no authorization, reversal or clearing of that id."""

    def __init__(self, account_id: int, subject_id: int) -> None:
        super().__init__(account_id, subject_id)
        self.account_id = account_id
        self.subject_id = subject_id

    def __str__(self) -> str:
        return f"account {self.account_id} has nothing with the id {self.subject_id}"


def read_life_cycle(connection: Connection, account_id: int, subject_id: int) -> LifeCycle:
    """The life cycle of an authorization, or of what a reversal or a clearing is about.

    Raises
    ------
    NotRecorded
        If the account has none of that id.
    """
    of_account = _Account(connection, account_id)
    authorization_id, alone = _anchor(of_account, subject_id)
    if alone is None:
        return _whole(of_account, subject_id, authorization_id)
    return _alone(of_account, subject_id, alone)


class _Account:
    """Reads rows of one account."""

    def __init__(self, connection: Connection, account_id: int) -> None:
        self._connection = connection
        self._account_id = account_id

    def rows(self, type_: type[Row], table: Table, condition: Condition, order: str) -> list[Row]:
        """Those of `table` for which `condition` holds."""
        chosen = select(table).where(table.c.account_id == self._account_id, condition)
        return [type_(*row) for row in self._connection.execute(chosen.order_by(table.c[order]))]

    def row(self) -> Account:
        """The account itself; whatever else there is of it was written under its lock."""
        chosen = select(accounts).where(accounts.c.account_id == self._account_id)
        return Account(*self._connection.execute(chosen).one())

    def authorizations(self, condition: Condition) -> list[Authorization]:
        """Authorizations and advices."""
        theirs = and_(authorizations_of(self._account_id), condition)
        return self.rows(Authorization, authorizations, theirs, "authorization_id")

    def reversals(self, condition: Condition) -> list[Reversal]:
        """Reversals."""
        return self.rows(Reversal, reversals, condition, "reversal_id")

    def clearings(self, condition: Condition) -> list[Clearing]:
        """Clearings, and what a person has said about them."""
        return self.rows(Clearing, clearings, condition, "clearing_id")

    def entries(self, found: Sequence[Clearing]) -> list[Entry]:
        """The entries that clearings have made."""
        ids = [each.clearing_id for each in found]
        return self.rows(Entry, entries, entries.c.posting_id.in_(ids), "version")

    def not_found(self, subject_id: int) -> NotRecorded:
        """The error that says so."""
        return NotRecorded(self._account_id, subject_id)


def find_later_messages(connection: Connection, rrn: str) -> list[Reversal | Clearing]:
    """Reversals and clearings with an RRN of their own: no index has it, both tables are read."""
    reversed_ = select(reversals).where(reversals.c.rrn == rrn).limit(_FOUND_MOST)
    cleared = select(clearings).where(clearings.c.rrn == rrn).limit(_FOUND_MOST)
    return [
        *(Reversal(*row) for row in connection.execute(reversed_)),
        *(Clearing(*row) for row in connection.execute(cleared)),
    ]


def _anchor(of_account: _Account, subject_id: int) -> tuple[int, Reversal | Clearing | None]:
    """The authorization that `subject_id` is or is about; or the row, where it is about none."""
    if of_account.authorizations(authorizations.c.authorization_id == subject_id):
        return subject_id, None
    found: Sequence[Reversal | Clearing] = of_account.reversals(
        reversals.c.reversal_id == subject_id
    ) or of_account.clearings(clearings.c.clearing_id == subject_id)
    if not found:
        raise of_account.not_found(subject_id)
    row = found[0]
    return row.authorization_id, None if row.authorization_id else row


def _whole(of_account: _Account, subject_id: int, authorization_id: int) -> LifeCycle:
    [first] = of_account.authorizations(authorizations.c.authorization_id == authorization_id)
    asked = of_account.authorizations(
        and_(
            authorizations.c.network == first.network,
            or_(
                authorizations.c.authorization_id == authorization_id,
                _is(authorizations.c.hold_id, first.hold_id),
                _is(authorizations.c.transaction_id, first.transaction_id),
            ),
        )
    )
    hold_id = next((each.hold_id for each in asked if each.hold_id), 0)
    ids = [each.authorization_id for each in asked]
    cleared = of_account.clearings(
        and_(
            clearings.c.network == first.network,
            or_(
                _is(clearings.c.hold_id, hold_id),
                clearings.c.authorization_id.in_(ids),
                clearings.c.suggested_id.in_(ids),
            ),
        )
    )
    key = holds.c.authorization_id == hold_id
    found = of_account.rows(Hold, holds, key, "authorization_id")
    granted = of_account.rows(Points, points, points.c.hold_id == hold_id, "hold_id")
    return LifeCycle(
        account=of_account.row(),
        subject_id=subject_id,
        network=first.network,
        authorizations=tuple(asked),
        reversals=tuple(_reversals_of(of_account, asked)),
        clearings=tuple(cleared),
        hold=found[0] if found else None,
        points=granted[0] if granted and hold_id else None,
        entries=tuple(of_account.entries(cleared)),
    )


def _reversals_of(of_account: _Account, asked: Sequence[Authorization]) -> list[Reversal]:
    """Those that found their original, and those that came before it."""
    traces = [trace for each in asked if (trace := trace_in(each.request_key))]
    names = [each.transaction_id for each in asked if each.transaction_id]
    early = or_(reversals.c.trace.in_(traces), reversals.c.transaction_id.in_(names))
    return of_account.reversals(
        and_(
            reversals.c.network == asked[0].network,
            or_(
                reversals.c.authorization_id.in_([each.authorization_id for each in asked]),
                and_(reversals.c.early == 1, early),
            ),
        )
    )


def _alone(of_account: _Account, subject_id: int, row: Reversal | Clearing) -> LifeCycle:
    """What is about no authorization that is known, with what it might be about."""
    if isinstance(row, Reversal):
        return LifeCycle(
            account=of_account.row(), subject_id=subject_id, network=row.network, reversals=(row,)
        )
    cleared = of_account.clearings(
        and_(
            clearings.c.network == row.network,
            or_(
                clearings.c.clearing_id == row.clearing_id,
                _of_reference(row),
            ),
        )
    )
    near = of_account.authorizations(
        and_(
            authorizations.c.network == row.network,
            authorizations.c.outcome.in_(_APPROVED),
            or_(
                _is(authorizations.c.rrn, row.rrn),
                _is(authorizations.c.transaction_id, row.transaction_id),
                authorizations.c.amount == row.amount,
                authorizations.c.authorization_id == row.suggested_id,
            ),
        )
    )
    return LifeCycle(
        account=of_account.row(),
        subject_id=subject_id,
        network=row.network,
        clearings=tuple(cleared),
        entries=tuple(of_account.entries(cleared)),
        near=tuple(near[-_NEAR_MOST:]),
    )


def _of_reference(row: Clearing) -> Condition:
    """The other records of its acquirer's reference number, if it has one."""
    reference = trace_in(row.request_key)
    begins = clearings.c.request_key.startswith(f"{reference}{TRACE_END}", autoescape=True)
    return and_(begins, literal(reference) != "")


def _is(column: ColumnElement[Any], value: str | int) -> Condition:
    """Equal, and not blank nor zero: two that have no hold do not share it."""
    return and_(column == value, column != type(value)())
