"""Apply what somebody else has decided: stand-in decisions and completions of estimates.

An advice is never refused for want of money. It replaces our own decision of the same
transaction, unless that one's money has already moved or been given back by a reversal. A hold
that has expired, or that we have withdrawn, holds again: it keeps the names of its original.
"""

from __future__ import annotations

from ledger.answers import request_key, stored_answer, unknown_account
from ledger.authorizing import new_hold, points_for, record
from ledger.book import Book
from ledger.commands import Advise, Decision, Reference
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.rows import WITHDRAWN, Account, Authorization, Hold
from ledger.rules import SPENDS, Verdict, malformed
from ledger.states import HoldState, Verb

NO_HOLD = 0


def advise(book: Book, command: Advise) -> Decision:
    """Apply one advice. Outcome APPROVED means applied, whatever the advice tells."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.authorizations.get(request_key(command))
    if stored is not None:
        return stored_answer(book, stored, command.origin)
    authorization_id = book.ids.next(command.at)
    invalid = _invalid(command, account)
    if invalid is not None:
        return record(book, command, account, invalid, (authorization_id, NO_HOLD))
    verdict, hold_id = _apply(book, command, account, authorization_id)
    return record(book, command, account, verdict, (authorization_id, hold_id))


def _invalid(command: Advise, account: Account) -> Verdict | None:
    """Even an advice must be something that the account can hold."""
    if command.amount.currency != account.currency:
        told = f"the advice is in {command.amount.currency}, the account in {account.currency}"
        return Verdict(Outcome.CURRENCY_UNSUPPORTED, 0, told)
    if malformed(command.amount.amount, zero_allowed=True):
        told = f"amount {command.amount.amount} is outside what can be held"
        return Verdict(Outcome.FORMAT_INVALID, 0, told)
    return None


def _apply(
    book: Book, command: Advise, account: Account, authorization_id: int
) -> tuple[Verdict, int]:
    """The verdict, and the hold that the advice made or changed."""
    original = _original(book, command)
    hold = book.hold_of(original)
    if book.early_reversal(command) is not None:
        return _applied(0, "its reversal came first: nothing is held"), NO_HOLD
    if not command.approved:
        return _declined(book, hold)
    if command.purpose not in SPENDS:
        return _applied(command.amount.amount, f"{command.purpose} noted, nothing held"), NO_HOLD
    if original is None or hold is None:
        return _hold_anew(book, command, account, authorization_id)
    if hold.state == HoldState.PENDING:
        return _replace(book, command, hold)
    return _after_the_end(book, command, original, hold)


def _applied(amount: int, explanation: str) -> Verdict:
    return Verdict(Outcome.APPROVED, amount, explanation)


def _original(book: Book, command: Advise) -> Authorization | None:
    life = Reference(transaction_id=command.origin.transaction_id)
    for reference in (command.reference, life):
        found = book.match(command, reference, command.amount.amount).authorization
        if found is not None:
            return found
    return None


def _declined(book: Book, hold: Hold | None) -> tuple[Verdict, int]:
    """The network has declined what we may have approved."""
    if hold is None or hold.state != HoldState.PENDING:
        told = "declined by the network: there was no hold to release"
        return _applied(0, told), NO_HOLD if hold is None else hold.authorization_id
    released = release_all(book, hold)
    told = format_minor_units(released, hold.currency)
    return (
        _applied(0, f"declined by the network: hold of {hold.currency} {told} released"),
        hold.authorization_id,
    )


def release_all(book: Book, hold: Hold) -> int:
    """Void a pending hold; what was spent of it, if anything, stays counted."""
    released = book.change_hold(hold, Verb.VOID, amount=hold.posted, remaining=0)
    book.count_again(hold, hold.counted - released)
    return released


def _hold_anew(
    book: Book, command: Advise, account: Account, authorization_id: int
) -> tuple[Verdict, int]:
    amount = command.amount.amount
    if not amount:
        return _applied(0, "advice of nothing: nothing is held"), NO_HOLD
    book.open_hold(account, new_hold(command, account, authorization_id, amount))
    return _applied(amount, f"held {command.amount} as advised"), authorization_id


# How its original is marked where the network has not reversed a hold that has ended.
_ENDED_BY_US = {HoldState.EXPIRED.value: 0, HoldState.VOIDED.value: WITHDRAWN}


def _after_the_end(
    book: Book, command: Advise, original: Authorization, hold: Hold
) -> tuple[Verdict, int]:
    """Expired, or withdrawn and then approved by the network itself: the same hold, once more."""
    amount, hold_id = command.amount.amount, hold.authorization_id
    if original.reversed != _ENDED_BY_US.get(hold.state):
        told = "cleared" if hold.state == HoldState.POSTED else "reversed"
        return _applied(0, f"the original is {told} already: nothing is held"), hold_id
    if not amount:
        return _applied(0, "advice of nothing: nothing is held"), hold_id
    _promise(book, command, hold, Verb.HOLD_AGAIN)
    return _applied(amount, f"held {command.amount} as advised"), hold_id


def _replace(book: Book, command: Advise, hold: Hold) -> tuple[Verdict, int]:
    amount, before = command.amount.amount, hold.amount
    if not amount:
        release_all(book, hold)
        return _applied(0, "nothing was bought: the hold is released"), hold.authorization_id
    _promise(book, command, hold, Verb.REPLACE)
    told = format_minor_units(before, hold.currency)
    return (
        _applied(amount, f"{command.amount} replaces the hold of {hold.currency} {told}"),
        hold.authorization_id,
    )


def _promise(book: Book, command: Advise, hold: Hold, verb: Verb) -> None:
    """The advised amount is what the hold is for, all in all; part of it may be cleared."""
    amount = command.amount.amount
    book.change_hold(hold, verb, amount=amount, remaining=max(0, amount - hold.posted))
    hold.points = points_for(command, hold.remaining)
    book.count_again(hold, amount)
    hold.expires_at = command.expires_at
    if command.completes:
        hold.estimated = 0
