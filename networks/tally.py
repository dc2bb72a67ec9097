"""What a run counts, and the shape in which it is told (progress lines and the summary)."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TypedDict

from hdrh.histogram import HdrHistogram

from networks.beliefs import APPROVALS, Belief

_LONGEST_MICROSECONDS = 120_000_000
_SIGNIFICANT_DIGITS = 3


class Phase(StrEnum):
    """Where a run is."""

    CONNECTING = "connecting"
    RUNNING = "running"
    SETTLING = "settling"  # no new authorizations; what was begun is brought to its end
    DONE = "done"


class Progress(TypedDict):
    """One progress line, and the summary's first part. Counts are since the beginning.

    sent, answered
        Messages of every kind, and answers to them; repeats count as sent again.
    authorizations, approved, declined
        Opening messages answered, by outcome; `declined` by response code.
    p50_ms, p99_ms, p999_ms
        Answer to an opening message, counted from its intended send time.
    repeats, repeats_differing
        Repeats answered after a first answer, and those whose bytes were not the first ones.
    timeouts, late
        Timers that ran out for real, and answers that came after that.
    reversals, reversed_partly, increments, stood_in, completed
        Acknowledged messages of that kind.
    cleared, cleared_amount, credited_amount
        Clearing messages acknowledged; minor units.
    holds, held_amount
        Authorizations that are believed to hold something now; minor units.
    refused
        Later messages that were not accepted, as "deed code".
    broken_promises
        Reversed before they came, and approved all the same.
    """

    network: str
    phase: str
    elapsed: float
    links: int
    in_flight: int
    sent: int
    answered: int
    authorizations: int
    approved: int
    declined: dict[str, int]
    p50_ms: float
    p99_ms: float
    p999_ms: float
    repeats: int
    repeats_differing: int
    timeouts: int
    late: int
    reversals: int
    reversed_partly: int
    increments: int
    stood_in: int
    completed: int
    cleared: int
    cleared_amount: int
    credited_amount: int
    holds: int
    held_amount: int
    refused: dict[str, int]
    unanswered: int
    broken_promises: int


class Tally:
    """The counts of one run; the engine writes to its attributes."""

    def __init__(self, network: str) -> None:
        self.network = network
        self.counts: Counter[str] = Counter()
        self.declined: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.elapsed = 0.0
        self.holds = 0
        self.held_amount = 0
        self._latency = HdrHistogram(1, _LONGEST_MICROSECONDS, _SIGNIFICANT_DIGITS)

    def opened(self, response_code: str, seconds: float | None) -> None:
        """An opening message was answered, `seconds` after its intended time."""
        self.counts["authorizations"] += 1
        if response_code in APPROVALS:
            self.counts["approved"] += 1
        else:
            self.declined[response_code] += 1
        if seconds is not None:
            self._latency.record_value(max(round(seconds * 1e6), 1))

    def believed(self, before: Belief, now: Belief) -> None:
        """A belief changed."""
        self.holds += (now.held > 0) - (before.held > 0)
        self.held_amount += now.held - before.held
        self.counts["cleared_amount"] += now.cleared - before.cleared
        self.counts["credited_amount"] += now.credited - before.credited

    def milliseconds(self) -> tuple[float, float, float]:
        """p50, p99 and p99.9 of the latency of opening messages."""
        found = self._latency.get_percentile_to_value_dict([50.0, 99.0, 99.9])
        if not found:
            return 0.0, 0.0, 0.0  # nothing was recorded yet
        return found[50.0] / 1000, found[99.0] / 1000, found[99.9] / 1000

    def progress(self, phase: Phase, elapsed: float, links: int, in_flight: int) -> Progress:
        """What is told now; `elapsed` in seconds since sign-on."""
        self.elapsed = elapsed
        p50, p99, p999 = self.milliseconds()
        counts = self.counts
        return Progress(
            network=self.network,
            phase=phase,
            elapsed=round(elapsed, 3),
            links=links,
            in_flight=in_flight,
            sent=counts["sent"],
            answered=counts["answered"],
            authorizations=counts["authorizations"],
            approved=counts["approved"],
            declined=dict(sorted(self.declined.items())),
            p50_ms=p50,
            p99_ms=p99,
            p999_ms=p999,
            repeats=counts["repeats"],
            repeats_differing=counts["repeats_differing"],
            timeouts=counts["timeouts"],
            late=counts["late"],
            reversals=counts["reversals"],
            reversed_partly=counts["reversed_partly"],
            increments=counts["increments"],
            stood_in=counts["stood_in"],
            completed=counts["completed"],
            cleared=counts["cleared"],
            cleared_amount=counts["cleared_amount"],
            credited_amount=counts["credited_amount"],
            holds=self.holds,
            held_amount=self.held_amount,
            refused=dict(sorted(self.refused.items())),
            unanswered=counts["unanswered"],
            broken_promises=counts["broken_promises"],
        )
