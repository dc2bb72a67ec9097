"""Lanes: a queue, a ledger, and batches one after another.

A lane drains what is there and never waits for more: a lone request goes at once, and a busy
moment fills its own batch.

There are two kinds. A database that is waited for through a socket is asked from the event loop
itself (`LoopLane`): threads of one interpreter would wait for each other instead. One that works in
the calling thread has a thread of its own (`ThreadLane`).
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

import msgspec
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.commands import AnyCommand, Decision
from ledger.database import OutcomeUnknown
from ledger.ledger import Ledger

_BATCHES_COUNTED = 4  # so much less than all does the last batch change the time of a batch

_logger = logging.getLogger(__name__)


class Undecided(Enum):
    """Why there is no decision."""

    NOT_DONE = "nothing has happened"
    LATE = "its time was over before its turn came: nothing has happened"
    UNKNOWN = "the database was lost while it committed: `Recall` tells, once it is back"


OnDecided: TypeAlias = Callable[[Decision | Undecided], None]
OnWritten: TypeAlias = Callable[[int, int], None]  # commands of a batch, nanoseconds it took


class LedgerLate(Exception):
    """The queue is too long for a command's deadline: answer that we are busy."""

    def __init__(self, wait_nanoseconds: int) -> None:
        super().__init__(wait_nanoseconds)
        self.wait_nanoseconds = wait_nanoseconds

    def __str__(self) -> str:
        return f"the ledger would come to it in {self.wait_nanoseconds // 1_000_000} ms only"


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A command in a queue; `decide_by` is in nanoseconds of the monotonic clock."""

    command: AnyCommand
    on_decided: OnDecided
    decide_by: int


class Lane(ABC):
    """What both kinds do alike. Its methods belong to the event loop's thread."""

    def __init__(self, ledger: Ledger, batch_limit: int, on_written: OnWritten) -> None:
        self.stopped = asyncio.Event()
        self._ledger = ledger
        self._batch_limit = batch_limit
        self._on_written = on_written
        self._stopping = False
        self._is_away = False  # the database, at the last attempt
        self._batch_nanoseconds = 0  # of late

    @property
    @abstractmethod
    def waiting_count(self) -> int:
        """How many commands wait, not counting those being written."""

    @abstractmethod
    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; answers are given on `loop`."""

    @abstractmethod
    def put(self, waiting: Waiting) -> None:
        """One more."""

    @abstractmethod
    def stop(self) -> None:
        """End after what waits; `stopped` tells when."""

    def refuse_late(self, decide_by: int) -> None:
        """Raise LedgerLate where the batches before a new command would not be done in time.

        An empty queue refuses nothing, so that a lane that was slow is found quick again.
        """
        wait = self.wait_nanoseconds()
        if wait and time.monotonic_ns() + wait > decide_by:
            raise LedgerLate(wait)

    def wait_nanoseconds(self) -> int:
        """How long the batches will take that wait already."""
        return -(-self.waiting_count // self._batch_limit) * self._batch_nanoseconds

    def _took(self, nanoseconds: int) -> None:
        self._batch_nanoseconds += (nanoseconds - self._batch_nanoseconds) // _BATCHES_COUNTED

    def _written(
        self, batch: list[Waiting], decisions: Sequence[Decision | Undecided], nanoseconds: int
    ) -> None:
        self._on_written(len(batch), nanoseconds)
        _deliver(batch, decisions)

    def _write(self, batch: Sequence[Waiting]) -> list[Decision | Undecided]:
        return self._decide([each.command for each in batch])

    def _decide(self, commands: Sequence[AnyCommand]) -> list[Decision | Undecided]:
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
        return self._decide(commands[: count // 2]) + self._decide(commands[count // 2 :])


class LoopLane(Lane):
    """Writes on the event loop: while the database works, so does everybody else."""

    def __init__(self, ledger: Ledger, batch_limit: int, on_written: OnWritten) -> None:
        super().__init__(ledger, batch_limit, on_written)
        self._queue: deque[Waiting] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting_count(self) -> int:
        """As in `Lane`."""
        return len(self._queue)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """As in `Lane`."""
        self._loop = loop

    def put(self, waiting: Waiting) -> None:
        """As in `Lane`."""
        self._queue.append(waiting)
        if self._task is None:
            assert self._loop is not None
            self._task = self._loop.create_task(self._run())

    def stop(self) -> None:
        """As in `Lane`."""
        self._stopping = True
        if self._task is None:
            self._end()

    async def _run(self) -> None:
        """Until nothing waits any more.

        Answers are given while the database already works on the next batch.
        """
        assert self._loop is not None
        while self._queue:
            begin = time.monotonic_ns()
            timely, late = _parted(self._take(), begin)
            if late:
                self._loop.call_soon(_deliver, late, [Undecided.LATE] * len(late))
            if timely:
                decisions = await greenlet_spawn(self._write, timely)
                taken = time.monotonic_ns() - begin
                self._took(taken)
                self._loop.call_soon(self._written, timely, decisions, taken)
        self._task = None
        if self._stopping:
            self._end()

    def _end(self) -> None:
        """After the last answers."""
        assert self._loop is not None
        self._loop.call_soon(self.stopped.set)

    def _take(self) -> list[Waiting]:
        waiting = self._queue
        return [waiting.popleft() for _ in range(min(len(waiting), self._batch_limit))]


class ThreadLane(Lane):
    """Writes on a thread of its own; answers go back to the loop in one call for each commit."""

    def __init__(self, ledger: Ledger, batch_limit: int, on_written: OnWritten) -> None:
        super().__init__(ledger, batch_limit, on_written)
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()

    @property
    def waiting_count(self) -> int:
        """As in `Lane`."""
        return self._queue.qsize()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """As in `Lane`."""
        threading.Thread(target=self._run, args=(loop,), name="ledger-lane", daemon=True).start()

    def put(self, waiting: Waiting) -> None:
        """As in `Lane`."""
        self._queue.put(waiting)

    def stop(self) -> None:
        """As in `Lane`."""
        self._stopping = True
        self._queue.put(None)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        batch: list[Waiting] = []
        while self._fill(batch):
            begin = time.monotonic_ns()
            timely, late = _parted(batch, begin)
            if late:
                loop.call_soon_threadsafe(_deliver, late, [Undecided.LATE] * len(late))
            if timely:
                decisions = self._write(timely)
                taken = time.monotonic_ns() - begin
                self._took(taken)
                loop.call_soon_threadsafe(self._written, timely, decisions, taken)
            batch = []
        loop.call_soon_threadsafe(self.stopped.set)

    def _fill(self, batch: list[Waiting]) -> bool:
        """Wait for one command, take all that wait with it; False at the end."""
        first = self._queue.get()
        if first is None:
            return False
        batch.append(first)
        while len(batch) < self._batch_limit:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                self._queue.put(None)  # the end comes after this batch
                break
            batch.append(waiting)
        return True


def _parted(batch: list[Waiting], now: int) -> tuple[list[Waiting], list[Waiting]]:
    """Those whose time is not over, and the others."""
    timely = [each for each in batch if each.decide_by > now]
    if len(timely) == len(batch):
        return batch, []
    return timely, [each for each in batch if each.decide_by <= now]


def _deliver(batch: list[Waiting], decisions: Sequence[Decision | Undecided]) -> None:
    for waiting, decision in zip(batch, decisions, strict=True):
        try:
            waiting.on_decided(decision)
        except Exception:  # the others of the batch still want their answers
            _logger.exception("the receiver of a decision failed")
