"""Which accounts of the house a batch can post to, so that they are locked with its wallets."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.book import Book
from ledger.commands import AnyCommand, Clear, Fund, Resolve
from ledger.house import AccountKind
from ledger.rows import Account

_DEBIT = (AccountKind.SETTLEMENT, AccountKind.RECEIVABLE)
_CREDIT = (*_DEBIT, AccountKind.SUSPENSE)
_UNDOING = (*_CREDIT, AccountKind.FEE)
_FUNDING = (AccountKind.FUNDING, AccountKind.RECEIVABLE)
_RESOLVING = (AccountKind.SUSPENSE, AccountKind.FEE, AccountKind.RECEIVABLE)
POSTING = (Clear, Fund, Resolve)


def house_accounts(book: Book, commands: Iterable[AnyCommand]) -> dict[int, Account]:
    """The accounts of the house that the commands of a batch can need, as they are opened."""
    wanted = {
        (kind, command.origin.network, currency, book.placement.writer_of(command.account_id)): (
            command.account_id
        )
        for command in commands
        if isinstance(command, POSTING) and (currency := _currency_of(book, command))
        for kind in _kinds_for(command)
    }
    opened = (
        house(book, kind, network, currency, account_id)
        for (kind, network, currency, _), account_id in wanted.items()
    )
    return {each.account_id: each for each in opened}


def may_post(book: Book, command: AnyCommand) -> bool:
    """Whether it is in its wallet's currency. For any other no account is opened."""
    wallet = book.wallet(command.account_id)
    return wallet is not None and wallet.currency == _currency_of(book, command)


def house(book: Book, kind: AccountKind, network: str, currency: str, account_id: int) -> Account:
    """The account of the house beside `account_id`, as it is opened."""
    if kind is not AccountKind.SETTLEMENT:
        network = ""
    house_id = book.placement.house_account(kind, network, currency, account_id)
    return Account(house_id, kind.value, network, currency)


def _currency_of(book: Book, command: AnyCommand) -> str:
    """What it posts in; blank for what posts nothing, or is not known before its wallet is."""
    if isinstance(command, Clear | Fund):
        return command.amount.currency
    if isinstance(command, Resolve):
        wallet = book.wallet(command.account_id)
        return "" if wallet is None else wallet.currency
    return ""


def _kinds_for(command: AnyCommand) -> tuple[AccountKind, ...]:
    if isinstance(command, Fund):
        return _FUNDING
    if isinstance(command, Resolve):
        return _RESOLVING
    assert isinstance(command, Clear)
    if command.undoes or command.undoes_reference:
        return _UNDOING
    kinds = _CREDIT if command.credit else _DEBIT
    return (*kinds, AccountKind.FEE) if command.fee else kinds
