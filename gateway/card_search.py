"""Cards as operators look for them: by account, by masked PAN, by the PAN itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, tuple_

from gateway.cards import CARD_COLUMNS, CARDS, Card, card_of, find_cards
from gateway.vault import PanVault


def cards_masked(
    connection: Connection, masked_pan: str, *, after: tuple[int, int] | None = None, limit: int
) -> list[Card]:
    """Cards that are shown so, by account and id; `after` is where to go on."""
    chosen = select(*CARD_COLUMNS).where(CARDS.c.masked_pan == masked_pan)
    if after is not None:
        chosen = chosen.where(tuple_(CARDS.c.account_id, CARDS.c.card_id) > tuple_(*after))
    chosen = chosen.order_by(CARDS.c.account_id, CARDS.c.card_id).limit(limit)
    return [card_of(row) for row in connection.execute(chosen)]


def cards_of_account(connection: Connection, account_id: int, *, limit: int) -> list[Card]:
    """The first cards of an account, by id."""
    chosen = select(*CARD_COLUMNS).where(CARDS.c.account_id == account_id)
    rows = connection.execute(chosen.order_by(CARDS.c.card_id).limit(limit))
    return [card_of(row) for row in rows]


def card_of_pan(connection: Connection, vault: PanVault, pan: str) -> Card | None:
    """The card of `pan`; ``None`` if it is nobody's."""
    return next(iter(find_cards(connection, [vault.index(pan)])), None)


def masked_pans(
    connection: Connection, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """The masked PANs of cards by account and id; what does not exist is missing."""
    key = (CARDS.c.account_id, CARDS.c.card_id)
    rows = connection.execute(select(*key, CARDS.c.masked_pan).where(tuple_(*key).in_(keys)))
    return {(account_id, card_id): masked for account_id, card_id, masked in rows}
