"""`cardrail serve`: puts the gateway together, runs it, and drains it when told to stop.

The composition root of the gateway: nothing else knows which vault, ledger, links and logs belong
together. stdout gets one line of JSON when the links can be dialled, stderr the logs.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import structlog
import typer
from sqlalchemy.exc import SQLAlchemyError

from cardrail.keys import KeyFileError
from cardrail.logs import LogWriter, configure
from cardrail.migrating import SchemaRefused, bring_up_to_date
from cardrail.settings import Settings, SettingsError, masked_url, read_settings
from cardrail.workers import NUMBER, WorkersFailed, run_workers, when_alone, worker_command
from gateway.approval_codes import ApprovalCodes
from gateway.card_changes import CardChanges
from gateway.card_registry import CardLookups, CardRegistry
from gateway.cards import keys_fit, load_cards
from gateway.control import ControlServer, ControlUnavailable, remove_dead_sockets
from gateway.feed import Feed
from gateway.late_journal import LateJournal
from gateway.listener import Listener
from gateway.metrics import LedgerMetrics
from gateway.open_links import OpenLinks
from gateway.processor import Issuer, Processor
from gateway.runtime_folder import make_private
from gateway.telemetry import Telemetry
from gateway.vault import PanVault, VaultError
from ledger.commands import AnyCommand, Decision
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.writer import LedgerWriter
from networks.wire.dialects import DIALECTS

_USAGE, _FAILED = 2, 1

_log = structlog.get_logger()


class StartFailed(Exception):
    """The gateway cannot start; the message is for the person who started it."""


def serve(
    ledger: Annotated[
        str | None, typer.Option(help="Where the money is kept.", metavar="URL")
    ] = None,
    visanet: Annotated[
        str | None, typer.Option(help="VisaNet-like links are accepted here.", metavar="HOST:PORT")
    ] = None,
    quicpay: Annotated[
        str | None, typer.Option(help="QUICPay+-like links are accepted here.", metavar="HOST:PORT")
    ] = None,
    *,
    decision_log: Annotated[
        Path | None, typer.Option(help="Append every answer to this file, as lines of JSON.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="How many processes share the links.", metavar="N")
    ] = None,
    runtime: Annotated[
        Path | None, typer.Option(help="Where the control sockets are.", metavar="FOLDER")
    ] = None,
) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Settings come from CARDRAIL_ variables (deploy/cardrail.env.sample); options go before them.
    Port 0 takes a free port. Example: cardrail serve --ledger sqlite:///cardrail.db
    """
    try:
        settings = read_settings(
            ledger=ledger,
            visanet=visanet,
            quicpay=quicpay,
            decision_log=decision_log,
            workers=workers,
            runtime=runtime,
        )
    except SettingsError as error:
        _exit(_USAGE, str(error))
    try:
        if NUMBER not in os.environ:
            remove_dead_sockets(settings.runtime)
        if settings.workers == 1:
            run(settings)
        else:
            _run_workers(settings)
    except (StartFailed, WorkersFailed) as error:
        _exit(_FAILED, str(error))


def _run_workers(settings: Settings) -> None:
    """Several of what `run` is one of."""
    _database(settings).close()  # they find every table there
    options = ["--ledger", settings.ledger, "--workers", "1", "--runtime", str(settings.runtime)]
    if settings.decision_log is not None:
        options += ["--decision-log", str(settings.decision_log)]
    addresses = {f"CARDRAIL_{name.upper()}": getattr(settings, name) for name in DIALECTS}
    with ExitStack() as resources:
        _logs(settings, resources, None)  # decisions are the workers' own
        run_workers(settings.workers, worker_command(options), addresses)


def run(settings: Settings) -> None:
    """Serve until a signal comes.

    Raises
    ------
    StartFailed
        If the ledger, the keys, a file or an address cannot be used.
    """
    with ExitStack() as resources:
        database = _database(settings)
        resources.callback(database.close)
        vault = _vault(settings, database)
        journal = _journal(settings)
        resources.callback(journal.close)
        logs = _logs(settings, resources, _decision_file(settings, resources))
        _log.info("settings", **settings.masked())
        _run_loop(lambda: _Gateway(settings, vault, database, journal, logs))


def _logs(settings: Settings, resources: ExitStack, decisions: TextIO | None) -> LogWriter:
    """Lines on stderr, written until `resources` are given back."""
    logs = LogWriter(sys.stderr, settings.log_format, decisions=decisions, level=settings.log_level)
    configure(logs)
    logs.start()
    resources.callback(logs.stop)
    return logs


def _run_loop(make_gateway: Callable[[], _Gateway]) -> None:
    if sys.platform == "win32":
        asyncio.run(_serve(make_gateway))
        return
    import uvloop

    uvloop.run(_serve(make_gateway))


async def _serve(make_gateway: Callable[[], _Gateway]) -> None:
    gateway = make_gateway()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if NUMBER in os.environ:
        when_alone(stop.set)
    try:
        await gateway.start()
        await stop.wait()
    finally:
        await gateway.stop()


class _Gateway:
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


def _database(settings: Settings) -> Database:
    """The ledger's database, with its tables at the newest revision."""
    url = masked_url(settings.ledger)
    try:
        database = Database.open(settings.ledger)
        bring_up_to_date(database)
    except SchemaRefused as error:
        raise StartFailed(f"the ledger {url} {error}") from None
    except (SQLAlchemyError, ValueError) as error:
        raise StartFailed(f"cannot open the ledger {url}: {_reason(error)}") from None
    return database


def _journal(settings: Settings) -> LateJournal:
    """What is owed for late approvals, in the runtime folder."""
    runtime = settings.runtime
    try:
        make_private(runtime)
        return LateJournal(runtime, settings.ledger)
    except OSError as error:
        reason = error.strerror or error
        raise StartFailed(f"the runtime folder {runtime}: {reason}") from None
    except ValueError as error:
        raise StartFailed(str(error)) from None


def _vault(settings: Settings, database: Database) -> PanVault:
    """The vault, with the keys that the ledger's cards were issued with."""
    try:
        vault = settings.vault()
        with database.reading() as connection:
            fits = keys_fit(connection, vault)
    except KeyFileError as error:
        raise StartFailed(str(error)) from None
    except VaultError:
        fits = False
    if not fits:
        url = masked_url(settings.ledger)
        raise StartFailed(f"the cards of the ledger {url} were issued with other keys")
    return vault


def _reason(error: Exception) -> str:
    """The driver's own words, or those of the check that failed; never a statement."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _decision_file(settings: Settings, resources: ExitStack) -> TextIO | None:
    path = settings.decision_log
    if path is None:
        return None
    try:
        return resources.enter_context(path.open("a", encoding="utf-8"))
    except OSError as error:
        raise StartFailed(f"cannot write the decision log {path}: {error.strerror}") from None


def _exit(code: int, message: str) -> NoReturn:
    typer.echo(f"cardrail serve: {message}", err=True)
    raise typer.Exit(code)
