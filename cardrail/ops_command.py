"""`cardrail ops`: the operations API and its pages, in a process beside the gateway.

The composition root of both. stdout gets one line of JSON when requests are served, stderr the
logs.
"""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import FastAPI

from cardrail.beside import start_beside
from cardrail.opening import fail
from cardrail.ops_pages import mount_pages
from cardrail.settings import Settings
from gateway.api.app import create_app
from gateway.api.context import OpsContext
from gateway.audit_watch import AuditWatch
from gateway.cards import keys_fit
from gateway.control_client import GatewayControl
from gateway.ledger_watch import LedgerWatch
from gateway.vault import PanVault, VaultError
from ledger.database import Database

_log = structlog.get_logger()

_ENDING = (signal.SIGTERM, signal.SIGINT)


def ops(
    ledger: Annotated[
        str | None, typer.Option(help="Where the money is kept.", metavar="URL")
    ] = None,
    http: Annotated[
        str | None, typer.Option(help="Pages and API are served here.", metavar="HOST:PORT")
    ] = None,
) -> None:
    """Serve the operations API and the dashboard until SIGTERM or SIGINT.

    Settings come from CARDRAIL_ variables (deploy/cardrail.env.sample); options go before them.
    Port 0 takes a free port. Nobody is asked who he is: whoever reaches the address may do
    everything, so keep it on the machine or behind a proxy that asks.

    Example: cardrail ops --ledger sqlite:///cardrail.db
    """
    with ExitStack() as resources:
        settings, database = start_beside("ops", resources, ledger=ledger, http=http)
        listening = resources.enter_context(_listen(settings.http))
        context = _context(settings, database)
        app = create_app(context)
        mount_pages(app, settings, context, resources)
        for watch in (context.audits, context.figures):
            watch.start()
            resources.callback(watch.stop)
        _Server(app, settings, context).run([listening])


def _context(settings: Settings, database: Database) -> OpsContext:
    return OpsContext(
        database=database,
        control=GatewayControl(settings.runtime),
        vault=_vault(settings, database),
        audits=AuditWatch(database, seconds=settings.audit_seconds),
        figures=LedgerWatch(database, seconds=settings.figures_seconds),
        day_offset_minutes=settings.business_day_offset_minutes,
        test_bins=settings.test_bins.split(","),
        hosts=frozenset(filter(None, settings.http_hosts.split(","))),
    )


def _vault(settings: Settings, database: Database) -> PanVault:
    vault = settings.vault()
    try:
        with database.reading() as connection:
            fits = keys_fit(connection, vault)
    except VaultError:
        fits = False
    if not fits:
        fail("cardrail ops: the ledger's cards were issued with other keys")
    return vault


@contextmanager
def _listen(address: str) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, int(port)), family=family)
    except OSError as error:
        reason = f"{error.strerror}".partition(" (while")[0]  # it tells the address once more
        fail(f"cardrail ops: cannot listen on {address}: {reason}")
    with listening:
        yield listening


class _Server(uvicorn.Server):
    """Tells when it serves, and ends with status 0 when it is told to."""

    def __init__(self, app: FastAPI, settings: Settings, context: OpsContext) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,  # ours is configured
            log_level="warning",
            access_log=False,  # a path is not to be logged: somebody may have put a PAN there
            server_header=False,
            timeout_graceful_shutdown=int(settings.drain_seconds),
        )
        super().__init__(config)
        self._context = context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve, and say so."""
        await super().startup(sockets)
        [listening] = sockets or []
        url = _url_of(listening)
        _log.info("ready", url=url)
        print(json.dumps({"ready": True, "url": url}), flush=True)  # noqa: T201 - data

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first, which would not end by themselves."""
        _log.info("stopping")
        self._context.stopping.set()
        await super().shutdown(sockets)
        _log.info("stopped")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Without sending itself the signal once more at the end."""
        before = {number: signal.signal(number, self._end) for number in _ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.should_exit = True


def _url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
