"""What two surveys of the gateways tell of the time between them, and what those times add up to.

Pure: counts in, figures out. A process that was started in between is counted from its start; one
that is seen for the first time tells nothing yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from gateway.control_client import Survey
from gateway.declines import approves
from gateway.histograms import Histogram
from gateway.snapshot import BATCH_BOUNDS, COMMIT_BOUNDS, ELAPSED_BOUNDS, Answers, Snapshot
from networks.wire.dialects import DIALECTS

AUTHORIZATION = frozenset({"authorization", "financial"})  # what is decided, not acknowledged
NETWORKS = tuple(DIALECTS)

Key = TypeVar("Key", str, "Reason")


class Reason(msgspec.Struct, frozen=True):
    """Why something was declined: DE 39, and the outcome behind it."""

    network: str
    response_code: str
    outcome: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What happened within `seconds`, up to `at` (seconds since the epoch).

    `elapsed` and `answered` are by network, all messages together; `decided` and `approved` count
    requests for authorization alone.
    """

    at: float
    seconds: float
    elapsed: Mapping[str, Histogram]
    decided: Mapping[str, int]
    approved: Mapping[str, int]
    declined: Mapping[Reason, int]
    batch_size: Histogram
    commit: Histogram

    def rate(self, network: str) -> float:
        """Answers a second."""
        found = self.elapsed.get(network)
        return found.count / self.seconds if found is not None and self.seconds else 0.0

    def quantile(self, network: str, part: float) -> float | None:
        """The seconds that so great a part of the answers took at most; ``None`` without any."""
        found = self.elapsed.get(network)
        return None if found is None else found.quantile(part)

    @property
    def approval_part(self) -> float | None:
        """Which part of what was decided was approved, 0 to 1; ``None`` if nothing was decided."""
        decided = sum(self.decided.values())
        return sum(self.approved.values()) / decided if decided else None


def empty(bounds: Sequence[float]) -> Histogram:
    """Nothing measured."""
    return Histogram(tuple(bounds), (0,) * (len(bounds) + 1), 0.0)


def between(before: Survey, after: Survey, at: float, seconds: float) -> Span:
    """What happened from one survey to the next, `seconds` later, at `at`."""
    known = {(each.worker, each.pid): each for each in before.snapshots}
    since = at - seconds
    pairs = [
        (known.get((each.worker, each.pid)), each)
        for each in after.snapshots
        if (each.worker, each.pid) in known or each.started_at >= since
    ]
    return added_up([_of_worker(was, now, at, seconds) for was, now in pairs], at, seconds)


def added_up(spans: Sequence[Span], at: float, seconds: float) -> Span:
    """Several spans as one of so many `seconds` up to `at`: of workers, or one after another."""
    elapsed: dict[str, Histogram] = {}
    for span in spans:
        for network, found in span.elapsed.items():
            elapsed[network] = elapsed[network] + found if network in elapsed else found
    return Span(
        at=at,
        seconds=seconds,
        elapsed=elapsed,
        decided=_sum(span.decided for span in spans),
        approved=_sum(span.approved for span in spans),
        declined=_sum(span.declined for span in spans),
        batch_size=sum((span.batch_size for span in spans), start=empty(BATCH_BOUNDS)),
        commit=sum((span.commit for span in spans), start=empty(COMMIT_BOUNDS)),
    )


def _of_worker(was: Snapshot | None, now: Snapshot, at: float, seconds: float) -> Span:
    decided: Counter[str] = Counter()
    approved: Counter[str] = Counter()
    declined: Counter[Reason] = Counter()
    elapsed: dict[str, Histogram] = {}
    for network, answers, fresh in _fresh(was, now):
        elapsed[network] = elapsed.get(network, empty(ELAPSED_BOUNDS)) + fresh
        if answers.message_class in AUTHORIZATION:
            decided[network] += fresh.count
            if approves(answers.response_code):
                approved[network] += fresh.count
            elif fresh.count:
                reason = Reason(network, answers.response_code, answers.outcome)
                declined[reason] += fresh.count
    ledger, earlier = now.ledger, None if was is None else was.ledger
    return Span(
        at=at,
        seconds=seconds,
        elapsed=elapsed,
        decided=decided,
        approved=approved,
        declined=declined,
        batch_size=_since(ledger.batch_size, None if earlier is None else earlier.batch_size),
        commit=_since(ledger.commit, None if earlier is None else earlier.commit),
    )


def _fresh(was: Snapshot | None, now: Snapshot) -> Iterator[tuple[str, Answers, Histogram]]:
    """Network, kind of answer, and how long those took that are new."""
    earlier = {
        (network.network, each.message_class, each.response_code, each.outcome): each.elapsed
        for network in (() if was is None else was.networks)
        for each in network.answers
    }
    for network in now.networks:
        for each in network.answers:
            key = (network.network, each.message_class, each.response_code, each.outcome)
            yield network.network, each, _since(each.elapsed, earlier.get(key))


def _since(now: Histogram, was: Histogram | None) -> Histogram:
    return now if was is None else now - was


def _sum(counts: Iterable[Mapping[Key, int]]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for each in counts:
        found.update(each)
    return found
