"""Test wallets 1 to N, with a card each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cardrail.migrating import bring_up_to_date
from gateway.cards import CARDS, NewCard, issue_cards
from gateway.vault import PanVault
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from networks.wire.pan import TEST_BIN, TEST_EXPIRY, synthetic_pan

_CURRENCY = "JPY"
_ISSUED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Issuing:
    """With which keys, and in which ranges, cards are issued."""

    vault: PanVault
    test_bins: Sequence[str] = (TEST_BIN,)


def seed_wallets(
    database: Database, issuing: Issuing, accounts: int, balance: int
) -> tuple[int, int]:
    """Open wallets 1 to `accounts` with `balance` yen and a card each; what is there stays.

    Returns how many were opened, and how many cards issued.

    Raises
    ------
    CardRefused
        If the test ranges do not have these cards.
    """
    bring_up_to_date(database)
    at = time.time_ns() // 1000
    wallets = [
        Wallet(account_id=number, currency=_CURRENCY, at=at, opening_balance=balance)
        for number in range(1, accounts + 1)
    ]
    return Ledger(database).open_wallets(wallets), _issue(database, issuing, accounts)


def _issue(database: Database, issuing: Issuing, accounts: int) -> int:
    """Give each wallet its card, a few thousand at a time."""
    issued = 0
    for first in range(1, accounts + 1, _ISSUED_AT_ONCE):
        last = min(first + _ISSUED_AT_ONCE - 1, accounts)
        with database.transaction() as connection:
            known = _cards_between(connection, first, last)
            cards = (
                NewCard(
                    card_id=number,
                    account_id=number,
                    pan=synthetic_pan(number),
                    expiry=TEST_EXPIRY,
                )
                for number in range(first, last + 1)
                if number not in known
            )
            issued += issue_cards(connection, issuing.vault, cards, issuing.test_bins)
    return issued


def _cards_between(connection: Connection, first: int, last: int) -> set[int]:
    chosen = select(CARDS.c.card_id).where(CARDS.c.account_id.between(first, last))
    return set(connection.scalars(chosen))
