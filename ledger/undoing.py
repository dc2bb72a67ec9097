"""Take back an earlier clearing (TC 25-27, or a reversed single message): wholly or but for a part.

It is found by its request key, or by the acquirer's reference number that it shares. What has come
back already does not come back again; the books are then as if only what stays had been cleared.
"""

from __future__ import annotations

import msgspec

from ledger.book import Book
from ledger.clearing_records import Posted, record
from ledger.commands import Clear, Decision
from ledger.house import AccountKind
from ledger.matching import NOTHING, Match
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.posting import Manner, Posting, credit, take_value
from ledger.rows import Account, Clearing
from ledger.rules import Verdict
from ledger.states import HoldState


class _Back(msgspec.Struct, frozen=True):
    """What comes back of `undone`, in minor units: worked out before anything of it changes."""

    undone: Clearing
    amount: int
    value: int
    fee: int
    fee_value: int
    points: int


def _all_but(undone: Clearing, stays: int) -> _Back:
    """What is still posted of it, but for what stays."""
    posted, points = undone.amount - undone.returned, undone.points
    return _Back(
        undone,
        posted - stays,
        _value_in(undone, posted) - _value_in(undone, stays),
        0 if stays else undone.fee,
        0 if stays else undone.fee_value,
        points * posted // undone.amount - points * stays // undone.amount,
    )


def _value_in(undone: Clearing, amount: int) -> int:
    """How much of `amount` of it is *Value*, which a debit takes first and a refund gives last."""
    if undone.credit:
        return max(0, amount - (undone.amount - undone.value))
    return min(amount, undone.value)


def undo(
    book: Book, command: Clear, account: Account, clearing_id: int, matched: Match
) -> Decision:
    """Take back what an earlier clearing has posted and is still posted, but for what stays."""
    back = _find(book, command, matched)
    if back is None:
        told = "nothing of that clearing is left to take back"
        refused = Verdict(Outcome.ORIGINAL_UNKNOWN, 0, told)
        return record(book, command, account, Posted(clearing_id, Manner.REFUSED, NOTHING, refused))
    undone = back.undone
    matched = Match(
        matched.explanation if matched.authorization_id else "found by the clearing itself",
        undone.authorization_id,
        undone.hold_id,
        undone.approval_code,
    )
    posting = Posting(clearing_id, "undone", account, command.day, command.at)
    _post(book, posting, back)
    _release(book, back)
    told = f"{account.currency} {format_minor_units(back.amount, account.currency)} of it"
    verdict = Verdict(Outcome.APPROVED, back.amount, f"{matched.explanation}: {told} taken back")
    command = msgspec.structs.replace(
        command, credit=not undone.credit, fee=back.fee, points=back.points
    )
    posted = Posted(clearing_id, Manner.UNDONE, matched, verdict, back.value, back.fee_value)
    return record(book, command, account, posted)


def _find(book: Book, command: Clear, matched: Match) -> _Back | None:
    """The clearing that is meant, if something of it is to come back.

    One of another hold than the command itself names is not meant.
    """
    account_id, network = command.account_id, command.origin.network
    if command.undoes:
        found = [book.clearings.get((account_id, network, command.undoes))]
    else:
        found = [*book.clearings_of(account_id, network, command.undoes_reference)]
    for undone in found:
        if undone is not None and undone.manner in _CAN_COME_BACK and _agree(undone, matched):
            stays = min(command.amount.amount, undone.amount - undone.returned)
            back = _all_but(undone, stays)
            if back.amount:
                return back
    return None


def _agree(undone: Clearing, matched: Match) -> bool:
    return undone.hold_id == matched.hold_id or not (undone.hold_id and matched.hold_id)


_CAN_COME_BACK = frozenset(
    each.value
    for each in Manner
    if each not in (Manner.UNDONE, Manner.FUNDED, Manner.RESOLVED, Manner.REFUSED)
)
# Where a credit lies that has not gone to its wallet.
_LIES_IN = {
    Manner.SUSPENSE.value: AccountKind.SUSPENSE,
    Manner.WRITTEN_OFF.value: AccountKind.FEE,
}


def _post(book: Book, posting: Posting, back: _Back) -> None:
    """The entries of the clearing with their signs turned, the last one first."""
    undone, wallet, amount = back.undone, posting.wallet, back.amount
    if back.fee:
        fees = book.house(wallet, AccountKind.FEE)
        credit(book, posting.of_kind("fee undone"), back.fee, fees, back.fee_value)
    settlement = book.house(wallet, AccountKind.SETTLEMENT, undone.network)
    lies_in = _LIES_IN.get(undone.manner)
    if lies_in is not None:
        lines = [(book.house(wallet, lies_in), -amount, 0), (settlement, amount, 0)]
        book.post(posting.posting_id, posting.kind, (posting.day, posting.at), lines)
    elif undone.credit:
        take_value(book, posting, amount, back.value, settlement)
    else:
        credit(book, posting, amount, settlement, back.value)


def _release(book: Book, back: _Back) -> None:
    """What the hold and the clearing itself know of their amounts."""
    undone = back.undone
    hold = book.holds.get((undone.account_id, undone.hold_id))
    if hold is not None:
        money = back.amount - back.value
        if undone.credit:
            hold.money = min(hold.posted, hold.money + money)
        else:
            hold.posted -= back.amount
            hold.money = min(hold.posted, max(0, hold.money - money))
            if hold.state == HoldState.PENDING:
                hold.amount = max(hold.remaining, hold.amount - back.amount)
            book.count_again(hold, max(hold.remaining, hold.counted - back.amount))
        book.changed_holds[hold.account_id, hold.authorization_id] = hold
    undone.returned += back.amount
    book.mark_clearing(undone)
