"""Lanes: a queue, a ledger, and batches one after another.

A lane drains what is there and never waits for more: a lone request goes at once, and a busy
moment fills its own batch.

There are two kinds. A database that is waited for through a socket is asked from the event loop
itself (`loop_lane`): threads of one interpreter would wait for each other instead. One that works
in the calling thread has a thread of its own (`thread_lane`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

import msgspec

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
        deliver(batch, decisions)

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


def parted(batch: list[Waiting], now: int) -> tuple[list[Waiting], list[Waiting]]:
    """Those whose time is not over, and the others."""
    timely = [each for each in batch if each.decide_by > now]
    if len(timely) == len(batch):
        return batch, []
    return timely, [each for each in batch if each.decide_by <= now]


def deliver(batch: list[Waiting], decisions: Sequence[Decision | Undecided]) -> None:
    """Each decision to whom waits for it."""
    for waiting, decision in zip(batch, decisions, strict=True):
        try:
            waiting.on_decided(decision)
        except Exception:  # the others of the batch still want their answers
            _logger.exception("the receiver of a decision failed")
