"""Confirm: post money that has moved. What the network clears is posted, whatever we think of it.

A clearing takes what its hold has left and posts all of its amount: more than was held (a tip, an
exchange difference), after the hold has ended (*late*), or with no hold at all (*forced*), even if
the wallet then owes. A credit goes to the wallet if it matches an authorization, else to suspense.
Each record is posted once: its request key tells a file that is delivered again.
"""

from __future__ import annotations

from ledger.answers import again, answer, request_key, unknown_account
from ledger.book import Book
from ledger.clearing_records import Posted, record
from ledger.commands import Clear, Decision
from ledger.house import AccountKind
from ledger.matching import NOTHING, Match
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.posting import Manner, Posting, credit, debit
from ledger.rows import Account, Hold
from ledger.rules import Verdict, malformed
from ledger.states import HoldState, Verb
from ledger.undoing import undo

_PENDING = HoldState.PENDING.value


def clear(book: Book, command: Clear) -> Decision:
    """Post one clearing record. Outcome APPROVED means posted."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.clearings.get(request_key(command))
    if stored is not None:
        return again(answer(stored), stored.fingerprint, command.origin)
    matched = book.match(command, command.reference, command.amount.amount)
    invalid = _invalid(command, account) or _overtaken(book, command, matched)
    clearing_id = book.ids.next(command.at)
    if invalid is not None:
        return record(book, command, account, Posted(clearing_id, Manner.REFUSED, NOTHING, invalid))
    if command.undoes or command.undoes_reference:
        return undo(book, command, account, clearing_id, matched)
    posting = Posting(clearing_id, "clearing", account, command.day, command.at)
    post = _credit if command.credit else _debit
    manner, value, how = post(book, command, posting, matched)
    fee_value = 0
    if command.fee:
        fees = book.house(account, AccountKind.FEE)
        fee_value = debit(book, posting.of_kind("fee"), command.fee, fees)
    verdict = Verdict(Outcome.APPROVED, command.amount.amount, f"{matched.explanation}: {how}")
    posted = Posted(clearing_id, manner, matched, verdict, value, fee_value)
    return record(book, command, account, posted)


def _invalid(command: Clear, account: Account) -> Verdict | None:
    if command.amount.currency != account.currency:
        told = f"the clearing is in {command.amount.currency}, the account in {account.currency}"
        return Verdict(Outcome.CURRENCY_UNSUPPORTED, 0, told)
    takes_back = bool(command.undoes or command.undoes_reference)
    for name, amount, zero_allowed in (
        ("amount", command.amount.amount, takes_back),
        ("fee", command.fee, True),
        ("points", command.points, True),
    ):
        if malformed(amount, zero_allowed=zero_allowed):
            return Verdict(Outcome.FORMAT_INVALID, 0, f"{name} {amount} cannot be posted")
    return None


def _overtaken(book: Book, command: Clear, matched: Match) -> Verdict | None:
    original = matched.authorization
    if not command.unless_reversed or original is None:
        return None
    hold = book.hold_of(original)
    voided = hold is not None and hold.state == HoldState.VOIDED
    if not (original.reversed or voided):
        return None
    return Verdict(Outcome.REVERSED_BEFORE, 0, "its reversal came before the posting")


def _credit(
    book: Book, command: Clear, posting: Posting, matched: Match
) -> tuple[Manner, int, str]:
    """Manner, the part that is *Value*, and how, in words."""
    amount, wallet = command.amount.amount, posting.wallet
    settlement = book.house(wallet, AccountKind.SETTLEMENT, command.origin.network)
    posting = posting.of_kind("credit")
    if not matched.authorization_id:
        suspense = book.house(wallet, AccountKind.SUSPENSE)
        lines = [(suspense, amount, 0), (settlement, -amount, 0)]
        book.post(posting.posting_id, posting.kind, (posting.day, posting.at), lines)
        return Manner.SUSPENSE, 0, f"{command.amount} credited to suspense"
    value = refund_to_value(book, wallet.account_id, matched, amount)
    credit(book, posting, amount, settlement, value)
    told = f", {_told(wallet.currency, value)} of it as value" if value else ""
    return Manner.CREDITED, value, f"{command.amount} credited to the wallet{told}"


def refund_to_value(book: Book, account_id: int, matched: Match, amount: int) -> int:
    """The part of a refund that returns as *Value*: *Money* first, up to what was paid from it.

    Where the purchase is not known, or nothing of it is posted, all of it is *Money* (DOMAIN 1.9
    item 12).
    """
    hold = book.holds.get((account_id, matched.hold_id))
    if hold is None or not hold.posted:
        return 0
    to_money = min(amount, hold.money)
    hold.money -= to_money
    book.changed_holds[account_id, matched.hold_id] = hold
    return amount - to_money


def _debit(book: Book, command: Clear, posting: Posting, matched: Match) -> tuple[Manner, int, str]:
    """Manner, the part that was *Value*, and how, in words."""
    amount, wallet = command.amount.amount, posting.wallet
    hold = book.holds.get((wallet.account_id, matched.hold_id))
    if hold is None:
        manner, how = Manner.FORCED, "posted without a hold"
    else:
        manner, how = _use(book, hold, command)
    owed = wallet.owed
    settlement = book.house(wallet, AccountKind.SETTLEMENT, command.origin.network)
    value = debit(book, posting, amount, settlement)
    if hold is not None:
        hold.money += amount - value
    if wallet.owed > owed:
        how += f"; {_told(wallet.currency, wallet.owed - owed)} of it is owed"
    return manner, value, how


def _use(book: Book, hold: Hold, command: Clear) -> tuple[Manner, str]:
    """Take from the hold what the clearing is for."""
    amount, before = command.amount.amount, hold.remaining
    hold.posted += amount
    hold.parts += 1
    state = hold.state
    if state != _PENDING:
        book.change_hold(hold, Verb.POST_LATE, amount=hold.amount, remaining=0)
        return Manner.LATE, f"{command.amount} posted late, the hold was {state}"
    over = ""
    if amount > before:
        over = f", {_told(hold.currency, amount - before)} more than was held"
    if hold.parts < command.count:
        remaining = max(0, before - amount)
        book.change_hold(hold, Verb.POST_PART, amount=hold.amount, remaining=remaining)
        hold.points = max(0, hold.points - command.points)
        part = f"part {hold.parts} of {command.count}"
        left = _told(hold.currency, remaining)
        return Manner.PART, f"{command.amount} posted, {part}{over}; {left} held"
    book.change_hold(hold, Verb.POST_LAST, amount=hold.amount, remaining=0)
    if amount < before:
        over = f", the other {_told(hold.currency, before - amount)} released"
    return Manner.FINAL, f"{command.amount} posted{over}"


def _told(currency: str, amount: int) -> str:
    return f"{currency} {format_minor_units(amount, currency)}"
