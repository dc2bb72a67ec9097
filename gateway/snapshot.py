"""What a gateway process tells of itself when it is asked: counts since its start, and its links.

Counts only grow while a process lives, so two snapshots of one process (`worker` and `pid`) tell
what happened between them. Times are seconds since the epoch, durations seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.histograms import Histogram

# Upper bounds of buckets. An answer is late from the deadline on (1.5 s unless set otherwise).
ELAPSED_BOUNDS = (
    *(0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012),
    *(0.016, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5),
)
COMMIT_BOUNDS = (
    *(0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 4.0),
)
BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)


class Answers(msgspec.Struct, frozen=True, gc=False):
    """The answers of one kind that one network got, by the time they took.

    `message_class` is a value of `metrics.MESSAGE_CLASSES`, `outcome` that of a `DecisionRecord`.
    """

    message_class: str
    response_code: str
    outcome: str
    elapsed: Histogram


class NetworkSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What came and went over the links of one network.

    Attributes
    ----------
    waiting_count
        Requests without an answer, now.
    owed_count
        Approvals that came too late and are still to be taken back, now.
    repeats_count
        Answers that were given a second time.
    stand_ins
        Advices that somebody else had decided, by reason (`stand_in.REASONS`).
    refused
        Messages that were not accepted, by the name of the error.
    dropped_count
        Requests that were not read because the link was full.
    unmatched
        Answers that belong to no request of ours, by reason.
    rejected_count
        Messages of ours that the network gave back.
    opened_count, turned_away_count
        Links that were accepted, and those beyond the limit.
    broken
        Links that could not go on, by the name of the error.
    failures_count
        Requests that a mistake of ours struck.
    """

    network: str
    waiting_count: int
    owed_count: int
    repeats_count: int
    stand_ins: Mapping[str, int]
    answers: tuple[Answers, ...]
    refused: Mapping[str, int]
    dropped_count: int
    unmatched: Mapping[str, int]
    rejected_count: int
    opened_count: int
    turned_away_count: int
    broken: Mapping[str, int]
    failures_count: int

    def elapsed(self) -> Histogram:
        """The time that answers took, all kinds together."""
        none = Histogram(ELAPSED_BOUNDS, (0,) * (len(ELAPSED_BOUNDS) + 1), 0.0)
        return sum((each.elapsed for each in self.answers), start=none)


class LedgerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's writer: what waits for it now, and the batches it has written.

    `commit` is the time of a batch in seconds, from its first statement to its commit.
    """

    waiting_count: int
    capacity: int
    is_crowded: bool
    batch_size: Histogram
    commit: Histogram


class LinkSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One link: `link_id` is never used again, `state` the value of a `LinkState`."""

    link_id: str
    network: str
    host: str
    port: int
    state: str
    opened_at: float
    unanswered_count: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One gateway process, `worker` from 1; `cpu_seconds` is what all its threads have used."""

    worker: int
    pid: int
    at: float
    started_at: float
    cpu_seconds: float
    networks: tuple[NetworkSnapshot, ...]
    ledger: LedgerSnapshot
    links: tuple[LinkSnapshot, ...]
    cards_count: int
    logs_dropped_count: int
    feed_readers_count: int
    feed_dropped_count: int
