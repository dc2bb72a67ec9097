"""Fills the journal from the gateways' feed: masks what comes, off their hot path and this loop.

To mask an exchange costs more than to decide it. So at most so many a second are kept, those that
were declined before the others, and the rest is counted.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence

from gateway.control_client import GatewayControl
from gateway.control_messages import Exchanged, Exchanges
from gateway.inspector.annotated import annotate
from gateway.inspector.journal import Journal
from gateway.response_codes import APPROVED
from networks.wire.errors import WireError

_log = logging.getLogger(__name__)

_LOOKED_AT = 100  # of each batch, twenty a second: among them declines are looked for
_CARRIED_SECONDS = 1  # what was not used in a quiet moment may be used in the next


class Recorder:
    """Keeps at most `a_second` exchanges of each second; `kept_count` and `skipped_count` tell."""

    def __init__(self, control: GatewayControl, journal: Journal, *, a_second: int) -> None:
        self._control = control
        self._journal = journal
        self._a_second = a_second
        self._allowed = float(a_second)
        self._since = 0.0
        self.kept_count = 0
        self.skipped_count = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        async with self._control.feed(_LOOKED_AT) as batches:
            async for batch in batches:
                chosen = self.choose(batch, loop.time())
                await asyncio.to_thread(self._keep, chosen)

    def choose(self, batch: Exchanges, now: float) -> list[Exchanged]:
        """What of a batch is kept at `now` (seconds): declined ones first, then as many others."""
        grown = self._allowed + (now - self._since) * self._a_second
        self._allowed = min(grown, float(self._a_second * _CARRIED_SECONDS))
        self._since = now
        given = batch.exchanges
        declined_first = sorted(given, key=lambda each: each.record.response_code == APPROVED)
        chosen = declined_first[: int(self._allowed)]
        self._allowed -= len(chosen)
        self.skipped_count += len(given) - len(chosen) + batch.dropped_count
        return sorted(chosen, key=lambda each: each.record.at)

    def _keep(self, chosen: Sequence[Exchanged]) -> None:
        """A journal that cannot be written costs only itself."""
        try:
            self._journal.add([annotate(each) for each in chosen])
            self.kept_count += len(chosen)
        except (sqlite3.Error, WireError) as error:
            self.skipped_count += len(chosen)
            _log.warning("exchanges could not be kept: %s", type(error).__name__)
