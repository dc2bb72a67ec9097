"""The ledger: commands in, durable decisions out, one transaction for each batch."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, func, select

from ledger import loading, tables
from ledger.advising import advise
from ledger.authorizing import authorize, recall
from ledger.book import Book
from ledger.changes import changes_of
from ledger.clearing import clear
from ledger.commands import (
    Advise,
    AnyCommand,
    Authorize,
    Clear,
    Decision,
    Fund,
    Recall,
    Resolve,
    Reverse,
)
from ledger.database import ATTEMPTS, Aside, Database, OutcomeUnknown, Session
from ledger.expiry import expire, load_due
from ledger.funding import fund
from ledger.house import AccountKind, Placement
from ledger.houses import house
from ledger.ids import NODES, Ids
from ledger.kept import KeptAccounts
from ledger.posting import Posting, credit
from ledger.reading_ahead import ReadAhead, is_worth_a_trip
from ledger.resolving import resolve
from ledger.reversing import reverse
from ledger.row_sets import Change
from ledger.rows import Account
from ledger.suspicion import Suspicion

_OPENED_AT_ONCE = 5_000
_EXPIRED_AT_ONCE = 1_000

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)


class Wallet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A cardholder's account to be opened; amounts in minor units.

    `at` is in microseconds, `day` the business day as YYYYMMDD.
    """

    account_id: int
    currency: str
    at: int
    opening_balance: int = 0
    credit_line: int = 0
    day: int = 0


