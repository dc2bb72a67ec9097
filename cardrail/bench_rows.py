"""A row of a benchmark: so many in so long, and how long each took."""

from __future__ import annotations

from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

from cardrail.engine import Engine

_LONGEST_NANOSECONDS = 600 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of work, measured; `errors` counts what was not approved or not answered.

    `in_flight` is the most that was under way, ``None`` where the loop was open.
    """

    name: str
    engine: str
    in_flight: int | None
    per_second: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    seconds: float
    errors: int


def nanoseconds() -> HdrHistogram:
    """An empty histogram of latencies."""
    return HdrHistogram(1, _LONGEST_NANOSECONDS, 3)


def row_of(
    name: str,
    engine: Engine,
    latencies: HdrHistogram,
    *,
    done: int,
    seconds: float,
    in_flight: int,
    errors: int,
) -> Row:
    """`done` in so many `seconds`, each or each batch of which took one of the `latencies`."""
    p50, p99, p999 = (latencies.get_value_at_percentile(each) / 1e6 for each in (50, 99, 99.9))
    return Row(
        name=name,
        engine=engine.value,
        in_flight=in_flight,
        per_second=done / seconds,
        p50_ms=p50,
        p99_ms=p99,
        p999_ms=p999,
        seconds=seconds,
        errors=errors,
    )
