"""A lane on the event loop, for a database that works elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.commands import AnyCommand, Decision
from ledger.database import OutcomeUnknown
from ledger.lanes import Lane, OnWritten, Undecided, Waiting, deliver, parted
from ledger.ledger import Ledger, NotBeside
from ledger.reading_ahead import ReadAhead

_AT_ONCE = 2  # batches
_WORTH_ITS_OWN = 16  # commands: fewer than these wait for the batch before them


@dataclass(slots=True, eq=False)
class _Batch:
    """One under way: when it has ended, and when the one before it has, if that was under way."""

    waiting: list[Waiting]
    end: asyncio.Future[None]
    before: asyncio.Future[None] | None
    is_begun: bool = False  # the ledger has decided it once
    is_postponed: bool = False  # until the one before it has ended, or something is read


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
            and not self._parts
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
            decisions = await self._written_beside(batch)
            if decisions is not None:
                return decisions
            batch.is_postponed = True
            await asyncio.wait({batch.before})
            batch.is_postponed = False
        return await greenlet_spawn(self._write, batch.waiting)

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
        return await greenlet_spawn(self._write_beside, commands, ahead)

    def _write_beside(
        self, commands: Sequence[AnyCommand], ahead: ReadAhead | None
    ) -> list[Decision | Undecided] | None:
        try:
            return [*self._ledger.apply_beside(commands, ahead)]
        except NotBeside:
            return None
        except OutcomeUnknown as error:
            return self._lost(len(commands), error)
