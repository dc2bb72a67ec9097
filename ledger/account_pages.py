"""Accounts, and what one has: entries, holds; a page at a time, whatever is added meanwhile."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ledger.house import AccountKind
from ledger.of_account import have_many, holds_of
from ledger.report_lines import off_index
from ledger.rows import Account, Hold
from ledger.states import HoldState
from ledger.tables import accounts, holds


def account_of(connection: Connection, account_id: int) -> Account | None:
    """One account; ``None`` if there is none of that id."""
    chosen = select(accounts).where(accounts.c.account_id == account_id)
    row = connection.execute(chosen).one_or_none()
    return None if row is None else Account(*row)


def accounts_after(
    connection: Connection, after: int | None, *, kind: AccountKind | None, limit: int
) -> list[Account]:
    """Accounts in the order of their ids, of one kind if it is named; the house's own come first.

    `after` is the id of the last one that is known already.
    """
    chosen = select(accounts).order_by(accounts.c.account_id).limit(limit)
    if after is not None:
        chosen = chosen.where(accounts.c.account_id > after)
    if kind is not None:
        chosen = chosen.where(accounts.c.kind == kind.value)
    return [Account(*row) for row in connection.execute(chosen)]


def holds_before(
    connection: Connection,
    account_id: int,
    before: int | None,
    *,
    state: HoldState | None,
    limit: int,
) -> list[Hold]:
    """The holds of an account, newest first, of one state if it is named.

    `before` is the id of the last one that is known already.
    """
    key = holds.c.authorization_id
    chosen = holds_of(account_id)
    if state is None and have_many(connection, [account_id]):  # a rare state may be far back
        chosen = select(holds).where(off_index(holds.c.account_id) == account_id)
    if before is not None:
        chosen = chosen.where(key < before)
    if state is not None:
        chosen = chosen.where(holds.c.state == state.value)
    rows = connection.execute(chosen.order_by(key.desc()).limit(limit))
    return [Hold(*row) for row in rows]


def hold_of(connection: Connection, account_id: int, hold_id: int) -> Hold | None:
    """One hold; ``None`` if the account has none of that id."""
    key = (holds.c.account_id == account_id, holds.c.authorization_id == hold_id)
    row = connection.execute(select(holds).where(*key)).one_or_none()
    return None if row is None else Hold(*row)
