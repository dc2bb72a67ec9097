"""Cancel: give back what was held, wholly or down to a replacement amount.

Always acknowledged (outcome APPROVED) if it can be understood; the decision's amount is what was
released, and its `authorization_id` the original, 0 while that has not come. A reversal that
overtakes its original is kept, and the original is then declined. What has been posted is not
touched: it comes back by a credit.
"""

from __future__ import annotations

from ledger.advising import release_all
from ledger.answers import again, answer, request_key, unknown_account
from ledger.authorizing import details_text
from ledger.book import Book
from ledger.commands import Decision, Reverse
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.rows import REVERSED, WITHDRAWN, Account, Authorization, Hold, Reversal
from ledger.rules import Verdict, malformed
from ledger.states import HoldState, Verb


def reverse(book: Book, command: Reverse) -> Decision:
    """Apply one reversal."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.reversals.get(request_key(command))
    if stored is not None:
        return again(answer(stored), stored.fingerprint, command.origin)
    invalid = _invalid(command, account)
    if invalid is not None:
        return _record(book, command, account, invalid, None)
    original = book.match(command, command.reference, command.amount.amount).authorization
    if original is None:
        told = "its original has not been seen; should it come, it will be declined"
        return _record(book, command, account, _released(0, told), None)
    verdict = _release(book, command, original)
    return _record(book, command, account, verdict, original)


def _invalid(command: Reverse, account: Account) -> Verdict | None:
    replacement = command.replacement
    if replacement is None:
        return None
    if replacement.currency != account.currency:
        told = f"the replacement is in {replacement.currency}, the account in {account.currency}"
        return Verdict(Outcome.CURRENCY_UNSUPPORTED, 0, told)
    if malformed(replacement.amount, zero_allowed=True):
        told = f"replacement {replacement.amount} is outside what can be held"
        return Verdict(Outcome.FORMAT_INVALID, 0, told)
    return None


def _released(amount: int, explanation: str) -> Verdict:
    return Verdict(Outcome.APPROVED, amount, explanation)


_ENDED = {
    HoldState.POSTED: "the hold is cleared already: nothing is left to release",
    HoldState.VOIDED: "the hold is released already",
    HoldState.EXPIRED: "the hold has expired already: nothing is left to release",
}


def _release(book: Book, command: Reverse, original: Authorization) -> Verdict:
    hold, was_reversed = book.hold_of(original), original.reversed
    mark = WITHDRAWN if command.withdraws else REVERSED
    state = None if hold is None else HoldState(hold.state)
    if command.withdraws or state not in (HoldState.PENDING, HoldState.POSTED):
        book.mark_reversed(original, mark)
    if hold is None or state is None:
        return _released(0, "its original holds nothing")
    if state is not HoldState.PENDING:
        return _released(0, _ENDED[state])
    if was_reversed and _is_increment(original):
        return _released(0, "this increment is released already")
    kept = _kept(command, original, hold)
    if kept == 0 or command.replacement is None:
        book.mark_reversed(original, mark)
    if kept == 0:
        released = release_all(book, hold)
        return _released(released, f"released {_told(hold, released)}, all that was held")
    remaining = min(hold.remaining, max(0, kept - hold.posted))
    if remaining == hold.remaining and kept >= hold.amount:
        return _released(0, f"no more than {_told(hold, hold.amount)} is promised as it is")
    left = hold.amount - (hold.remaining - remaining)  # what is posted is not given back
    released = book.change_hold(hold, Verb.REDUCE, amount=left, remaining=remaining)
    book.count_again(hold, hold.counted - released)
    return _released(released, f"released {_told(hold, released)}, {_told(hold, left)} stays")


def _kept(command: Reverse, original: Authorization, hold: Hold) -> int:
    """What stays promised. A reversal that names an increment takes back that one alone."""
    if command.replacement is not None:
        return command.replacement.amount
    return max(0, hold.amount - original.amount) if _is_increment(original) else 0


def _is_increment(original: Authorization) -> bool:
    return original.verb == "authorize" and original.hold_id != original.authorization_id


def _told(hold: Hold, amount: int) -> str:
    return f"{hold.currency} {format_minor_units(amount, hold.currency)}"


def _record(
    book: Book,
    command: Reverse,
    account: Account,
    verdict: Verdict,
    original: Authorization | None,
) -> Decision:
    origin = command.origin
    early = original is None and verdict.outcome.approved
    row = Reversal(
        account.account_id,
        origin.network,
        origin.request_key,
        book.ids.next(command.at),
        original.authorization_id if original is not None else 0,
        int(early),
        origin.fingerprint,
        command.reference.trace,
        command.reference.transaction_id,
        origin.rrn,
        verdict.outcome.name,
        verdict.amount,
        account.currency,
        account.available,
        account.posted,
        verdict.explanation,
        command.at,
        details_text(command),
    )
    hold = book.hold_of(original)
    book.record_reversal(row)
    data: dict[str, str | int | bool] = {
        "network": origin.network,
        "authorization_id": row.authorization_id,
        "outcome": row.outcome,
        "amount": row.amount,
        "currency": row.currency,
        "hold_id": hold.authorization_id if hold is not None else 0,
        "points_pending": hold.points if hold is not None else 0,
        "available": row.available,
    }
    book.record_event(account.account_id, "reversal.applied", row.reversal_id, command.at, data)
    return answer(row)
