"""What the ledger's own tables tell of its state, read again and again beside the hot path."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from threading import Event, Thread

import msgspec

from gateway.clearing_lag import ClearingLags
from gateway.histograms import Histogram
from ledger.database import Database
from ledger.hold_ageing import HoldAge, hold_ages, overdue_count
from ledger.house import Placement
from ledger.outbox_watch import Lag, lags, unnumbered_count

_REST = 9  # so many times as long as a look took is none made: it reads every pending hold

_log = logging.getLogger(__name__)


class LedgerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One look: when it was begun (seconds since the epoch), and what it found.

    `unnumbered_count` is rows of the outbox that no reader can have seen yet.
    """

    at: float
    hold_ages: tuple[HoldAge, ...]
    overdue_count: int
    lags: tuple[Lag, ...]
    unnumbered_count: int
    clearing_lags: Mapping[str, Histogram]


class LedgerWatch:
    """Looks every so many `seconds`, in a thread of its own.

    `latest` is what the last look found, and nothing while the ledger cannot be read.
    """

    def __init__(
        self,
        database: Database,
        placement: Placement = Placement(),  # noqa: B008 - frozen
        *,
        seconds: float,
    ) -> None:
        self._database = database
        self._outbox = placement.outbox(0)
        self._seconds = seconds
        self._clearing_lags = ClearingLags()
        self._latest: LedgerFigures | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="ledger-watch", daemon=True)

    @property
    def latest(self) -> LedgerFigures | None:
        """What the last look found."""
        return self._latest

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; nobody waits for a look that is under way."""
        self._stopping.set()

    def look(self) -> LedgerFigures:
        """Look in the caller's thread.

        Raises
        ------
        Exception
            If the database cannot be read.
        """
        at = time.time()
        now = int(at * 1_000_000)
        with self._database.reading() as connection:
            self._clearing_lags.look(connection, self._outbox)
            return LedgerFigures(
                at=at,
                hold_ages=tuple(hold_ages(connection, now)),
                overdue_count=overdue_count(connection, now),
                lags=tuple(lags(connection, self._outbox)),
                unnumbered_count=unnumbered_count(connection, self._outbox),
                clearing_lags=self._clearing_lags.by_network(),
            )

    def _run(self) -> None:
        rest = 0.0
        while not self._stopping.wait(rest):
            begin = time.monotonic()
            self._latest = self._look_if_possible()
            rest = max(self._seconds, _REST * (time.monotonic() - begin))

    def _look_if_possible(self) -> LedgerFigures | None:
        try:
            return self.look()
        except Exception as error:
            if not self._database.is_operating_error(error):
                raise
            _log.warning("the ledger could not be looked at: %s", type(error).__name__)
            return None
