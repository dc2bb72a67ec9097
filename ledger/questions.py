"""What is asked of the database for a batch: which rows, and what is done with each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

from ledger import tables
from ledger.book import Book
from ledger.commands import DAYS, AnyCommand, sent_on
from ledger.house import AccountKind
from ledger.row_sets import Lookup, Row
from ledger.rows import Account, Authorization, Clearing, Reversal, Spending
from ledger.wanted import EARLY_DAYS, Name, Wanted

_NAMES = ("account_id", "network", "request_key")
_AUTHORIZATION_NAMES = ("account_id", "sent_on", "network", "request_key")
_SPENDING_KEY = ("account_id", "instrument_id", "day")
_BY_TRANSACTION = ("account_id", "transaction_id")
_OF_A_TRACE = 64  # a trace names one message; a reference number has a few clearings
_OF_A_DAY, _SUGGESTED_FROM = 256, 32
_WALLET = AccountKind.WALLET.value

Question: TypeAlias = tuple[Lookup, Callable[[Row], None]]


def outright(book: Book, wanted: Wanted, named: list[Authorization]) -> list[Question]:
    """Everything that is named outright, accounts first; what is referred to goes to `named`."""

    def learn(row: Row) -> None:
        book.learn_authorization(Authorization(*row))

    def learn_named(row: Row) -> None:
        _learn_named(book, named, row)

    def learn_reversal(row: Row) -> None:
        book.learn_reversal(Reversal(*row))

    def learn_clearing(row: Row) -> None:
        book.learn_clearing(Clearing(*row))

    authorizations, clearings = tables.authorizations, tables.clearings
    own, traces = _dated(wanted.authorizations), _dated(wanted.traces)
    return [
        of_accounts(book, wanted.accounts),
        (Lookup(authorizations, _AUTHORIZATION_NAMES, own), learn),
        (Lookup(tables.reversals, _NAMES, wanted.reversals), learn_reversal),
        (Lookup(clearings, _NAMES, wanted.clearings), learn_clearing),
        (Lookup(authorizations, _BY_TRANSACTION, wanted.transactions), learn_named),
        (Lookup(authorizations, _AUTHORIZATION_NAMES, traces, begins=_OF_A_TRACE), learn_named),
        (Lookup(clearings, _NAMES, wanted.acquirer_references, begins=_OF_A_TRACE), learn_clearing),
        of_counters(book, wanted.counters),
    ]


def of_accounts(book: Book, account_ids: Collection[int]) -> Question:
    """The accounts, locked in the order of their ids."""

    def learn(row: Row) -> None:
        account = Account(*row)
        book.learn_account(account)
        if account.kind == _WALLET:  # only of wallets is anything told, in the order of its ids
            book.ids.rise_above(account.last_id)

    keys = [(account_id,) for account_id in account_ids]
    return Lookup(tables.accounts, ("account_id",), keys, locked=True), learn


def of_counters(book: Book, keys: Collection[tuple[int, int, int]]) -> Question:
    """Spending counters by account, instrument and day."""

    def learn(row: Row) -> None:
        book.learn_counter(Spending(*row))

    return Lookup(tables.spending, _SPENDING_KEY, keys), learn


def early_reversals(book: Book, commands: Sequence[AnyCommand]) -> Question:
    """Reversals that came before their originals; few accounts have any that still matter."""

    def learn(row: Row) -> None:
        reversal = Reversal(*row)
        if (reversal.account_id, reversal.network, reversal.request_key) not in book.reversals:
            book.learn_reversal(reversal)

    keys = {
        (command.account_id, 1)
        for command in commands
        if (account := book.accounts.get(command.account_id)) is not None
        and may_be_reversed(command, account)
    }
    return Lookup(tables.reversals, ("account_id", "early"), keys), learn


def by_code_or_merchant(book: Book, wanted: Wanted, named: list[Authorization]) -> list[Question]:
    """Approval codes and merchants are not indexed: they are looked for only after the others.

    On an account that has more authorizations a day than `_OF_A_DAY`, the latest are looked at:
    what is not found there is posted without a match, and a person can resolve it. A merchant has
    the amount besides (`matching`); it only suggests, which is worth fewer rows read.
    """

    def learn(row: Row) -> None:
        _learn_named(book, named, row)

    coded, sold = set[Row](), set[Row]()
    for account_id, network, reference, amount in wanted.references:
        if book.knows(account_id, network, reference):
            continue
        if reference.approval_code:
            for day in reference.days or DAYS:
                coded.add((account_id, sent_on(day), network, day, reference.approval_code))
        if reference.merchant:
            sold.update((account_id, sent_on(day), network, day, amount) for day in reference.days)
    names, table = _AUTHORIZATION_NAMES, tables.authorizations
    return [
        (Lookup(table, names, coded, begins=_OF_A_DAY, only="approval_code"), learn),
        (Lookup(table, names, sold, begins=_SUGGESTED_FROM, only="amount"), learn),
    ]


def _dated(names: Iterable[Name]) -> list[Row]:
    """As the table of authorizations has them in its key."""
    return [(account_id, sent_on(key), network, key) for account_id, network, key in names]


def of_repeats(book: Book, named: list[Authorization]) -> Question:
    """What was found under the name of a repeat is the request that it repeats."""

    def learn(row: Row) -> None:
        _learn_named(book, named, row)

    keys = {
        (row.account_id, row.transaction_id)
        for row in book.authorizations.values()
        if book.first_of(row) is None
    }
    return Lookup(tables.authorizations, _BY_TRANSACTION, keys), learn


def _learn_named(book: Book, named: list[Authorization], row: Row) -> None:
    authorization = Authorization(*row)
    book.learn_authorization(authorization)
    named.append(authorization)


def may_be_reversed(command: AnyCommand, account: Account) -> bool:
    """Whether a reversal of it may have come before it."""
    return bool(account.early_at) and command.at - account.early_at <= EARLY_DAYS
