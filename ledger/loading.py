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
from typing import Protocol, TypeAlias

import msgspec
from sqlalchemy import Connection

from ledger import tables
from ledger.book import Book
from ledger.commands import AnyCommand, Authorize, Reference
from ledger.house import AccountKind
from ledger.houses import house_accounts, may_post
from ledger.kept import KeptAccounts
from ledger.recent_transactions import RecentTransactions
from ledger.row_sets import Insert, Lookup, Meanwhile, Row, find, write
from ledger.rows import Account, Authorization, Clearing, Hold, Points, Reversal, Spending
from ledger.wanted import EARLY_DAYS, Wanted

_NAMES = ("account_id", "network", "request_key")
_HOLD_KEY = ("account_id", "authorization_id")
_SPENDING_KEY = ("account_id", "instrument_id", "day")
_BY_TRANSACTION = ("account_id", "transaction_id")
_OF_A_TRACE = 64  # a trace names one message; a reference number has a few clearings
_OF_A_DAY = 256
_astuple = msgspec.structs.astuple
_WALLET = AccountKind.WALLET.value

Question: TypeAlias = tuple[Lookup, Callable[[Row], None]]


class Ahead(Protocol):
    """What was read before (`reading_ahead`)."""

    def covers(self, command: AnyCommand, book: Book) -> bool:
        """Whether nothing has to be looked up for `command`."""
        ...

    def give(self, book: Book) -> None:
        """Put it into `book`."""
        ...


