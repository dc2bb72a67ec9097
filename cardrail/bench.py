"""``cardrail bench``: what parts of this program cost, measured beside what they replace."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cardrail.bench_codec import Row, measure
from cardrail.engine import Engine

if TYPE_CHECKING:  # the ledger is imported only where it is measured
    from cardrail.bench_rows import Row as LedgerRow

_ROUNDS = 11
_CALLS = 4000

bench_app = typer.Typer(no_args_is_help=True)


@bench_app.callback()
def bench() -> None:
    """Measure parts of Cardrail on this machine."""


@bench_app.command()
def codec(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = _ROUNDS,
    calls: Annotated[int, typer.Option(min=1, help="Calls a round.")] = _CALLS,
) -> None:
    """Measure the codec against pyiso8583 on a 0100 of twenty elements.

    Exit code 1 when the two disagree. Example: cardrail bench codec --json
    """
    rows = measure(rounds=rounds, calls=calls)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(asdict(row)))
    else:
        Console().print(_table(rows))
    if any(row.errors for row in rows):
        raise typer.Exit(1)


@bench_app.command()
def ledger(
    *,
    engine: Annotated[Engine, typer.Option(help="What keeps the ledger.")] = Engine.SQLITE,
    batch: Annotated[int, typer.Option(min=1, help="Commands in flight.")] = 64,
    accounts: Annotated[int, typer.Option(min=1, help="Wallets, drawn at random.")] = 1000,
    count: Annotated[int, typer.Option(min=1, help="Commands of a row.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same commands.")] = 1,
    past: Annotated[
        int, typer.Option(min=0, help="Past authorizations, loaded for two more rows.")
    ] = 0,
    url: Annotated[
        str | None, typer.Option("--ledger", help="An empty database, instead of a fresh one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Measure the ledger on a fresh database, its durability on, beside one row a transaction.

    Exit code 1 when something was not answered. Example: cardrail bench ledger --batch 256
    """
    from cardrail.bench_ledger import Plan
    from cardrail.bench_ledger import measure as measure_ledger

    plan = Plan(
        engine=engine,
        batch=batch,
        accounts=accounts,
        count=count,
        seed=seed,
        past=past,
        url=url,
    )
    _tell(measure_ledger(plan), as_json=as_json)


