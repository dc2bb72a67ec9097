"""Counts of two moments become what happened between them."""

from __future__ import annotations

import pytest

from gateway.dashboard.charts import POINTS, latency_chart, rate_chart, thinned
from gateway.dashboard.figures import Reason, Span, added_up, between
from tests.gateway.dashboard.snapshots import (
    APPROVED,
    NO_FUNDS,
    REVERSED,
    snapshot,
    survey,
)

NOTHING = survey()


def span(before: int, after: int, seconds: float = 1.0, at: float = 100.0) -> Span:
    """So many approvals at its begin and at its end."""
    return between(
        survey(snapshot({APPROVED: before})), survey(snapshot({APPROVED: after})), at, seconds
    )


def test_what_came_between_is_counted() -> None:
    was = survey(snapshot({APPROVED: 10, NO_FUNDS: 5}, commits=3))
    now = survey(snapshot({APPROVED: 16, NO_FUNDS: 7, REVERSED: 4}, commits=5))
    found = between(was, now, at=100.0, seconds=2.0)
    assert (found.rate("visanet"), found.rate("quicpay"), found.rate("none")) == (6.0, 0.0, 0.0)
    assert (found.decided, found.approved) == ({"visanet": 8}, {"visanet": 6})
    assert found.declined == {Reason("visanet", "51", "INSUFFICIENT_FUNDS"): 2}
    assert found.approval_part == 0.75
    assert (found.batch_size.count, found.batch_size.sum) == (2, 8.0)
    assert found.commit.count == 2


def test_a_quantile_is_that_of_the_time_between() -> None:
    found = span(1000, 1002)
    assert found.quantile("visanet", 1.0) == pytest.approx(0.001)
    assert found.quantile("quicpay", 0.5) is None
    assert found.quantile("none", 0.5) is None


def test_workers_add_up() -> None:
    was = survey(snapshot({APPROVED: 1}), snapshot({APPROVED: 5}, worker=2, pid=11))
    now = survey(snapshot({APPROVED: 3}), snapshot({APPROVED: 6}, worker=2, pid=11))
    assert between(was, now, 100.0, 1.0).rate("visanet") == 3.0


def test_a_worker_that_was_started_in_between_is_counted_from_its_start() -> None:
    was, now = snapshot({APPROVED: 900}), snapshot({APPROVED: 4}, pid=11, started_at=99.5)
    assert between(survey(was), survey(now), 100.0, 1.0).rate("visanet") == 4.0


def test_a_worker_that_is_seen_for_the_first_time_tells_nothing_yet() -> None:
    found = between(NOTHING, survey(snapshot({APPROVED: 900})), 100.0, 1.0)
    assert (found.rate("visanet"), found.approval_part) == (0.0, None)


def test_spans_add_up_to_a_longer_one() -> None:
    found = added_up([span(0, 10, 1.0), span(10, 40, 3.0)], 100.0, 4.0)
    assert (found.rate("visanet"), found.decided) == (10.0, {"visanet": 40})
    assert added_up([], 0.0, 0.0).rate("visanet") == 0.0


@pytest.mark.parametrize(("count", "points"), [(0, 0), (1, 1), (60, 60), (61, 31), (300, 60)])
def test_a_chart_has_few_points_of_many_seconds(count: int, points: int) -> None:
    spans = [span(0, 1, at=100.0 + number) for number in range(count)]
    found = thinned(spans)
    assert len(found) == points <= POINTS
    assert sum(each.decided["visanet"] for each in found) == count


def test_charts_have_a_line_for_each_network() -> None:
    spans = [span(0, 10), span(10, 10)]
    rates = {each["name"]: each["data"] for each in rate_chart(spans)["series"]}
    assert rates == {"visanet": [10.0, 0.0], "quicpay": [0.0, 0.0]}
    latency = {each["name"]: each["data"] for each in latency_chart(spans)["series"]}
    assert latency["visanet p99"] == [pytest.approx(1.0, abs=0.01), None]
    assert set(latency) == {f"{name} {part}" for name in rates for part in ("p50", "p99")}
