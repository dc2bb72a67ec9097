"""From the database to a `Book`: a handful of set-based statements, whatever the batch size.

Loading has a few steps, each one round trip where there is a trip to make: the accounts, locked in
the order of their ids, and all that the commands name outright; then, seldom, what only an
approval code or an early reversal can tell; then the holds of what was found; then the counters of
those holds. Each statement reads after the locks, so that of two racing repeats the second finds
the answer of the first. Accounts that the writer has kept are neither asked for nor locked: they
are written only if nobody has written about them since (`changes`). Commands that need nothing else
are decided while the database is asked for what the others need.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from operator import attrgetter

import msgspec
from sqlalchemy import Connection

from ledger import tables
from ledger.book import Book
from ledger.commands import AnyCommand, Authorize, Resolve
from ledger.houses import house_accounts, may_post
from ledger.kept import KeptAccounts
from ledger.questions import (
    Question,
    by_code_or_merchant,
    early_reversals,
    may_be_reversed,
    of_accounts,
    of_counters,
    of_repeats,
    outright,
)
from ledger.reading_ahead import ReadAhead
from ledger.recent_transactions import RecentTransactions
from ledger.row_sets import Insert, Lookup, Meanwhile, Row, find, write
from ledger.rows import Account, Authorization, Hold, Points, Spending
from ledger.wanted import Wanted

_HOLD_KEY = ("account_id", "authorization_id")
_astuple = msgspec.structs.astuple


def load(  # noqa: PLR0913 - named, not positional
    connection: Connection,
    book: Book,
    commands: Sequence[AnyCommand],
    kept: KeptAccounts,
    *,
    own_keys: bool,
    ahead: ReadAhead | None,
    meanwhile: Callable[[Sequence[int]], None],
) -> None:
    """Put into `book` every row that deciding `commands` can need; what is `kept` is taken out.

    Without `own_keys`, answers that the commands themselves have had are looked up only for marked
    repeats; if there are others, writing fails because a key is taken. What was kept and has moved
    since makes writing fail, too. What was read `ahead` is not looked up again. While the database
    is asked, `meanwhile` is told the places of those commands that can be decided before the
    others.
    """
    houses = house_accounts(book, commands)
    account_ids = {*houses, *(command.account_id for command in commands)}
    _learn_kept(book, *kept.take(account_ids))
    rest = commands
    if ahead is not None and houses.keys() <= book.accounts.keys():
        rest = [command for command in commands if not ahead.covers(command, book)]
        ahead.give(book)
    wanted = _wanted(book, kept.transactions, own_keys=own_keys)
    waiting = {
        command.account_id for command in rest if wanted.add(command) or not _has_all(book, command)
    }
    if not waiting and houses.keys() <= book.accounts.keys():
        return
    wanted.accounts.update(houses)

    def decide_the_others() -> None:
        meanwhile([place for place, each in enumerate(commands) if each.account_id not in waiting])

    named = _look_up(connection, book, wanted, decide_the_others)
    if wanted.resolves or not houses.keys() <= book.accounts.keys():
        postable = [each for each in commands if may_post(book, each)]
        open_missing(connection, book, house_accounts(book, postable).values())
    _look_further(connection, book, rest, wanted, named)


def read_ahead(
    connect: Callable[[], Connection],
    book: Book,
    commands: Sequence[AnyCommand],
    kept: KeptAccounts,
    under_way: Sequence[Book],
) -> ReadAhead | None:
    """What `commands` need, into `book`, which nothing else uses, on a connection of one's own.

    None if that is nothing. `under_way` are the books of the batches that are not committed yet.
    """
    accounts = {command.account_id for command in commands}
    accounts.difference_update(*(each.accounts for each in under_way))
    _learn_kept(book, *kept.look(accounts))
    wanted = _wanted(book, kept.transactions)
    needing = [
        command
        for command in commands
        if command.account_id in book.accounts
        and not isinstance(command, Resolve)  # which accounts it posts to is known later
        and (wanted.add(command) or not _has_all(book, command))
    ]
    if not needing:
        return None
    connection = connect()
    named = _look_up(connection, book, wanted)
    _look_further(connection, book, needing, wanted, named)
    return ReadAhead(book, needing)


def _look_up(
    connection: Connection, book: Book, wanted: Wanted, meanwhile: Meanwhile | None = None
) -> list[Authorization]:
    """What is `wanted` outright and not known yet; the authorizations that are referred to."""
    wanted.accounts.difference_update(book.accounts)
    wanted.counters.difference_update(book.spending)
    named: list[Authorization] = []
    ask(connection, outright(book, wanted, named), meanwhile)
    return named


def _look_further(
    connection: Connection,
    book: Book,
    commands: Sequence[AnyCommand],
    wanted: Wanted,
    named: list[Authorization],
) -> None:
    """What that leads to."""
    ask(connection, [early_reversals(book, commands), *by_code_or_merchant(book, wanted, named)])
    ask(connection, [of_repeats(book, named)])
    hold_keys = {(row.account_id, row.hold_id) for row in named if row.hold_id}
    hold_keys.update(
        (row.account_id, row.hold_id) for row in book.clearings.values() if row.hold_id
    )
    load_holds(connection, book, hold_keys.difference(book.holds))
    counted = {
        (hold.account_id, hold.instrument_id, hold.day) for hold in book.holds.values() if hold.day
    }
    ask(connection, [of_counters(book, counted.difference(wanted.counters, book.spending))])


def _wanted(book: Book, transactions: RecentTransactions, *, own_keys: bool = False) -> Wanted:
    """Nothing yet; of what the kept accounts of `book` have had lately nothing will be."""
    return Wanted(own_keys=own_keys, is_first=partial(_is_first, book, transactions))


def _learn_kept(book: Book, accounts: Iterable[Account], counters: Iterable[Spending]) -> None:
    """Know what was kept, of which nothing is locked."""
    for account in accounts:
        book.learn_account(account)
        book.unread_accounts[account.account_id] = account
    for counter in counters:
        book.learn_counter(counter)


def _is_first(book: Book, transactions: RecentTransactions, command: Authorize) -> bool:
    """Whether nothing that `command` may repeat has been recorded, for all we know."""
    account_id = command.account_id
    return account_id in book.unread_accounts and not transactions.may_have(
        account_id, command.origin.transaction_id, command.at, command.repeats_within
    )


def _has_all(book: Book, command: AnyCommand) -> bool:
    """Whether the account and the counter are there, and no early reversal has to be looked for."""
    account = book.accounts.get(command.account_id)
    if account is None or may_be_reversed(command, account):
        return False
    if isinstance(command, Authorize) and command.limits is not None:
        return (command.account_id, command.instrument_id, command.day) in book.spending
    return True


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
    ask(connection, [of_accounts(book, account_ids)])


def load_holds(connection: Connection, book: Book, keys: Collection[tuple[int, int]]) -> None:
    """Holds by account and authorization."""

    def learn(row: Row) -> None:
        book.learn_hold(Hold(*row))

    ask(connection, [(Lookup(tables.holds, _HOLD_KEY, keys), learn)])


def load_points(connection: Connection, book: Book, keys: Collection[tuple[int, int]]) -> None:
    """Points by wallet and hold."""

    def learn(row: Row) -> None:
        book.points[row[0], row[1]] = Points(*row)

    ask(connection, [(Lookup(tables.points, ("account_id", "hold_id"), keys), learn)])


def ask(
    connection: Connection, questions: Iterable[Question], meanwhile: Meanwhile | None = None
) -> None:
    """Look everything up in one go and take in what is found; `meanwhile` as in `find`."""
    asked = list(questions)
    found = find(connection, [lookup for lookup, _ in asked], meanwhile)
    for (_, learn), rows in zip(asked, found, strict=True):
        for row in rows:
            learn(row)
