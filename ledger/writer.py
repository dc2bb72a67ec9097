"""Threads that write: bounded queues, and everything that waits in one commit.

There is one lane, with a thread, a queue and a ledger of its own, for each part of the accounts
(`house.Placement`): while the database works for one, the program works for another. An account
is always in the same lane, so that arrival order decides among its requests.

A lane drains what is there and never waits for more: a lone request goes at once, and a busy
moment fills its own batch. Answers go back to the event loop in one call for each commit.

The queue is bounded in number and, for what has a `decide_by`, in time: what the lane would come to
too late is refused at once, and what it does come to too late is not decided. So under overload
the ledger works only for answers that somebody still waits for. What has no `decide_by` (reversals,
advices, what follows a decision) has half of the queue to itself and is always decided.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

import msgspec

from ledger.commands import AnyCommand, Decision
from ledger.database import OutcomeUnknown
from ledger.house import Placement
from ledger.ledger import Ledger

_NEVER = 2**63
_BATCHES_COUNTED = 4  # so much less than all does the last batch change the time of a batch

_logger = logging.getLogger(__name__)


class Undecided(Enum):
    """Why there is no decision."""

    NOT_DONE = "nothing has happened"
    LATE = "its time was over before its turn came: nothing has happened"
    UNKNOWN = "the database was lost while it committed: `Recall` tells, once it is back"


OnDecided: TypeAlias = Callable[[Decision | Undecided], None]


class LedgerBusy(Exception):
    """The queue is full: answer that we are busy, and let the network retry."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.capacity = capacity

    def __str__(self) -> str:
        return f"{self.capacity} commands wait for the ledger already"


class LedgerLate(Exception):
    """The queue is too long for a command's deadline: answer that we are busy."""

    def __init__(self, wait_nanoseconds: int) -> None:
        super().__init__(wait_nanoseconds)
        self.wait_nanoseconds = wait_nanoseconds

    def __str__(self) -> str:
        return f"the ledger would come to it in {self.wait_nanoseconds // 1_000_000} ms only"


class WriterStopped(Exception):
    """A command came before `start` or after `stop`."""


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    command: AnyCommand
    on_decided: OnDecided
    decide_by: int  # nanoseconds of the monotonic clock


class LedgerWriter:
    """Gives each ledger's batches their own thread. Its methods belong to the event loop's thread.

    `ledgers` stand in the order of `placement.writer_of`; `capacity` and `batch_limit` are for
    each of them. What has no deadline may wait behind `capacity` others, as many again. From a
    wait of `crowded_nanoseconds` on, the writer is crowded.
    """

    def __init__(
        self,
        ledgers: Sequence[Ledger],
        placement: Placement = Placement(),  # noqa: B008 - frozen
        *,
        capacity: int = 4096,
        batch_limit: int = 256,
        crowded_nanoseconds: int = 250_000_000,
    ) -> None:
        assert len(ledgers) == placement.shard_count * placement.lanes
        self._lanes = [_Lane(each, batch_limit) for each in ledgers]
        self._writer_of = placement.writer_of if len(ledgers) > 1 else None
        self._capacity = capacity
        self._crowded_nanoseconds = crowded_nanoseconds
        self._accepting = False
        self._started = False

    @property
    def waiting_count(self) -> int:
        """How many commands wait, not counting those being written."""
        return sum(lane.queue.qsize() for lane in self._lanes)

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
        if lane.queue.qsize() >= most:
            raise LedgerBusy(most)
        lane.queue.put(_Waiting(command, on_decided, _NEVER if decide_by is None else decide_by))

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


class _Lane:
    """One thread and what it writes."""

    def __init__(self, ledger: Ledger, batch_limit: int) -> None:
        self.queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self.stopped = asyncio.Event()
        self._ledger = ledger
        self._batch_limit = batch_limit
        self._stopping = False
        self._is_away = False  # the database, at the last attempt
        self._batch_nanoseconds = 0  # of late; written by the lane's thread alone

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        threading.Thread(target=self._run, args=(loop,), name="ledger-lane", daemon=True).start()

    def stop(self) -> None:
        """End after what waits."""
        self._stopping = True
        self.queue.put(None)

    def refuse_late(self, decide_by: int) -> None:
        """Raise LedgerLate where the batches before a new command would not be done in time.

        An empty queue refuses nothing, so that a lane that was slow is found quick again.
        """
        wait = self.wait_nanoseconds()
        if wait and time.monotonic_ns() + wait > decide_by:
            raise LedgerLate(wait)

    def wait_nanoseconds(self) -> int:
        """How long the batches will take that wait already."""
        return -(-self.queue.qsize() // self._batch_limit) * self._batch_nanoseconds

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        batch: list[_Waiting] = []
        while self._fill(batch):
            begin = time.monotonic_ns()
            timely = [each for each in batch if each.decide_by > begin]
            if len(timely) < len(batch):
                late = [each for each in batch if each.decide_by <= begin]
                loop.call_soon_threadsafe(_deliver, late, [Undecided.LATE for _ in late])
            if timely:
                decisions = self._write([each.command for each in timely])
                change = time.monotonic_ns() - begin - self._batch_nanoseconds
                self._batch_nanoseconds += change // _BATCHES_COUNTED
                loop.call_soon_threadsafe(_deliver, timely, decisions)
            batch = []
        loop.call_soon_threadsafe(self.stopped.set)

    def _fill(self, batch: list[_Waiting]) -> bool:
        """Wait for one command, take all that wait with it; False at the end."""
        first = self.queue.get()
        if first is None:
            return False
        batch.append(first)
        while len(batch) < self._batch_limit:
            try:
                waiting = self.queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                self.queue.put(None)  # the end comes after this batch
                break
            batch.append(waiting)
        return True

    def _write(self, commands: Sequence[AnyCommand]) -> list[Decision | Undecided]:
        count = len(commands)
        if self._is_away and self._stopping:
            return [Undecided.NOT_DONE] * count
        try:
            decisions = self._ledger.apply(commands)
        except OutcomeUnknown:
            self._is_away = True
            _logger.exception("the ledger was lost while it committed a batch of %d", count)
            return [Undecided.UNKNOWN] * count
        except Exception as error:
            self._is_away = self._ledger.database.is_operating_error(error)
            if self._is_away or count == 1:
                _logger.exception("the ledger could not write a batch of %d", count)
                return [Undecided.NOT_DONE] * count
        else:
            self._is_away = False
            return [*decisions]
        # One of them cannot be written: find it by halves, so that its neighbours do not suffer.
        return self._write(commands[: count // 2]) + self._write(commands[count // 2 :])


def _deliver(batch: list[_Waiting], decisions: Sequence[Decision | Undecided]) -> None:
    for waiting, decision in zip(batch, decisions, strict=True):
        try:
            waiting.on_decided(decision)
        except Exception:  # the others of the batch still want their answers
            _logger.exception("the receiver of a decision failed")
