"""A lane: a queue, a ledger, and batches one after another.

A lane drains what is there and never waits for more: a lone request goes at once, and a busy
moment fills its own batch.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.attempts import Attempts
from ledger.commands import Decision
from ledger.ledger import Ledger
from ledger.queued import LedgerLate, OnWritten, Undecided, Waiting, deliver, parted

_AT_ONCE = 2  # batches
_WORTH_ITS_OWN = 16  # commands: fewer than these wait for the batch before them
_BATCHES_COUNTED = 4  # so much less than all does the last batch change the time of a batch


@dataclass(slots=True, eq=False)
class _Batch:
    """One under way: when it has ended, and when the one before it has, if that was under way."""

    waiting: list[Waiting]
    end: asyncio.Future[None]
    before: asyncio.Future[None] | None
    is_begun: bool = False  # the ledger has decided it once
    is_postponed: bool = False  # until the one before it has ended, or something is read


class Lane:
    """Writes from the event loop: while the database works, so does everybody else.

    Two batches at a time: one is decided while the other is written. A second one is begun only if
    it is worth a transaction of its own, and what is under way is shared between them. Threads that
    decide would wait for each other instead (decision 0008).
    """

    def __init__(self, ledger: Ledger, batch_limit: int, on_written: OnWritten) -> None:
        self.stopped = asyncio.Event()
        self._ledger = ledger
        self._attempts = Attempts(ledger)
        self._batch_limit = batch_limit
        self._on_written = on_written
        self._queue: deque[Waiting] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: list[_Batch] = []  # in their order
        self._batch_nanoseconds = 0  # that a batch took of late
        self._last_end = 0  # of a batch, in nanoseconds of the monotonic clock
        self._is_called = self._stopping = False

    @property
    def waiting_count(self) -> int:
        """How many commands wait, not counting those being written."""
        return len(self._queue)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; answers are given on `loop`."""
        self._loop = loop
        self._ledger.open_session(self._decided)

    def put(self, waiting: Waiting) -> None:
        """One more."""
        self._queue.append(waiting)
        self._call()

    def stop(self) -> None:
        """End after what waits; `stopped` tells when."""
        self._stopping = self._attempts.are_last = True
        self._call()

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
            timely, late = parted(self._take(), time.monotonic_ns())
            if late:
                self._loop.call_soon(deliver, late, [Undecided.LATE] * len(late))
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
            and self._is_up_to_the_database()
        )

    def _is_up_to_the_database(self, besides: _Batch | None = None) -> bool:
        """Whether the batches under way, but for that one, are decided and on their way."""
        others = [each for each in self._under_way if each is not besides]
        return (
            self._ledger.is_decided
            and not self._attempts.is_halving
            and all(each.is_begun and not each.is_postponed for each in others)
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
            taken = end - max(begin, self._last_end)
            self._batch_nanoseconds += (taken - self._batch_nanoseconds) // _BATCHES_COUNTED
            self._last_end = end
            self._under_way.remove(batch)
            batch.end.set_result(None)
            self._loop.call_soon(self._written, batch.waiting, decisions, end - begin)
            batch = self._next()
        self._call()

    async def _written_in_turn(self, batch: _Batch) -> list[Decision | Undecided]:
        """Beside the batch before it, or after that one."""
        if batch.before is not None and not batch.before.done():
            decisions = await self._written_beside(batch)
            if decisions is not None:
                return decisions
            batch.is_postponed = True
            await asyncio.wait({batch.before})
            batch.is_postponed = False
        commands = [each.command for each in batch.waiting]
        return await greenlet_spawn(self._attempts.decide, commands)

    async def _written_beside(self, batch: _Batch) -> list[Decision | Undecided] | None:
        """None if it has to come after the others.

        What it needs is read while they are written. One that fails meanwhile is done again, and
        comes first.
        """
        commands = [each.command for each in batch.waiting]
        batch.is_postponed = True
        ahead = await greenlet_spawn(self._ledger.read_ahead, commands)
        batch.is_postponed = False
        if not self._is_up_to_the_database(besides=batch):
            return None
        return await greenlet_spawn(self._attempts.decide_beside, commands, ahead)

    def _written(
        self, batch: list[Waiting], decisions: Sequence[Decision | Undecided], nanoseconds: int
    ) -> None:
        self._on_written(len(batch), nanoseconds)
        deliver(batch, decisions)
