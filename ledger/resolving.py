"""A person's word about a clearing that matched nothing: what it is about, or that nobody knows."""

from __future__ import annotations

from ledger.answers import again, answer, request_key, unknown_account
from ledger.book import Book
from ledger.clearing import refund_to_value
from ledger.clearing_records import Posted, record
from ledger.commands import Decision, Resolve
from ledger.house import AccountKind
from ledger.matching import NOTHING, Match
from ledger.outcomes import Outcome
from ledger.posting import Manner, Posting, credit
from ledger.rows import Account, Clearing
from ledger.rules import Verdict
from ledger.states import HoldState, Verb

_WAITING = frozenset({Manner.FORCED.value, Manner.SUSPENSE.value})


def resolve(book: Book, command: Resolve) -> Decision:
    """Apply it once; ORIGINAL_UNKNOWN if no such clearing waits for a match."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.clearings.get(request_key(command))
    if stored is not None:
        return again(answer(stored), stored.fingerprint, command.origin)
    resolution_id = book.ids.next(command.at)
    posting = Posting(resolution_id, "resolved", account, command.day, command.at)
    matched, verdict = _apply(book, command, posting)
    manner = Manner.RESOLVED if verdict.outcome.approved else Manner.REFUSED
    points = _points_of(book.clearings[_named_by(command)]) if matched.hold_id else 0
    posted = Posted(resolution_id, manner, matched, verdict, points_found=points)
    return record(book, command, account, posted)


def _named_by(command: Resolve) -> tuple[int, str, str]:
    return command.account_id, command.origin.network, command.clearing_key


def _points_of(clearing: Clearing) -> int:
    """What it has granted and not taken back, while it had no hold."""
    return clearing.points * (clearing.amount - clearing.returned) // clearing.amount


def _apply(book: Book, command: Resolve, posting: Posting) -> tuple[Match, Verdict]:
    clearing = book.clearings.get(_named_by(command))
    amount = 0 if clearing is None else clearing.amount - clearing.returned
    if clearing is None or not amount or clearing.manner not in _WAITING:
        return NOTHING, _unknown("no such clearing waits for a match")
    if command.reference is None:
        return NOTHING, _write_off(book, posting, clearing, amount)
    matched = book.match(command, command.reference, clearing.amount)
    if not matched.authorization_id:
        return NOTHING, _unknown("no authorization matches the reference")
    clearing.authorization_id, clearing.hold_id = matched.authorization_id, matched.hold_id
    clearing.suggested_id = 0
    book.mark_clearing(clearing)
    if clearing.credit:
        told = _to_wallet(book, posting, clearing, matched, amount)
    else:
        told = _end_hold(book, posting.wallet, clearing, amount)
    return matched, Verdict(Outcome.APPROVED, amount, f"{matched.explanation}, by hand: {told}")


def _unknown(told: str) -> Verdict:
    return Verdict(Outcome.ORIGINAL_UNKNOWN, 0, told)


def _write_off(book: Book, posting: Posting, clearing: Clearing, amount: int) -> Verdict:
    if not clearing.credit:
        return _unknown("only a credit in suspense can be written off")
    suspense = book.house(posting.wallet, AccountKind.SUSPENSE)
    fee = book.house(posting.wallet, AccountKind.FEE)
    lines = [(suspense, -amount, 0), (fee, amount, 0)]
    book.post(posting.posting_id, "written off", (posting.day, posting.at), lines)
    clearing.manner = Manner.WRITTEN_OFF.value
    book.mark_clearing(clearing)
    return Verdict(Outcome.APPROVED, amount, "written off from suspense")


def _to_wallet(
    book: Book, posting: Posting, clearing: Clearing, matched: Match, amount: int
) -> str:
    suspense = book.house(posting.wallet, AccountKind.SUSPENSE)
    clearing.manner = Manner.CREDITED.value
    value = refund_to_value(book, clearing.account_id, matched, amount)
    credit(book, posting, amount, suspense, value)
    # Of a credit the last units are Value, and of these some have come back from suspense.
    clearing.value = value + clearing.returned
    return "credited from suspense to the wallet"


def _end_hold(book: Book, account: Account, clearing: Clearing, amount: int) -> str:
    """The money has moved already; the hold that was for it ends."""
    hold = book.holds.get((account.account_id, clearing.hold_id))
    if hold is None:
        return "it made no hold"
    hold.posted += amount
    hold.money += amount - min(clearing.value, amount)
    hold.parts += 1
    pending = hold.state == HoldState.PENDING
    clearing.manner = (Manner.FINAL if pending else Manner.LATE).value
    verb = Verb.POST_LAST if pending else Verb.POST_LATE
    book.change_hold(hold, verb, amount=hold.amount, remaining=0)
    return "its hold is ended"