@bench_app.command()
def jobs(
    *,
    engine: Annotated[Engine, typer.Option(help="What keeps the ledger.")] = Engine.SQLITE,
    batch: Annotated[int, typer.Option(min=1, help="Events of one commit.")] = 64,
    accounts: Annotated[int, typer.Option(min=1, help="Wallets, drawn at random.")] = 1000,
    count: Annotated[int, typer.Option(min=2, help="Events.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same events.")] = 1,
    url: Annotated[
        str | None, typer.Option("--ledger", help="An empty database, instead of a fresh one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Measure what lives from events on a fresh database, its durability on, in events a second.

    Exit code 1 when a batch was not taken. Example: cardrail bench jobs --engine postgresql
    """
    from cardrail.bench_jobs import measure as measure_jobs
    from cardrail.bench_opening import Plan

    plan = Plan(engine=engine, batch=batch, accounts=accounts, count=count, seed=seed, url=url)
    _tell(measure_jobs(plan), as_json=as_json)


@bench_app.command()
def publish(
    *,
    engine: Annotated[Engine, typer.Option(help="What keeps the ledger.")] = Engine.SQLITE,
    batch: Annotated[int, typer.Option(min=1, help="Events of one commit.")] = 64,
    accounts: Annotated[int, typer.Option(min=1, help="Wallets, drawn at random.")] = 1000,
    count: Annotated[int, typer.Option(min=1, help="Events that wait.")] = 20_000,
    live: Annotated[int, typer.Option(min=1, help="Commits, one at a time.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed makes the same events.")] = 1,
    url: Annotated[
        str | None, typer.Option("--ledger", help="An empty database, instead of a fresh one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Measure publishing to a broker of its own, and a subscriber, in events a second.

    Exit code 1 when the subscriber did not get all of it. Example: cardrail bench publish --json
    """
    import structlog

    from cardrail.bench_publish import Plan
    from cardrail.bench_publish import measure as measure_publish

    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

    plan = Plan(
        engine=engine,
        batch=batch,
        accounts=accounts,
        count=count,
        live=live,
        seed=seed,
        url=url,
    )
    _tell(measure_publish(plan), as_json=as_json)


def _tell(rows: Iterator[LedgerRow], *, as_json: bool) -> None:
    """A line for each row as soon as it is measured."""
    from cardrail.broker import NoBroker
    from cardrail.embedded_postgresql import NoServer

    errors = 0
    try:
        for row in rows:
            typer.echo(json.dumps(asdict(row)) if as_json else _LEDGER_LINE.format(**asdict(row)))
            errors += row.errors
    except (NoBroker, NoServer) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if errors:
        raise typer.Exit(1)


@bench_app.command()
def gateway(
    *,
    engine: Annotated[Engine, typer.Option(help="What keeps the ledger.")] = Engine.SQLITE,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long a row is loaded.")] = 10,
    cards: Annotated[int, typer.Option(min=1, max=1_000_000, help="Wallets with a card.")] = 1000,
    url: Annotated[
        str | None, typer.Option("--ledger", help="An empty database, instead of a fresh one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a row.")] = False,
) -> None:
    """Measure `cardrail serve` over TCP, and its own processor time, and audit the money.

    Exit code 1 when the books do not balance. Example: cardrail bench gateway --seconds 30
    """
    from cardrail.bench_gateway import BooksDisagree
    from cardrail.bench_gateway import Plan as GatewayPlan
    from cardrail.bench_gateway import measure as measure_gateway
    from cardrail.embedded_postgresql import NoServer
    from cardrail.processes import ChildFailed

    plan = GatewayPlan(engine=engine, seconds=seconds, cards=cards, url=url)
    try:
        for row in measure_gateway(plan):
            told = asdict(row)
            typer.echo(json.dumps(told) if as_json else _gateway_line(told))
    except NoServer as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except (BooksDisagree, ChildFailed) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@bench_app.command()
def report(
    name: Annotated[str, typer.Argument(help="The table: codec, ledger-sqlite, ...")],
    into: Annotated[Path, typer.Option(help="The document.")] = Path("docs/PERFORMANCE.md"),
) -> None:
    """Put the rows that a benchmark printed with --json, on stdin, into a document's table.

    Example: cardrail bench report codec < codec.jsonl
    """
    from cardrail.bench_report import NoPlace, with_table

    today = datetime.now(UTC).date()
    try:
        written = with_table(into.read_text(encoding="utf-8"), name, sys.stdin, today)
    except (NoPlace, OSError, json.JSONDecodeError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    into.write_text(written, encoding="utf-8")


def _gateway_line(row: Mapping[str, Any]) -> str:
    memory = "" if row["megabytes"] is None else f"  {row['megabytes']:,.0f} MB"
    return _GATEWAY_LINE.format(**row) + memory


_GATEWAY_LINE = (
    "{name:38} {engine:10} {per_second:9,.0f}/s"
    "  p50 {p50_ms:8.3f} ms  p99 {p99_ms:8.3f} ms  p99.9 {p999_ms:8.3f} ms  {errors:,} errors"
)


_LEDGER_LINE = (
    "{name:32} {engine:10} {in_flight:4} in flight {per_second:9,.0f}/s"
    "  p50 {p50_ms:7.3f} ms  p99 {p99_ms:7.3f} ms  p99.9 {p999_ms:7.3f} ms"
)


def _table(rows: Iterable[Row]) -> Table:
    table = Table(title="0100 of twenty elements, one call at a time")
    table.add_column("what")
    table.add_column("engine")
    for heading in ("per second", "p50 us", "p99 us", "p99.9 us", "ratio"):
        table.add_column(heading, justify="right")
    for row in rows:
        microseconds = [f"{ms * 1000:.1f}" for ms in (row.p50_ms, row.p99_ms, row.p999_ms)]
        table.add_row(
            row.name, row.engine, f"{row.per_second:,.0f}", *microseconds, f"{row.ratio:.1f}x"
        )
    return table
