"""Batches that the ledger is asked to decide, whatever goes wrong with one of their commands."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ledger.commands import AnyCommand, Decision
from ledger.database import OutcomeUnknown
from ledger.ledger import Ledger, NotBeside
from ledger.queued import Undecided
from ledger.reading_ahead import ReadAhead

_logger = logging.getLogger(__name__)


class Attempts:
    """A ledger, asked so that every command of a batch has an answer."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._is_away = False  # the database, at the last attempt
        self._parts: list[Sequence[AnyCommand]] = []  # of a batch, still to be decided
        self.are_last = False  # a database that is away is not asked again

    @property
    def is_halving(self) -> bool:
        """Whether parts of a batch are still to be decided, one after the other."""
        return bool(self._parts)

    def decide(self, commands: Sequence[AnyCommand]) -> list[Decision | Undecided]:
        """If one of them cannot be written it is found by halves: its neighbours do not suffer."""
        decisions = list[Decision | Undecided]()
        self._parts = [commands]
        while self._parts:
            part = self._parts.pop()
            decided = self._attempt(part)
            if decided is None:
                half = len(part) // 2
                self._parts += [part[half:], part[:half]]
            else:
                decisions += decided
        return decisions

    def decide_beside(
        self, commands: Sequence[AnyCommand], ahead: ReadAhead | None
    ) -> list[Decision | Undecided] | None:
        """While the batch before is being written; None if they have to come after it."""
        try:
            return [*self._ledger.apply_beside(commands, ahead)]
        except NotBeside:
            return None
        except OutcomeUnknown as error:
            return self._lost(len(commands), error)

    def _attempt(self, commands: Sequence[AnyCommand]) -> Sequence[Decision | Undecided] | None:
        """None if one of several cannot be written."""
        count = len(commands)
        if self._is_away and self.are_last:
            return [Undecided.NOT_DONE] * count
        try:
            decisions = self._ledger.apply(commands)
        except OutcomeUnknown as error:
            return self._lost(count, error)
        except Exception as error:
            self._is_away = self._ledger.database.is_operating_error(error)
            if self._is_away or count == 1:
                _logger.exception("the ledger could not write a batch of %d", count)
                return [Undecided.NOT_DONE] * count
            return None
        self._is_away = False
        return decisions

    def _lost(self, count: int, error: OutcomeUnknown) -> list[Decision | Undecided]:
        self._is_away = True
        _logger.error("the ledger was lost while it committed a batch of %d", count, exc_info=error)
        return [Undecided.UNKNOWN] * count
