"""Cards: looked at, frozen, limited. A running gateway follows within seconds.

A PAN comes in the body of one request and nowhere else; none goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Connection

from gateway.api.authorizations import MASKED_PAN
from gateway.api.context import OpsContext
from gateway.api.fields import Id, PathId
from gateway.api.pages import Cursor, Limit, Page, cursor_of, place_of
from gateway.api.problems import Problem, required
from gateway.api.writes import Writes, Writing
from gateway.card_changes import card_of_account, change_card
from gateway.card_search import card_of_pan, cards_masked, cards_of_account
from gateway.cards import Card, CardKind, CardState, Channel
from gateway.operator_commands import Act

_OF_ACCOUNT_MOST = 200


def _category(text: str) -> str:
    if not (len(text) == 4 and text.isascii() and text.isdecimal()):
        raise ValueError("expected a merchant category of four digits, e.g. 7995")
    return text


Category: TypeAlias = Annotated[str, AfterValidator(_category)]
Most: TypeAlias = Annotated[int | None, Field(ge=0, lt=2**63)]


class CardView(BaseModel):
    """One card; its number masked."""

    account_id: Id
    card_id: Id
    pan: str = Field(description="Masked.")
    expiry: str = Field(description="YYMM.")
    state: CardState
    kind: CardKind
    currency: str
    amount_limit: int | None = Field(description="Most for one transaction, in minor units.")
    day_amount: int | None = Field(description="Most for one business day, in minor units.")
    day_count: int | None = Field(description="Most purchases on one business day.")
    blocked_categories: list[str] = Field(description="Merchant categories (DE 18).")
    blocked_channels: list[Channel]


class CardChange(BaseModel):
    """What changes; what is not named stays, and null takes a limit away."""

    model_config = ConfigDict(extra="forbid")

    state: CardState = CardState.ACTIVE
    amount_limit: Most = None
    day_amount: Most = None
    day_count: Annotated[int | None, Field(ge=0, lt=2**31)] = None
    blocked_categories: Annotated[set[Category], Field(max_length=200)] = Field(default_factory=set)
    blocked_channels: set[Channel] = Field(default_factory=set)

    def of(self, card: Card) -> Card:
        """`card` with the changes."""
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        state = given.pop("state", card.state)
        controls = {
            name: frozenset(value) if isinstance(value, set) else value
            for name, value in given.items()
        }
        changed = msgspec.structs.replace(card.controls, **controls)
        return msgspec.structs.replace(card, state=state, controls=changed)


class FindCard(BaseModel):
    """A PAN, here and in no URL."""

    model_config = ConfigDict(extra="forbid")

    pan: SecretStr = Field(min_length=13, max_length=19)


class Turn(StrEnum):
    """What a person who calls about a card is helped with at once."""

    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


_TURNS: Mapping[Turn, tuple[CardState, CardState]] = MappingProxyType(
    {
        Turn.FREEZE: (CardState.ACTIVE, CardState.RESTRICTED),
        Turn.UNFREEZE: (CardState.RESTRICTED, CardState.ACTIVE),
    }
)


def cards_router(context: OpsContext) -> APIRouter:
    """`/cards`, and those of an account."""
    router = APIRouter(tags=["cards"])

    @router.get("/cards", summary="Cards that are shown with a masked PAN")
    def masked(
        masked_pan: Annotated[str, Query(pattern=MASKED_PAN)],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page[CardView]:
        after = place_of(cursor, tuple[int, int])
        with context.database.reading() as connection:
            found = cards_masked(connection, masked_pan, after=after, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        more = None if last is None else (last.account_id, last.card_id)
        return Page(items=[view_of(each) for each in found[:limit]], next=cursor_of(more))

    @router.post("/cards/find", summary="The card of a PAN")
    def find(body: FindCard) -> CardView:
        """It changes nothing, and needs no `Idempotency-Key`."""
        with context.database.reading() as connection:
            found = card_of_pan(connection, context.vault, body.pan.get_secret_value())
        return view_of(required(found, "no card has that number"))

    @router.get("/accounts/{account_id}/cards", summary="The cards of an account")
    def of_account(account_id: PathId) -> list[CardView]:
        with context.database.reading() as connection:
            found = cards_of_account(connection, account_id, limit=_OF_ACCOUNT_MOST)
        return [view_of(each) for each in found]

    @router.get("/accounts/{account_id}/cards/{card_id}", summary="One card")
    def show(account_id: PathId, card_id: PathId) -> CardView:
        with context.database.reading() as connection:
            return view_of(required_card(connection, account_id, card_id))

    return router


def card_changes_router(context: OpsContext) -> APIRouter:
    """What is done to a card."""
    router = APIRouter(tags=["cards"], prefix="/accounts/{account_id}/cards/{card_id}")
    writes = Writes(context)

    @router.patch("", summary="Change state, limits and controls", response_model=CardView)
    def change(
        account_id: PathId,
        card_id: PathId,
        body: CardChange,
        writing: Annotated[Writing, Depends()],
    ) -> Response:
        def work(act: Act) -> CardView:
            with context.database.transaction() as connection:
                card = required_card(connection, account_id, card_id, locked=True)
                return changed(connection, body.of(card), act)

        return writes.once(writing, body, work)

    @router.post(
        "/{turn}", summary="Freeze an active card, or unfreeze it", response_model=CardView
    )
    def turn_(
        account_id: PathId, card_id: PathId, turn: Turn, writing: Annotated[Writing, Depends()]
    ) -> Response:
        """A card that is lost, stolen or closed is neither: `PATCH` its state."""

        def work(act: Act) -> CardView:
            before, after = _TURNS[turn]
            with context.database.transaction() as connection:
                card = required_card(connection, account_id, card_id, locked=True)
                if card.state is not before:
                    told = f"card {card_id} is {card.state}, expected {before}"
                    raise Problem(HTTPStatus.CONFLICT, "card-state", told)
                return changed(connection, msgspec.structs.replace(card, state=after), act)

        return writes.once(writing, None, work)

    return router


def changed(connection: Connection, card: Card, act: Act) -> CardView:
    """Store a card as it is now."""
    change_card(connection, card, act.at)
    return view_of(card)


def required_card(
    connection: Connection, account_id: int, card_id: int, *, locked: bool = False
) -> Card:
    """The card, or the problem that there is none."""
    found = card_of_account(connection, account_id, card_id, locked=locked)
    return required(found, f"account {account_id} has no card {card_id}")


def view_of(card: Card) -> CardView:
    """A card as it is shown."""
    controls = card.controls
    return CardView(
        account_id=card.account_id,
        card_id=card.card_id,
        pan=card.masked_pan,
        expiry=card.expiry,
        state=card.state,
        kind=card.kind,
        currency=card.currency,
        amount_limit=controls.amount_limit,
        day_amount=controls.day_amount,
        day_count=controls.day_count,
        blocked_categories=sorted(controls.blocked_categories),
        blocked_channels=sorted(controls.blocked_channels),
    )
