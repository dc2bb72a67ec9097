"""Snapshots as gateways give them, with a few numbers that matter to a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.control_client import Survey
from gateway.histograms import Histogram
from gateway.snapshot import (
    BATCH_BOUNDS,
    COMMIT_BOUNDS,
    ELAPSED_BOUNDS,
    Answers,
    LedgerSnapshot,
    LinkSnapshot,
    NetworkSnapshot,
    Snapshot,
)

Count = tuple[str, str, str]  # message class, response code, outcome

APPROVED = ("authorization", "00", "APPROVED")
NO_FUNDS = ("authorization", "51", "INSUFFICIENT_FUNDS")
REVERSED = ("reversal", "00", "APPROVED")


def measured(bounds: Sequence[float], value: float, count: int) -> Histogram:
    """So many measurements in the bucket of `value`, or above all of them."""
    place = next((n for n, bound in enumerate(bounds) if value <= bound), len(bounds))
    counts = [0] * (len(bounds) + 1)
    counts[place] = count
    return Histogram(tuple(bounds), tuple(counts), value * count)


def network(
    name: str = "visanet", counts: Mapping[Count, int] | None = None, opened: int = 1
) -> NetworkSnapshot:
    """Every answer took a millisecond."""
    return NetworkSnapshot(
        network=name,
        waiting_count=0,
        owed_count=0,
        repeats_count=0,
        answers=tuple(
            Answers(*key, measured(ELAPSED_BOUNDS, 0.001, count))
            for key, count in (counts or {}).items()
        ),
        stand_ins={},
        refused={},
        dropped_count=0,
        unmatched={},
        rejected_count=0,
        opened_count=opened,
        turned_away_count=0,
        broken={},
        failures_count=0,
    )


def link(number: int = 1, name: str = "visanet", state: str = "signed-on") -> LinkSnapshot:
    return LinkSnapshot(
        link_id=f"1-10-{number}",
        network=name,
        host="127.0.0.1",
        port=40_000 + number,
        state=state,
        opened_at=0.0,
        unanswered_count=0,
    )


def snapshot(
    counts: Mapping[Count, int] | None = None,
    *,
    worker: int = 1,
    pid: int = 10,
    started_at: float = 0.0,
    links: Sequence[LinkSnapshot] = (),
    waiting: int = 0,
    commits: int = 0,
    commit: float = 0.002,
) -> Snapshot:
    return Snapshot(
        worker=worker,
        pid=pid,
        at=0.0,
        cpu_seconds=0.0,
        started_at=started_at,
        networks=(network(counts=counts), network("quicpay", opened=0)),
        ledger=LedgerSnapshot(
            waiting_count=waiting,
            capacity=100,
            is_crowded=False,
            batch_size=measured(BATCH_BOUNDS, 4.0, commits),
            commit=measured(COMMIT_BOUNDS, commit, commits),
        ),
        links=tuple(links),
        cards_count=1,
        logs_dropped_count=0,
        feed_readers_count=0,
        feed_dropped_count=0,
    )


def survey(*snapshots: Snapshot, unreachable: tuple[int, ...] = ()) -> Survey:
    return Survey(snapshots, unreachable)
