"""Fills the journal from the gateways' feed: masks what comes, off their hot path.

Everything that the gateways answer is kept. Masking and keeping takes this process 50 to 150 us an
exchange, so that it rests as long as it has worked: from some thousands a second on the feed drops
what is not read in time, and the pages of this process stay quick.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from gateway.control_client import GatewayControl
from gateway.control_messages import MOST_EXCHANGES, Exchanges
from gateway.inspector.annotated import cover
from gateway.inspector.journal import Journal
from networks.wire.errors import WireError

_log = logging.getLogger(__name__)


class Recorder:
    """Keeps what the feed gives; `kept_count` and `skipped_count` tell how much it was."""

    def __init__(self, control: GatewayControl, journal: Journal) -> None:
        self._control = control
        self._journal = journal
        self.kept_count = 0
        self.skipped_count = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        async with self._control.feed(MOST_EXCHANGES) as batches:
            async for batch in batches:
                begin = loop.time()
                await asyncio.to_thread(self.keep, batch)
                await asyncio.sleep(loop.time() - begin)

    def keep(self, batch: Exchanges) -> None:
        """Mask and store a batch; a journal that cannot be written costs only itself."""
        self.skipped_count += batch.dropped_count
        try:
            self._journal.add([cover(each) for each in batch.exchanges])
        except (sqlite3.Error, WireError) as error:
            self.skipped_count += len(batch.exchanges)
            _log.warning("exchanges could not be kept: %s", type(error).__name__)
        else:
            self.kept_count += len(batch.exchanges)
