"""Intended times: how many, how spread, and the same again for the same seed."""

from __future__ import annotations

from itertools import pairwise, takewhile
from random import Random
from statistics import fmean, pstdev

from loadtest.arrivals import Arrivals, Schedule, intended_times


def times(arrivals: Arrivals, rate: float, seconds: float, processes: int = 1) -> list[float]:
    """Of all processes together, in order."""
    drawn = [
        time
        for process in range(processes)
        for time in takewhile(
            lambda at: at < seconds,
            intended_times(arrivals, Random(process), rate, process, processes),
        )
    ]
    return sorted(drawn)


def test_uniform_times_are_a_rate_apart_over_all_processes() -> None:
    for processes in (1, 3):
        found = times(Arrivals.UNIFORM, 8, 2, processes)
        assert found == [number / 8 for number in range(16)]


def test_poisson_gaps_are_exponential_over_all_processes() -> None:
    for processes in (1, 4):
        found = times(Arrivals.POISSON, 1000, 20, processes)
        gaps = [after - before for before, after in pairwise(found)]
        assert abs(len(found) - 20_000) < 600  # four standard deviations
        assert abs(pstdev(gaps) / fmean(gaps) - 1) < 0.05


def test_the_same_seed_gives_the_same_times() -> None:
    again = [times(Arrivals.POISSON, 50, 1) for _ in range(2)]
    assert again[0] == again[1]
    assert len(again[0]) > 20


def test_times_are_the_same_whether_they_were_looked_at_or_not() -> None:
    schedule = Schedule(iter([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    assert schedule.take() == 1.0
    assert (schedule.look(3), schedule.look(1)) == (4.0, 2.0)
    assert schedule.take_some(2) == [2.0, 3.0]
    assert schedule.take_some(3) == [4.0, 5.0, 6.0]
