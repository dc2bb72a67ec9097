"""What the operations process has at hand; put together by `cardrail ops`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from gateway.audit_watch import AuditWatch
from gateway.business_day import BusinessCalendar
from gateway.control_client import GatewayControl
from gateway.ledger_watch import LedgerWatch
from gateway.vault import PanVault
from ledger.commands import AnyCommand, Decision
from ledger.database import Database
from ledger.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsContext:
    """Ledger, cards and gateways, for every page and resource of one process.

    Attributes
    ----------
    test_bins
        Cards are issued in these ranges only.
    hosts
        Names under which the API is reached, besides addresses and ``localhost``.
    stopping
        Set when the process is told to stop: streams end then.
    """

    database: Database
    control: GatewayControl
    vault: PanVault
    audits: AuditWatch
    figures: LedgerWatch
    day_offset_minutes: int
    test_bins: Sequence[str]
    hosts: frozenset[str] = frozenset()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _ledger: Ledger = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ledger", Ledger(self.database))  # frozen from here on

    def apply(self, command: AnyCommand) -> Decision:
        """Have the ledger decide one command, as a gateway would; blocks until it is durable.

        Raises
        ------
        Exception
            As `Ledger.apply`.
        """
        with self._lock:
            return self._ledger.apply([command])[0]

    def business_day(self, at: int) -> int:
        """The business day (YYYYMMDD) at `at`, microseconds since the epoch."""
        return BusinessCalendar(self.day_offset_minutes).day(at).number


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000
