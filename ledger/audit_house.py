"""What an audit checks of the house: its accounts against the records of all wallets together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, literal, select

from ledger.audit_checks import APPROVED, Check
from ledger.house import AccountKind
from ledger.posting import Manner
from ledger.tables import accounts, clearings, points

_ZERO = literal(0)


def house_checks() -> Iterator[Check]:
    """The house's accounts, all shards together, against the records that moved them."""
    done, undone = clearings.c.outcome.in_(APPROVED), clearings.c.manner == Manner.UNDONE.value
    resolved = clearings.c.manner == Manner.RESOLVED.value
    funded = clearings.c.manner == Manner.FUNDED.value
    waiting = clearings.c.manner == Manner.SUSPENSE.value
    written_off = clearings.c.manner == Manner.WRITTEN_OFF.value
    signed = case((clearings.c.credit == 1, -clearings.c.amount), else_=clearings.c.amount)
    left = clearings.c.amount - clearings.c.returned
    fee = case((undone, -clearings.c.fee), else_=clearings.c.fee)
    for kind, moved in (
        (AccountKind.SETTLEMENT, case((and_(done, ~resolved, ~funded), signed), else_=_ZERO)),
        (AccountKind.SUSPENSE, case((waiting, left), else_=_ZERO)),
        (AccountKind.FEE, fee + case((written_off, left), else_=_ZERO)),
    ):
        network = clearings.c.network if kind is AccountKind.SETTLEMENT else literal("")
        yield (
            f"{kind} is not what the clearings say",
            "{0} {1}",
            _house_against(kind, network, clearings.c.currency, moved, clearings),
        )
    yield (
        "receivable is not what the wallets owe",
        "{0} {1}",
        _house_against(
            AccountKind.RECEIVABLE, literal(""), accounts.c.currency, -accounts.c.owed, accounts
        ),
    )
    yield from _points_checks()


def _house_against(
    kind: AccountKind,
    network: ColumnElement[str],
    currency: ColumnElement[str],
    moved: ColumnElement[Any],
    source: FromClause,
) -> Select[Any]:
    """Network, currency, what `moved` sums to and what accounts of `kind` have."""
    network, zero = network.label("network"), literal(0)
    told = (
        select(network, currency.label("currency"), moved.label("moved"), zero.label("posted"))
        .select_from(source)
        .union_all(
            select(accounts.c.network, accounts.c.currency, zero, accounts.c.posted).where(
                accounts.c.kind == kind.value
            )
        )
        .subquery()
    )
    expected, found = func.sum(told.c.moved), func.sum(told.c.posted)
    return (
        select(told.c.network, told.c.currency, expected, found)
        .group_by(told.c.network, told.c.currency)
        .having(expected != found)
    )


def _points_checks() -> Iterator[Check]:
    """The accounts of points, all wallets together, against what holds have brought."""
    for kind, column in (
        (AccountKind.POINTS_PENDING, points.c.pending),
        (AccountKind.POINTS, points.c.confirmed),
    ):
        owned = points.join(accounts, accounts.c.account_id == points.c.account_id)
        yield (
            f"{kind} is not what the holds brought",
            "{0} {1}",
            _house_against(kind, literal(""), accounts.c.currency, column, owned),
        )
