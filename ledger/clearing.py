"""Confirm: post money that has moved. What the network clears is posted, whatever we think of it.

A clearing takes what its hold has left and posts all of its amount: more than was held (a tip, an
exchange difference), after the hold has ended (*late*), or with no hold at all (*forced*), even
below zero. A credit goes to the wallet if it matches an authorization, else to suspense. Each
record is posted once: its request key tells a file that is delivered again.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ledger.authorizing import again, details_text, request_key, unknown_account
from ledger.book import Book
from ledger.commands import Clear, Decision
from ledger.house import AccountKind
from ledger.matching import NOTHING, Match, match
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.rows import Account, Clearing, Hold, Posting
from ledger.rules import Verdict, malformed
from ledger.states import HoldState, Verb


class Manner(StrEnum):
    """How a clearing was posted."""

    FINAL = "final"  # against a hold, which it ends
    PART = "part"  # against a hold, with others to follow
    LATE = "late"  # after its hold had ended
    FORCED = "forced"  # with no hold
    CREDITED = "credited"  # to the wallet
    SUSPENSE = "suspense"  # a credit that matches nothing
    UNDONE = "undone"  # an earlier clearing, taken back
    REFUSED = "refused"  # not posted: it could not be read


def clear(book: Book, command: Clear) -> Decision:
    """Post one clearing record. Outcome APPROVED means posted."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.clearings.get(request_key(command))
    if stored is not None:
        return again(_answer(stored), stored.fingerprint, command.origin)
    clearing_id = book.ids.next(command.at)
    candidates = book.candidates(command.account_id, command.origin.network, command.reference)
    matched = match(command.reference, command.amount.amount, candidates)
    invalid = _invalid(command, account) or _overtaken(command, matched)
    if invalid is not None:
        posted = _Posted(clearing_id, Manner.REFUSED, NOTHING)
        return _record(book, command, account, posted, invalid)
    if command.undoes:
        return _undo(book, command, account, clearing_id, matched)
    if command.credit:
        manner, how = _credit(book, command, account, clearing_id, matched)
    else:
        manner, how = _debit(book, command, account, clearing_id, matched)
    _post_extras(book, command, account, clearing_id)
    verdict = Verdict(Outcome.APPROVED, command.amount.amount, f"{matched.explanation}: {how}")
    return _record(book, command, account, _Posted(clearing_id, manner, matched), verdict)


class _Posted(msgspec.Struct, frozen=True, gc=False):
    clearing_id: int
    manner: Manner
    matched: Match


def _invalid(command: Clear, account: Account) -> Verdict | None:
    if command.amount.currency != account.currency:
        told = f"the clearing is in {command.amount.currency}, the account in {account.currency}"
        return Verdict(Outcome.CURRENCY_UNSUPPORTED, 0, told)
    for name, amount, zero_allowed in (
        ("amount", command.amount.amount, bool(command.undoes)),
        ("fee", command.fee, True),
        ("points", command.points, True),
    ):
        if malformed(amount, zero_allowed=zero_allowed):
            return Verdict(Outcome.FORMAT_INVALID, 0, f"{name} {amount} cannot be posted")
    return None


def _overtaken(command: Clear, matched: Match) -> Verdict | None:
    original = matched.authorization
    if not command.unless_reversed or original is None or not original.reversed:
        return None
    return Verdict(Outcome.REVERSED_BEFORE, 0, "its reversal came before the posting")


def _undo(
    book: Book, command: Clear, account: Account, clearing_id: int, matched: Match
) -> Decision:
    """Take back what an earlier clearing has posted and is still posted, but for what stays."""
    hold = book.hold_of(matched.authorization)
    undone = book.clearings.get((account.account_id, command.origin.network, command.undoes))
    posted = _still_posted(undone, hold)
    stays = min(command.amount.amount, posted)
    if undone is None or posted == stays or (stays and hold is None):
        told = "nothing of that clearing is left to take back"
        refused = _Posted(clearing_id, Manner.REFUSED, NOTHING)
        return _record(book, command, account, refused, Verdict(Outcome.ORIGINAL_UNKNOWN, 0, told))
    back = posted - stays
    if hold is not None:
        hold.posted -= back
        book.changed_holds[hold.account_id, hold.authorization_id] = hold
        book.count_again(hold, hold.counted - back)
    command = msgspec.structs.replace(
        command,
        credit=not undone.credit,
        fee=0 if stays else undone.fee,
        points=undone.points * posted // undone.amount - undone.points * stays // undone.amount,
    )
    _post_back(book, command, account, clearing_id, back)
    how = f"{account.currency} {format_minor_units(back, account.currency)} of it taken back"
    verdict = Verdict(Outcome.APPROVED, back, f"{matched.explanation}: {how}")
    return _record(book, command, account, _Posted(clearing_id, Manner.UNDONE, matched), verdict)


def _still_posted(undone: Clearing | None, hold: Hold | None) -> int:
    if undone is None or undone.hold_id != (hold.authorization_id if hold else 0):
        return 0
    return min(undone.amount, hold.posted) if hold else undone.amount


