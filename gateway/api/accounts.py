"""Accounts: their balances and entries."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from gateway.api.context import OpsContext
from gateway.api.fields import Id, Minor, PathId, moment
from gateway.api.pages import Cursor, Limit, Page, cursor_of, place_of
from gateway.api.problems import required
from ledger.account_pages import account_of, accounts_after
from ledger.house import AccountKind
from ledger.reports import statement_lines, total_points
from ledger.rows import Account


class AccountView(BaseModel):
    """An account and its balances, in minor units."""

    account_id: Id
    kind: AccountKind
    network: str
    currency: str
    posted: Minor
    held: Minor
    available: Minor = Field(description="posted - held + credit_line.")
    credit_line: Minor
    value: Minor = Field(description="The part of posted that is Value and not Money.")
    owed: Minor = Field(description="What the house has lent it.")
    version: int = Field(description="The number of its entries.")


class WalletView(AccountView):
    """One account, with the points that its holder has."""

    points_pending: int
    points_confirmed: int


class EntryView(BaseModel):
    """One change of an account's balance, and what it was for."""

    version: int
    at: datetime
    kind: str
    amount: Minor
    balance: Minor
    network: str
    explanation: str


def accounts_router(context: OpsContext) -> APIRouter:
    """`/accounts`."""
    router = APIRouter(tags=["accounts"])

    @router.get("/accounts", summary="Accounts in the order of their ids")
    def list_(
        kind: AccountKind | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[AccountView]:
        after = place_of(cursor, int)
        with context.database.reading() as connection:
            found = accounts_after(connection, after, kind=kind, limit=limit + 1)
        more = cursor_of(found[limit - 1].account_id) if len(found) > limit else None
        return Page(items=[_account(each) for each in found[:limit]], next=more)

    @router.get("/accounts/{account_id}", summary="One account and its balances")
    def show(account_id: PathId) -> WalletView:
        with context.database.reading() as connection:
            found = required_account(connection, account_id)
            points = total_points(connection, account_id)
        return WalletView(
            **dict(_account(found)),
            points_pending=points.pending,
            points_confirmed=points.confirmed,
        )

    @router.get("/accounts/{account_id}/entries", summary="Its entries, newest first")
    def entries(account_id: PathId, cursor: Cursor = None, limit: Limit = 50) -> Page[EntryView]:
        before = place_of(cursor, int)
        with context.database.reading() as connection:
            required_account(connection, account_id)
            found = statement_lines(connection, account_id, limit=limit + 1, before=before)[::-1]
        items = [
            EntryView(
                version=each.version,
                at=moment(each.at),
                kind=each.kind,
                amount=each.amount,
                balance=each.balance,
                network=each.network,
                explanation=each.explanation,
            )
            for each in found[:limit]
        ]
        return Page(items=items, next=cursor_of(items[-1].version) if len(found) > limit else None)

    return router


def required_account(connection: Connection, account_id: int) -> Account:
    """The account, or the problem that there is none."""
    found = account_of(connection, account_id)
    return required(found, f"there is no account {account_id}")


def _account(row: Account) -> AccountView:
    return AccountView(
        account_id=row.account_id,
        kind=AccountKind(row.kind),
        network=row.network,
        currency=row.currency,
        posted=row.posted,
        held=row.held,
        available=row.available,
        credit_line=row.credit_line,
        value=row.value,
        owed=row.owed,
        version=row.version,
    )
