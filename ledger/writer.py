"""The ledger's writer: bounded queues, and everything that waits in one commit.

There is one lane (`lane`), with a queue and a ledger of its own, for each part of the accounts
(`house.Placement`). An account is always in the same lane, so that arrival order decides among its
requests.

The queue is bounded in number and, for what has a `decide_by`, in time: what the lane would come to
too late is refused at once, and what it does come to too late is not decided. So under overload
the ledger works only for answers that somebody still waits for. What has no `decide_by` (reversals,
advices, what follows a decision) has half of the queue to itself and is always decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ledger.commands import AnyCommand
from ledger.house import Placement
from ledger.lane import Lane
from ledger.ledger import Ledger
from ledger.queued import LedgerLate, OnDecided, OnWritten, Undecided, Waiting

__all__ = [
    "LedgerBusy",
    "LedgerLate",
    "LedgerWriter",
    "OnDecided",
    "OnWritten",
    "Undecided",
    "WriterStopped",
]

_NEVER = 2**63


class LedgerBusy(Exception):
    """The queue is full: answer that we are busy, and let the network retry."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.capacity = capacity

    def __str__(self) -> str:
        return f"{self.capacity} commands wait for the ledger already"


class WriterStopped(Exception):
    """A command came before `start` or after `stop`."""


class LedgerWriter:
    """Gives each ledger's batches their own lane. Its methods belong to the event loop's thread.

    `ledgers` stand in the order of `placement.writer_of`; `capacity` and `batch_limit` are for
    each of them. What has no deadline may wait behind `capacity` others, as many again. From a
    wait of `crowded_nanoseconds` on, the writer is crowded. `on_written` is told of each batch, on
    the event loop, before those who wait for its decisions.
    """

    def __init__(  # noqa: PLR0913 - named, not positional
        self,
        ledgers: Sequence[Ledger],
        placement: Placement = Placement(),  # noqa: B008 - frozen
        *,
        capacity: int = 4096,
        batch_limit: int = 256,
        crowded_nanoseconds: int = 250_000_000,
        on_written: OnWritten = lambda _count, _nanoseconds: None,
    ) -> None:
        assert len(ledgers) == placement.shard_count * placement.lanes
        self._lanes = [Lane(each, batch_limit, on_written) for each in ledgers]
        self._writer_of = placement.writer_of if len(ledgers) > 1 else None
        self._capacity = capacity
        self._crowded_nanoseconds = crowded_nanoseconds
        self._accepting = False
        self._started = False

    @property
    def capacity(self) -> int:
        """How many commands with a deadline may wait in all lanes."""
        return self._capacity * len(self._lanes)

    @property
    def waiting_count(self) -> int:
        """How many commands wait, not counting those being written."""
        return sum(lane.waiting_count for lane in self._lanes)

    def is_crowded(self) -> bool:
        """Whether a command would wait for longer than is of use to anybody.

        Far below the deadlines: what is let in beyond this only makes every answer later.
        """
        return any(lane.wait_nanoseconds() > self._crowded_nanoseconds for lane in self._lanes)

    def start(self) -> None:
        """Begin to write; call it in the event loop that is to get the answers."""
        assert not self._started, "a writer is started once"
        self._started = self._accepting = True
        for lane in self._lanes:
            lane.start(asyncio.get_running_loop())

    def submit(
        self, command: AnyCommand, on_decided: OnDecided, decide_by: int | None = None
    ) -> None:
        """Have `command` decided; `on_decided` is called on the event loop after the commit.

        With `decide_by`, in nanoseconds of the monotonic clock, it is decided before that or not at
        all (`Undecided.LATE`).

        Raises
        ------
        LedgerBusy
            If too many commands wait already.
        LedgerLate
            If those that wait would take longer than until `decide_by`.
        WriterStopped
            If the writer is not running.
        """
        if not self._accepting:
            raise WriterStopped
        place = self._writer_of(command.account_id) if self._writer_of is not None else 0
        lane = self._lanes[place]
        most = 2 * self._capacity
        if decide_by is not None:
            most = self._capacity
            lane.refuse_late(decide_by)
        if lane.waiting_count >= most:
            raise LedgerBusy(most)
        lane.put(Waiting(command, on_decided, _NEVER if decide_by is None else decide_by))

    async def stop(self) -> None:
        """Take no more, write what waits, deliver every answer; then return.

        A database that cannot be asked is asked once more and no longer: what waits is not done.
        """
        if self._accepting:
            self._accepting = False
            for lane in self._lanes:
                lane.stop()
        if self._started:
            for lane in self._lanes:
                await lane.stopped.wait()
