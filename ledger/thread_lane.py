"""A lane on a thread of its own, for a database that works in the thread that asks it."""

from __future__ import annotations

import asyncio
import queue
import threading
import time

from ledger.lanes import Lane, OnWritten, Undecided, Waiting, deliver, parted
from ledger.ledger import Ledger


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
            timely, late = parted(batch, begin)
            if late:
                loop.call_soon_threadsafe(deliver, late, [Undecided.LATE] * len(late))
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
