"""What SQLite has logged, copied to its file where nobody waits for a commit.

SQLite does that within a commit, once the log has so many pages (`sqlite`): whoever waits for that
commit waits for thousands of pages and for the disk. With this it has less left to do then. Beside
commits that follow each other without a pause it would only keep the disk from them.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

_EVERY_NANOSECONDS = 10**9

_logger = logging.getLogger(__name__)
_copying = ThreadPoolExecutor(thread_name_prefix="ledger-checkpoint")


class Checkpoints:
    """Those of one file, which others may make as well: then one of them does the work."""

    def __init__(self, path: str) -> None:
        self._url = f"{Path(path).absolute().as_uri()}?mode=rw"  # a file that is gone is not made
        self._running: Future[None] | None = None
        self._last = 0  # when one ended, in nanoseconds of the monotonic clock

    def after_commit(self, *, is_pause: bool) -> None:
        """Begin one on another thread, in a pause, if the last one has ended long enough ago."""
        if not is_pause:
            return
        if self._running is not None:
            if not self._running.done():
                return
            self._running, self._last = None, time.monotonic_ns()
        if time.monotonic_ns() - self._last >= _EVERY_NANOSECONDS:
            self._running = _copying.submit(_checkpoint, self._url)


def _checkpoint(url: str) -> None:
    """Copy what no reader stands in the way of; what is left is for the next one."""
    try:
        with closing(sqlite3.connect(url, uri=True)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()
    except sqlite3.Error as error:  # the log is longer, and nothing is lost
        _logger.warning("the log was not copied to the ledger's file: %s", error)
