"""Commands that wait for a lane, and what becomes of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

import msgspec

from ledger.commands import AnyCommand, Decision

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
