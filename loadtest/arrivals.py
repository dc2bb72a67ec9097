"""When messages are intended to be sent, whatever the gateway does: an open loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from itertools import count, islice
from math import log
from random import Random


class Arrivals(StrEnum):
    """How intended times are spread."""

    POISSON = "poisson"  # as customers come: gaps are exponential
    UNIFORM = "uniform"  # one after another, evenly
    CLOSED = "closed"  # no open loop: one whenever there is room in flight


def intended_times(
    arrivals: Arrivals, random: Random, rate: float, process: int, processes: int
) -> Iterator[float]:
    """Seconds from the beginning, without end, of one of `processes`.

    Together they reach `rate` a second: Poisson processes add up to one, and evenly spaced times
    interleave. A closed loop has none, whoever sends knows when there is room.
    """
    if arrivals is Arrivals.UNIFORM:
        yield from ((number * processes + process) / rate for number in count())
    assert arrivals is Arrivals.POISSON
    at, draw, mean_gap = 0.0, random.random, processes / rate
    while True:
        at -= log(1.0 - draw()) * mean_gap
        yield at


class Schedule:
    """Intended times that can be looked at before they are taken."""

    def __init__(self, times: Iterator[float]) -> None:
        self._times = times
        self._ahead: deque[float] = deque()

    def take(self) -> float:
        """The next one."""
        return self._ahead.popleft() if self._ahead else next(self._times)

    def look(self, place: int) -> float:
        """The one that is `place` (from 1) after what was taken last."""
        self._ahead.extend(islice(self._times, max(place - len(self._ahead), 0)))
        return self._ahead[place - 1]

    def take_some(self, count: int) -> list[float]:
        """The next `count`."""
        return [self.take() for _ in range(count)]
