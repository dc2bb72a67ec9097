"""Approvals that come too late: their requests have been answered 91, so they are taken back.

The network takes 91 for a decline and asks no more; without this the hold would stay until it
expires. A repeat that arrives afterwards gets 91 again, and not the approval the ledger stores.
That memory is bounded and does not outlive the process: a repeat after a restart, or after very
many others, is answered from the ledger.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from gateway.reversals import give_back, is_of_single_message, take_back
from ledger.commands import AnyCommand, Authorize, Clear, Decision, Reverse
from ledger.writer import LedgerBusy, OnDecided, WriterStopped

_REMEMBERED = 10_000
_RETRY_SECONDS = 0.5

Submit = Callable[[AnyCommand, OnDecided], None]
Apply = Callable[[Sequence[AnyCommand]], Sequence[Decision]]
CallLater = Callable[[float, Callable[[], None]], object]


class LateDecisions:
    """Reverses, and remembers what it has reversed; what the ledger cannot take waits here."""

    __slots__ = ("_call_later", "_owed", "_retrying", "_submit", "_taken_back")

    def __init__(self, submit: Submit, call_later: CallLater) -> None:
        self._submit = submit
        self._call_later = call_later
        self._owed: deque[Reverse | Clear] = deque()
        self._retrying = False
        self._taken_back: dict[int, None] = {}  # authorization ids, the oldest first

    @property
    def owed_count(self) -> int:
        """How many commands the ledger has not taken yet."""
        return len(self._owed)

    def settle(self, command: AnyCommand, decision: Decision | None) -> None:
        """Deal with a decision whose request has been answered without it."""
        if decision is None or decision.replayed or not decision.outcome.approved:
            return
        if not isinstance(command, Authorize):
            return  # advices and reversals stay, they only tell what was
        if len(self._taken_back) >= _REMEMBERED:
            del self._taken_back[next(iter(self._taken_back))]
        self._taken_back[decision.authorization_id] = None
        self._owed.append(take_back(command))
        self._pay()

    def has_taken_back(self, command: AnyCommand, decision: Decision) -> bool:
        """Whether `command` repeats a request that was answered 91 and undone."""
        return isinstance(command, Authorize) and decision.authorization_id in self._taken_back

    def pay_with(self, apply: Apply) -> None:
        """Pay by `apply` what the writer, now stopped, has not taken: the process is ending.

        Raises
        ------
        Exception
            What `apply` raises; the rest is still owed then.
        """
        while self._owed:
            command = self._owed[0]
            [decision] = apply([command])
            self._owed.popleft()
            self._paid(command, decision)

    def _pay(self) -> None:
        """Hand the ledger what is owed, as far as it takes it."""
        while self._owed:
            command = self._owed[0]
            try:
                self._submit(command, partial(self._paid, command))
            except (LedgerBusy, WriterStopped):
                self._retry()
                return
            self._owed.popleft()

    def _paid(self, command: Reverse | Clear, decision: Decision | None) -> None:
        if decision is None:
            self._owed.append(command)
            self._retry()
        elif (
            isinstance(command, Reverse)
            and is_of_single_message(command)
            and (back := give_back(command, decision)) is not None
        ):
            self._owed.append(back)  # posted before it was too late
            self._pay()

    def _retry(self) -> None:
        if not self._retrying:
            self._retrying = True
            self._call_later(_RETRY_SECONDS, self._pay_again)

    def _pay_again(self) -> None:
        self._retrying = False
        self._pay()
