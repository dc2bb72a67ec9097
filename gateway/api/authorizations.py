"""Authorizations: found by what is known of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import Connection

from gateway.api.context import OpsContext, now
from gateway.api.fields import Day, Id, Minor, PathId, microseconds, moment
from gateway.api.pages import Cursor, Limit, Page, cursor_of, place_of
from gateway.api.problems import invalid, required
from gateway.authorization_search import Known, code_of, search, stan_of
from gateway.card_search import cards_masked, masked_pans
from gateway.cards import Card
from ledger.history import HistoryPage, Place, Search
from ledger.outcomes import Outcome
from ledger.rows import REVERSED, WITHDRAWN, Authorization
from ledger.unmatched import authorization_of

_CARDS_MOST = 1000  # of one masked PAN
_OUTCOMES = [each.name for each in Outcome]
MASKED_PAN = r"^\d{6}\*{3,9}\d{4}$"


def _known_outcome(name: str) -> str:
    if name and name not in _OUTCOMES:
        raise ValueError(f"expected one of {', '.join(_OUTCOMES)}")
    return name


OutcomeName: TypeAlias = Annotated[str, AfterValidator(_known_outcome)]


class AuthorizationView(BaseModel):
    """One decided request or applied advice."""

    authorization_id: Id
    account_id: Id
    card_id: Id
    pan: str | None = Field(description="Masked; null if the card is not there any more.")
    network: str
    at: datetime
    day: Day
    verb: str = Field(description="`authorize`, `advise`, or `repeat` of another one.")
    purpose: str
    stan: str = Field(description="DE 11.")
    rrn: str = Field(description="DE 37.")
    transaction_id: str
    outcome: str
    response_code: str | None = Field(description="DE 39; null for an advice.")
    approved: bool
    requested: Minor
    amount: Minor = Field(description="What was promised, in minor units.")
    currency: str
    approval_code: str = Field(description="DE 38.")
    hold_id: Id | None = Field(description="The hold that it made or changed.")
    available: Minor
    posted: Minor
    explanation: str
    reversed: bool
    withdrawn: bool = Field(description="Taken back by the issuer: its network never heard of it.")
    details: dict[str, str]


def authorizations_router(context: OpsContext) -> APIRouter:
    """`/authorizations`, and the one of an account."""
    router = APIRouter(tags=["authorizations"])

    @router.get("/authorizations", summary="Find authorizations, newest first")
    def find(  # noqa: PLR0913 - what may be known
        *,
        rrn: Annotated[str, Query(pattern=r"^[ -~]{1,12}$", description="DE 37, exactly.")] = "",
        stan: Annotated[str, Query(pattern=r"^\d{6}$", description="DE 11.")] = "",
        masked_pan: Annotated[
            str, Query(pattern=MASKED_PAN, description="As it is shown: `400000******0010`.")
        ] = "",
        account_id: Annotated[int, Query(ge=1, lt=2**63)] = 0,
        card_id: Annotated[int, Query(ge=1, lt=2**63)] = 0,
        network: Annotated[str, Query(pattern=r"^[a-z0-9_-]{1,20}$")] = "",
        response_code: Annotated[
            str, Query(pattern=r"^[0-9A-Z]{2}$", description="DE 39 as it was answered.")
        ] = "",
        outcome: Annotated[OutcomeName, Query(description="As it is shown.")] = "",
        since: Annotated[datetime | None, Query(description="From then on.")] = None,
        until: Annotated[datetime | None, Query(description="Before then.")] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[AuthorizationView]:
        """All that is given must fit. An RRN is found once `cardrail jobs` has come by."""
        within = Search(after=place_of(cursor, Place), limit=limit)
        if since is not None:
            within = msgspec.structs.replace(within, since=microseconds(since))
        if until is not None:
            within = msgspec.structs.replace(within, until=microseconds(until))
        with context.database.reading() as connection:
            known = Known(
                rrn=rrn,
                stan=stan,
                network=network,
                response_code=response_code,
                outcome=outcome,
                account_id=account_id,
                card_id=card_id,
                cards=_cards(connection, masked_pan) if masked_pan else None,
            )
            return _page(connection, search(connection, known, within, now()))

    @router.get(
        "/accounts/{account_id}/authorizations/{authorization_id}", summary="One authorization"
    )
    def show(account_id: PathId, authorization_id: PathId) -> AuthorizationView:
        with context.database.reading() as connection:
            found = authorization_of(connection, account_id, authorization_id)
            told = f"account {account_id} has no authorization {authorization_id}"
            return _views(connection, [required(found, told)])[0]

    return router


def _cards(connection: Connection, masked_pan: str) -> list[Card]:
    found = cards_masked(connection, masked_pan, limit=_CARDS_MOST + 1)
    if len(found) > _CARDS_MOST:
        raise invalid("query.masked_pan", f"more than {_CARDS_MOST} cards are shown so")
    return found


def _page(connection: Connection, found: HistoryPage) -> Page[AuthorizationView]:
    return Page(items=_views(connection, found.rows), next=cursor_of(found.next))


def _views(
    connection: Connection, rows: list[Authorization] | tuple[Authorization, ...]
) -> list[AuthorizationView]:
    pans = masked_pans(connection, [(row.account_id, row.instrument_id) for row in rows])
    return [_view(row, pans.get((row.account_id, row.instrument_id))) for row in rows]


def _view(row: Authorization, pan: str | None) -> AuthorizationView:
    return AuthorizationView(
        authorization_id=row.authorization_id,
        account_id=row.account_id,
        card_id=row.instrument_id,
        pan=pan,
        network=row.network,
        at=moment(row.at),
        day=row.day,
        verb=row.verb,
        purpose=row.purpose,
        stan=stan_of(row),
        rrn=row.rrn,
        transaction_id=row.transaction_id,
        outcome=row.outcome,
        response_code=code_of(row) or None,
        approved=Outcome[row.outcome].approved,
        requested=row.requested,
        amount=row.amount,
        currency=row.currency,
        approval_code=row.approval_code,
        hold_id=row.hold_id or None,
        available=row.available,
        posted=row.posted,
        explanation=row.explanation,
        reversed=bool(row.reversed & REVERSED),
        withdrawn=bool(row.reversed & WITHDRAWN),
        details=msgspec.json.decode(row.details) if row.details else {},
    )
