"""``cardrail bench``: what parts of this program cost, measured beside what they replace."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cardrail.bench_codec import Row, measure

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
