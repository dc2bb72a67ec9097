"""When a run does what: arrivals at intended times, later errands, and retries.

Once no authorization is left to begin, later errands no longer wait for their time (`hurry`), so
that a run ends with everything settled; retries keep theirs, because an issuer that could not
answer needs it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from random import Random

import msgspec

from networks.life import Life
from networks.traffic import Pace

LONGEST_RETRY = 4.0  # seconds


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of one run.

    Attributes
    ----------
    rate, seconds
        Authorizations begun a second, and for how long.
    cards
        Cards 1 to `cards` are used.
    window
        Messages in flight while the rest is settled.
    attempts
        How often a message that has to arrive is sent.
    retry_seconds
        Before it is sent again for the first time; then twice as long, up to `LONGEST_RETRY`.
    ahead_seconds
        How much too early a message may be sent, so that a coarse timer makes none late.
    """

    rate: float
    seconds: float
    seed: int
    cards: int = 1000
    window: int = 64
    attempts: int = 12
    retry_seconds: float = 0.25
    ahead_seconds: float = 0.001

    def retry_after(self, attempts: int) -> float:
        """Seconds until a message that was sent `attempts` times is sent again."""
        return min(self.retry_seconds * 2.0 ** (attempts - 1), LONGEST_RETRY)

    @property
    def pace(self) -> Pace:
        """Courses and clearings take seconds, and fit into the run."""
        return Pace(
            course_longest=min(3.0, self.seconds / 4), clearing_longest=min(8.0, self.seconds / 3)
        )


def arrivals(random: Random, run: Run) -> Iterator[float]:
    """Intended times from 0: exactly rate x seconds of them, each anywhere in its own slot."""
    for slot in range(round(run.rate * run.seconds)):
        yield (slot + random.random()) / run.rate


class Schedule:
    """What is to come, in order of time (monotonic seconds); `begin` is the first slot's."""

    __slots__ = ("_arrival", "_arrivals", "_begin", "_errands", "_retries", "_serial")

    def __init__(self, times: Iterator[float], begin: float) -> None:
        self._begin = begin
        self._arrivals = times
        self._arrival = next(times, None)
        self._errands: list[tuple[float, int, Life]] = []
        self._retries: list[tuple[float, int, Life]] = []
        self._serial = count()

    @property
    def beginning(self) -> bool:
        """Whether authorizations are still to begin."""
        return self._arrival is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to come."""
        return not (self.beginning or self._errands or self._retries)

    def add(self, due: float, life: Life) -> None:
        """The errand of `life` is due then."""
        heapq.heappush(self._errands, (due, next(self._serial), life))

    def add_retry(self, due: float, life: Life) -> None:
        """The message of `life` is to be sent again then."""
        heapq.heappush(self._retries, (due, next(self._serial), life))

    def take_arrival(self, now: float) -> float | None:
        """The intended time of the next authorization, if it is due."""
        if self._arrival is None or self._begin + self._arrival > now:
            return None
        intended = self._begin + self._arrival
        self._arrival = next(self._arrivals, None)
        return intended

    def take_life(self, now: float, *, may_hurry: bool) -> Life | None:
        """The next life whose errand or retry is due; at the end, only as the window allows."""
        if not (self.beginning or may_hurry):
            return None
        if self._retries and self._retries[0][0] <= now:
            return heapq.heappop(self._retries)[2]
        hurry = not self.beginning
        if self._errands and (hurry or self._errands[0][0] <= now):
            return heapq.heappop(self._errands)[2]
        return None

    def next_due(self, *, may_hurry: bool) -> float | None:
        """When something will be due; ``None`` when only an answer can tell."""
        if not (self.beginning or may_hurry):
            return None
        times = [self._retries[0][0]] if self._retries else []
        if self._arrival is not None:
            times.append(self._begin + self._arrival)
        if self._errands:
            times.append(self._errands[0][0] if self.beginning else self._begin)
        return min(times, default=None)

    def stop(self) -> None:
        """No more authorizations."""
        self._arrival = None

    def clear(self) -> tuple[list[Life], list[Life]]:
        """Forget everything: the lives with errands to come, and those to be retried."""
        errands = [life for _, _, life in self._errands]
        retries = [life for _, _, life in self._retries]
        self._arrival = None
        self._errands, self._retries = [], []
        return errands, retries
