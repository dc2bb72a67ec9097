"""``cardrail sim``: play a card network against a gateway."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import time
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, NoReturn

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.live import Live

from networks.beliefs import Belief
from networks.links import Connection, IssuerUnreachable
from networks.network import Network
from networks.quicpay_sim.network import QUICPAY_NETWORK
from networks.runner import Reporting, Runner
from networks.schedule import Run
from networks.screen import screen
from networks.simulator import Simulator
from networks.tally import Phase, Progress, Tally
from networks.visanet_sim.network import VISANET_NETWORK


class NetworkName(StrEnum):
    """Which network is played."""

    VISANET = "visanet"
    QUICPAY = "quicpay"


_NETWORKS = {
    NetworkName.VISANET: (VISANET_NETWORK, "127.0.0.1:8583"),
    NetworkName.QUICPAY: (QUICPAY_NETWORK, "127.0.0.1:8584"),
}

_EVERY_SECONDS = 0.5
_GARBAGE = 50_000  # new objects between collections


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asked for."""

    connection: Connection
    run: Run
    as_json: bool
    beliefs: Path | None
    progress: str


class Output:
    """Where beliefs and progress go while a run lasts."""

    def __init__(self, options: Options, stack: ExitStack) -> None:
        self._beliefs = _opened_for_writing(options.beliefs, stack)
        self._progress = sys.stdout if options.progress == "-" else None
        if options.progress not in ("", "-"):
            self._progress = _opened_for_writing(Path(options.progress), stack)
        self._encoder = msgspec.json.Encoder()
        self._live: Live | None = None
        console = Console(stderr=True)
        if console.is_terminal:
            self._live = stack.enter_context(
                Live(console=console, auto_refresh=False, transient=True)
            )

    def settled(self, belief: Belief) -> None:
        """One authorization is finished."""
        if self._beliefs is not None:
            self._beliefs.write(self._encoder.encode(belief).decode() + "\n")

    def progress(self, progress: Progress) -> None:
        """Time to tell."""
        if self._progress is not None:
            self._progress.write(json.dumps(progress) + "\n")
            self._progress.flush()
        if self._live is not None:
            self._live.update(screen(progress), refresh=True)


def sim(
    network: Annotated[NetworkName, typer.Argument(help="The network to play.")],
    *,
    connect: Annotated[
        str | None,
        typer.Option(help="Where the gateway listens, HOST:PORT; 127.0.0.1:8583 or 8584 if not."),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, help="Authorizations begun a second.")] = 100,
    seconds: Annotated[
        float, typer.Option(min=0.01, help="How long authorizations are begun.")
    ] = 10,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same traffic.")] = 1,
    cards: Annotated[int, typer.Option(min=1, help="Use the seeded cards 1 to this one.")] = 1000,
    links: Annotated[int, typer.Option(min=1, max=64, help="Links at once.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    beliefs: Annotated[
        Path | None,
        typer.Option(help="Write what is believed of each authorization, as JSON lines."),
    ] = None,
    progress: Annotated[
        str, typer.Option(help="Write progress as JSON lines to a file, or - for stdout.")
    ] = "",
    patience: Annotated[float, typer.Option(min=0.0, help="Seconds the gateway may be away.")] = 15,
) -> None:
    """Play a card network against a gateway: VisaNet-like or QUICPay+-like.

    Exits with 0 only if everything was answered, and every repeat like the first time.

    Example: cardrail sim visanet --connect 127.0.0.1:8583 --rate 200 --seconds 30 --seed 7
    """
    played, usual_address = _NETWORKS[network]
    options = Options(
        connection=_connection(connect or usual_address, links, patience),
        run=Run(rate=rate, seconds=seconds, seed=seed, cards=cards),
        as_json=as_json,
        beliefs=beliefs,
        progress=progress,
    )
    _play(played, options)


def _connection(connect: str, links: int, patience: float) -> Connection:
    host, _, port = connect.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise typer.BadParameter("expected HOST:PORT, e.g. 127.0.0.1:8583", param_hint="--connect")
    return Connection(host=host.strip("[]"), port=int(port), links=links, patience_seconds=patience)


def _play(network: Network, options: Options) -> NoReturn:
    """Run, tell, and exit: 0 if every promise was kept, 1 if not."""
    with ExitStack() as stack:
        output = Output(options, stack)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                simulator = runner.run(_run(network, options, output))
        except IssuerUnreachable as error:
            typer.echo(f"sim {network.name}: {error}", err=True)
            if options.as_json:
                _print_summary(Tally(network.name), options, is_ok=False)
            raise typer.Exit(1) from None
    is_ok = simulator.kept_its_promises
    _print_summary(simulator.tally, options, is_ok=is_ok)
    raise typer.Exit(0 if is_ok else 1)


async def _run(network: Network, options: Options, output: Output) -> Simulator:
    reporting = Reporting(settled=output.settled, progress=output.progress, seconds=_EVERY_SECONDS)
    runner = Runner(network, options.run, options.connection, reporting)
    gc.freeze()  # what is imported stays; collecting it again and again would delay messages
    gc.set_threshold(_GARBAGE)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, runner.stop)
    return await runner.run()


def _print_summary(tally: Tally, options: Options, *, is_ok: bool) -> None:
    """The last progress, and what was asked for."""
    last = tally.progress(Phase.DONE, tally.elapsed, 0, 0)
    if options.as_json:
        run = options.run
        summary = {
            **last,
            "ok": is_ok,
            "rate": run.rate,
            "seconds": run.seconds,
            "seed": run.seed,
            "cards": run.cards,
            "cpu_seconds": round(time.process_time(), 3),
        }
        sys.stdout.write(json.dumps(summary) + "\n")
        return
    Console().print(screen(last))


def _opened_for_writing(path: Path | None, stack: ExitStack) -> IO[str] | None:
    if path is None:
        return None
    try:
        return stack.enter_context(path.open("w", encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"cannot write {path}: {error.strerror}") from None
