"""Intervals of several processes put together: histograms, counts, seconds."""

from __future__ import annotations

from array import array
from collections import Counter
from random import Random

import pytest
from hdrh.histogram import HdrHistogram

from loadtest.answers import ErrorKind
from loadtest.figures import Counts, Figures, Interval, approves, percentiles
from loadtest.timeline import Timeline


def counts(latencies: list[int], **other: object) -> Counts:
    """Of answers `latencies` microseconds after their intended times."""
    made = Counts(
        offered=len(latencies),
        sent=len(latencies),
        codes={"00": len(latencies)},
        latencies=array("I", latencies).tobytes(),
        lags=array("I", [50] * len(latencies)).tobytes(),
    )
    for name, value in other.items():
        setattr(made, name, value)
    return made


def interval(since: float, latencies: list[int], **other: object) -> Interval:
    return Interval(
        since=since,
        until=since + 0.25,
        networks={"visanet": counts(latencies, **other)},
        last_answer=since + 0.2,
        cpu_seconds=0.01,
    )


def test_latencies_of_all_intervals_are_one_histogram() -> None:
    figures = Figures(("visanet", "quicpay"))
    for part in range(4):
        figures.add(interval(part / 4, list(range(part * 250 + 1, part * 250 + 251))))
    figures.add(Interval(since=1, until=1.1, networks={}, ended=2.0))
    told = figures.as_json()
    assert (told["offered"], told["sent"], told["answered"], told["approved"]) == (1000,) * 4
    assert told["elapsed_seconds"] == 2.0
    assert told["offered_per_second"] == told["achieved_per_second"] == 500
    assert (told["p50_ms"], told["p90_ms"], told["p99_ms"]) == (0.5, 0.9, 0.99)
    assert (told["p999_ms"], told["max_ms"]) == (0.999, 1.0)
    assert told["mean_ms"] == pytest.approx(0.5, rel=0.01)
    assert (told["lag_p50_ms"], told["lag_max_ms"]) == (0.05, 0.05)
    assert told["driver_cpu_seconds"] == 0.04
    assert told["driver_cpu_us"] == 40
    networks = told["networks"]
    assert isinstance(networks, dict)
    assert networks["visanet"]["answered"] == 1000
    assert networks["quicpay"]["answered"] == 0


@pytest.mark.parametrize("longest", [1 << 10, 1 << 14, 1 << 20, 1 << 29])
def test_a_latency_is_told_as_exactly_as_a_histogram_can(longest: int) -> None:
    latencies = Random(longest).choices(range(1, longest), k=500)
    figures, exact = Figures(("visanet",)), HdrHistogram(1, 600_000_000, 3)
    figures.add(interval(0.0, latencies))
    for each in latencies:
        exact.record_value(each)
    assert percentiles(figures.total.latency) == percentiles(exact)


def test_a_run_lasts_until_its_last_answer() -> None:
    figures = Figures(("visanet",))
    figures.add(interval(0.0, [100]))
    figures.add(interval(3.0, [100]))
    figures.add(Interval(since=3.25, until=3.5, networks={}, ended=1.0))
    assert figures.elapsed == 3.2


def test_codes_and_errors_are_counted_by_kind() -> None:
    figures = Figures(("visanet",))
    errors = {ErrorKind.TIMEOUT.value: 2, ErrorKind.UNDECIDED.value: 1}
    codes = {"00": 5, "10": 1, "51": 3, "91": 1, "ZZ": 1}
    figures.add(interval(0.0, [100] * 11, codes=codes, errors=errors))
    told = figures.as_json()
    assert told["approved"] == 6
    assert told["response_codes"] == codes
    assert told["errors"] == {"not decided": 1, "timeout": 2}
    assert figures.errors == errors


@pytest.mark.parametrize(
    ("code", "granted"), [("00", True), ("10", True), ("85", True), ("51", False), ("", False)]
)
def test_an_approval_is_what_the_table_says(code: str, granted: bool) -> None:
    assert approves(code) is granted


def test_a_run_without_answers_has_zeros() -> None:
    told = Figures(("visanet",)).as_json()
    assert (told["p50_ms"], told["max_ms"], told["mean_ms"], told["driver_cpu_us"]) == (0, 0, 0, 0)
    assert told["timeline"] == []


def test_percentiles_end_where_messages_do() -> None:
    figures = Figures(("visanet",))
    figures.add(interval(0.0, [1000] * 1000))
    told = percentiles(figures.total.latency)
    assert told[0] == (0.0, 1.0)
    assert told[-1][0] == 99.9
    assert [each for each, _ in told] == sorted(each for each, _ in told)


def test_seconds_are_complete_whatever_the_order_of_reports() -> None:
    timeline = Timeline()
    timeline.add(0, 10, 0, Counter({1000: 9, 5000: 1}))
    timeline.add(2, 10, 1, Counter({2000: 10}))
    timeline.add(1, 10, 0, Counter({3000: 10}))
    timeline.add(0, 5, 2, Counter())
    first, second, third = timeline.seconds()
    assert (first["offered"], first["answered"], first["errors"]) == (15, 10, 2)
    assert (first["p50_ms"], first["p99_ms"], first["max_ms"]) == (1.0, 5.0, 5.0)
    assert (second["answered"], second["p50_ms"]) == (10, 3.0)
    assert (third["second"], third["errors"], third["max_ms"]) == (2, 1, 2.0)


def test_old_seconds_are_summed_up_and_lose_nothing() -> None:
    timeline = Timeline()
    for second in range(100):
        timeline.add(second, 1, 0, Counter({1000: 1}))
    timeline.add(3, 1, 0, Counter({1000: 1}))  # very late: counted with the oldest that is open
    seconds = timeline.seconds()
    assert [each["second"] for each in seconds] == list(range(100))
    assert sum(each["answered"] for each in seconds) == 101
    assert len(timeline._open) == 4
    assert seconds[50]["p50_ms"] == 1.0


def test_a_second_without_answers_has_zeros() -> None:
    timeline = Timeline()
    timeline.add(0, 3, 0, Counter())
    assert timeline.seconds()[0]["p99_ms"] == 0
