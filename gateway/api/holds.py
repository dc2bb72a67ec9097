"""Holds: what an account has promised, and the one that a person voids."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from gateway.api.accounts import required_account
from gateway.api.context import OpsContext
from gateway.api.decisions import DecisionView, is_done_before, view_of
from gateway.api.fields import Day, Id, Minor, PathId, moment
from gateway.api.pages import Cursor, Limit, Page, cursor_of, place_of
from gateway.api.problems import Problem, required
from gateway.api.writes import WithReason, Writes, Writing
from gateway.operator_commands import Act, NotNamed, reference_of, void_hold
from ledger.account_pages import hold_of, holds_before
from ledger.commands import Reverse
from ledger.rows import Hold
from ledger.states import HoldState
from ledger.tables import reversals
from ledger.unmatched import authorization_of


class HoldView(BaseModel):
    """Money promised and not yet moved."""

    hold_id: Id = Field(description="The id of the authorization that made it.")
    account_id: Id
    card_id: Id
    state: HoldState
    currency: str
    amount: Minor = Field(description="The promise, as increments and advices have left it.")
    remaining: Minor = Field(description="What is still held of it.")
    posted: Minor = Field(description="The sum of its clearings.")
    parts: int = Field(description="The number of its clearings.")
    estimated: bool
    day: Day
    points: int
    expires_at: datetime


def holds_router(context: OpsContext) -> APIRouter:
    """`/accounts/{account_id}/holds`."""
    router = APIRouter(tags=["holds"], prefix="/accounts/{account_id}/holds")
    writes = Writes(context)

    @router.get("", summary="The holds of an account, newest first")
    def list_(
        account_id: PathId, state: HoldState | None = None, cursor: Cursor = None, limit: Limit = 50
    ) -> Page[HoldView]:
        before = place_of(cursor, int)
        with context.database.reading() as connection:
            required_account(connection, account_id)
            found = holds_before(connection, account_id, before, state=state, limit=limit + 1)
        more = cursor_of(found[limit - 1].authorization_id) if len(found) > limit else None
        return Page(items=[_hold(each) for each in found[:limit]], next=more)

    @router.get("/{hold_id}", summary="One hold")
    def show(account_id: PathId, hold_id: PathId) -> HoldView:
        with context.database.reading() as connection:
            return _hold(_required_hold(connection, account_id, hold_id))

    @router.post(
        "/{hold_id}/void", summary="Release what a hold still holds", response_model=DecisionView
    )
    def void(
        account_id: PathId,
        hold_id: PathId,
        body: WithReason,
        writing: Annotated[Writing, Depends()],
    ) -> Response:
        """As a reversal of its network would; the network is not told."""

        def work(act: Act) -> DecisionView:
            with context.database.reading() as connection:
                command = _void(connection, (account_id, hold_id), act, body.reason)
            return view_of(context.apply(command))

        return writes.once(writing, body, work)

    return router


def _void(connection: Connection, key: tuple[int, int], act: Act, reason: str) -> Reverse:
    hold, original = _required_hold(connection, *key), authorization_of(connection, *key)
    assert original is not None, "a hold has the id of the authorization that made it"
    command = (key[0], original.network, act.request_key)
    if hold.state != HoldState.PENDING and not is_done_before(connection, reversals, *command):
        told = f"hold {key[1]} is {hold.state}: nothing is left to release"
        raise Problem(HTTPStatus.CONFLICT, "hold-ended", told)
    try:
        return void_hold(original, act, reason, reference_of(connection, original))
    except NotNamed as error:
        told = f"hold {key[1]} cannot be voided: {error}"
        raise Problem(HTTPStatus.CONFLICT, "not-named", told) from None


def _required_hold(connection: Connection, account_id: int, hold_id: int) -> Hold:
    found = hold_of(connection, account_id, hold_id)
    return required(found, f"account {account_id} has no hold {hold_id}")


def _hold(row: Hold) -> HoldView:
    return HoldView(
        hold_id=row.authorization_id,
        account_id=row.account_id,
        card_id=row.instrument_id,
        state=HoldState(row.state),
        currency=row.currency,
        amount=row.amount,
        remaining=row.remaining,
        posted=row.posted,
        parts=row.parts,
        estimated=bool(row.estimated),
        day=row.day,
        points=row.points,
        expires_at=moment(row.expires_at),
    )
