"""How measurements are spread: counts by bucket, which may be added up and told apart.

Buckets are those of Prometheus: the first holds what is at most the first bound, the last what is
above all bounds. So the histograms of several processes add up to that of all of them, and the
difference of two that were taken one after the other is that of the time between.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TypeAlias

import msgspec

Bounds: TypeAlias = tuple[float, ...]
Cell: TypeAlias = list[float]  # being counted: each bucket, and last the sum


class Histogram(msgspec.Struct, frozen=True, gc=False):
    """So many measurements in each bucket: one `counts` more than `bounds`; `sum` in their unit."""

    bounds: Bounds
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """How many measurements there are."""
        return sum(self.counts)

    def __add__(self, other: Histogram) -> Histogram:
        assert self.bounds == other.bounds
        counts = tuple(map(int.__add__, self.counts, other.counts))
        return Histogram(self.bounds, counts, self.sum + other.sum)

    def __sub__(self, earlier: Histogram) -> Histogram:
        assert self.bounds == earlier.bounds
        counts = tuple(map(int.__sub__, self.counts, earlier.counts))
        return Histogram(self.bounds, counts, self.sum - earlier.sum)

    def quantile(self, part: float) -> float | None:
        """What so great a `part` (0 to 1) of the measurements is at most; None if there are none.

        As Prometheus estimates it: evenly spread within a bucket, the highest bound for what is
        above it.
        """
        wanted = part * self.count
        if not self.count:
            return None
        below, low = 0, 0.0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            if count and below + count >= wanted:
                return low + (bound - low) * (wanted - below) / count
            below, low = below + count, bound
        return self.bounds[-1]


def new_cell(bounds: Bounds) -> Cell:
    """Nothing counted yet."""
    return [0] * (len(bounds) + 2)


def count_in(cell: Cell, bounds: Bounds, measured: float) -> None:
    """Count one measurement."""
    cell[bisect_left(bounds, measured)] += 1
    cell[-1] += measured


def histogram(bounds: Bounds, cell: Sequence[float], unit: int = 1) -> Histogram:
    """What was counted in `cell`, whose sum is in so many parts of `bounds`' unit."""
    return Histogram(bounds, tuple(map(int, cell[:-1])), cell[-1] / unit)
