"""What a run has measured, put together from the intervals that its processes report.

Latencies are counted from the intended send time, so a driver or a gateway that falls behind
makes them longer instead of hiding requests (no coordinated omission). A request without an
answer has no latency: it is told as an error.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import TypedDict

import msgspec
from hdrh.histogram import HdrHistogram

from loadtest.timeline import Second, Timeline
from networks.wire.response_codes import RESPONSE_CODES

_LONGEST_MICROSECONDS = 600_000_000
_SIGNIFICANT_DIGITS = 3
_KEPT_BITS = 11  # of a value: what so many digits come to
# Of the percentile plot; as many nines as there are messages for.
_PLOTTED = (
    *range(0, 90, 5),
    *(90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.3, 99.5, 99.7, 99.8, 99.9),
    *(99.95, 99.97, 99.99, 99.995, 99.999, 99.9995, 99.9999),
)


class Counts(msgspec.Struct, kw_only=True):
    """What one process has seen of one network in one interval.

    Attributes
    ----------
    offered, sent
        Everything intended, and what was written.
    codes, errors
        Answers by DE 39; what must not happen, by kind.
    latencies, lags
        Arrays of microseconds: of answers, and of sends, how long after its intended time each
        was written.
    """

    offered: int = 0
    sent: int = 0
    codes: dict[str, int] = msgspec.field(default_factory=dict)
    errors: dict[str, int] = msgspec.field(default_factory=dict)
    latencies: bytes = b""
    lags: bytes = b""


class Interval(msgspec.Struct, kw_only=True):
    """One report of one process; times are seconds from the beginning.

    `last_answer` is of the interval; `ended`, in the last report alone, when sending ended.
    """

    since: float
    until: float
    networks: dict[str, Counts]
    in_flight: int = 0
    last_answer: float = 0.0
    cpu_seconds: float = 0.0
    ended: float | None = None


class Latency(TypedDict):
    """Milliseconds from the intended send time to the answer."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    mean_ms: float


class NetworkFigures:
    """Counts and histograms of one network, or of all together."""

    def __init__(self) -> None:
        self.offered = 0
        self.sent = 0
        self.answered = 0
        self.codes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.latency = _histogram()
        self.lag = _histogram()

    def add(self, counts: Counts, latencies: Counter[int], lags: Counter[int]) -> None:
        """Count one more interval."""
        self.offered += counts.offered
        self.sent += counts.sent
        self.answered += latencies.total()
        self.codes.update(counts.codes)
        self.errors.update(counts.errors)
        _record(self.latency, latencies)
        _record(self.lag, lags)

    @property
    def approved(self) -> int:
        """Answers that grant their request, be it in part."""
        return sum(count for code, count in self.codes.items() if approves(code))

    def as_json(self, seconds: float) -> dict[str, object]:
        """For the summary; rates are of a run that took `seconds`."""
        return {
            "offered": self.offered,
            "sent": self.sent,
            "answered": self.answered,
            "offered_per_second": round(self.offered / seconds, 1),
            "achieved_per_second": round(self.answered / seconds, 1),
            "approved": self.approved,
            "response_codes": dict(sorted(self.codes.items())),
            "errors": dict(sorted(self.errors.items())),
            **latency_of(self.latency),
            "lag_p50_ms": milliseconds(self.lag, 50),
            "lag_p99_ms": milliseconds(self.lag, 99),
            "lag_max_ms": milliseconds(self.lag, 100),
        }


class Figures:
    """The whole run so far."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self.total = NetworkFigures()
        self.networks = {name: NetworkFigures() for name in networks}
        self.cpu_seconds = 0.0
        self._timeline = Timeline()
        self._ended = self._last_answer = 0.0

    @property
    def elapsed(self) -> float:
        """How long the run took: while messages were sent, and until the last answer."""
        return max(self._ended, self._last_answer)

    @property
    def errors(self) -> Mapping[str, int]:
        """What must not have happened, by kind."""
        return self.total.errors

    @property
    def timeline(self) -> list[Second]:
        """Second by second, from the first."""
        return self._timeline.seconds()

    def add(self, interval: Interval) -> None:
        """Count one more report."""
        self.cpu_seconds += interval.cpu_seconds
        self._last_answer = max(self._last_answer, interval.last_answer)
        self._ended = max(self._ended, interval.ended or 0.0)
        second = int((interval.since + interval.until) / 2)
        for name, counts in interval.networks.items():
            latencies, lags = _counted(counts.latencies), _counted(counts.lags)
            self.networks[name].add(counts, latencies, lags)
            self.total.add(counts, latencies, lags)
            errors = sum(counts.errors.values())
            self._timeline.add(second, counts.offered, errors, latencies)

    def as_json(self) -> dict[str, object]:
        """Everything, each network by itself under ``networks``."""
        elapsed = max(self.elapsed, 1e-3)
        answered = self.total.answered
        return {
            "elapsed_seconds": round(elapsed, 3),
            **self.total.as_json(elapsed),
            "driver_cpu_seconds": round(self.cpu_seconds, 3),
            "driver_cpu_us": round(self.cpu_seconds / answered * 1e6, 2) if answered else 0.0,
            "networks": {
                name: {
                    **each.as_json(elapsed),
                    "percentiles_ms": percentiles(each.latency),
                }
                for name, each in self.networks.items()
            },
            "timeline": self.timeline,
        }


def approves(code: str) -> bool:
    """Whether DE 39 grants the request, be it in part."""
    known = RESPONSE_CODES.get(code)
    return known is not None and known.approves


def latency_of(histogram: HdrHistogram) -> Latency:
    """The percentiles that the summary names."""
    is_empty = not histogram.get_total_count()
    return Latency(
        p50_ms=milliseconds(histogram, 50),
        p90_ms=milliseconds(histogram, 90),
        p99_ms=milliseconds(histogram, 99),
        p999_ms=milliseconds(histogram, 99.9),
        max_ms=milliseconds(histogram, 100),
        mean_ms=0.0 if is_empty else round(histogram.get_mean_value() / 1000, 3),
    )


def percentiles(histogram: HdrHistogram) -> list[tuple[float, float]]:
    """Percentile and milliseconds, as far as there are messages to tell it."""
    count = histogram.get_total_count()
    told = [each for each in _PLOTTED if round(count * (100 - each)) >= 100]
    return [(float(each), milliseconds(histogram, each)) for each in told]


def milliseconds(histogram: HdrHistogram, percentile: float) -> float:
    """The value at a percentile; 0 where nothing was recorded."""
    if not histogram.get_total_count():
        return 0.0
    return float(round(histogram.get_value_at_percentile(percentile) / 1000, 3))


def _histogram() -> HdrHistogram:
    return HdrHistogram(1, _LONGEST_MICROSECONDS, _SIGNIFICANT_DIGITS)


def _counted(values: bytes) -> Counter[int]:
    """How often each value came, told as finely as a histogram does.

    To record a value is dear, and with its count no dearer: recorded one by one, what a driver
    sends at its fastest would take another core.
    """
    counted: Counter[int] = Counter()
    for value, count in Counter(array("I", values)).items():
        coarse = max(value.bit_length() - _KEPT_BITS, 0)
        counted[value >> coarse << coarse] += count
    return counted


def _record(histogram: HdrHistogram, values: Counter[int]) -> None:
    for value, count in values.items():
        histogram.record_value(max(value, 1), count)
