"""Approvals that come too late: their requests have been answered 91, so they are taken back.

The network takes 91 for a decline and asks no more; without this the hold would stay until it
expires. What became of a request is read back first where the ledger was lost while it committed.
A repeat that arrives afterwards gets 91 again: from the memory here, which is bounded, and once
the approval is taken back from the ledger, at whichever process and after whichever restart. What
is not settled yet is in a journal, from which the next process goes on should this one be killed.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import msgspec

from gateway.common import common_after
from gateway.late_journal import Key, LateJournal
from gateway.reversals import give_back, is_of_single_message, take_back
from ledger.answers import request_key
from ledger.commands import AnyCommand, Authorize, Clear, Decision, Recall, Reverse
from ledger.writer import LedgerBusy, OnDecided, Undecided, WriterStopped

_REMEMBERED = 10_000
_RETRY_SECONDS = 0.5

Submit = Callable[[AnyCommand, OnDecided], None]
Apply = Callable[[Sequence[AnyCommand]], Sequence[Decision]]
CallLater = Callable[[float, Callable[[], None]], object]


_Command: TypeAlias = Recall | Reverse | Clear


class _Owed(msgspec.Struct, frozen=True):
    """What the ledger is to be asked about a request that was answered 91."""

    late: Authorize
    command: _Command


class LateDecisions:
    """Reverses, and remembers what it has reversed; what the ledger cannot take waits here."""

    __slots__ = ("_answered", "_call_later", "_journal", "_owed", "_retrying", "_submit")

    def __init__(self, submit: Submit, call_later: CallLater, journal: LateJournal) -> None:
        self._submit = submit
        self._call_later = call_later
        self._journal = journal
        self._owed: deque[_Owed] = deque()
        self._retrying = False
        self._answered: OrderedDict[Key, None] = OrderedDict()  # with 91, the oldest first

    @property
    def owed_count(self) -> int:
        """How many commands the ledger has not taken yet."""
        return len(self._owed)

    def expect(self, command: AnyCommand) -> None:
        """`command` is answered 91 now, and what the ledger makes of it is still to come.

        A repeat may be of what was answered long ago, and that is nothing to be taken back.
        """
        if isinstance(command, Authorize) and not command.origin.is_repeat:
            self._journal.owe(command)

    def settle(self, command: AnyCommand, decision: Decision | Undecided) -> None:
        """Deal with what the ledger says of a request that is answered 91."""
        if not isinstance(command, Authorize):
            return  # advices and reversals stay, they only tell what was
        if decision is Undecided.UNKNOWN:
            self.ask_about(command)
        elif isinstance(decision, Decision) and _is_new_approval(decision):
            self._owe(command, take_back(command))
        elif not self.has_taken_back(command):  # else what it repeats is settled by itself
            self._journal.settle(command)

    def ask_about(self, command: Authorize) -> None:
        """Read back what has become of it."""
        self._owe(command, Recall(**common_after(command, command.origin.request_key)))

    def has_taken_back(self, command: AnyCommand) -> bool:
        """Whether `command` repeats a request that was answered 91 and is undone."""
        if not self._answered:
            return False
        return isinstance(command, Authorize) and request_key(command) in self._answered

    def _owe(self, late: Authorize, command: _Command) -> None:
        if len(self._answered) >= _REMEMBERED:
            self._answered.popitem(last=False)
        self._answered[request_key(late)] = None
        self._journal.owe(late)
        self._owed.append(_Owed(late, command))
        self._pay()

    def pay_with(self, apply: Apply) -> None:
        """Pay by `apply` what the writer, now stopped, has not taken: the process is ending.

        Raises
        ------
        Exception
            What `apply` raises; the rest is still owed then.
        """
        while self._owed:
            owed = self._owed[0]
            [decision] = apply([owed.command])
            self._owed.popleft()
            self._paid(owed, decision)

    def _pay(self) -> None:
        """Hand the ledger what is owed, as far as it takes it."""
        while self._owed:
            owed = self._owed[0]
            try:
                self._submit(owed.command, partial(self._paid, owed))
            except (LedgerBusy, WriterStopped):
                self._retry()
                return
            self._owed.popleft()

    def _paid(self, owed: _Owed, decision: Decision | Undecided) -> None:
        if isinstance(decision, Undecided):
            self._owed.append(owed)
            self._retry()
        elif (next_ := _after(owed, decision)) is not None:
            self._owed.append(_Owed(owed.late, next_))
            self._pay()
        else:
            self._journal.settle(owed.late)

    def _retry(self) -> None:
        if not self._retrying:
            self._retrying = True
            self._call_later(_RETRY_SECONDS, self._pay_again)

    def _pay_again(self) -> None:
        self._retrying = False
        self._pay()


def _is_new_approval(decision: Decision) -> bool:
    return decision.outcome.approved and not decision.replayed


def _after(owed: _Owed, decision: Decision) -> _Command | None:
    """What has to follow: a request that was approved is taken back, what it posted comes back."""
    match owed.command:
        case Recall():
            return take_back(owed.late) if decision.outcome.approved else None
        case Reverse() if is_of_single_message(owed.command):
            return give_back(owed.command, decision)
        case _:
            return None
