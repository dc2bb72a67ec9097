"""The ledger's audit, again and again, beside whoever shows what came of it."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

import msgspec

from ledger.audit import AuditReport, audit
from ledger.database import Database

_log = logging.getLogger(__name__)

_REST = 9  # so many times as long as an audit took is none made: it may read all there is


class AuditResult(msgspec.Struct, frozen=True, kw_only=True):
    """One audit: when it looked (seconds since the epoch), how long it took, what it found."""

    at: float
    seconds: float
    report: AuditReport

    @property
    def clean(self) -> bool:
        """Whether the books balance."""
        return self.report.clean


class AuditWatch:
    """Audits every so many `seconds`, in a thread of its own.

    It reads a view of its own and stands in nobody's way, but reads every row: on a large ledger it
    rests for several times as long as an audit takes, whatever `seconds` says.
    """

    def __init__(self, database: Database, *, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._latest: AuditResult | None = None
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="audit-watch", daemon=True)

    @property
    def latest(self) -> AuditResult | None:
        """The last audit that could be made, if there was one."""
        return self._latest

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; an audit under way is finished by nobody."""
        self._stopping.set()

    def audit_now(self) -> AuditResult:
        """Audit in the caller's thread.

        Raises
        ------
        Exception
            If the database cannot be read.
        """
        at, begin = time.time(), time.monotonic()
        with self._database.reading() as connection:
            report = audit(connection)
        self._latest = AuditResult(at=at, seconds=time.monotonic() - begin, report=report)
        return self._latest

    def _run(self) -> None:
        rest = 0.0
        while not self._stopping.wait(rest):
            rest = max(self._seconds, _REST * self._look())

    def _look(self) -> float:
        """Audit; how many seconds it took."""
        try:
            result = self.audit_now()
        except Exception as error:
            if not self._database.is_operating_error(error):
                raise
            _log.warning("the ledger could not be audited: %s", type(error).__name__)
            return 0.0
        if not result.clean:
            _log.error("the books do not balance: %d", len(result.report.disagreements))
        return result.seconds
