"""Between a `Book` and the database: a handful of set-based statements, whatever the batch size.

Loading has three steps, each one round trip where there is a trip to make: the accounts, locked in
the order of their ids, and all that the commands name outright; then the holds of what was found;
then the counters of those holds. Each statement reads after the locks, so that of two racing
repeats the second finds the answer of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Table

from ledger import tables
from ledger.book import Book, NameKey
from ledger.commands import Advise, AnyCommand, Authorize, Clear, Reference, Reverse
from ledger.house import AccountKind, house_account
from ledger.row_sets import Change, Insert, Lookup, Row, Update, find, write
from ledger.rows import Account, Authorization, Clearing, Hold, Reversal, Spending

_NAMES = ("account_id", "network", "request_key")
_HOLD_KEY = ("account_id", "authorization_id")
_EARLY = 1
_SPENDING_KEY = ("account_id", "instrument_id", "day")
_ACCOUNT_CHANGES = ("posted", "held", "version")
_HOLD_CHANGES = (
    "state",
    "amount",
    "remaining",
    "posted",
    "parts",
    "estimated",
    "counted",
    "expires_at",
)
_astuple = msgspec.structs.astuple

_Question: TypeAlias = tuple[Lookup, Callable[[Row], None]]
_Reference: TypeAlias = tuple[int, str, Reference]  # account, network


def load(connection: Connection, book: Book, commands: Sequence[AnyCommand]) -> None:
    """Put into `book` every row that deciding `commands` can need."""
    wanted = _Wanted()
    for command in commands:
        wanted.add(command)
    houses = _houses(book, commands)
    wanted.accounts.update(house.account_id for house in houses)
    named: list[Authorization] = []
    _ask(connection, wanted.questions(book, named))
    if not all(house.account_id in book.accounts for house in houses):
        postable = [each for each in commands if _is_postable(book, each)]
        open_missing(connection, book, _houses(book, postable))
    _load_approved(connection, book, wanted.references, named)
    load_holds(connection, book, {(row.account_id, row.hold_id) for row in named if row.hold_id})
    counters = {(hold.account_id, hold.instrument_id, hold.day) for hold in book.holds.values()}
    _ask(connection, [_spending(book, {key for key in counters if key[1]} - wanted.counters)])


def open_missing(connection: Connection, book: Book, houses: Iterable[Account]) -> None:
    """Open and lock those accounts of the house that have not been found.

    Another writer that opens the same one is waited for. This is out of the order of locks, so
    that two writers can stand in each other's way; then one of them is undone, and repeated.
    """
    missing = sorted(
        (house for house in houses if house.account_id not in book.accounts),
        key=attrgetter("account_id"),
    )
    if missing:
        rows = [_astuple(house) for house in missing]
        write(connection, [Insert(tables.accounts, rows, if_missing=True)])
        load_accounts(connection, book, [house.account_id for house in missing])


def load_accounts(connection: Connection, book: Book, account_ids: Collection[int]) -> None:
    """The accounts, locked in the order of their ids."""
    _ask(connection, [_accounts(book, account_ids)])


def load_holds(connection: Connection, book: Book, keys: Collection[tuple[int, int]]) -> None:
    """Holds by account and authorization."""

    def learn(row: Row) -> None:
        book.holds[row[0], row[1]] = Hold(*row)

    _ask(connection, [(Lookup(tables.holds, _HOLD_KEY, keys), learn)])


def changes_of(book: Book) -> list[Change]:
    """What is new and what has changed; parents before children."""
    fresh: tuple[tuple[Table, Sequence[msgspec.Struct]], ...] = (
        (tables.accounts, book.new_accounts),
        (tables.authorizations, book.new_authorizations),
        (tables.holds, book.new_holds),
        (tables.spending, book.new_spending),
        (tables.reversals, book.new_reversals),
        (tables.clearings, book.new_clearings),
        (tables.postings, book.new_postings),
        (tables.entries, book.new_entries),
        (tables.events, book.new_events),
    )
    changes: list[Change] = [Insert(table, list(map(_astuple, rows))) for table, rows in fresh]
    new_accounts = {row.account_id for row in book.new_accounts}
    new_holds = {(row.account_id, row.authorization_id) for row in book.new_holds}
    new_spending = {(row.account_id, row.instrument_id, row.day) for row in book.new_spending}
    new_authorizations = {(row.account_id, row.authorization_id) for row in book.new_authorizations}
    for table, columns, changed, new in (
        (tables.accounts, _ACCOUNT_CHANGES, book.changed_accounts, new_accounts),
        (tables.holds, _HOLD_CHANGES, book.changed_holds, new_holds),
        (tables.spending, ("amount", "count"), book.changed_spending, new_spending),
        (tables.authorizations, ("reversed",), book.changed_authorizations, new_authorizations),
    ):
        values = attrgetter(*columns, *(column.name for column in table.primary_key.columns))
        rows = [values(row) for key, row in changed.items() if key not in new]
        changes.append(Update(table, columns, rows))
    return changes


class _Wanted:
    """What the commands of a batch name outright."""

    def __init__(self) -> None:
        self.accounts: set[int] = set()
        self.counters: set[tuple[int, int, int]] = set()
        self.references: list[_Reference] = []
        self._authorizations: set[NameKey] = set()
        self._reversals: set[NameKey] = set()
        self._clearings: set[NameKey] = set()
        self._early_traces: set[Row] = set()
        self._early_transactions: set[Row] = set()

    def add(self, command: AnyCommand) -> None:
        """Note what deciding `command` needs."""
        account_id, origin = command.account_id, command.origin
        network = origin.network
        self.accounts.add(account_id)
        key = (account_id, network, origin.request_key)
        match command:
            case Authorize() | Advise():
                self._authorizations.add(key)
                if command.instrument_id:
                    self.counters.add((account_id, command.instrument_id, command.day))
                if origin.trace:
                    self._early_traces.add((account_id, origin.trace, _EARLY))
                if origin.transaction_id:
                    self._early_transactions.add((account_id, origin.transaction_id, _EARLY))
            case Reverse():
                self._reversals.add(key)
            case _:
                self._clearings.add(key)
                if command.undoes:
                    self._clearings.add((account_id, network, command.undoes))
        for reference in references(command):
            self.references.append((account_id, network, reference))

    def questions(self, book: Book, named: list[Authorization]) -> list[_Question]:
        """Everything in one go, accounts first; authorizations referred to go to `named` too."""
        authorizations, reversals = tables.authorizations, tables.reversals

        def learn(row: Row) -> None:
            book.learn_authorization(Authorization(*row))

        def learn_named(row: Row) -> None:
            _learn_named(book, named, row)

        def learn_reversal(row: Row) -> None:
            reversal = Reversal(*row)
            if (reversal.account_id, reversal.network, reversal.request_key) not in book.reversals:
                book.learn_reversal(reversal)

        def learn_clearing(row: Row) -> None:
            book.learn_clearing(Clearing(*row))

        traces = {(account_id, each.trace) for account_id, _, each in self.references}
        transactions = {
            (account_id, each.transaction_id) for account_id, _, each in self.references
        }
        by_transaction, by_trace = ("account_id", "transaction_id"), ("account_id", "trace")
        return [
            _accounts(book, self.accounts),
            (Lookup(authorizations, _NAMES, self._authorizations), learn),
            (Lookup(reversals, _NAMES, self._reversals), learn_reversal),
            (Lookup(tables.clearings, _NAMES, self._clearings), learn_clearing),
            (Lookup(authorizations, by_transaction, _told(transactions)), learn_named),
            (Lookup(authorizations, by_trace, _told(traces)), learn_named),
            (
                Lookup(reversals, (*by_transaction, "early"), self._early_transactions),
                learn_reversal,
            ),
            (Lookup(reversals, (*by_trace, "early"), self._early_traces), learn_reversal),
            _spending(book, self.counters),
        ]


def references(command: AnyCommand) -> tuple[Reference, ...]:
    """How a command names earlier authorizations."""
    match command:
        case Authorize():
            sale = Reference(transaction_id=command.origin.transaction_id)
            named = (command.increment_of, sale if command.repeats_within else None)
            return tuple(each for each in named if each is not None)
        case Advise():
            return (command.reference, Reference(transaction_id=command.origin.transaction_id))
        case _:
            return (command.reference,)


def _ask(connection: Connection, questions: Iterable[_Question]) -> None:
    """Look everything up in one go and take in what is found."""
    asked = list(questions)
    found = find(connection, [lookup for lookup, _ in asked])
    for (_, learn), rows in zip(asked, found, strict=True):
        for row in rows:
            learn(row)


def _accounts(book: Book, account_ids: Collection[int]) -> _Question:
    def learn(row: Row) -> None:
        book.accounts[row[0]] = Account(*row)

    keys = [(account_id,) for account_id in account_ids]
    return Lookup(tables.accounts, ("account_id",), keys, locked=True), learn


def _spending(book: Book, keys: Collection[tuple[int, int, int]]) -> _Question:
    def learn(row: Row) -> None:
        book.spending[row[0], row[1], row[2]] = Spending(*row)

    return Lookup(tables.spending, _SPENDING_KEY, keys), learn


def _load_approved(
    connection: Connection, book: Book, wanted: Iterable[_Reference], named: list[Authorization]
) -> None:
    """An approval code names too little to be indexed: it is looked for only after the others."""

    def learn(row: Row) -> None:
        _learn_named(book, named, row)

    keys = {
        (account_id, reference.approval_code)
        for account_id, network, reference in wanted
        if reference.approval_code and not _has_candidate(book, account_id, network, reference)
    }
    by_approval = ("account_id", "approval_code")
    _ask(connection, [(Lookup(tables.authorizations, by_approval, keys), learn)])


def _learn_named(book: Book, named: list[Authorization], row: Row) -> None:
    authorization = Authorization(*row)
    book.learn_authorization(authorization)
    named.append(authorization)


def _has_candidate(book: Book, account_id: int, network: str, reference: Reference) -> bool:
    found = book.candidates(account_id, network, reference)
    return bool(found.by_transaction or found.by_trace)


def _told(keys: Iterable[tuple[int, str]]) -> set[Any]:
    """Keys whose name is not blank."""
    return {key for key in keys if key[1]}


def _houses(book: Book, commands: Iterable[AnyCommand]) -> list[Account]:
    """The accounts of the house that posting the clearings of a batch can need."""
    kinds = {
        (
            kind,
            _network_of(kind, command),
            command.amount.currency,
            book.shard_of(command.account_id),
        )
        for command in commands
        if isinstance(command, Clear)
        for kind in _kinds_beside(command)
    }
    return [house(book, *each) for each in kinds]


def _is_postable(book: Book, command: AnyCommand) -> bool:
    """A clearing in the wallet's currency. For any other no account is opened."""
    wallet = book.wallet(command.account_id)
    return (
        isinstance(command, Clear)
        and wallet is not None
        and wallet.currency == command.amount.currency
    )


def house(book: Book, kind: AccountKind, network: str, currency: str, shard: int) -> Account:
    """An account of the house as it is opened."""
    account_id = house_account(kind, network, currency, shard, book.shard_of)
    return Account(account_id, kind.value, network, currency, 0, 0, 0, 0)


def _network_of(kind: AccountKind, command: Clear) -> str:
    return command.origin.network if kind is AccountKind.SETTLEMENT else ""


def _kinds_beside(command: Clear) -> list[AccountKind]:
    kinds = [AccountKind.SETTLEMENT]
    if command.credit:
        kinds.append(AccountKind.SUSPENSE)
    if command.fee or command.undoes:
        kinds.append(AccountKind.FEE)
    if command.points or command.undoes:
        kinds += [AccountKind.POINTS, AccountKind.FUNDING]
    return kinds
