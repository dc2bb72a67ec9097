"""`cardrail card`: look at a card and change it; a running gateway follows within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from cardrail.opening import DEFAULT_URL, AsJson, Url, fail, opened
from gateway.card_changes import card_of_account, change_card
from gateway.cards import Card, CardState, Channel

card_app = typer.Typer(
    name="card", help="Show and change cards: state, limits, controls.", no_args_is_help=True
)

_NONE = "none"

Account = Annotated[int, typer.Argument(help="The account's id.")]
CardId = Annotated[int, typer.Argument(help="The card's id; a seeded card has its account's.")]


@card_app.command()
def show(
    account: Account, card: CardId, ledger: Url = DEFAULT_URL, *, json: AsJson = False
) -> None:
    """Show one card; its number masked.

    Example: cardrail card show 17 17
    """
    with opened(ledger) as database, database.reading() as connection:
        found = _required(card_of_account(connection, account, card), account, card)
    _print(found, json=json)


@card_app.command()
def change(
    account: Account,
    card: CardId,
    ledger: Url = DEFAULT_URL,
    *,
    state: Annotated[CardState | None, typer.Option(help="Whether it may spend.")] = None,
    amount_limit: Annotated[
        str | None,
        typer.Option(help="Most for one transaction; `none` for no limit.", metavar="NUMBER"),
    ] = None,
    day_amount: Annotated[
        str | None, typer.Option(help="Most for one day; `none` for no limit.", metavar="NUMBER")
    ] = None,
    day_count: Annotated[
        str | None,
        typer.Option(help="Most purchases in one day; `none` for no limit.", metavar="NUMBER"),
    ] = None,
    block_categories: Annotated[
        str | None, typer.Option(help="MCCs barred, with commas; `none` for none.")
    ] = None,
    block_channels: Annotated[
        str | None,
        typer.Option(help=f"Of {', '.join(Channel)}, with commas; `none` for none."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Change a card; what is not named stays as it is.

    Example: cardrail card change 17 17 --state lost
    """
    changes = {
        **_changed("amount_limit", amount_limit, _number),
        **_changed("day_amount", day_amount, _number),
        **_changed("day_count", day_count, _number),
        **_changed("blocked_categories", block_categories, _categories),
        **_changed("blocked_channels", block_channels, _channels),
    }
    with opened(ledger) as database, database.transaction() as connection:
        found = _required(card_of_account(connection, account, card), account, card)
        controls = msgspec.structs.replace(found.controls, **changes)
        changed = msgspec.structs.replace(found, state=state or found.state, controls=controls)
        change_card(connection, changed, time.time_ns() // 1000)
    _print(changed, json=json)


def _changed(name: str, text: str | None, read: Callable[[str], object]) -> dict[str, object]:
    """The control `name` as given; nothing if it was not."""
    if text is None:
        return {}
    try:
        return {name: read("" if text == _NONE else text)}
    except ValueError as error:
        fail(f"{name} is {text!r}, {error}")


def _number(text: str) -> int | None:
    if text and not (text.isascii() and text.isdecimal()):
        raise ValueError("expected a number or none")
    return int(text) if text else None


def _categories(text: str) -> frozenset[str]:
    categories = frozenset(filter(None, text.split(",")))
    if not all(len(each) == 4 and each.isdecimal() for each in categories):
        raise ValueError("expected categories of four digits, e.g. 7995,5993, or none")
    return categories


def _channels(text: str) -> frozenset[Channel]:
    try:
        return frozenset(map(Channel, filter(None, text.split(","))))
    except ValueError:
        raise ValueError(f"expected some of {', '.join(Channel)}, or none") from None


def _required(card: Card | None, account_id: int, card_id: int) -> Card:
    if card is None:
        fail(f"account {account_id} has no card {card_id}")
    return card


def _print(card: Card, *, json: bool) -> None:
    controls = card.controls
    shown = {
        "account_id": card.account_id,
        "card_id": card.card_id,
        "pan": card.masked_pan,
        "expiry": card.expiry,
        "state": card.state.value,
        "kind": card.kind.value,
        "currency": card.currency,
        "amount_limit": controls.amount_limit,
        "day_amount": controls.day_amount,
        "day_count": controls.day_count,
        "blocked_categories": sorted(controls.blocked_categories),
        "blocked_channels": sorted(controls.blocked_channels),
    }
    lines = (f"{name:20}{_text(value)}" for name, value in shown.items())
    typer.echo(msgspec.json.encode(shown).decode() if json else "\n".join(lines))


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value) or _NONE
    return _NONE if value is None else str(value)
