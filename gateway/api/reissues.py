"""A card with a new number in the place of one that is lost, stolen, worn or about to expire."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from gateway.api.cards import CardView, changed, required_card, view_of
from gateway.api.context import OpsContext
from gateway.api.fields import PathId
from gateway.api.problems import Problem, invalid
from gateway.api.writes import Writes, Writing
from gateway.business_day import BusinessCalendar
from gateway.cards import Card, CardState
from gateway.operator_commands import Act
from gateway.reissuing import OutOfNumbers, reissue


class Reissue(BaseModel):
    """What becomes of the old card, and until when the new one is good."""

    model_config = ConfigDict(extra="forbid")

    old_state: CardState = Field(description="lost, stolen or closed.")
    expiry: str = Field(pattern=r"^\d{2}(0[1-9]|1[0-2])$", description="YYMM.")


class Reissued(BaseModel):
    """Both cards."""

    old: CardView
    new: CardView


def reissues_router(context: OpsContext) -> APIRouter:
    """`/accounts/{account_id}/cards/{card_id}/reissue`."""
    router = APIRouter(tags=["cards"])
    writes = Writes(context)

    @router.post(
        "/accounts/{account_id}/cards/{card_id}/reissue",
        summary="Put a card with a new number in its place",
        response_model=Reissued,
        status_code=HTTPStatus.CREATED,
    )
    def post(
        account_id: PathId, card_id: PathId, body: Reissue, writing: Annotated[Writing, Depends()]
    ) -> Response:
        """Kind and controls go over to it. Its number is stored sealed, and shown masked."""

        def work(act: Act) -> Reissued:
            _refuse(context, body, act)
            with context.database.transaction() as connection:
                old = required_card(connection, account_id, card_id, locked=True)
                new = _reissue(context, connection, old, body.expiry, act)
                retired = msgspec.structs.replace(old, state=body.old_state)
                return Reissued(old=changed(connection, retired, act), new=view_of(new))

        return writes.once(writing, body, work, HTTPStatus.CREATED)

    return router


def _reissue(context: OpsContext, connection: Connection, old: Card, expiry: str, act: Act) -> Card:
    try:
        return reissue(connection, (context.vault, context.test_bins), old, expiry, act)
    except OutOfNumbers as error:
        raise Problem(HTTPStatus.CONFLICT, "out-of-numbers", str(error)) from None


def _refuse(context: OpsContext, body: Reissue, act: Act) -> None:
    if body.old_state in {CardState.ACTIVE, CardState.RESTRICTED}:
        raise invalid("body.old_state", "expected lost, stolen or closed")
    if body.expiry < BusinessCalendar(context.day_offset_minutes).day(act.at).month:
        raise invalid("body.expiry", "expected a month that is not over, as YYMM")
