"""`cardrail serve`: runs the gateway until it is told to stop, or several processes of it.

stdout gets one line of JSON when the links can be dialled, stderr the logs.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import structlog
import typer
from sqlalchemy.exc import SQLAlchemyError

from cardrail.gateway_process import Gateway, StartFailed
from cardrail.keys import KeyFileError
from cardrail.logs import LogWriter, configure
from cardrail.migrating import SchemaRefused, bring_up_to_date
from cardrail.settings import Settings, SettingsError, masked_url, read_settings
from cardrail.workers import NUMBER, WorkersFailed, run_workers, when_alone, worker_command
from gateway.cards import keys_fit
from gateway.control import remove_dead_sockets
from gateway.late_journal import LateJournal
from gateway.runtime_folder import make_private
from gateway.vault import PanVault, VaultError
from ledger.database import Database
from networks.wire.dialects import DIALECTS

_USAGE, _FAILED = 2, 1

_log = structlog.get_logger()


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
        Path | None, typer.Option(help="Where control sockets and journals are.", metavar="FOLDER")
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
        logs = _logs(settings, resources, _decision_file(settings, resources))
        journal = _journal(settings)  # which logs what it cannot read
        resources.callback(journal.close)
        _log.info("settings", **settings.masked())
        _run_loop(lambda: Gateway(settings, vault, database, journal, logs))


def _logs(settings: Settings, resources: ExitStack, decisions: TextIO | None) -> LogWriter:
    """Lines on stderr, written until `resources` are given back."""
    logs = LogWriter(sys.stderr, settings.log_format, decisions=decisions, level=settings.log_level)
    configure(logs)
    logs.start()
    resources.callback(logs.stop)
    return logs


def _run_loop(make_gateway: Callable[[], Gateway]) -> None:
    if sys.platform == "win32":
        asyncio.run(_serve(make_gateway))
        return
    import uvloop

    uvloop.run(_serve(make_gateway))


async def _serve(make_gateway: Callable[[], Gateway]) -> None:
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
