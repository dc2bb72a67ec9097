"""The ledger: commands in, durable decisions out, one transaction for each batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, func, select

from ledger import store, tables
from ledger.advising import advise
from ledger.authorizing import authorize
from ledger.book import Book
from ledger.clearing import clear
from ledger.commands import Advise, AnyCommand, Authorize, Decision, Reverse
from ledger.database import Database
from ledger.expiry import expire, load_due
from ledger.house import AccountKind, ShardOf, one_shard, outbox_key
from ledger.ids import NODES, Ids
from ledger.reversing import reverse
from ledger.row_sets import Change
from ledger.rows import Account, Posting

_OPENED_AT_ONCE = 5_000
_EXPIRED_AT_ONCE = 1_000

Result = TypeVar("Result")


class Wallet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A cardholder's account to be opened; amounts in minor units, `at` in microseconds."""

    account_id: int
    currency: str
    at: int
    opening_balance: int = 0
    credit_line: int = 0


class Ledger:
    """Accounts, holds and postings in one database. Used by one thread at a time.

    `node` keeps the ids of several writers apart; the process's own by default.
    """

    def __init__(
        self,
        database: Database,
        *,
        shard_of: ShardOf = one_shard,
        shard_count: int = 1,
        node: int | None = None,
    ) -> None:
        self.database = database
        self._shard_of = shard_of
        self._shard_count = shard_count
        self._node = os.getpid() % NODES if node is None else node
        self._made_ids: Ids | None = None

    def create_schema(self) -> None:
        """Make the tables that are not there."""
        with self.database.transaction() as connection:
            tables.metadata.create_all(connection)

    def apply(self, batch: Sequence[AnyCommand]) -> list[Decision]:
        """Decide commands in order; all decisions are durable when this returns.

        Raises
        ------
        Exception
            Whatever went wrong; then nothing of the batch has happened, unless the database was
            lost while it committed: asking again tells.
        """

        def work(connection: Connection, book: Book) -> list[Decision]:
            store.load(connection, book, batch)
            return [decide(book, command) for command in batch]

        return self._run(work)

    def expire(self, now: int) -> int:
        """Release every hold that is due at `now` (microseconds); how many it were."""
        count = 0
        while expired := self._expire_some(now):
            count += expired
        return count

    def _expire_some(self, now: int) -> int:
        def work(connection: Connection, book: Book) -> int:
            due = load_due(connection, book, now, _EXPIRED_AT_ONCE)
            for hold in due:
                expire(book, hold, now)
            return len(due)

        return self._run(work)

    def open_wallets(self, wallets: Sequence[Wallet]) -> int:
        """Open those that do not exist, opening balances posted from funding; how many it were.

        Raises
        ------
        ValueError
            If a wallet's id is not positive (negative ids are the house's own accounts).
        """
        bad = next((wallet.account_id for wallet in wallets if wallet.account_id <= 0), None)
        if bad is not None:
            raise ValueError(f"account_id is {bad}, expected a positive number")
        starts = range(0, len(wallets), _OPENED_AT_ONCE)
        return sum(self._open(wallets[start : start + _OPENED_AT_ONCE]) for start in starts)

    def open_wallet(self, wallet: Wallet) -> bool:
        """Open one wallet; False if it exists."""
        return self.open_wallets([wallet]) == 1

    def _open(self, wallets: Sequence[Wallet]) -> int:
        def work(connection: Connection, book: Book) -> int:
            funding = {(self._shard_of(each.account_id), each.currency) for each in wallets}
            houses = [
                store.house(book, AccountKind.FUNDING, "", currency, shard)
                for shard, currency in funding
            ]
            store.load_accounts(connection, book, {each.account_id for each in houses})
            store.open_missing(connection, book, houses)
            # Whoever opened the same wallets held the same funding: now they are to be seen.
            store.load_accounts(connection, book, {each.account_id for each in wallets})
            missing = [wallet for wallet in wallets if wallet.account_id not in book.accounts]
            return len([wallet for wallet in missing if _open_in(book, wallet)])

        return self._run(work)

    def _run(self, work: Callable[[Connection, Book], Result]) -> Result:
        """Do `work` on a new book and save it, in one transaction."""

        def on_new_book(connection: Connection) -> tuple[Result, list[Change]]:
            book = Book(self._ids(), self._shard_of)
            return work(connection, book), store.changes_of(book)

        return self.database.run(on_new_book)

    def _ids(self) -> Ids:
        if self._made_ids is None:
            self._made_ids = Ids(node=self._node, floor=self._last_id())
        return self._made_ids

    def _last_id(self) -> int:
        """An event is the last thing that a command makes."""
        outboxes = [outbox_key(shard, self._shard_of) for shard in range(self._shard_count)]
        with self.database.reading() as connection:
            last = [
                connection.scalar(
                    select(func.max(tables.events.c.event_id)).where(
                        tables.events.c.account_id == key
                    )
                )
                for key in outboxes
            ]
        return max((each for each in last if each is not None), default=0)


def decide(book: Book, command: AnyCommand) -> Decision:
    """Apply one command to the working set."""
    match command:
        case Authorize():
            return authorize(book, command)
        case Advise():
            return advise(book, command)
        case Reverse():
            return reverse(book, command)
    return clear(book, command)


def _open_in(book: Book, wallet: Wallet) -> bool:
    if wallet.account_id in book.accounts:
        return False  # named twice in one call
    kind = AccountKind.WALLET.value
    account = Account(wallet.account_id, kind, "", wallet.currency, 0, 0, wallet.credit_line, 0)
    book.accounts[wallet.account_id] = account
    book.new_accounts.append(account)
    if wallet.opening_balance:
        posting_id = book.ids.next(wallet.at)
        funding = book.house(account, AccountKind.FUNDING)
        amount = wallet.opening_balance
        posting = Posting(wallet.account_id, posting_id, 0, "opening", wallet.at)
        book.post(posting, [(account, amount), (funding, -amount)])
    return True
