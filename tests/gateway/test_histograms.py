"""Histograms add up, are told apart, and estimate as Prometheus does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.histograms import Histogram, count_in, histogram, new_cell

BOUNDS = (1.0, 2.0, 4.0, 8.0)
measurements = st.lists(st.integers(0, 100).map(lambda tenths: tenths / 10), max_size=60)


def counted(measured: Sequence[float]) -> Histogram:
    cell = new_cell(BOUNDS)
    for each in measured:
        count_in(cell, BOUNDS, each)
    return histogram(BOUNDS, cell)


def test_a_bucket_has_what_is_at_most_its_bound() -> None:
    found = counted([0.0, 1.0, 1.1, 2.0, 8.0, 8.1, 1000.0])
    assert (found.bounds, found.counts, found.count) == (BOUNDS, (2, 2, 0, 1, 2), 7)
    assert found.sum == pytest.approx(1020.2)


def test_the_sum_may_be_counted_in_parts_of_the_unit() -> None:
    assert histogram(BOUNDS, [0, 1, 0, 0, 0, 1500.0], 1000).sum == 1.5


@given(measurements, measurements)
def test_two_add_up_to_one_and_come_apart_again(first: list[float], second: list[float]) -> None:
    both = counted(first) + counted(second)
    assert both.counts == counted(first + second).counts
    assert both.sum == pytest.approx(sum(first) + sum(second))
    assert (both - counted(first)).counts == counted(second).counts


# fmt: off
QUANTILES = [
    # measured                 part  estimated
    ([],                       0.5,  None),
    ([0.5],                    0.5,  0.5),    # half of the first bucket, which begins at 0
    ([1.5, 1.5, 1.5, 1.5],     0.5,  1.5),
    ([1.5, 1.5, 1.5, 1.5],     1.0,  2.0),
    ([0.5, 3.0],               0.5,  1.0),
    ([0.5, 3.0],               0.75, 3.0),
    ([0.5, 3.0],               0.0,  0.0),
    ([0.5, 900.0],             0.99, 8.0),    # above all bounds: the highest is all that is known
]
# fmt: on


@pytest.mark.parametrize(("measured", "part", "estimated"), QUANTILES)
def test_a_quantile_is_estimated(
    measured: list[float], part: float, estimated: float | None
) -> None:
    assert counted(measured).quantile(part) == estimated


@given(measurements.filter(bool), st.data())
def test_an_estimate_lies_in_the_bucket_of_what_it_estimates(
    measured: list[float], data: st.DataObject
) -> None:
    rank = data.draw(st.integers(1, len(measured)))
    exact = sorted(measured)[rank - 1]
    estimated = counted(measured).quantile(rank / len(measured))
    assert estimated is not None
    low = max((bound for bound in (0.0, *BOUNDS) if bound < exact), default=0.0)
    high = min((bound for bound in BOUNDS if bound >= exact), default=BOUNDS[-1])
    assert low <= estimated <= high + 1e-9
