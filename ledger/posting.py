"""How money leaves a wallet and comes to it: *Value* before *Money*, and never below its floor.

What a wallet lacks for a debit that must be posted, the house lends it from its receivable; what
comes in afterwards pays that back first. So a wallet has money or owes some, and never both.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ledger.book import Book
from ledger.house import AccountKind
from ledger.rows import Account


class Manner(StrEnum):
    """How a clearing was posted."""

    FINAL = "final"  # against a hold, which it ends
    PART = "part"  # against a hold, with others to follow
    LATE = "late"  # after its hold had ended
    FORCED = "forced"  # with no hold
    CREDITED = "credited"  # to the wallet
    SUSPENSE = "suspense"  # a credit that matches nothing
    UNDONE = "undone"  # an earlier clearing, taken back
    FUNDED = "funded"  # from outside the networks
    RESOLVED = "resolved"  # a person's word about an earlier clearing
    WRITTEN_OFF = "written off"  # a credit that nobody was found for in the end
    REFUSED = "refused"  # not posted: it could not be read


class Posting(msgspec.Struct, frozen=True, gc=False):
    """Entries of one kind about one wallet. `day` is YYYYMMDD, `at` microseconds."""

    posting_id: int
    kind: str
    wallet: Account
    day: int
    at: int

    def of_kind(self, kind: str) -> Posting:
        """The same for other entries of it."""
        return msgspec.structs.replace(self, kind=kind)


def debit(book: Book, posting: Posting, amount: int, to: Account) -> int:
    """Move `amount` from the wallet to an account of the house; the part that was *Value*."""
    wallet = posting.wallet
    value = min(wallet.value, amount)
    _move(book, posting, to, -amount, -value)
    _settle_debt(book, posting)
    return value


def credit(book: Book, posting: Posting, amount: int, origin: Account, value: int = 0) -> None:
    """Move `amount` from an account of the house to the wallet, `value` of it as *Value*."""
    _move(book, posting, origin, amount, value)
    _settle_debt(book, posting)


def take_value(book: Book, posting: Posting, amount: int, value: int, to: Account) -> None:
    """Take back what was credited, `value` of it as *Value*: either, where the other is spent."""
    wallet = posting.wallet
    value = min(wallet.value, max(value, amount - _money(wallet)))
    _move(book, posting, to, -amount, -value)
    _settle_debt(book, posting)


def _money(wallet: Account) -> int:
    """What the wallet can pay before its *Value*; once that is gone, it owes."""
    return wallet.posted + wallet.credit_line - wallet.value


def _move(book: Book, posting: Posting, other: Account, amount: int, value: int) -> None:
    lines = [(posting.wallet, amount, value), (other, -amount, 0)]
    book.post(posting.posting_id, posting.kind, (posting.day, posting.at), lines)


def _settle_debt(book: Book, posting: Posting) -> None:
    wallet = posting.wallet
    above_floor = wallet.posted + wallet.credit_line
    if above_floor >= 0 and not wallet.owed:
        return
    receivable = book.house(wallet, AccountKind.RECEIVABLE)
    if above_floor < 0:
        wallet.owed -= above_floor
        _move(book, posting.of_kind("lent"), receivable, -above_floor, 0)
    else:
        repaid = min(wallet.owed, above_floor)
        assert repaid  # who owes was at the floor, and something has moved
        value = max(0, repaid - _money(wallet))  # what was lent was *Money*
        wallet.owed -= repaid
        _move(book, posting.of_kind("repaid"), receivable, -repaid, -value)