def _post_back(book: Book, command: Clear, account: Account, clearing_id: int, amount: int) -> None:
    """The postings of a clearing with their signs turned."""
    settlement = book.house(account, AccountKind.SETTLEMENT, command.origin.network)
    to_wallet = amount if command.credit else -amount
    kind = "credit" if command.credit else "clearing"
    _post(book, command, clearing_id, kind, [(account, to_wallet), (settlement, -to_wallet)])
    if command.fee:
        fee = book.house(account, AccountKind.FEE)
        _post(book, command, clearing_id, "fee", [(account, command.fee), (fee, -command.fee)])
    if command.points:
        points = book.house(account, AccountKind.POINTS)
        funding = book.house(account, AccountKind.FUNDING)
        lines = [(points, -command.points), (funding, command.points)]
        _post(book, command, clearing_id, "points", lines)


def _credit(
    book: Book, command: Clear, account: Account, clearing_id: int, matched: Match
) -> tuple[Manner, str]:
    amount = command.amount.amount
    settlement = book.house(account, AccountKind.SETTLEMENT, command.origin.network)
    if matched.authorization is None:
        target, manner = book.house(account, AccountKind.SUSPENSE), Manner.SUSPENSE
    else:
        target, manner = account, Manner.CREDITED
    _post(book, command, clearing_id, "credit", [(target, amount), (settlement, -amount)])
    to = "suspense" if manner is Manner.SUSPENSE else "the wallet"
    return manner, f"{command.amount} credited to {to}"


def _debit(
    book: Book, command: Clear, account: Account, clearing_id: int, matched: Match
) -> tuple[Manner, str]:
    amount = command.amount.amount
    hold = book.hold_of(matched.authorization)
    manner, how = (
        (Manner.FORCED, "posted without a hold") if hold is None else _use(book, hold, command)
    )
    settlement = book.house(account, AccountKind.SETTLEMENT, command.origin.network)
    _post(book, command, clearing_id, "clearing", [(account, -amount), (settlement, amount)])
    return manner, how


def _use(book: Book, hold: Hold, command: Clear) -> tuple[Manner, str]:
    """Take from the hold what the clearing is for."""
    amount, before = command.amount.amount, hold.remaining
    hold.posted += amount
    hold.parts += 1
    state = HoldState(hold.state)
    if state is not HoldState.PENDING:
        book.change_hold(hold, Verb.POST_LATE, amount=hold.amount, remaining=0)
        return Manner.LATE, f"{command.amount} posted late, the hold was {state}"
    over = ""
    if amount > before:
        over = f", {_told(hold, amount - before)} more than was held"
    if hold.parts < command.count:
        remaining = max(0, before - amount)
        book.change_hold(hold, Verb.POST_PART, amount=hold.amount, remaining=remaining)
        part = f"part {hold.parts} of {command.count}"
        return Manner.PART, f"{command.amount} posted, {part}{over}; {_told(hold, remaining)} held"
    book.change_hold(hold, Verb.POST_LAST, amount=hold.amount, remaining=0)
    if amount < before:
        over = f", the other {_told(hold, before - amount)} released"
    return Manner.FINAL, f"{command.amount} posted{over}"


def _told(hold: Hold, amount: int) -> str:
    return f"{hold.currency} {format_minor_units(amount, hold.currency)}"


def _post_extras(book: Book, command: Clear, account: Account, clearing_id: int) -> None:
    if command.fee:
        fee = book.house(account, AccountKind.FEE)
        _post(book, command, clearing_id, "fee", [(account, -command.fee), (fee, command.fee)])
    if command.points:
        points = book.house(account, AccountKind.POINTS)
        funding = book.house(account, AccountKind.FUNDING)
        lines = [(points, command.points), (funding, -command.points)]
        _post(book, command, clearing_id, "points", lines)


def _post(
    book: Book, command: Clear, clearing_id: int, kind: str, lines: list[tuple[Account, int]]
) -> None:
    posting_id = book.ids.next(command.at)
    book.post(Posting(command.account_id, posting_id, clearing_id, kind, command.at), lines)


def _record(
    book: Book, command: Clear, account: Account, posted: _Posted, verdict: Verdict
) -> Decision:
    origin, authorization = command.origin, posted.matched.authorization
    row = Clearing(
        account.account_id,
        posted.clearing_id,
        authorization.authorization_id if authorization is not None else 0,
        authorization.hold_id if authorization is not None else 0,
        origin.network,
        origin.request_key,
        origin.fingerprint,
        origin.rrn,
        posted.manner.value,
        int(command.credit),
        verdict.outcome.name,
        verdict.amount,
        command.fee if verdict.outcome.approved else 0,
        command.points if verdict.outcome.approved else 0,
        account.currency,
        authorization.approval_code if authorization is not None else "",
        account.available,
        account.posted,
        verdict.explanation,
        command.at,
        details_text(command),
    )
    book.record_clearing(row)
    data = {
        "network": origin.network,
        "authorization_id": row.authorization_id,
        "manner": row.manner,
        "outcome": row.outcome,
        "credit": command.credit,
        "amount": row.amount,
        "currency": row.currency,
        "points": row.points,
        "available": row.available,
    }
    book.record_event(
        account.account_id, _EVENT[verdict.outcome.approved], row.clearing_id, command.at, data
    )
    return _answer(row)


_EVENT = {True: "clearing.posted", False: "clearing.refused"}


def _answer(row: Clearing) -> Decision:
    return Decision(
        outcome=Outcome[row.outcome],
        authorization_id=row.authorization_id,
        account_id=row.account_id,
        amount=row.amount,
        currency=row.currency,
        approval_code=row.approval_code,
        available=row.available,
        posted=row.posted,
        explanation=row.explanation,
    )
