"""A whole gateway under load over TCP: `cardrail serve` as it is, durability and logs on.

Gateway, database and driver share the machine, as in the figures of docs/PERFORMANCE.md. Latencies
are counted from the intended send time. At the end the money is audited.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from cardrail import bench_rows
from cardrail.bench_database import fresh_database
from cardrail.bench_path import IN_FLIGHT, measure_path
from cardrail.engine import Engine
from cardrail.processes import Child, ChildFailed, Children
from ledger.audit import audit
from ledger.database import Database
from loadtest.answers import NOT_DECIDED
from loadtest.arrivals import Arrivals
from loadtest.figures import Figures, latency_of
from loadtest.plan import IN_FLIGHT_MOST, Profile
from loadtest.plan import Plan as LoadPlan
from loadtest.targets import TARGETS, parse_address
from loadtest.workers import Run
from networks.wire.dialects import DIALECTS

if TYPE_CHECKING:
    import psutil

_BALANCE = 10**11
_SECONDS_A_CARD = 0.002  # patience with seeding and loading, beyond that of a small gateway
_READY_SECONDS = 60.0
_ROUNDS = 300
_UNDER_WAY = IN_FLIGHT_MOST[Arrivals.CLOSED]  # while a peak is looked for
_WARM_UP_SECONDS = 1.0
_STEADY_RATES = (1_000, 10_000)
_OVERLOAD = 10
_BYTES_A_MEGABYTE = 1e6
_LOG_BYTES_A_SECOND = 5 * 16e6  # of as many rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(bench_rows.Row):
    """One thing measured; `errors` counts what must not happen, and what is not decided.

    `per_second` is of decisions in time. `megabytes` is the resident memory of the gateway's
    process at the end, and `lag_ms` how late the driver itself was, half of the time: its part of
    every latency. `cores` is what the gateway's process had of the processors, of which driver and
    database take the rest.
    """

    megabytes: float | None = None
    lag_ms: float | None = None
    cores: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure: each row for `seconds`, on wallets with a card each."""

    engine: Engine
    seconds: float
    cards: int
    url: str | None = None


class BooksDisagree(Exception):
    """The audit at the end found something; the message says what."""


def measure(plan: Plan) -> Iterator[Row]:
    """Each row as soon as it is measured; at the end the books must balance.

    Raises
    ------
    BooksDisagree
        If they do not.
    ChildFailed
        If a process ends early.
    """
    for network in DIALECTS:
        yield _own_time(network)
    with (
        fresh_database(
            plan.engine, plan.url, log_bytes=int(plan.seconds * _LOG_BYTES_A_SECOND)
        ) as url,
        TemporaryDirectory(prefix="cardrail-bench-") as folder,
        Children(Path(folder), _environment(folder)) as children,
    ):
        _seed(children, plan, url)
        begin = time.monotonic()
        gateway = children.start("gateway", _serve(url))
        ready = json.loads(gateway.read_line(_patience(plan)))
        under_load = _Gateway(plan, gateway, ready)
        yield under_load.started(time.monotonic() - begin)
        yield from under_load.measure()
        if (status := gateway.stop()) != 0:
            raise ChildFailed(gateway, f"exited with {status}")
        _audit(url)


