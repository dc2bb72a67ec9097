"""Jobs in turn: which of them are due, what they did, and how long to wait.

A job that fails is tried again a little later, and the others go on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

_AFTER_FAILURE_SECONDS = 5.0

_logger = logging.getLogger(__name__)

KeepGoing: TypeAlias = Callable[[], bool]


class Job(msgspec.Struct, frozen=True):
    """What is done every so many seconds.

    `work` does what there is to do, as long as it may keep going, and returns how much it was.
    """

    name: str
    seconds: float
    work: Callable[[KeepGoing], int]


class Round(msgspec.Struct, frozen=True):
    """What the jobs of one round have done, those that did something; and which have failed."""

    done: dict[str, int]
    failed: tuple[str, ...]


class Rounds:
    """Runs jobs; times are seconds of a clock that only goes forward."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._due = {job.name: 0.0 for job in jobs}

    def run(self, now: float, keep_going: KeepGoing, *, all_of_them: bool = False) -> Round:
        """Run those that are due, or `all_of_them`, one after another."""
        done: dict[str, int] = {}
        failed: list[str] = []
        for job in self._jobs:
            if not keep_going():
                break
            if all_of_them or self._due[job.name] <= now:
                self._due[job.name] = now + job.seconds
                try:
                    count = job.work(keep_going)
                except Exception:
                    _logger.exception("the job failed that does: %s", job.name)
                    failed.append(job.name)
                    self._due[job.name] = now + max(job.seconds, _AFTER_FAILURE_SECONDS)
                else:
                    if count:
                        done[job.name] = count
        return Round(done, tuple(failed))

    def seconds_left(self, now: float) -> float:
        """How long until the next one is due."""
        return max(0.0, min(self._due.values()) - now)
