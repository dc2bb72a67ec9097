"""Between a `Book` and the database: a handful of set-based statements, whatever the batch size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Table

from ledger import tables
from ledger.book import Book
from ledger.commands import Advise, AnyCommand, Authorize, Clear, Reference, Reverse
from ledger.database import find_rows, insert_rows, update_rows
from ledger.house import AccountKind, house_account
from ledger.rows import Account, Authorization, Clearing, Hold, Reversal, Spending

_NAMES = ("account_id", "network", "request_key")
_HOLD_KEY = ("account_id", "authorization_id")
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


def load(connection: Connection, book: Book, commands: Sequence[AnyCommand]) -> None:
    """Put into `book` every row that deciding `commands` can need."""
    load_accounts(connection, book, _account_ids(book, commands))
    _load_answers(connection, book, commands)
    _load_named(connection, book, commands)
    _load_early_reversals(connection, book, commands)
    load_spending(connection, book, _counters(book, commands))


def load_accounts(connection: Connection, book: Book, account_ids: Iterable[int]) -> None:
    """The accounts, in the order of their ids: the one order in which accounts are locked."""
    keys = [(account_id,) for account_id in sorted(set(account_ids))]
    for row in find_rows(connection, tables.accounts, ("account_id",), keys):
        book.accounts[row[0]] = Account(*row)


def load_holds(connection: Connection, book: Book, keys: Iterable[tuple[int, int]]) -> None:
    """Holds by account and authorization."""
    for row in find_rows(connection, tables.holds, _HOLD_KEY, set(keys)):
        book.holds[row[0], row[1]] = Hold(*row)


def load_spending(connection: Connection, book: Book, keys: Iterable[tuple[int, int, int]]) -> None:
    """Spending counters by account, instrument and day."""
    for row in find_rows(connection, tables.spending, _SPENDING_KEY, set(keys)):
        book.spending[row[0], row[1], row[2]] = Spending(*row)


def save(connection: Connection, book: Book) -> None:
    """Write what is new and what has changed; parents before children."""
    new_accounts = {row.account_id for row in book.new_accounts}
    new_holds = {(row.account_id, row.authorization_id) for row in book.new_holds}
    new_spending = {(row.account_id, row.instrument_id, row.day) for row in book.new_spending}
    new_authorizations = {(row.account_id, row.authorization_id) for row in book.new_authorizations}
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
    for table, rows in fresh:
        insert_rows(connection, table, [_astuple(row) for row in rows])
    for table, columns, changed, new in (
        (tables.accounts, _ACCOUNT_CHANGES, book.changed_accounts, new_accounts),
        (tables.holds, _HOLD_CHANGES, book.changed_holds, new_holds),
        (tables.spending, ("amount", "count"), book.changed_spending, new_spending),
        (tables.authorizations, ("reversed",), book.changed_authorizations, new_authorizations),
    ):
        _update(connection, table, columns, [row for key, row in changed.items() if key not in new])


def _update(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Any]
) -> None:
    values = attrgetter(*columns, *(column.name for column in table.primary_key.columns))
    update_rows(connection, table, columns, [values(row) for row in rows])


def _account_ids(book: Book, commands: Sequence[AnyCommand]) -> set[int]:
    account_ids = {command.account_id for command in commands}
    for command in commands:
        if isinstance(command, Clear):
            shard = book.shard_of(command.account_id)
            for kind in AccountKind:
                if kind is AccountKind.WALLET:
                    continue
                network = command.origin.network if kind is AccountKind.SETTLEMENT else ""
                currency = command.amount.currency
                account_ids.add(house_account(kind, network, currency, shard, book.shard_of))
    return account_ids


def _load_answers(connection: Connection, book: Book, commands: Sequence[AnyCommand]) -> None:
    authorizations: set[tuple[int, str, str]] = set()
    reversals: set[tuple[int, str, str]] = set()
    clearings: set[tuple[int, str, str]] = set()
    for command in commands:
        origin = command.origin
        key = (command.account_id, origin.network, origin.request_key)
        match command:
            case Reverse():
                reversals.add(key)
            case Clear():
                clearings.add(key)
                if command.undoes:
                    clearings.add((command.account_id, origin.network, command.undoes))
            case _:
                authorizations.add(key)
    for row in find_rows(connection, tables.authorizations, _NAMES, authorizations):
        book.learn_authorization(Authorization(*row))
    for row in find_rows(connection, tables.reversals, _NAMES, reversals):
        book.learn_reversal(Reversal(*row))
    for row in find_rows(connection, tables.clearings, _NAMES, clearings):
        clearing = Clearing(*row)
        book.clearings[clearing.account_id, clearing.network, clearing.request_key] = clearing


def _load_named(connection: Connection, book: Book, commands: Sequence[AnyCommand]) -> None:
    """The authorizations that commands refer to, and their holds."""
    named = [(command, each) for command in commands for each in references(command)]
    found: list[Authorization] = []
    for column in ("transaction_id", "trace"):
        found += _learn_by(connection, book, column, named)
    # An approval code names too little to be indexed: it is looked for only after the others.
    nameless = [each for each in named if not _has_candidate(book, *each)]
    found += _learn_by(connection, book, "approval_code", nameless)
    load_holds(connection, book, ((row.account_id, row.hold_id) for row in found if row.hold_id))


def _learn_by(
    connection: Connection,
    book: Book,
    column: str,
    named: Iterable[tuple[AnyCommand, Reference]],
) -> list[Authorization]:
    keys = {(command.account_id, getattr(reference, column)) for command, reference in named}
    rows = find_rows(
        connection, tables.authorizations, ("account_id", column), [key for key in keys if key[1]]
    )
    found = [Authorization(*row) for row in rows]
    for authorization in found:
        book.learn_authorization(authorization)
    return found


def _has_candidate(book: Book, command: AnyCommand, reference: Reference) -> bool:
    found = book.candidates(command.account_id, command.origin.network, reference)
    return bool(found.by_transaction or found.by_trace)


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


def _load_early_reversals(
    connection: Connection, book: Book, commands: Sequence[AnyCommand]
) -> None:
    requests = [each for each in commands if isinstance(each, (Authorize, Advise))]
    for column in ("transaction_id", "trace"):
        keys = {
            (each.account_id, getattr(each.origin, column), 1)
            for each in requests
            if getattr(each.origin, column)
        }
        for row in find_rows(connection, tables.reversals, ("account_id", column, "early"), keys):
            reversal = Reversal(*row)
            if (reversal.account_id, reversal.network, reversal.request_key) not in book.reversals:
                book.learn_reversal(reversal)


def _counters(book: Book, commands: Sequence[AnyCommand]) -> set[tuple[int, int, int]]:
    keys = {(hold.account_id, hold.instrument_id, hold.day) for hold in book.holds.values()}
    for command in commands:
        if isinstance(command, (Authorize, Advise)):
            keys.add((command.account_id, command.instrument_id, command.day))
    return {key for key in keys if key[1]}
