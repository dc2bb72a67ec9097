"""A new card in the place of another: what it takes over, and what number it gets."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeAlias

from sqlalchemy import Connection

from gateway.card_changes import card_of_account
from gateway.cards import Card, CardState, NewCard, find_cards, issue_cards
from gateway.operator_commands import Act
from gateway.vault import PanVault
from networks.wire.pan import luhn_digit

_PAN_DIGITS = 16
_TRIES = 20

Issuing: TypeAlias = tuple[PanVault, Sequence[str]]  # the keys, and the test ranges


class OutOfNumbers(Exception):
    """No free number was found in the test range."""

    def __str__(self) -> str:
        return "no free number was found in the test range: add another one to CARDRAIL_TEST_BINS"


def reissue(connection: Connection, issuing: Issuing, old: Card, expiry: str, act: Act) -> Card:
    """The card that takes the place of `old`, under a number of its own; good until `expiry`.

    Its id follows from `act`, so that an act done twice issues one card.

    Raises
    ------
    OutOfNumbers
        If the test range seems to be full.
    """
    card_id = _id_of(old, act)
    before = card_of_account(connection, old.account_id, card_id)
    if before is not None:
        return before
    new = NewCard(
        card_id=card_id,
        account_id=old.account_id,
        pan=_free_number(connection, issuing),
        expiry=expiry,
        state=CardState.ACTIVE,
        kind=old.kind,
        currency=old.currency,
        controls=old.controls,
    )
    issue_cards(connection, issuing[0], [new], issuing[1])
    made = card_of_account(connection, old.account_id, card_id)
    assert made is not None, "it was issued in this transaction"
    return made


def _id_of(old: Card, act: Act) -> int:
    """Positive, 62 bits."""
    name = f"{old.account_id}/{old.card_id}/{act.key}".encode()
    return (int.from_bytes(blake2b(name, digest_size=8).digest()) >> 2) + 1


def _free_number(connection: Connection, issuing: Issuing) -> str:
    vault, test_bins = issuing
    for _ in range(_TRIES):
        bin_digits = secrets.choice(test_bins)
        rest = _PAN_DIGITS - 1 - len(bin_digits)
        body = f"{bin_digits}{secrets.randbelow(10**rest):0{rest}d}"
        pan = body + luhn_digit(body)
        if not find_cards(connection, [vault.index(pan)]):
            return pan
    raise OutOfNumbers
