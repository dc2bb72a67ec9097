"""What the commands of a batch name outright, so that it can be looked up in one go.

Whether a command has been answered before is looked up only if its sender marks it as a repeat, or
after a batch has failed because some key was taken: an unmarked repeat is rare, and the unique keys
of the tables see it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ledger.commands import (
    TRACE_END,
    Advise,
    AnyCommand,
    Authorize,
    Clear,
    Recall,
    Reference,
    Resolve,
    Reverse,
)
from ledger.row_sets import Row

# A reversal that waits for its original waits so long, in microseconds.
EARLY_DAYS = 7 * 86_400_000_000

Name: TypeAlias = tuple[int, str, str]  # account, network, request key or what it begins with
Named: TypeAlias = tuple[int, str, Reference, int]  # account, network; amount, if the command tells


class Wanted:
    """Keys for look-ups, by what they are keys of."""

    __slots__ = (
        "_is_first",
        "_own_keys",
        "accounts",
        "acquirer_references",
        "authorizations",
        "clearings",
        "counters",
        "references",
        "resolves",
        "reversals",
        "traces",
        "transactions",
    )

    def __init__(self, *, own_keys: bool, is_first: Callable[[Authorize], bool]) -> None:
        self._own_keys = own_keys
        self._is_first = is_first  # whether it repeats nothing, as far as is known already
        self.accounts: set[int] = set()
        self.resolves = False  # what a person tells posts in a currency that only its wallet tells
        self.counters: set[tuple[int, int, int]] = set()
        self.references: list[Named] = []
        self.authorizations: set[Name] = set()
        self.reversals: set[Name] = set()
        self.clearings: set[Name] = set()
        self.transactions: set[Row] = set()
        self.traces: set[Name] = set()
        self.acquirer_references: set[Name] = set()

    def add(self, command: AnyCommand) -> bool:
        """Note what deciding `command` needs; whether that is more than accounts and counters."""
        account_id, origin = command.account_id, command.origin
        network = origin.network
        self.accounts.add(account_id)
        has_key = self._own_keys or origin.is_repeat or isinstance(command, Recall)
        if has_key:
            self._kept_answers(command).add((account_id, network, origin.request_key))
        if isinstance(command, Authorize):
            if command.limits is not None:
                self.counters.add((account_id, command.instrument_id, command.day))
            if command.increment_of is None and (
                not command.repeats_within or self._is_first(command)
            ):
                return has_key
        elif isinstance(command, Advise):
            if command.counted:
                self.counters.add((account_id, command.instrument_id, command.day))
        elif isinstance(command, Clear | Resolve):
            self._add_clearing(command)
        amount = 0 if isinstance(command, Recall | Resolve) else command.amount.amount
        for reference in references(command):
            self._refer((account_id, network, reference, amount))
        return True

    def _kept_answers(self, command: AnyCommand) -> set[Name]:
        """Keys of the table that has the answers to commands of its kind."""
        match command:
            case Authorize() | Advise() | Recall():
                return self.authorizations
            case Reverse():
                return self.reversals
            case _:
                return self.clearings

    def _add_clearing(self, command: Clear | Resolve) -> None:
        account_id, network = command.account_id, command.origin.network
        if isinstance(command, Resolve):
            self.resolves = True
            self.clearings.add((account_id, network, command.clearing_key))
            return
        if command.undoes:
            self.clearings.add((account_id, network, command.undoes))
        if command.undoes_reference:
            beginning = command.undoes_reference + TRACE_END
            self.acquirer_references.add((account_id, network, beginning))

    def _refer(self, named: Named) -> None:
        self.references.append(named)
        account_id, network, reference, _ = named
        if reference.transaction_id:
            self.transactions.add((account_id, reference.transaction_id))
        if reference.trace:
            self.traces.add((account_id, network, reference.trace + TRACE_END))
        if reference.acquirer_reference:
            beginning = reference.acquirer_reference + TRACE_END
            self.acquirer_references.add((account_id, network, beginning))


def references(command: AnyCommand) -> tuple[Reference, ...]:
    """How a command names earlier authorizations."""
    match command:
        case Authorize():
            sale = Reference(transaction_id=command.origin.transaction_id)
            named = (command.increment_of, sale if command.repeats_within else None)
            return tuple(each for each in named if each is not None)
        case Advise():
            return (command.reference, Reference(transaction_id=command.origin.transaction_id))
        case Reverse() | Clear():
            return (command.reference,)
        case Resolve():
            return () if command.reference is None else (command.reference,)
        case _:
            return ()
