"""What is counted on the way of every answer: plain integers, read out when somebody asks.

Labels come from closed sets only: networks, message classes, response codes, outcomes, names of
errors. Nothing that a message says becomes one. All of it belongs to the event loop's thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from gateway.histograms import Histogram
from gateway.records import DecisionRecord
from gateway.snapshot import BATCH_BOUNDS, COMMIT_BOUNDS, ELAPSED_BOUNDS, Answers

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


def _cell() -> list[float]:
    """The count of each bucket, and last the sum in milliseconds."""
    return [0] * (len(_ELAPSED_MS) + 2)


_ByOutcome: TypeAlias = defaultdict[str, list[float]]
_ByCode: TypeAlias = defaultdict[str, _ByOutcome]
_ByMti: TypeAlias = defaultdict[str, _ByCode]  # one in another: quicker than a key of all three


def _by_outcome() -> _ByOutcome:
    return defaultdict(_cell)


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
        "turned_away_count",
        "unmatched",
    )

    def __init__(self) -> None:
        self._cells: _ByMti = defaultdict(_by_code)
        self.repeats_count = 0
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

    def answers(self) -> tuple[Answers, ...]:
        """All answers since the start, what is alike in everything but the MTI in one."""
        found: dict[tuple[str, str, str], Histogram] = {}
        for mti, by_code in self._cells.items():
            message_class = MESSAGE_CLASSES.get(mti, OTHER)
            for code, by_outcome in by_code.items():
                for outcome, cell in by_outcome.items():
                    key = message_class, code, outcome
                    elapsed = _histogram(ELAPSED_BOUNDS, cell, 1000)
                    found[key] = found[key] + elapsed if key in found else elapsed
        return tuple(Answers(*key, elapsed) for key, elapsed in found.items())


class LedgerMetrics:
    """The batches that the ledger's writer has written."""

    __slots__ = ("_commit", "_size")

    def __init__(self) -> None:
        self._size: list[float] = [0] * (len(BATCH_BOUNDS) + 2)
        self._commit: list[float] = [0] * (len(COMMIT_BOUNDS) + 2)

    def written(self, count: int, nanoseconds: int) -> None:
        """A batch of `count` commands took so long."""
        self._size[bisect_left(BATCH_BOUNDS, count)] += 1
        self._size[-1] += count
        seconds = nanoseconds / 1e9
        self._commit[bisect_left(COMMIT_BOUNDS, seconds)] += 1
        self._commit[-1] += seconds

    def batch_size(self) -> Histogram:
        """How many commands they had."""
        return _histogram(BATCH_BOUNDS, self._size)

    def commit(self) -> Histogram:
        """Their seconds, from the first statement to the commit."""
        return _histogram(COMMIT_BOUNDS, self._commit)


def _histogram(bounds: tuple[float, ...], cell: Sequence[float], unit: int = 1) -> Histogram:
    """Buckets and sum of `cell`, whose sum is in `unit` parts."""
    return Histogram(bounds, tuple(map(int, cell[:-1])), cell[-1] / unit)
