"""Money from outside the networks, bank transfers and gifts: what is owed is paid back first."""

from __future__ import annotations

from ledger.answers import again, answer, request_key, unknown_account
from ledger.book import Book
from ledger.clearing_records import Posted, record
from ledger.commands import Decision, Fund
from ledger.house import AccountKind
from ledger.matching import Match
from ledger.outcomes import Outcome
from ledger.posting import Manner, Posting, credit
from ledger.rows import Account
from ledger.rules import Verdict, malformed


def fund(book: Book, command: Fund) -> Decision:
    """Credit the wallet; once, however often it is asked."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.clearings.get(request_key(command))
    if stored is not None:
        return again(answer(stored), stored.fingerprint, command.origin)
    clearing_id = book.ids.next(command.at)
    verdict = _refuse(command, account)
    manner, value = Manner.REFUSED, 0
    if verdict is None:
        amount = command.amount.amount
        manner, value = Manner.FUNDED, amount if command.to_value else 0
        posting = Posting(clearing_id, "funded", account, command.day, command.at)
        credit(book, posting, amount, book.house(account, AccountKind.FUNDING), value)
        kind = "value" if command.to_value else "money"
        verdict = Verdict(Outcome.APPROVED, amount, f"{command.amount} added as {kind}")
    how = Match("from outside the networks")
    return record(book, command, account, Posted(clearing_id, manner, how, verdict, value))


def _refuse(command: Fund, account: Account) -> Verdict | None:
    amount = command.amount
    if amount.currency != account.currency:
        told = f"the transfer is in {amount.currency}, the account in {account.currency}"
        return Verdict(Outcome.CURRENCY_UNSUPPORTED, 0, told)
    if malformed(amount.amount, zero_allowed=False):
        return Verdict(Outcome.FORMAT_INVALID, 0, f"amount {amount.amount} cannot be added")
    return None
