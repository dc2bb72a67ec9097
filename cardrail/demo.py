"""The demo: everything as processes of their own around a fresh ledger.

Gateway, jobs, publisher with its broker, operations and simulated networks: it starts them, shows
what they report, stops them, and hands what they left behind to the comparison of the three truths.
Nothing is shared with the children but files and the wire.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
from rich.console import Console

from cardrail.broker import EmbeddedBroker
from cardrail.demo_report import Report, report
from cardrail.demo_screen import TITLES, live_screen, plain_lines
from cardrail.processes import Child, ChildFailed, Children
from networks.tally import Progress

_READY_SECONDS = 30.0
_SETTLE_SECONDS = 120.0  # after the last authorization: clearing, repeats, sign-off
_LOOK_SECONDS = 0.25
# What makes the demo worth watching: balances that run out, and a fee to be seen in the books.
_OPENING_BALANCE = 60_000
_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "CARDRAIL_CASH_FEE": "110",
        # A demo is short: what is looked at seldom would not be seen in it.
        "CARDRAIL_AUDIT_SECONDS": "10",
        "CARDRAIL_FIGURES_SECONDS": "2",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: authorizations a second on each network, for so many seconds.

    `ledger` is a database URL, ``None`` for a fresh embedded one that is thrown away; `http` is
    HOST:PORT of the dashboard, port 0 for a free one.
    """

    seconds: float
    rate: float
    cards: int
    seed: int
    http: str = "127.0.0.1:0"
    ledger: str | None = None


class Ready(msgspec.Struct, frozen=True):
    """The line with which the gateway says where it listens."""

    visanet: str
    quicpay: str


class OpsReady(msgspec.Struct, frozen=True):
    """The line with which operations say where their pages are."""

    url: str


def run(plan: Plan, console: Console) -> Report:
    """Run the demo to its end; the screen, and what goes wrong, go to `console`.

    Raises
    ------
    ChildFailed
        If one of the processes ends early, hangs, or reports a failure of its own.
    NoBroker, BrokerFailed
        If there is no broker for the events.
    """
    with (
        tempfile.TemporaryDirectory(prefix="cardrail-demo-") as folder,
        EmbeddedBroker() as broker,
        Children(Path(folder), _environment(folder, broker)) as children,
    ):
        ledger = plan.ledger or f"sqlite:///{folder}/cardrail.db"
        started_at = _seed(children, plan, ledger)
        decisions = Path(folder, "decisions.jsonl")
        ops = children.start("ops", ["ops", "--ledger", ledger, "--http", plan.http])
        gateway = _start_gateway(children, ledger, decisions)
        readers = [children.start(name, [name, "--ledger", ledger]) for name in ("publish", "jobs")]
        pages = msgspec.json.decode(ops.read_line(_READY_SECONDS), type=OpsReady)
        console.print(f"Dashboard, API and metrics: {pages.url}", highlight=False)
        sims = _start_networks(children, plan, gateway)
        _watch(sims, plan, console)
        summaries = {
            name: msgspec.json.decode(sim.finish(_READY_SECONDS)) for name, sim in sims.items()
        }
        for child in (gateway, ops, *readers):  # these last: they read what is left
            if (status := child.stop()) != 0:
                raise ChildFailed(child, f"exited with {status}")
        beliefs = [_beliefs(children, name) for name in sims]
        return report(summaries, beliefs, decisions, ledger, started_at)


def _environment(folder: str, broker: EmbeddedBroker) -> dict[str, str]:
    ours = {"CARDRAIL_RUNTIME": f"{folder}/run", "CARDRAIL_MQTT": broker.url}
    return {**os.environ, **_ENVIRONMENT, **ours}


def _seed(children: Children, plan: Plan, ledger: str) -> int:
    """Accounts and cards; returns when it was done, microseconds since the epoch."""
    arguments = ["ledger", "seed", "--ledger", ledger, "--accounts", str(plan.cards)]
    seed = children.start("seed", [*arguments, "--balance", str(_OPENING_BALANCE)])
    seed.finish(_READY_SECONDS)
    if seed.process.returncode != 0:
        raise ChildFailed(seed, f"exited with {seed.process.returncode}")
    return time.time_ns() // 1000


def _start_gateway(children: Children, ledger: str, decisions: Path) -> Child:
    anywhere = "127.0.0.1:0"
    addresses = ["--visanet", anywhere, "--quicpay", anywhere]
    log = ["--decision-log", str(decisions), "--runtime", str(children.logs / "run")]
    return children.start("gateway", ["serve", "--ledger", ledger, *addresses, *log])


def _start_networks(children: Children, plan: Plan, gateway: Child) -> dict[str, Child]:
    ready = msgspec.json.decode(gateway.read_line(_READY_SECONDS), type=Ready)
    addresses = {"visanet": ready.visanet, "quicpay": ready.quicpay}
    sims: dict[str, Child] = {}
    for number, name in enumerate(TITLES):
        options = {
            "--connect": addresses[name],
            "--rate": f"{plan.rate:g}",
            "--seconds": f"{plan.seconds:g}",
            "--seed": str(plan.seed + number),
            "--cards": str(plan.cards),
            "--beliefs": str(_beliefs(children, name)),
            "--progress": str(_progress(children, name)),
        }
        flags = [text for option in options.items() for text in option]
        sims[name] = children.start(name, ["sim", name, *flags, "--json"])
    return sims


def _beliefs(children: Children, name: str) -> Path:
    return children.logs / f"{name}-beliefs.jsonl"


def _progress(children: Children, name: str) -> Path:
    return children.logs / f"{name}-progress.jsonl"


def _watch(sims: Mapping[str, Child], plan: Plan, console: Console) -> None:
    """Show progress until both networks have ended."""
    begin = time.monotonic()
    show = live_screen if console.is_terminal else plain_lines
    paths = {name: child.log.with_name(f"{name}-progress.jsonl") for name, child in sims.items()}
    with show(console, plan.seconds) as tell:
        while not all(child.ended for child in sims.values()):
            elapsed = time.monotonic() - begin
            for child in sims.values():
                if child.ended and child.process.returncode not in (0, 1):
                    raise ChildFailed(child, f"exited with {child.process.returncode}")
                if elapsed > plan.seconds + _SETTLE_SECONDS:
                    raise ChildFailed(child, "did not settle in time")
            tell({name: _last(path) for name, path in paths.items()}, elapsed)
            time.sleep(_LOOK_SECONDS)
        tell({name: _last(path) for name, path in paths.items()}, time.monotonic() - begin)


def _last(path: Path) -> Progress | None:
    """The last whole line that the network has written, if any."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - 8192, 0))
            whole = file.read().rpartition(b"\n")[0]
    except FileNotFoundError:
        return None
    line = whole.rpartition(b"\n")[2]
    return msgspec.json.decode(line, type=Progress) if line else None
