"""When messages are intended to be sent, whatever the gateway does: an open loop."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import count
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
    at = 0.0
    while True:
        at += random.expovariate(rate / processes)
        yield at
