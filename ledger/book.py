"""The working set of one batch: the rows its commands touch, and what becomes of them.

`loading` fills it, the verbs work on it in arrival order, `changes` tells what is new.
Everything here is arithmetic in memory. The few methods that move money keep the invariants:
``held`` is the sum of what pending holds have remaining, and entries of a posting sum to zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from ledger.commands import Command, Reference, trace_in
from ledger.events import Event
from ledger.house import AccountKind, Placement
from ledger.ids import Ids
from ledger.matching import Candidates, Match, match
from ledger.rows import (
    Account,
    Authorization,
    Clearing,
    Entry,
    Hold,
    Points,
    Reversal,
    Spending,
)
from ledger.states import HoldState, Verb, after
from ledger.wanted import EARLY_DAYS

NameKey = tuple[int, str, str]  # account, network, name
Line = tuple[Account, int, int]  # account, amount, part of it that is Value
Row = TypeVar("Row")

_WALLET = AccountKind.WALLET.value
_PENDING = HoldState.PENDING.value


class Book:
    """One batch's rows. `new_*` are to be inserted, `changed_*` to be updated."""

    def __init__(self, ids: Ids, placement: Placement) -> None:
        self.ids = ids
        self.placement = placement
        self.is_decided = False  # and what is left is up to the database
        self.accounts: dict[int, Account] = {}
        self.last_ids: dict[int, int] = {}  # of the accounts, as they were read
        self.unread_accounts: dict[int, Account] = {}  # known from before, not locked
        self.holds: dict[tuple[int, int], Hold] = {}
        self.spending: dict[tuple[int, int, int], Spending] = {}
        self.points: dict[tuple[int, int], Points] = {}
        self.authorizations: dict[NameKey, Authorization] = {}
        self.reversals: dict[NameKey, Reversal] = {}
        self.clearings: dict[NameKey, Clearing] = {}
        self._by_transaction: defaultdict[NameKey, dict[int, Authorization]] = defaultdict(dict)
        self._by_trace: defaultdict[NameKey, dict[int, Authorization]] = defaultdict(dict)
        self._by_acquirer: defaultdict[NameKey, dict[int, Clearing]] = defaultdict(dict)
        self._early: defaultdict[NameKey, list[Reversal]] = defaultdict(list)
        self.new_accounts: list[Account] = []
        self.new_authorizations: list[Authorization] = []
        self.new_holds: list[Hold] = []
        self.new_spending: list[Spending] = []
        self.new_points: list[Points] = []
        self.new_reversals: list[Reversal] = []
        self.new_clearings: list[Clearing] = []
        self.new_entries: list[Entry] = []
        self.new_events: list[Event] = []
        self.changed_accounts: dict[int, Account] = {}
        self.changed_holds: dict[tuple[int, int], Hold] = {}
        self.changed_spending: dict[tuple[int, int, int], Spending] = {}
        self.changed_points: dict[tuple[int, int], Points] = {}
        self.changed_authorizations: dict[NameKey, Authorization] = {}
        self.changed_clearings: dict[NameKey, Clearing] = {}

    # --- finding ---

    def wallet(self, account_id: int) -> Account | None:
        """The wallet of that id; other accounts take no commands."""
        account = self.accounts.get(account_id)
        return account if account is not None and account.kind == _WALLET else None

    def candidates(self, account_id: int, network: str, reference: Reference) -> Candidates:
        """Every known authorization that `reference` may mean, oldest first."""
        key = account_id, network
        return Candidates(
            _named(self._by_transaction, (*key, reference.transaction_id)),
            _named(self._by_trace, (*key, reference.trace)),
            self.clearings_of(account_id, network, reference.acquirer_reference),
            self._on_days(account_id, network, reference),
        )

    def knows(self, account_id: int, network: str, reference: Reference) -> bool:
        """Whether one of the rungs above approval codes has an authorization for `reference`."""
        key = account_id, network
        return bool(
            _named(self._by_transaction, (*key, reference.transaction_id))
            or _named(self._by_trace, (*key, reference.trace))
            or any(
                each.authorization_id
                for each in self.clearings_of(*key, reference.acquirer_reference)
            )
        )

    def clearings_of(
        self, account_id: int, network: str, acquirer_reference: str
    ) -> tuple[Clearing, ...]:
        """The known records of an acquirer's reference number, oldest first."""
        return _named(self._by_acquirer, (account_id, network, acquirer_reference))

    def _on_days(
        self, account_id: int, network: str, reference: Reference
    ) -> tuple[Authorization, ...]:
        """What an approval code or a merchant may name: no index serves these rungs."""
        if not (reference.approval_code or (reference.merchant and reference.days)):
            return ()
        found = {
            row.authorization_id: row
            for row in self.authorizations.values()
            if row.account_id == account_id
            and row.network == network
            and row.request_key.startswith(reference.days or "")
        }
        return tuple(found[each] for each in sorted(found))

    def match(self, command: Command, reference: Reference, amount: int) -> Match:
        """What `reference` means; a repeat under a new key is what it repeats."""
        candidates = self.candidates(command.account_id, command.origin.network, reference)
        matched = match(reference, amount, candidates)
        row = matched.authorization
        first = row if row is None else self.first_of(row)
        if first is None or first is row:
            return matched
        return msgspec.structs.replace(
            matched, authorization=first, authorization_id=first.authorization_id
        )

    def first_of(self, row: Authorization) -> Authorization | None:
        """The request that `row` repeats under a new key, or else itself; ``None`` if unknown."""
        if not (first := row.repeats):
            return row
        return self._by_transaction[row.account_id, row.network, row.transaction_id].get(first)

    def hold_of(self, authorization: Authorization | None) -> Hold | None:
        """The hold that it made or changed."""
        if authorization is None or not authorization.hold_id:
            return None
        return self.holds[authorization.account_id, authorization.hold_id]

    def early_reversal(self, command: Command) -> Reversal | None:
        """A reversal of this very message that came before it, and still waits for it.

        A trace names one message: if both have one, they must be equal; a transaction id alone
        names a whole life cycle and serves where no trace was given.
        """
        if not self._early:
            return None
        origin = command.origin
        trace = origin.trace
        for name in (trace, origin.transaction_id):
            for reversal in self._early.get((command.account_id, origin.network, name), ()):
                waits = command.at - reversal.at <= EARLY_DAYS
                if waits and (not (reversal.trace and trace) or reversal.trace == trace):
                    return reversal
        return None

    # --- learning (rows that were loaded) and recording (rows that are new) ---
    #
    # Whatever is recorded or changed about an account changes the account, too: its last id. By
    # that another writer sees that what it has kept of the account is no longer all (`kept`).

    def learn_account(self, account: Account) -> None:
        """Know an account as it is now."""
        self.accounts[account.account_id] = account
        self.last_ids[account.account_id] = account.last_id

    def touch(self, account_id: int) -> None:
        """Have the account changed, if only by its last id."""
        self.changed_accounts[account_id] = self.accounts[account_id]

    def learn_authorization(self, row: Authorization) -> None:
        """Know a row under each of its names."""
        account_id, network = row.account_id, row.network
        self.authorizations[account_id, network, row.request_key] = row
        if row.transaction_id:
            self._by_transaction[account_id, network, row.transaction_id][row.authorization_id] = (
                row
            )
        if trace := trace_in(row.request_key):
            self._by_trace[account_id, network, trace][row.authorization_id] = row

    def learn_reversal(self, row: Reversal) -> None:
        """Know a row by its request, and by what it reverses if that is still to come."""
        self.reversals[row.account_id, row.network, row.request_key] = row
        if row.early:
            for name in {row.trace, row.transaction_id} - {""}:
                self._early[row.account_id, row.network, name].append(row)

    def learn_clearing(self, row: Clearing) -> None:
        """Know a row by its request and by the reference number that begins it."""
        self.clearings[row.account_id, row.network, row.request_key] = row
        if name := trace_in(row.request_key):
            self._by_acquirer[row.account_id, row.network, name][row.clearing_id] = row

    def learn_hold(self, row: Hold) -> None:
        """Know a hold."""
        self.holds[row.account_id, row.authorization_id] = row

    def learn_counter(self, row: Spending) -> None:
        """Know a spending counter."""
        self.spending[row.account_id, row.instrument_id, row.day] = row

    def record_authorization(self, row: Authorization) -> None:
        """Keep a new authorization; the rest of the batch can find it."""
        self.learn_authorization(row)
        self.new_authorizations.append(row)
        self.touch(row.account_id)

    def record_reversal(self, row: Reversal) -> None:
        """Keep a new reversal."""
        self.learn_reversal(row)
        self.new_reversals.append(row)
        self.touch(row.account_id)
        if row.early:
            account = self.accounts[row.account_id]
            account.early_at = max(account.early_at, row.at)

    def record_clearing(self, row: Clearing) -> None:
        """Keep a new clearing."""
        self.learn_clearing(row)
        self.new_clearings.append(row)
        self.touch(row.account_id)

    def record_event(
        self,
        account_id: int,
        type_: str,
        subject_id: int,
        at: int,
        data: Mapping[str, str | int | bool],
    ) -> None:
        """Tell subscribers, in the same transaction."""
        self.new_events.append(Event(self.ids.next(at), type_, account_id, subject_id, at, data))
        self.touch(account_id)

    def mark_reversed(self, row: Authorization, mark: int) -> None:
        """Remember that one message has been taken back, so that it is not taken back twice."""
        row.reversed |= mark
        self.touch(row.account_id)
        self.changed_authorizations[row.account_id, row.network, row.request_key] = row

    def mark_clearing(self, row: Clearing) -> None:
        """Keep what a person has decided about a clearing."""
        self.touch(row.account_id)
        self.changed_clearings[row.account_id, row.network, row.request_key] = row

    # --- holds ---

    def open_hold(self, account: Account, hold: Hold) -> None:
        """Promise money."""
        assert hold.state == _PENDING
        assert hold.amount == hold.remaining >= 0
        self.holds[hold.account_id, hold.authorization_id] = hold
        self.new_holds.append(hold)
        account.held += hold.remaining
        self.touch(account.account_id)
        if hold.counted:
            self._count(hold, hold.counted, 1)

    def change_hold(self, hold: Hold, verb: Verb, *, amount: int, remaining: int) -> int:
        """Apply `verb`, leaving `amount` promised and `remaining` held; what that released.

        The points that may be expected follow what is held, and end with the hold.
        """
        hold.state = after(hold.state, verb)
        assert remaining >= 0
        assert remaining == 0 or hold.state == _PENDING
        if hold.state != _PENDING:
            hold.points = 0
        elif verb is Verb.REDUCE:
            hold.points = hold.points * remaining // hold.remaining if hold.remaining else 0
        released = hold.remaining - remaining
        hold.amount, hold.remaining = amount, remaining
        account = self.accounts[hold.account_id]
        account.held -= released
        assert account.held >= 0
        self.touch(account.account_id)
        self.changed_holds[hold.account_id, hold.authorization_id] = hold
        return released

    def count_again(self, hold: Hold, counted: int) -> None:
        """Correct what stands for the hold in its instrument's spending counter, if in one."""
        counted = max(counted, 0)
        if hold.day and counted != hold.counted:
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
        currency, wallet_id = account.currency, account.account_id
        return self.accounts[self.placement.house_account(kind, network, currency, wallet_id)]

    def post(self, posting_id: int, kind: str, when: tuple[int, int], lines: list[Line]) -> None:
        """Move money on a business day at a time (`when`): one entry for each line."""
        assert all(amount for _, amount, _ in lines)
        assert sum(amount for _, amount, _ in lines) == 0
        assert len({account.currency for account, _, _ in lines}) == 1
        day, at = when
        for account, amount, value in lines:
            account.posted += amount
            account.value += value
            account.version += 1
            assert account.value >= 0
            account_id, currency = account.account_id, account.currency
            self.touch(account_id)
            self.new_entries.append(
                Entry(
                    account_id,
                    account.version,
                    posting_id,
                    kind,
                    amount,
                    value,
                    account.posted,
                    currency,
                    day,
                    at,
                )
            )


def _named(index: Mapping[NameKey, dict[int, Row]], key: NameKey) -> tuple[Row, ...]:
    found = index.get(key)
    if not found or not key[2]:
        return ()
    if len(found) == 1:
        return tuple(found.values())
    return tuple(found[each] for each in sorted(found))
