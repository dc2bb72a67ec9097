"""One thread that writes: a bounded queue, and everything that waits in one commit.

It drains what is there and never waits for more: a lone request goes at once, and a busy moment
fills its own batch. Answers go back to the event loop in one call for each commit.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from ledger.commands import AnyCommand, Decision
from ledger.ledger import Ledger

OnDecided: TypeAlias = Callable[[Decision | None], None]

_logger = logging.getLogger(__name__)


class LedgerBusy(Exception):
    """The queue is full: answer that we are busy, and let the network retry."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.capacity = capacity

    def __str__(self) -> str:
        return f"{self.capacity} commands wait for the ledger already"


class WriterStopped(Exception):
    """A command came before `start` or after `stop`."""


class _Waiting(msgspec.Struct, frozen=True, gc=False):
    command: AnyCommand
    on_decided: OnDecided


class LedgerWriter:
    """Gives a ledger's batches their own thread. Its methods belong to the event loop's thread."""

    def __init__(self, ledger: Ledger, *, capacity: int = 4096, batch_limit: int = 256) -> None:
        self._ledger = ledger
        self._capacity = capacity
        self._batch_limit = batch_limit
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._accepting = False
        self._is_away = False  # the database, at the last attempt

    @property
    def waiting_count(self) -> int:
        """How many commands wait, not counting those being written."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to write; call it in the event loop that is to get the answers."""
        assert self._loop is None, "a writer is started once"
        self._loop = asyncio.get_running_loop()
        self._accepting = True
        threading.Thread(target=self._run, name="ledger-writer", daemon=True).start()

    def submit(self, command: AnyCommand, on_decided: OnDecided) -> None:
        """Have `command` decided; `on_decided` is called on the event loop after the commit.

        It gets ``None`` if the ledger could not be asked: then nothing has happened, as far as
        the ledger knows, and asking again is safe.

        Raises
        ------
        LedgerBusy
            If `capacity` commands wait already.
        WriterStopped
            If the writer is not running.
        """
        if not self._accepting:
            raise WriterStopped
        if self._queue.qsize() >= self._capacity:
            raise LedgerBusy(self._capacity)
        self._queue.put(_Waiting(command, on_decided))

    async def stop(self) -> None:
        """Take no more, write what waits, deliver every answer; then return.

        A database that cannot be asked is asked once more and no longer: what waits gets ``None``.
        """
        if self._accepting:
            self._accepting = False
            self._queue.put(None)
        if self._loop is not None:
            await self._stopped.wait()

    def _run(self) -> None:
        assert self._loop is not None
        batch: list[_Waiting] = []
        while self._fill(batch):
            decisions = self._write([each.command for each in batch])
            self._loop.call_soon_threadsafe(_deliver, batch, decisions)
            batch = []
        self._loop.call_soon_threadsafe(self._stopped.set)

    def _fill(self, batch: list[_Waiting]) -> bool:
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

    def _write(self, commands: list[AnyCommand]) -> list[Decision | None]:
        if self._is_away and not self._accepting:
            return [None] * len(commands)
        try:
            decisions = self._ledger.apply(commands)
        except Exception as error:
            self._is_away = self._ledger.database.is_operating_error(error)
            if self._is_away or len(commands) == 1:
                _logger.exception("the ledger could not write a batch of %d", len(commands))
                return [None] * len(commands)
        else:
            self._is_away = False
            return [*decisions]
        # One of them cannot be written: find it, so that its neighbours do not suffer.
        return [decision for command in commands for decision in self._write([command])]


def _deliver(batch: list[_Waiting], decisions: list[Decision | None]) -> None:
    for waiting, decision in zip(batch, decisions, strict=True):
        try:
            waiting.on_decided(decision)
        except Exception:  # the others of the batch still want their answers
            _logger.exception("the receiver of a decision failed")
