"""A run second by second.

Processes report at slightly different times, so the last seconds stay open; what is older is
summed up and forgotten, which lets a soak run last for hours.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TypedDict

_OPEN = 4  # seconds


class Second(TypedDict):
    """What happened in one second of the run; latencies are of the answers that came in it."""

    second: int
    offered: int
    answered: int
    errors: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class _OpenSecond:
    def __init__(self, number: int) -> None:
        self.number = number
        self.offered = 0
        self.errors = 0
        self.latencies: Counter[int] = Counter()

    def sum_up(self) -> Second:
        values = sorted(self.latencies.items())
        return Second(
            second=self.number,
            offered=self.offered,
            answered=self.latencies.total(),
            errors=self.errors,
            p50_ms=_percentile(values, 0.5) / 1000,
            p99_ms=_percentile(values, 0.99) / 1000,
            max_ms=_percentile(values, 1.0) / 1000,
        )


class Timeline:
    """The seconds of a run, none left out."""

    def __init__(self) -> None:
        self._closed: list[Second] = []
        self._open: list[_OpenSecond] = []

    def add(self, second: int, offered: int, errors: int, latencies: Counter[int]) -> None:
        """Count something in `second`, or in the oldest that is open."""
        while not self._open or self._open[-1].number < second:
            self._open.append(_OpenSecond(len(self._closed) + len(self._open)))
            if len(self._open) > _OPEN:
                self._closed.append(self._open.pop(0).sum_up())
        place = self._open[max(second - self._open[0].number, 0)]
        place.offered += offered
        place.errors += errors
        place.latencies.update(latencies)

    def seconds(self) -> list[Second]:
        """All of them, from the first."""
        return [*self._closed, *(each.sum_up() for each in self._open)]


def _percentile(values: list[tuple[int, int]], share: float) -> int:
    """The smallest of the counted `values` (sorted) that is not below `share` of them."""
    wanted = ceil(sum(count for _, count in values) * share)
    for value, count in values:
        wanted -= count
        if wanted <= 0:
            return value
    return 0
