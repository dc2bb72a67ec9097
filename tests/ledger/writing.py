"""A writer's ledger that waits for the test, and a receiver of its decisions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from functools import partial

from ledger.commands import AnyCommand, Decision
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.outcomes import Outcome
from ledger.waiting import call
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
        assert call(partial(self.gate.acquire, timeout=30))
        self.batches.append(len(batch))
        return super().apply(batch)

    async def someone_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, True, 30)


class Answers:
    """Collects decisions, on the loop's thread only."""

    def __init__(self) -> None:
        self.decided: list[Decision | Undecided] = []
        self.thread = threading.get_ident()
        self._more = asyncio.Event()

    def __call__(self, decision: Decision | Undecided) -> None:
        assert threading.get_ident() == self.thread
        self.decided.append(decision)
        self._more.set()

    async def some(self, count: int = 1) -> None:
        """Wait until there are so many."""
        while len(self.decided) < count:
            self._more.clear()
            await self._more.wait()

    @property
    def decisions(self) -> list[Decision]:
        """All of them, which must be decided."""
        made = [each for each in self.decided if isinstance(each, Decision)]
        assert made == self.decided
        return made

    @property
    def outcomes(self) -> list[Outcome | Undecided]:
        return [each if isinstance(each, Undecided) else each.outcome for each in self.decided]
