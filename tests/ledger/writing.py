"""A writer's ledger that waits for the test, and a receiver of its decisions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from ledger.commands import AnyCommand, Decision
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.outcomes import Outcome
from ledger.writer import Undecided
from tests.ledger.books import Books


class Gated(Ledger):
    """A real ledger whose batches wait until the test lets them through."""

    def __init__(self, books: Books, placement: Placement = Placement()) -> None:  # noqa: B008 - frozen
        super().__init__(books.database, placement=placement)
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.batches: list[int] = []

    def apply(self, batch: Sequence[AnyCommand]) -> list[Decision]:
        self.entered.release()
        assert self.gate.acquire(timeout=30)
        self.batches.append(len(batch))
        return super().apply(batch)

    async def someone_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, True, 30)


class Answers:
    """Collects decisions, on the loop's thread only."""

    def __init__(self) -> None:
        self.decided: list[Decision | Undecided] = []
        self.thread = threading.get_ident()

    def __call__(self, decision: Decision | Undecided) -> None:
        assert threading.get_ident() == self.thread
        self.decided.append(decision)

    @property
    def outcomes(self) -> list[Outcome | Undecided]:
        return [each if isinstance(each, Undecided) else each.outcome for each in self.decided]
