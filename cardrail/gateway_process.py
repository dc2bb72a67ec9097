"""A gateway process, put together: started, and drained when it is told to stop.

The composition root of the gateway: nothing else knows which vault, ledger, links and logs belong
together.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from collections.abc import Sequence

import structlog

from cardrail.logs import LogWriter
from cardrail.settings import Settings
from cardrail.workers import NUMBER
from gateway.approval_codes import ApprovalCodes
from gateway.card_changes import CardChanges
from gateway.card_registry import CardLookups, CardRegistry
from gateway.cards import load_cards
from gateway.control import ControlServer, ControlUnavailable
from gateway.feed import Feed
from gateway.late_journal import LateJournal
from gateway.listener import Listener
from gateway.metrics import LedgerMetrics
from gateway.open_links import OpenLinks
from gateway.processor import Issuer, Processor
from gateway.telemetry import Telemetry
from gateway.vault import PanVault
from ledger.commands import AnyCommand, Decision
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.writer import LedgerWriter
from networks.wire.dialects import DIALECTS

_log = structlog.get_logger()


class StartFailed(Exception):
    """The gateway cannot start; the message is for the person who started it."""


class Gateway:
    """The parts of a running gateway, in the order of their start."""

    def __init__(
        self,
        settings: Settings,
        vault: PanVault,
        database: Database,
        journal: LateJournal,
        logs: LogWriter,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._registry = CardRegistry()
        self._worker = int(os.environ.get(NUMBER, "1"))
        lanes = settings.ledger_lanes or database.lanes
        self._placement = Placement(lanes=lanes)
        self._ledgers = [Ledger(database, placement=self._placement) for _ in range(lanes)]
        ledger_metrics, feed, open_links = (
            LedgerMetrics(),
            Feed(self._worker),
            OpenLinks(self._worker),
        )
        self._writer = LedgerWriter(
            self._ledgers,
            self._placement,
            capacity=settings.ledger_queue,
            batch_limit=settings.ledger_batch,
            crowded_nanoseconds=int(settings.crowded_seconds * 1e9),
            on_written=ledger_metrics.written,
        )
        call_soon = asyncio.get_running_loop().call_soon_threadsafe
        self._lookups = CardLookups(database, call_soon)
        self._changes = CardChanges(
            database, self._registry.put, call_soon, seconds=settings.card_refresh_seconds
        )
        issuer = Issuer(
            vault=vault,
            registry=self._registry,
            lookups=self._lookups,
            writer=self._writer,
            policy=settings.policy(),
            codes=ApprovalCodes(time.time_ns() // 1_000_000),
            tell=logs.put,
            feed=feed,
            journal=journal,
        )
        self._database = database
        self._processors = {name: Processor(name, issuer) for name in DIALECTS}
        self._listeners = {
            name: Listener(dialect, settings.link_terms(name), self._processors[name], open_links)
            for name, dialect in DIALECTS.items()
        }
        telemetry = Telemetry(
            worker=self._worker,
            started_at=time.time(),
            processors=self._processors,
            writer=self._writer,
            ledger=ledger_metrics,
            links=open_links,
            feed=feed,
            registry=self._registry,
            logs_dropped=lambda: logs.dropped_count,
        )
        self._control = ControlServer(telemetry.snapshot, open_links, feed)

    async def start(self) -> None:
        """Load the cards, listen, and say so."""
        with self._database.reading() as connection:
            self._registry.put(load_cards(connection))
        await self._open_control()
        self._writer.start()
        self._settle_late()
        self._lookups.start()
        self._changes.start()
        addresses = {
            name: await self._listen(listener, getattr(self._settings, name))
            for name, listener in self._listeners.items()
        }
        # What lives as long as the process is not to be looked through at every collection.
        gc.collect()
        gc.freeze()
        _log.info("ready", cards=len(self._registry), **addresses)
        print(json.dumps({"ready": True, **addresses}), flush=True)  # noqa: T201 - data

    async def stop(self) -> None:
        """Take nothing new, answer what is under way, make it durable, close."""
        _log.info("stopping")
        for listener in self._listeners.values():
            listener.stop_accepting()
        seconds = self._settings.drain_seconds
        await asyncio.gather(*(each.drain(seconds) for each in self._processors.values()))
        await self._writer.stop()
        self._take_back_late()
        for listener in self._listeners.values():
            await listener.close()
        self._lookups.stop()
        self._changes.stop()
        await self._control.close()
        _log.info("stopped")

    def _settle_late(self) -> None:
        """What a gateway that was killed had answered 91 and not settled yet."""
        if owed := self._journal.owed:
            _log.warning("settling what a killed gateway owed", count=len(owed))
        for command in owed:
            self._processors[command.origin.network].late_decisions.ask_about(command)

    def _take_back_late(self) -> None:
        """What the ledger approved during the stop, after its request had been answered 91."""
        for name, processor in self._processors.items():
            try:
                processor.late_decisions.pay_with(self._apply)
            except Exception as error:
                if not self._database.is_operating_error(error):
                    raise
                count = processor.late_decisions.owed_count
                _log.error("holds not taken back", network=name, count=count)

    def _apply(self, commands: Sequence[AnyCommand]) -> list[Decision]:
        """One command, by the ledger of its account."""
        [command] = commands
        return self._ledgers[self._placement.writer_of(command.account_id)].apply([command])

    async def _open_control(self) -> None:
        """Before the links, so that a gateway that cannot be watched takes none."""
        try:
            await self._control.open(self._settings.runtime, self._worker)
        except ControlUnavailable as error:
            raise StartFailed(str(error)) from None

    async def _listen(self, listener: Listener, address: str) -> str:
        host, _, port = address.rpartition(":")
        try:
            host, real_port = await listener.open(host, int(port), shared=NUMBER in os.environ)
        except OSError as error:
            raise StartFailed(f"cannot listen on {address}: {error.strerror or error}") from None
        return f"{host}:{real_port}"