def load(  # noqa: PLR0913 - named, not positional
    connection: Connection,
    book: Book,
    commands: Sequence[AnyCommand],
    kept: KeptAccounts,
    *,
    own_keys: bool,
    ahead: Ahead | None,
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
    learn_kept(book, *kept.take(account_ids))
    has_houses = all(each in book.accounts for each in houses)
    rest = commands
    if ahead is not None and has_houses:
        rest = [command for command in commands if not ahead.covers(command, book)]
        ahead.give(book)
    wanted = wanted_beside(book, kept.transactions, own_keys=own_keys)
    waiting = {
        command.account_id for command in rest if wanted.add(command) or not has_all(book, command)
    }
    wanted.accounts.update(houses)

    def decide_the_others() -> None:
        meanwhile([place for place, each in enumerate(commands) if each.account_id not in waiting])

    def open_houses() -> None:
        if wanted.resolves or not has_houses:
            postable = [each for each in commands if may_post(book, each)]
            open_missing(connection, book, house_accounts(book, postable).values())

    look_up(connection, book, rest, wanted, meanwhile=decide_the_others, then=open_houses)


def look_up(  # noqa: PLR0913 - named, not positional
    connection: Connection,
    book: Book,
    commands: Sequence[AnyCommand],
    wanted: Wanted,
    *,
    meanwhile: Callable[[], None] | None = None,
    then: Callable[[], None] | None = None,
) -> None:
    """What is `wanted`, and what that leads to; `then` is called once the first of it is there."""
    wanted.accounts.difference_update(book.accounts)
    wanted.counters.difference_update(book.spending)
    named: list[Authorization] = []
    ask(connection, _questions(book, wanted, named), meanwhile)
    if then is not None:
        then()
    ask(connection, [_early(book, commands), *_search(book, wanted, named)])
    ask(connection, [_repeated(book, named)])
    hold_keys = {(row.account_id, row.hold_id) for row in named if row.hold_id}
    hold_keys.update(
        (row.account_id, row.hold_id) for row in book.clearings.values() if row.hold_id
    )
    load_holds(connection, book, hold_keys.difference(book.holds))
    counted = {
        (hold.account_id, hold.instrument_id, hold.day) for hold in book.holds.values() if hold.day
    }
    ask(connection, [_spending(book, counted.difference(wanted.counters, book.spending))])


def wanted_beside(
    book: Book, transactions: RecentTransactions, *, own_keys: bool = False
) -> Wanted:
    """Nothing yet; of what the kept accounts of `book` have had lately nothing will be."""
    return Wanted(own_keys=own_keys, is_first=partial(_is_first, book, transactions))


def learn_kept(book: Book, accounts: Iterable[Account], counters: Iterable[Spending]) -> None:
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


def has_all(book: Book, command: AnyCommand) -> bool:
    """Whether the account and the counter are there, and no early reversal has to be looked for."""
    account = book.accounts.get(command.account_id)
    if account is None or _may_be_reversed(command, account):
        return False
    if isinstance(command, Authorize) and command.limits is not None:
        return (command.account_id, command.instrument_id, command.day) in book.spending
    return True


def _may_be_reversed(command: AnyCommand, account: Account) -> bool:
    return bool(account.early_at) and command.at - account.early_at <= EARLY_DAYS


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
    ask(connection, [_accounts(book, account_ids)])


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


def _questions(book: Book, wanted: Wanted, named: list[Authorization]) -> list[Question]:
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
    return [
        _accounts(book, wanted.accounts),
        (Lookup(authorizations, _NAMES, wanted.authorizations), learn),
        (Lookup(tables.reversals, _NAMES, wanted.reversals), learn_reversal),
        (Lookup(clearings, _NAMES, wanted.clearings), learn_clearing),
        (Lookup(authorizations, _BY_TRANSACTION, wanted.transactions), learn_named),
        (Lookup(authorizations, _NAMES, wanted.traces, begins=_OF_A_TRACE), learn_named),
        (Lookup(clearings, _NAMES, wanted.acquirer_references, begins=_OF_A_TRACE), learn_clearing),
        _spending(book, wanted.counters),
    ]


def _accounts(book: Book, account_ids: Collection[int]) -> Question:
    def learn(row: Row) -> None:
        account = Account(*row)
        book.learn_account(account)
        if account.kind == _WALLET:  # only of wallets is anything told, in the order of its ids
            book.ids.rise_above(account.last_id)

    keys = [(account_id,) for account_id in account_ids]
    return Lookup(tables.accounts, ("account_id",), keys, locked=True), learn


def _spending(book: Book, keys: Collection[tuple[int, int, int]]) -> Question:
    def learn(row: Row) -> None:
        book.learn_counter(Spending(*row))

    return Lookup(tables.spending, _SPENDING_KEY, keys), learn


def _early(book: Book, commands: Sequence[AnyCommand]) -> Question:
    """Reversals that came before their originals; few accounts have any that still matter."""

    def learn(row: Row) -> None:
        reversal = Reversal(*row)
        if (reversal.account_id, reversal.network, reversal.request_key) not in book.reversals:
            book.learn_reversal(reversal)

    keys = {
        (command.account_id, 1)
        for command in commands
        if (account := book.accounts.get(command.account_id)) is not None
        and _may_be_reversed(command, account)
    }
    return Lookup(tables.reversals, ("account_id", "early"), keys), learn


def _search(book: Book, wanted: Wanted, named: list[Authorization]) -> list[Question]:
    """Approval codes and merchants are not indexed: they are looked for only after the others.

    On an account that has more authorizations a day than `_OF_A_DAY`, the latest are looked at:
    what is not found there is posted without a match, and a person can resolve it. A merchant has
    the amount besides (`matching`).
    """

    def learn(row: Row) -> None:
        _learn_named(book, named, row)

    coded, sold = set[Row](), set[Row]()
    for account_id, network, reference, amount in wanted.references:
        if _has_candidate(book, (account_id, network), reference):
            continue
        if reference.approval_code:
            for day in reference.days or ("",):
                coded.add((account_id, network, day, reference.approval_code))
        if reference.merchant:
            sold.update((account_id, network, day, amount) for day in reference.days)
    table = tables.authorizations
    return [
        (Lookup(table, _NAMES, coded, begins=_OF_A_DAY, only="approval_code"), learn),
        (Lookup(table, _NAMES, sold, begins=_OF_A_DAY, only="amount"), learn),
    ]


def _repeated(book: Book, named: list[Authorization]) -> Question:
    """What was found under the name of a repeat is the request that it repeats."""

    def learn(row: Row) -> None:
        _learn_named(book, named, row)

    keys = {
        (row.account_id, row.transaction_id)
        for row in book.authorizations.values()
        if book.first_of(row) is None
    }
    return Lookup(tables.authorizations, _BY_TRANSACTION, keys), learn


def _has_candidate(book: Book, named: tuple[int, str], reference: Reference) -> bool:
    found = book.candidates(*named, reference)
    earlier = any(each.authorization_id for each in found.by_acquirer)
    return bool(found.by_transaction or found.by_trace or earlier)


def _learn_named(book: Book, named: list[Authorization], row: Row) -> None:
    authorization = Authorization(*row)
    book.learn_authorization(authorization)
    named.append(authorization)
