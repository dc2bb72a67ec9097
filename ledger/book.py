"""The working set of one batch: the rows its commands touch, and what becomes of them.

`store.load` fills it, the verbs work on it in arrival order, `store.changes_of` tells what is new.
Everything here is arithmetic in memory. The few methods that move money keep the invariants:
``held`` is the sum of what pending holds have remaining, and entries of a posting sum to zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from ledger.commands import Command, Reference
from ledger.house import AccountKind, ShardOf, house_account, one_shard, outbox_key
from ledger.ids import Ids
from ledger.matching import Candidates
from ledger.rows import (
    Account,
    Authorization,
    Clearing,
    Entry,
    Event,
    Hold,
    Posting,
    Reversal,
    Spending,
)
from ledger.states import HoldState, Verb, after

_encode = msgspec.json.encode

NameKey = tuple[int, str, str]  # account, network, name


class Book:
    """One batch's rows. `new_*` are to be inserted, `changed_*` to be updated."""

    def __init__(self, ids: Ids, shard_of: ShardOf = one_shard) -> None:
        self.ids = ids
        self.shard_of = shard_of
        self.accounts: dict[int, Account] = {}
        self.holds: dict[tuple[int, int], Hold] = {}
        self.spending: dict[tuple[int, int, int], Spending] = {}
        self.authorizations: dict[NameKey, Authorization] = {}
        self.reversals: dict[NameKey, Reversal] = {}
        self.clearings: dict[NameKey, Clearing] = {}
        self._by_transaction: defaultdict[NameKey, dict[int, Authorization]] = defaultdict(dict)
        self._by_trace: defaultdict[NameKey, dict[int, Authorization]] = defaultdict(dict)
        self._by_approval: defaultdict[NameKey, dict[int, Authorization]] = defaultdict(dict)
        self._early: defaultdict[NameKey, list[Reversal]] = defaultdict(list)
        self.new_accounts: list[Account] = []
        self.new_authorizations: list[Authorization] = []
        self.new_holds: list[Hold] = []
        self.new_spending: list[Spending] = []
        self.new_reversals: list[Reversal] = []
        self.new_clearings: list[Clearing] = []
        self.new_postings: list[Posting] = []
        self.new_entries: list[Entry] = []
        self.new_events: list[Event] = []
        self.changed_accounts: dict[int, Account] = {}
        self.changed_holds: dict[tuple[int, int], Hold] = {}
        self.changed_spending: dict[tuple[int, int, int], Spending] = {}
        self.changed_authorizations: dict[tuple[int, int], Authorization] = {}

    # --- finding ---

    def wallet(self, account_id: int) -> Account | None:
        """The wallet of that id; the house's own accounts take no commands."""
        account = self.accounts.get(account_id)
        return account if account is not None and account.kind == AccountKind.WALLET else None

    def candidates(self, account_id: int, network: str, reference: Reference) -> Candidates:
        """Every known authorization that shares a name with the reference, oldest first."""
        return Candidates(
            _named(self._by_transaction, (account_id, network, reference.transaction_id)),
            _named(self._by_trace, (account_id, network, reference.trace)),
            _named(self._by_approval, (account_id, network, reference.approval_code)),
        )

    def hold_of(self, authorization: Authorization | None) -> Hold | None:
        """The hold that it made or changed."""
        if authorization is None or not authorization.hold_id:
            return None
        return self.holds[authorization.account_id, authorization.hold_id]

    def early_reversal(self, command: Command) -> Reversal | None:
        """A reversal of this very message that came before it.

        A trace names one message: if both have one, they must be equal; a transaction id alone
        names a whole life cycle and serves where no trace was given.
        """
        origin = command.origin
        for name in (origin.trace, origin.transaction_id):
            for reversal in self._early.get((command.account_id, origin.network, name), ()):
                if not (reversal.trace and origin.trace) or reversal.trace == origin.trace:
                    return reversal
        return None

    # --- learning (rows that were loaded) and recording (rows that are new) ---

    def learn_authorization(self, row: Authorization) -> None:
        """Know a row under each of its names."""
        account_id, network = row.account_id, row.network
        self.authorizations[account_id, network, row.request_key] = row
        if row.transaction_id:
            self._by_transaction[account_id, network, row.transaction_id][row.authorization_id] = (
                row
            )
        if row.trace:
            self._by_trace[account_id, network, row.trace][row.authorization_id] = row
        if row.approval_code:
            self._by_approval[account_id, network, row.approval_code][row.authorization_id] = row

    def learn_reversal(self, row: Reversal) -> None:
        """Know a row by its request, and by what it reverses if that is still to come."""
        self.reversals[row.account_id, row.network, row.request_key] = row
        if row.early:
            for name in {row.trace, row.transaction_id} - {""}:
                self._early[row.account_id, row.network, name].append(row)

    def learn_clearing(self, row: Clearing) -> None:
        """Know a row by its request."""
        self.clearings[row.account_id, row.network, row.request_key] = row

    def record_authorization(self, row: Authorization) -> None:
        """Keep a new authorization; the rest of the batch can find it."""
        self.learn_authorization(row)
        self.new_authorizations.append(row)

    def record_reversal(self, row: Reversal) -> None:
        """Keep a new reversal."""
        self.learn_reversal(row)
        self.new_reversals.append(row)

    def record_clearing(self, row: Clearing) -> None:
        """Keep a new clearing."""
        self.learn_clearing(row)
        self.new_clearings.append(row)

    def record_event(
        self, account_id: int, type_: str, subject_id: int, at: int, data: Mapping[str, object]
    ) -> None:
        """Tell subscribers, in the same transaction."""
        outbox = outbox_key(self.shard_of(account_id), self.shard_of)
        event_id = self.ids.next(at)
        text = _encode(data).decode()
        self.new_events.append(Event(outbox, event_id, type_, account_id, subject_id, at, text))

    def mark_reversed(self, row: Authorization) -> None:
        """Remember that one message has been taken back, so that it is not taken back twice."""
        row.reversed = 1
        self.changed_authorizations[row.account_id, row.authorization_id] = row

    # --- holds ---

    def open_hold(self, account: Account, hold: Hold) -> None:
        """Promise money."""
        assert hold.state == HoldState.PENDING
        assert hold.amount == hold.remaining >= 0
        self.holds[hold.account_id, hold.authorization_id] = hold
        self.new_holds.append(hold)
        account.held += hold.remaining
        self.changed_accounts[account.account_id] = account
        if hold.counted:
            self._count(hold, hold.counted, 1)

    def change_hold(self, hold: Hold, verb: Verb, *, amount: int, remaining: int) -> int:
        """Apply `verb`, leaving `amount` promised and `remaining` held; what that released."""
        hold.state = after(HoldState(hold.state), verb).value
        assert remaining >= 0
        assert remaining == 0 or hold.state == HoldState.PENDING
        released = hold.remaining - remaining
        hold.amount, hold.remaining = amount, remaining
        account = self.accounts[hold.account_id]
        account.held -= released
        assert account.held >= 0
        self.changed_accounts[account.account_id] = account
        self.changed_holds[hold.account_id, hold.authorization_id] = hold
        return released

    def count_again(self, hold: Hold, counted: int) -> None:
        """Correct what stands for the hold in its instrument's spending counter."""
        counted = max(counted, 0) if hold.instrument_id else 0
        if counted != hold.counted:
            self._count(hold, counted - hold.counted, bool(counted) - bool(hold.counted))
            hold.counted = counted

    def _count(self, hold: Hold, amount: int, count: int) -> None:
        key = (hold.account_id, hold.instrument_id, hold.day)
        spent = self.spending.get(key)
        if spent is None:
            spent = self.spending[key] = Spending(*key, 0, 0)
            self.new_spending.append(spent)
        spent.amount += amount
        spent.count += count
        assert spent.amount >= 0 <= spent.count
        self.changed_spending[key] = spent

    # --- money ---

    def house(self, account: Account, kind: AccountKind, network: str = "") -> Account:
        """The house's account of that kind beside `account`."""
        shard = self.shard_of(account.account_id)
        return self.accounts[house_account(kind, network, account.currency, shard, self.shard_of)]

    def post(self, row: Posting, lines: list[tuple[Account, int]]) -> None:
        """Move money: one entry for each line."""
        assert all(amount for _, amount in lines)
        assert sum(amount for _, amount in lines) == 0
        assert len({account.currency for account, _ in lines}) == 1
        self.new_postings.append(row)
        for account, amount in lines:
            self._enter(account, amount, row)

    def _enter(self, account: Account, amount: int, row: Posting) -> None:
        account.posted += amount
        account.version += 1
        self.changed_accounts[account.account_id] = account
        self.new_entries.append(
            Entry(
                account.account_id,
                account.version,
                row.posting_id,
                amount,
                account.posted,
                account.currency,
                row.at,
            )
        )


def _named(
    index: Mapping[NameKey, dict[int, Authorization]], key: NameKey
) -> tuple[Authorization, ...]:
    found = index.get(key)
    return tuple(found[each] for each in sorted(found)) if found and key[2] else ()
