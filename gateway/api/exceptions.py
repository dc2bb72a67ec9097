"""Clearing exceptions: money that has moved and matches nothing, until a person says what it is."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.context import OpsContext
from gateway.api.decisions import DecisionView, is_done_before, view_of
from gateway.api.fields import Day, Id, Minor, PathId, Reason, moment
from gateway.api.pages import Cursor, Limit, Page, cursor_of, place_of
from gateway.api.problems import Problem, invalid, required
from gateway.api.writes import WithReason, Writes, Writing
from gateway.operator_commands import Act, NotNamed, match_clearing, reference_of, write_off
from ledger.commands import Resolve
from ledger.posting import Manner
from ledger.rows import Authorization, Clearing
from ledger.tables import clearings
from ledger.unmatched import WaitingPlace, authorization_of, clearing_of, waiting_clearings

_WAITING = frozenset({Manner.FORCED.value, Manner.SUSPENSE.value})


class ClearingView(BaseModel):
    """One clearing record as it was posted."""

    clearing_id: Id
    account_id: Id
    network: str
    at: datetime
    day: Day
    manner: Manner = Field(description="`forced` and `suspense` wait for a person.")
    credit: bool = Field(description="Whether it pays to the cardholder.")
    amount: Minor
    returned: Minor = Field(description="What of it has been taken back since.")
    fee: Minor
    currency: str
    rrn: str
    transaction_id: str
    approval_code: str
    authorization_id: Id | None = Field(description="What it matched.")
    suggested_id: Id | None = Field(description="An authorization that it may be about.")
    explanation: str
    details: dict[str, str]


class MatchClearing(BaseModel):
    """Which authorization a clearing is about."""

    model_config = ConfigDict(extra="forbid")

    authorization_id: Id
    reason: Reason


def exceptions_router(context: OpsContext) -> APIRouter:
    """`/exceptions`, and the clearings of an account."""
    router = APIRouter(tags=["exceptions"])
    writes = Writes(context)
    of_account = "/accounts/{account_id}/clearings/{clearing_id}"

    @router.get("/exceptions", summary="Clearings that match nothing, the oldest first")
    def list_(
        network: Annotated[str, Query(pattern=r"^[a-z0-9_-]{1,20}$")] = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[ClearingView]:
        after = place_of(cursor, WaitingPlace)
        with context.database.reading() as connection:
            found = waiting_clearings(connection, network=network, after=after, limit=limit)
        return Page(items=[_view(each) for each in found.rows], next=cursor_of(found.next))

    @router.get(of_account, summary="One clearing")
    def show(account_id: PathId, clearing_id: PathId) -> ClearingView:
        with context.database.reading() as connection:
            return _view(_required(connection, account_id, clearing_id))

    @router.post(
        f"{of_account}/match",
        summary="Tell which authorization it is about",
        response_model=DecisionView,
    )
    def match(
        account_id: PathId,
        clearing_id: PathId,
        body: MatchClearing,
        writing: Annotated[Writing, Depends()],
    ) -> Response:
        """A debit ends the hold; a credit goes from suspense to the wallet."""

        def work(act: Act) -> DecisionView:
            with context.database.reading() as connection:
                clearing = _waiting(connection, (account_id, clearing_id), act)
                original = _original(connection, clearing, body.authorization_id)
                command = _match(connection, clearing, original, act, body.reason)
            return view_of(context.apply(command))

        return writes.once(writing, body, work)

    @router.post(
        f"{of_account}/write-off",
        summary="Write a credit in suspense off to the fees",
        response_model=DecisionView,
    )
    def write_off_(
        account_id: PathId,
        clearing_id: PathId,
        body: WithReason,
        writing: Annotated[Writing, Depends()],
    ) -> Response:
        def work(act: Act) -> DecisionView:
            with context.database.reading() as connection:
                clearing = _waiting(connection, (account_id, clearing_id), act)
            if not clearing.credit:
                told = "only a credit in suspense can be written off: a debit is the cardholder's"
                raise Problem(HTTPStatus.CONFLICT, "not-a-credit", told)
            return view_of(context.apply(write_off(clearing, act, body.reason)))

        return writes.once(writing, body, work)

    return router


def _required(connection: Connection, account_id: int, clearing_id: int) -> Clearing:
    found = clearing_of(connection, account_id, clearing_id)
    return required(found, f"account {account_id} has no clearing {clearing_id}")


def _waiting(connection: Connection, key: tuple[int, int], act: Act) -> Clearing:
    """The clearing, if it waits, or if this very act has been done to it before."""
    found = _required(connection, *key)
    waits = found.manner in _WAITING and found.returned < found.amount
    command = (found.account_id, found.network, act.request_key)
    if not waits and not is_done_before(connection, clearings, *command):
        told = f"clearing {key[1]} is {found.manner}: it waits for nobody"
        raise Problem(HTTPStatus.CONFLICT, "not-waiting", told)
    return found


def _original(connection: Connection, clearing: Clearing, authorization_id: int) -> Authorization:
    found = authorization_of(connection, clearing.account_id, authorization_id)
    if found is None or found.network != clearing.network:
        told = f"expected an authorization of {clearing.network} on account {clearing.account_id}"
        raise invalid("body.authorization_id", told)
    return found


def _match(
    connection: Connection, clearing: Clearing, original: Authorization, act: Act, reason: str
) -> Resolve:
    try:
        return match_clearing(clearing, act, reason, reference_of(connection, original))
    except NotNamed as error:
        told = f"authorization {original.authorization_id} cannot be matched: {error}"
        raise Problem(HTTPStatus.CONFLICT, "not-named", told) from None


def _view(row: Clearing) -> ClearingView:
    return ClearingView(
        clearing_id=row.clearing_id,
        account_id=row.account_id,
        network=row.network,
        at=moment(row.at),
        day=row.day,
        manner=Manner(row.manner),
        credit=bool(row.credit),
        amount=row.amount,
        returned=row.returned,
        fee=row.fee,
        currency=row.currency,
        rrn=row.rrn,
        transaction_id=row.transaction_id,
        approval_code=row.approval_code,
        authorization_id=row.authorization_id or None,
        suggested_id=row.suggested_id or None,
        explanation=row.explanation,
        details=msgspec.json.decode(row.details) if row.details else {},
    )
