"""What the books say, for people: accounts, and the statement of one."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, func, select

from ledger.house import AccountKind
from ledger.of_account import holds_of
from ledger.rows import Account, Hold
from ledger.states import HoldState
from ledger.tables import accounts, clearings, entries, holds, points


class StatementLine(msgspec.Struct, frozen=True):
    """One entry with what it was for; amounts in minor units."""

    version: int
    at: int
    kind: str
    amount: int
    balance: int
    network: str
    explanation: str


class PointsTotal(msgspec.Struct, frozen=True):
    """What the points job has posted: expected while holds are pending, and granted for good."""

    pending: int
    confirmed: int


class Statement(msgspec.Struct, frozen=True):
    """An account, its entries (oldest first), what is still held, and a wallet's points."""

    account: Account
    lines: tuple[StatementLine, ...]
    pending: tuple[Hold, ...]
    points: PointsTotal


class AccountUnknown(LookupError):
    """No account has that id."""

    def __init__(self, account_id: int) -> None:
        super().__init__(account_id)
        self.account_id = account_id

    def __str__(self) -> str:
        return f"no account {self.account_id}"


def list_accounts(
    connection: Connection, *, kind: AccountKind | None = None, limit: int = 50, offset: int = 0
) -> list[Account]:
    """Accounts in the order of their ids; the house's own come first."""
    chosen = select(accounts).order_by(accounts.c.account_id).limit(limit).offset(offset)
    if kind is not None:
        chosen = chosen.where(accounts.c.kind == kind.value)
    return [Account(*row) for row in connection.execute(chosen)]


def statement(connection: Connection, account_id: int, *, limit: int = 100) -> Statement:
    """The last `limit` entries of an account, and every pending hold.

    Raises
    ------
    AccountUnknown
        If there is no such account.
    """
    row = connection.execute(select(accounts).where(accounts.c.account_id == account_id)).first()
    if row is None:
        raise AccountUnknown(account_id)
    pending = holds_of(account_id).where(holds.c.state == HoldState.PENDING.value)
    return Statement(
        Account(*row),
        tuple(statement_lines(connection, account_id, limit=limit)),
        tuple(Hold(*each) for each in connection.execute(pending)),
        total_points(connection, account_id),
    )


def total_points(connection: Connection, account_id: int | None = None) -> PointsTotal:
    """The points of one wallet, or of all."""
    summed = select(func.sum(points.c.pending), func.sum(points.c.confirmed))
    if account_id is not None:
        summed = summed.where(points.c.account_id == account_id)
    pending, confirmed = connection.execute(summed).one()
    return PointsTotal(int(pending or 0), int(confirmed or 0))


def statement_lines(
    connection: Connection, account_id: int, *, limit: int, before: int | None = None
) -> list[StatementLine]:
    """The latest entries, oldest first; or those `before` a version.

    An entry of the house has its clearing under the wallet it is about: no network is told.
    """
    latest = (
        select(
            entries.c.version,
            entries.c.at,
            entries.c.kind,
            entries.c.amount,
            entries.c.balance,
            func.coalesce(clearings.c.network, ""),
            func.coalesce(clearings.c.explanation, ""),
        )
        .select_from(
            entries.outerjoin(
                clearings,
                (clearings.c.account_id == entries.c.account_id)
                & (clearings.c.clearing_id == entries.c.posting_id),
            )
        )
        .where(entries.c.account_id == account_id)
        .order_by(entries.c.version.desc())
        .limit(limit)
    )
    if before is not None:
        latest = latest.where(entries.c.version < before)
    rows = connection.execute(latest).all()
    return [StatementLine(*row) for row in reversed(rows)]