class Ledger:
    """Accounts, holds and postings in one database. Used by one thread at a time.

    `node` keeps the ids of several writers apart, at random by default, and another one when a key
    was taken; about one account ids are unique anyhow, for they go on from its last one under its
    lock.
    """

    def __init__(
        self,
        database: Database,
        *,
        placement: Placement = Placement(),  # noqa: B008 - frozen
        node: int | None = None,
    ) -> None:
        self.database = database
        self._placement = placement
        self._node = _any_node() if node is None else node
        self._made_ids: Ids | None = None
        self._kept = KeptAccounts()
        self._under_way: list[Book] = []
        self._failed_count = 0  # batches that have not happened
        self._session: Session | None = None
        self._aside: Aside | None = None
        self._when_decided: Callable[[], None] = lambda: None
        self._repeats, self._company = Suspicion(), Suspicion()

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
        while True:
            own_keys, shared = self._repeats.lasts(), self._company.lasts()
            if shared:
                self._kept.forget()
            try:
                return self._decide(batch, own_keys=own_keys)
            except Exception as error:
                if not self._suspect(error, own_keys=own_keys, shared=shared):
                    raise

    def _suspect(self, error: Exception, *, own_keys: bool, shared: bool) -> bool:
        """Whether it tells of what was not looked for."""
        is_key_taken = self.database.is_key_taken(error)
        if is_key_taken:
            self._ids().move(_any_node())  # it may have been an id's
        if not own_keys and is_key_taken:
            self._repeats.rise()
        elif isinstance(error, _Unfounded) or (not shared and self.database.has_moved(error)):
            self._company.rise()
        else:
            return False
        return True

    def apply_beside(
        self, batch: Sequence[AnyCommand], ahead: ReadAhead | None = None
    ) -> list[Decision]:
        """The same while the batch before is being written, on what that one makes of its accounts.

        `ahead` is what was read for it.

        Raises
        ------
        NotBeside
            If that has failed, or the one before: nothing has happened, and it is to be applied
            after that one.
        OutcomeUnknown
            If the database was lost while it committed.
        """
        try:
            return self._decide(batch, own_keys=self._repeats.lasts(), beside=True, ahead=ahead)
        except OutcomeUnknown:
            raise
        except Exception as error:
            self._suspect(error, own_keys=False, shared=False)
            raise NotBeside from error

    def read_ahead(self, batch: Sequence[AnyCommand]) -> ReadAhead | None:
        """What `batch` needs, as far as that is safe: what is missing is read in its turn."""
        is_careful = self._repeats.is_up or self._company.is_up
        if self._aside is None or is_careful or not is_worth_a_trip(batch):
            return None
        try:
            book = Book(self._ids(), self._placement)
            connect = self._aside.connect
            return loading.read_ahead(connect, book, batch, self._kept, self._under_way)
        except Exception as error:  # noqa: BLE001 - what is wrong is found in its turn
            _logger.info("nothing was read ahead: %s", type(error).__name__)
            self._aside.close()
            return None

    @property
    def is_decided(self) -> bool:
        """Whether what is under way is up to the database, so that a batch can go beside it."""
        return all(book.is_decided for book in self._under_way)

    def open_session(self, when_decided: Callable[[], None]) -> None:
        """Have a connection of its own; `when_decided` is called once a batch is only written."""
        self._session, self._when_decided = self.database.session(), when_decided
        self._aside = self.database.aside()

    def close_session(self) -> None:
        """Give it back."""
        assert self._session is not None
        assert self._aside is not None
        self._session.close()
        self._aside.close()
        self._session = self._aside = None

    def _decide(
        self,
        batch: Sequence[AnyCommand],
        *,
        own_keys: bool,
        beside: bool = False,
        ahead: ReadAhead | None = None,
    ) -> list[Decision]:
        failed_count = self._failed_count

        def work(connection: Connection, book: Book) -> list[Decision]:
            if beside and self._failed_count != failed_count:
                raise NotBeside  # while its turn was waited for, and that one comes first
            decided: dict[int, Decision] = {}

            def decide_those(places: Iterable[int]) -> None:
                try:
                    decided.update((place, decide(book, batch[place])) for place in places)
                except Exception as error:
                    if book.unread_accounts:
                        raise _Unfounded from error
                    raise

            loading.load(
                connection,
                book,
                batch,
                self._kept,
                own_keys=own_keys,
                ahead=ahead,
                meanwhile=decide_those,
            )
            decide_those([place for place in range(len(batch)) if place not in decided])
            return [decided[place] for place in range(len(batch))]

        return self._run(work, 1 if beside else ATTEMPTS, self._session)

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
            kind = AccountKind.FUNDING
            found = [house(book, kind, "", each.currency, each.account_id) for each in wallets]
            houses = {each.account_id: each for each in found}
            loading.load_accounts(connection, book, houses)
            loading.open_missing(connection, book, houses.values())
            # Whoever opened the same wallets held the same funding: now they are to be seen.
            loading.load_accounts(connection, book, {each.account_id for each in wallets})
            missing = [wallet for wallet in wallets if wallet.account_id not in book.accounts]
            return len([wallet for wallet in missing if _open_in(book, wallet)])

        return self._run(work)

    def _run(
        self,
        work: Callable[[Connection, Book], Result],
        attempts: int = ATTEMPTS,
        session: Session | None = None,
    ) -> Result:
        """Do `work` on a new book and save it, in one transaction.

        Its accounts are kept before they are written: the batch beside it goes on from them.
        """
        book = self._begin()

        def on_new_book(connection: Connection) -> tuple[Result, list[Change]]:
            nonlocal book
            self._forget(book)  # it was of an attempt that has not happened
            book = self._begin()
            result = work(connection, book)
            changes = changes_of(book)
            book.is_decided = True
            self._keep(book)
            self._when_decided()
            return result, changes

        try:
            result = self.database.run(on_new_book, attempts, session)
        except Exception:
            self._failed_count += 1
            self._forget(book)
            raise
        self._under_way.remove(book)
        return result

    def _keep(self, book: Book) -> None:
        self._kept.keep(book.accounts, book.spending.values())
        last_ids, unread = book.last_ids.items(), book.unread_accounts
        self._kept.transactions.know({each: last for each, last in last_ids if each not in unread})
        self._kept.transactions.add(book.new_authorizations)

    def _begin(self) -> Book:
        book = Book(self._ids(), self._placement)
        self._under_way.append(book)
        return book

    def _forget(self, book: Book) -> None:
        """Nobody is to go on from it. Who has done so finds other accounts when writing."""
        self._under_way.remove(book)
        self._kept.take(book.accounts)

    def _ids(self) -> Ids:
        if self._made_ids is None:
            self._made_ids = Ids(node=self._node, floor=self._last_id())
        return self._made_ids

    def _last_id(self) -> int:
        """A row of events is the last thing that a transaction makes."""
        outboxes = map(self._placement.outbox, range(self._placement.shard_count))
        latest = select(func.max(tables.events.c.event_id))
        with self.database.reading() as connection:
            last = [
                connection.scalar(latest.where(tables.events.c.account_id == outbox))
                for outbox in outboxes
            ]
        return max((each for each in last if each is not None), default=0)


def _any_node() -> int:
    return secrets.randbelow(NODES)


class NotBeside(Exception):
    """A batch that was applied beside another one has not happened."""


class _Unfounded(Exception):
    """Deciding failed on accounts that may have moved, beside rows that are those of now."""


_VERBS: Mapping[type[AnyCommand], Callable[[Book, Any], Decision]] = {
    Authorize: authorize,
    Advise: advise,
    Reverse: reverse,
    Clear: clear,
    Fund: fund,
    Resolve: resolve,
    Recall: recall,
}


def decide(book: Book, command: AnyCommand) -> Decision:
    """Apply one command to the working set."""
    return _VERBS[type(command)](book, command)


def _open_in(book: Book, wallet: Wallet) -> bool:
    if wallet.account_id in book.accounts:
        return False  # named twice in one call
    kind = AccountKind.WALLET.value
    account = Account(wallet.account_id, kind, "", wallet.currency, credit_line=wallet.credit_line)
    book.accounts[wallet.account_id] = account
    book.new_accounts.append(account)
    if wallet.opening_balance:
        funding = book.house(account, AccountKind.FUNDING)
        posting = Posting(book.ids.next(wallet.at), "opening", account, wallet.day, wallet.at)
        credit(book, posting, wallet.opening_balance, funding)
        account.last_id = posting.posting_id
    return True
