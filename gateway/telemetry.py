"""A gateway process as others see it: puts its snapshot together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.card_registry import CardRegistry
from gateway.feed import Feed
from gateway.metrics import LedgerMetrics
from gateway.open_links import OpenLinks
from gateway.processor import Processor
from gateway.snapshot import LedgerSnapshot, NetworkSnapshot, Snapshot
from ledger.writer import LedgerWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a snapshot is taken of."""

    worker: int
    started_at: float
    processors: Mapping[str, Processor]
    writer: LedgerWriter
    ledger: LedgerMetrics
    links: OpenLinks
    feed: Feed
    registry: CardRegistry
    logs_dropped: Callable[[], int]

    def snapshot(self) -> Snapshot:
        """As it is now."""
        return Snapshot(
            worker=self.worker,
            pid=os.getpid(),
            at=time.time(),
            started_at=self.started_at,
            cpu_seconds=time.process_time(),
            networks=tuple(_network(*each) for each in self.processors.items()),
            ledger=LedgerSnapshot(
                waiting_count=self.writer.waiting_count,
                capacity=self.writer.capacity,
                is_crowded=self.writer.is_crowded(),
                batch_size=self.ledger.batch_size(),
                commit=self.ledger.commit(),
            ),
            links=self.links.snapshot(),
            cards_count=len(self.registry),
            logs_dropped_count=self.logs_dropped(),
            feed_readers_count=self.feed.readers_count,
            feed_dropped_count=self.feed.dropped_count,
        )


def _network(name: str, processor: Processor) -> NetworkSnapshot:
    metrics = processor.metrics
    return NetworkSnapshot(
        network=name,
        waiting_count=processor.waiting_count,
        owed_count=processor.late_decisions.owed_count,
        repeats_count=metrics.repeats_count,
        stand_ins=dict(metrics.stand_ins),
        answers=metrics.answers(),
        refused=dict(metrics.refused),
        dropped_count=metrics.dropped_count,
        unmatched=dict(metrics.unmatched),
        rejected_count=metrics.rejected_count,
        opened_count=metrics.opened_count,
        turned_away_count=metrics.turned_away_count,
        broken=dict(metrics.broken),
        failures_count=metrics.failures_count,
    )
