"""The last declines, from the gateways themselves: pushed to every page as they come.

A decline is on the page when whoever is on call looks for it, whatever the ledger's lock, the
publisher and the broker have to do first. Of very many the gateways give a part (`Declines`).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence

from nicegui import Event

from gateway.control_client import GatewayControl
from gateway.control_messages import Declines
from gateway.records import DecisionRecord

_KEPT = 50
_REST_SECONDS = 0.1  # between two pushes: quicker than a person sees
_SAMPLED_SECONDS = 1.0


class LastDeclines:
    """Of all gateways, for every page; belongs to the running event loop.

    `changed` is emitted where there are new ones.
    """

    def __init__(self, control: GatewayControl) -> None:
        self._control = control
        self._records: deque[DecisionRecord] = deque(maxlen=_KEPT)
        self._timer: asyncio.TimerHandle | None = None
        self._pushed_at = self._dropped_at = -math.inf
        self.changed: Event[()] = Event()

    @property
    def newest(self) -> Sequence[DecisionRecord]:
        """The last ones, newest first."""
        return tuple(reversed(self._records))

    @property
    def is_sampled(self) -> bool:
        """Whether some were left out of late."""
        return time.monotonic() - self._dropped_at < _SAMPLED_SECONDS

    async def run(self) -> None:
        """Until it is cancelled."""
        async with self._control.declines() as batches:
            async for batch in batches:
                self._take(batch)

    def _take(self, batch: Declines) -> None:
        now = time.monotonic()
        self._records.extend(batch.records)
        if batch.dropped_count:
            self._dropped_at = now
        if self._timer is None:
            rest = max(0.0, self._pushed_at + _REST_SECONDS - now)
            self._timer = asyncio.get_running_loop().call_later(rest, self._push)

    def _push(self) -> None:
        self._timer, self._pushed_at = None, time.monotonic()
        self.changed.emit()