def _own_time(network: str) -> Row:
    """The best round counts as the rate of one core, and all rounds for the percentiles."""
    begin = time.monotonic()
    microseconds = measure_path(network, _ROUNDS)
    last = len(microseconds) - 1
    return Row(
        name=f"gateway's own processor time, {network}",
        engine="none",
        in_flight=IN_FLIGHT,
        per_second=1e6 / microseconds[0],
        p50_ms=median(microseconds) / 1000,
        p99_ms=microseconds[last * 99 // 100] / 1000,
        p999_ms=microseconds[last * 999 // 1000] / 1000,
        seconds=time.monotonic() - begin,
        errors=0,
    )


def _environment(folder: str) -> dict[str, str]:
    """Nothing of what is set for a gateway outside."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARDRAIL_")}
    ours = {"CARDRAIL_KEY_FILE": f"{folder}/bench.keys", "CARDRAIL_RUNTIME": f"{folder}/run"}
    return {**kept, **ours}


def _patience(plan: Plan) -> float:
    return _READY_SECONDS + plan.cards * _SECONDS_A_CARD


def _seed(children: Children, plan: Plan, url: str) -> None:
    arguments = ["ledger", "seed", "--ledger", url, "--accounts", str(plan.cards)]
    seed = children.start("seed", [*arguments, "--balance", str(_BALANCE)])
    seed.finish(_patience(plan))
    if seed.process.returncode != 0:
        raise ChildFailed(seed, f"exited with {seed.process.returncode}")


def _serve(url: str) -> list[str]:
    anywhere = "127.0.0.1:0"
    return ["serve", "--ledger", url, "--visanet", anywhere, "--quicpay", anywhere]


def _audit(url: str) -> None:
    database = Database.open(url)
    try:
        with database.reading() as connection:
            report = audit(connection)
    finally:
        database.close()
    if not report.clean:
        raise BooksDisagree(f"the books do not balance: {report.disagreements[:3]}")


class _Gateway:
    """A running gateway, and what it does under different loads."""

    def __init__(self, plan: Plan, child: Child, ready: dict[str, str]) -> None:
        self._plan = plan
        self._pid = child.process.pid
        self._load = LoadPlan(
            addresses={name: parse_address(ready[name]) for name in DIALECTS},
            rate=max(_STEADY_RATES),
            seconds=plan.seconds,
            accounts=plan.cards,
            links=2,
        )

    def started(self, seconds: float) -> Row:
        """From the start of the process to its first link; nothing has been asked yet."""
        return Row(
            name=f"start with {self._plan.cards:,} cards",
            engine=self._plan.engine.value,
            in_flight=0,
            per_second=1 / seconds,
            p50_ms=seconds * 1000,
            p99_ms=seconds * 1000,
            p999_ms=seconds * 1000,
            seconds=seconds,
            errors=0,
            megabytes=_megabytes(self._pid),
        )

    def measure(self) -> Iterator[Row]:
        """Every load after another; the last is too much.

        It comes after the peak that it is held against: a ledger gets slower as it grows.
        """
        closed = msgspec.structs.replace(
            self._load, arrivals=Arrivals.CLOSED, in_flight_most=_UNDER_WAY
        )
        _follow(msgspec.structs.replace(closed, seconds=_WARM_UP_SECONDS))
        for rate in _STEADY_RATES:
            yield self._row(f"{rate:,}/s", msgspec.structs.replace(self._load, rate=rate))
        yield self._row(
            "peak, one account", msgspec.structs.replace(closed, profile=Profile.HOT_ACCOUNT)
        )
        peak = self._row("peak", closed)
        yield peak
        too_much = _OVERLOAD * peak.per_second
        # What is dropped is under way until its network's timer ends it.
        waiting = int(too_much * max(target.response_seconds for target in TARGETS.values()))
        overload = msgspec.structs.replace(self._load, rate=too_much, in_flight_most=2 * waiting)
        yield self._row(f"{_OVERLOAD} times the peak", overload)

    def _row(self, name: str, load: LoadPlan) -> Row:
        before = _processor_seconds(self._pid)
        figures = _follow(load)
        after = _processor_seconds(self._pid)
        total, is_closed = figures.total, load.arrivals is Arrivals.CLOSED
        decided = total.codes.total() - sum(total.codes[code] for code in NOT_DECIDED)
        latency = latency_of(total.latency)
        return Row(
            name=name,
            engine=self._plan.engine.value,
            in_flight=_UNDER_WAY if is_closed else None,
            per_second=decided / max(figures.elapsed, load.seconds),
            p50_ms=latency["p50_ms"],
            p99_ms=latency["p99_ms"],
            p999_ms=latency["p999_ms"],
            seconds=figures.elapsed,
            errors=total.errors.total(),
            megabytes=_megabytes(self._pid),
            lag_ms=latency_of(total.lag)["p50_ms"],
            cores=None if before is None or after is None else (after - before) / figures.elapsed,
        )


def _follow(load: LoadPlan) -> Figures:
    return Run(load).follow(lambda _elapsed: None)


def _megabytes(pid: int) -> float | None:
    """Resident memory of a process."""
    process = _process(pid)
    return None if process is None else float(process.memory_info().rss) / _BYTES_A_MEGABYTE


def _processor_seconds(pid: int) -> float | None:
    """What a process has had of the processors, in user and system mode."""
    process = _process(pid)
    if process is None:
        return None
    times = process.cpu_times()
    return float(times.user + times.system)


def _process(pid: int) -> psutil.Process | None:
    """``None`` without psutil, which comes with a server to embed."""
    try:
        import psutil
    except ModuleNotFoundError:
        return None
    return psutil.Process(pid)
