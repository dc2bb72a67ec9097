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
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import msgspec
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.commands import AnyCommand, Decision
from ledger.database import OutcomeUnknown
from ledger.ledger import Ledger, NotBeside

_AT_ONCE = 2  # batches on an event loop
_WORTH_ITS_OWN = 16  # commands: fewer than these wait for the batch before them
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
        self._parts: list[Sequence[AnyCommand]] = []  # of a batch, still to be decided

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
        """If one of them cannot be written it is found by halves: its neighbours do not suffer."""
        decisions = list[Decision | Undecided]()
        self._parts = [commands]
        while self._parts:
            part = self._parts.pop()
            decided = self._attempt(part)
            if decided is None:
                half = len(part) // 2
                self._parts += [part[half:], part[:half]]
            else:
                decisions += decided
        return decisions

    def _attempt(self, commands: Sequence[AnyCommand]) -> Sequence[Decision | Undecided] | None:
        """None if one of several cannot be written."""
        count = len(commands)
        if self._is_away and self._stopping:
            return [Undecided.NOT_DONE] * count
        try:
            decisions = self._ledger.apply(commands)
        except OutcomeUnknown as error:
            return self._lost(count, error)
        except Exception as error:
            self._is_away = self._ledger.database.is_operating_error(error)
            if self._is_away or count == 1:
                _logger.exception("the ledger could not write a batch of %d", count)
                return [Undecided.NOT_DONE] * count
            return None
        self._is_away = False
        return decisions

    def _lost(self, count: int, error: OutcomeUnknown) -> list[Decision | Undecided]:
        self._is_away = True
        _logger.error("the ledger was lost while it committed a batch of %d", count, exc_info=error)
        return [Undecided.UNKNOWN] * count


@dataclass(slots=True, eq=False)
class _Batch:
    """One under way: when it has ended, and when the one before it has, if that was under way."""

    waiting: list[Waiting]
    end: asyncio.Future[None]
    before: asyncio.Future[None] | None
    is_begun: bool = False  # the ledger has decided it once
    is_postponed: bool = False  # until the one before it has ended


class LoopLane(Lane):
    """Writes on the event loop: while the database works, so does everybody else.

    Two batches at a time: one is decided while the other is written. A second one is begun only if
    it is worth a transaction of its own, and what is under way is shared between them.
    """

    def __init__(self, ledger: Ledger, batch_limit: int, on_written: OnWritten) -> None:
        super().__init__(ledger, batch_limit, on_written)
        self._queue: deque[Waiting] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: list[_Batch] = []  # in their order
        self._last_end = 0  # of a batch, in nanoseconds of the monotonic clock
        self._is_called = False

    @property
    def waiting_count(self) -> int:
        """As in `Lane`."""
        return len(self._queue)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """As in `Lane`."""
        self._loop = loop
        self._ledger.open_session(self._decided)

    def put(self, waiting: Waiting) -> None:
        """As in `Lane`."""
        self._queue.append(waiting)
        self._call()

    def stop(self) -> None:
        """As in `Lane`."""
        self._stopping = True
        self._call()

    def _decided(self) -> None:
        self._under_way[-1].is_begun = True
        self._call()

    def _call(self) -> None:
        """Begin a batch soon, if there may be one, with all that comes until then."""
        if not self._is_called and len(self._under_way) < _AT_ONCE:
            assert self._loop is not None
            self._is_called = True
            self._loop.call_soon(self._called)

    def _called(self) -> None:
        assert self._loop is not None
        self._is_called = False
        batch = self._next()
        if batch is not None:
            self._loop.create_task(self._run(batch))
        elif self._stopping and not (self._under_way or self.stopped.is_set()):
            self._ledger.close_session()
            self.stopped.set()

    def _next(self) -> _Batch | None:
        """One more batch, if there may be one."""
        assert self._loop is not None
        while self._has_room():
            timely, late = _parted(self._take(), time.monotonic_ns())
            if late:
                self._loop.call_soon(_deliver, late, [Undecided.LATE] * len(late))
            if timely:
                before = self._under_way[-1].end if self._under_way else None
                self._under_way.append(_Batch(timely, self._loop.create_future(), before))
                return self._under_way[-1]
        return None

    def _has_room(self) -> bool:
        if not self._under_way:
            return bool(self._queue)
        return (
            len(self._under_way) < _AT_ONCE
            and len(self._queue) >= _WORTH_ITS_OWN
            and self._ledger.is_decided
            and not self._parts
            and all(each.is_begun and not each.is_postponed for each in self._under_way)
        )

    def _take(self) -> list[Waiting]:
        waiting = self._queue
        half = (len(waiting) + sum(len(each.waiting) for each in self._under_way) + 1) // 2
        count = half if half >= _WORTH_ITS_OWN else len(waiting)
        return [waiting.popleft() for _ in range(min(len(waiting), count, self._batch_limit))]

    async def _run(self, batch: _Batch | None) -> None:
        """One batch after another, as long as there are any.

        Answers are given while the database already works on the next one.
        """
        assert self._loop is not None
        while batch is not None:
            begin = time.monotonic_ns()
            decisions = await self._written_in_turn(batch)
            end = time.monotonic_ns()
            self._took(end - max(begin, self._last_end))
            self._last_end = end
            self._under_way.remove(batch)
            batch.end.set_result(None)
            self._loop.call_soon(self._written, batch.waiting, decisions, end - begin)
            batch = self._next()
        self._call()

    async def _written_in_turn(self, batch: _Batch) -> list[Decision | Undecided]:
        """Beside the batch before it, or after that one."""
        if batch.before is not None and not batch.before.done():
            decisions = await greenlet_spawn(self._write_beside, batch.waiting)
            if decisions is not None:
                return decisions
            batch.is_postponed = True
            await asyncio.wait({batch.before})
            batch.is_postponed = False
        return await greenlet_spawn(self._write, batch.waiting)

    def _write_beside(self, batch: Sequence[Waiting]) -> list[Decision | Undecided] | None:
        """None if it has to come after the others."""
        try:
            return [*self._ledger.apply_beside([each.command for each in batch])]
        except NotBeside:
            return None
        except OutcomeUnknown as error:
            return self._lost(len(batch), error)


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
