"""When holds end by themselves: how long they are kept, and the job that releases them.

Never early: a hold ends at `expires_at` or later. Money that is cleared after that is posted all
the same (`clearing.Manner.LATE`).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger import store
from ledger.book import Book
from ledger.rows import Hold
from ledger.states import HoldState, Verb
from ledger.tables import holds

_MICROSECONDS_A_DAY = 86_400_000_000


class HoldRule(NamedTuple):
    """Keeps a hold for `days` if the merchant's category lies between the two, inclusive.

    `None` for `card_present` or `estimated` means either.
    """

    first_mcc: int
    last_mcc: int
    card_present: bool | None
    estimated: bool | None
    days: int


# The first rule that fits (DOMAIN 2.6): lodging, cars and cruises keep estimates for a month;
# fuel waits for its completion; what was not bought in person takes longer to be sent.
HOLD_RULES = (
    HoldRule(3351, 3999, None, None, 31),  # car rental and lodging chains
    HoldRule(7011, 7012, None, None, 31),  # lodging
    HoldRule(7512, 7513, None, None, 31),  # car and truck rental
    HoldRule(4411, 4411, None, None, 31),  # cruises
    HoldRule(5541, 5542, None, None, 30),  # fuel
    HoldRule(0, 9999, None, True, 30),  # any other estimate
    HoldRule(0, 9999, True, False, 7),
    HoldRule(0, 9999, False, False, 10),
)


def hold_days(mcc: int, *, card_present: bool, estimated: bool) -> int:
    """For how many days a hold is kept. `mcc` is the merchant category code, 0..9999."""
    return next(
        rule.days
        for rule in HOLD_RULES
        if rule.first_mcc <= mcc <= rule.last_mcc
        and rule.card_present in {None, card_present}
        and rule.estimated in {None, estimated}
    )


def expires_at(at: int, mcc: int, *, card_present: bool, estimated: bool) -> int:
    """When a hold made `at` ends; microseconds since the epoch."""
    days = hold_days(mcc, card_present=card_present, estimated=estimated)
    return at + days * _MICROSECONDS_A_DAY


def load_due(connection: Connection, book: Book, now: int, limit: int) -> list[Hold]:
    """The pending holds that are due, the oldest first, with their accounts."""
    due = (
        select(holds)
        .where(holds.c.state == HoldState.PENDING.value, holds.c.expires_at <= now)
        .order_by(holds.c.expires_at)
        .limit(limit)
    )
    found = [Hold(*row) for row in connection.execute(due)]
    book.holds.update({(hold.account_id, hold.authorization_id): hold for hold in found})
    store.load_accounts(connection, book, {hold.account_id for hold in found})
    return found


def expire(book: Book, hold: Hold, now: int) -> None:
    """End one hold that is due. What it counted for in spending limits stays counted."""
    assert hold.expires_at <= now
    released = book.change_hold(hold, Verb.EXPIRE, amount=hold.amount, remaining=0)
    account = book.accounts[hold.account_id]
    data = {"amount": released, "currency": hold.currency, "available": account.available}
    book.record_event(account.account_id, "hold.expired", hold.authorization_id, now, data)
