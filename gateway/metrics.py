"""What is counted on the way of every answer: plain integers, read out when somebody asks.

Labels come from closed sets only: networks, message classes, response codes, outcomes, names of
errors. Nothing that a message says becomes one. All of it belongs to the event loop's thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from gateway.histograms import Cell, Histogram, count_in, histogram, new_cell
from gateway.records import DecisionRecord
from gateway.snapshot import BATCH_BOUNDS, COMMIT_BOUNDS, ELAPSED_BOUNDS, Answers
from gateway.stand_in import stand_in_reason
from networks.wire.messages import Advice

OTHER = "other"
_CLASSES = {
    "010": "authorization",
    "012": "advice",
    "020": "financial",
    "022": "financial-advice",
    "030": "file-update",
    "040": "reversal",
    "042": "reversal-advice",
    "060": "administrative",
    "062": "administrative-advice",
}
# By MTI; its last digit only tells who sends, and whether again.
MESSAGE_CLASSES: Mapping[str, str] = MappingProxyType(
    {f"{mti}{origin}": name for mti, name in _CLASSES.items() for origin in range(6)}
)
_ELAPSED_MS = tuple(1000 * bound for bound in ELAPSED_BOUNDS)


_ByOutcome: TypeAlias = defaultdict[str, Cell]  # in milliseconds
_ByCode: TypeAlias = defaultdict[str, _ByOutcome]
_ByMti: TypeAlias = defaultdict[str, _ByCode]  # one in another: quicker than a key of all three


def _by_outcome() -> _ByOutcome:
    return defaultdict(partial(new_cell, _ELAPSED_MS))


def _by_code() -> _ByCode:
    return defaultdict(_by_outcome)


class NetworkMetrics:
    """What is counted of one network; the names are those of `NetworkSnapshot`."""

    __slots__ = (
        "_cells",
        "broken",
        "dropped_count",
        "failures_count",
        "opened_count",
        "refused",
        "rejected_count",
        "repeats_count",
        "stand_ins",
        "turned_away_count",
        "unmatched",
    )

    def __init__(self) -> None:
        self._cells: _ByMti = defaultdict(_by_code)
        self.repeats_count = 0
        self.stand_ins: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.dropped_count = 0
        self.unmatched: Counter[str] = Counter()
        self.rejected_count = 0
        self.opened_count = 0
        self.turned_away_count = 0
        self.broken: Counter[str] = Counter()
        self.failures_count = 0

    def answered(self, record: DecisionRecord) -> None:
        """An answer was given."""
        elapsed = record.elapsed_ms
        cell = self._cells[record.mti][record.response_code][record.outcome]
        cell[bisect_left(_ELAPSED_MS, elapsed)] += 1
        cell[-1] += elapsed
        if record.replayed:
            self.repeats_count += 1

    def advised(self, advice: Advice) -> None:
        """An advice was applied, for the first time."""
        reason = stand_in_reason(advice)
        if reason is not None:
            self.stand_ins[reason] += 1

    def answers(self) -> tuple[Answers, ...]:
        """All answers since the start, what is alike in everything but the MTI in one."""
        found: dict[tuple[str, str, str], Histogram] = {}
        for mti, by_code in self._cells.items():
            message_class = MESSAGE_CLASSES.get(mti, OTHER)
            for code, by_outcome in by_code.items():
                for outcome, cell in by_outcome.items():
                    key = message_class, code, outcome
                    elapsed = histogram(ELAPSED_BOUNDS, cell, 1000)
                    found[key] = found[key] + elapsed if key in found else elapsed
        return tuple(Answers(*key, elapsed) for key, elapsed in found.items())


class LedgerMetrics:
    """The batches that the ledger's writer has written."""

    __slots__ = ("_commit", "_size")

    def __init__(self) -> None:
        self._size = new_cell(BATCH_BOUNDS)
        self._commit = new_cell(COMMIT_BOUNDS)

    def written(self, count: int, nanoseconds: int) -> None:
        """A batch of `count` commands took so long."""
        count_in(self._size, BATCH_BOUNDS, count)
        count_in(self._commit, COMMIT_BOUNDS, nanoseconds / 1e9)

    def batch_size(self) -> Histogram:
        """How many commands they had."""
        return histogram(BATCH_BOUNDS, self._size)

    def commit(self) -> Histogram:
        """Their seconds, from the first statement to the commit."""
        return histogram(COMMIT_BOUNDS, self._commit)
