"""What `cardrail load` shows: a bar while it runs, tables at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeAlias

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from loadtest.figures import Figures, NetworkFigures, milliseconds
from networks.wire.response_codes import RESPONSE_CODES

Tell: TypeAlias = Callable[[Figures, float], None]

TITLES: Mapping[str, str] = MappingProxyType(
    {"visanet": "VisaNet-like", "quicpay": "QUICPay+-like"}
)
_ROWS: tuple[tuple[str, Callable[[NetworkFigures, float], str]], ...] = (
    ("offered", lambda each, _: f"{each.offered:,}"),
    ("answered", lambda each, _: f"{each.answered:,}"),
    ("approved", lambda each, _: f"{each.approved:,}"),
    ("offered a second", lambda each, seconds: f"{each.offered / seconds:,.0f}"),
    ("achieved a second", lambda each, seconds: f"{each.answered / seconds:,.0f}"),
    ("latency p50", lambda each, _: f"{milliseconds(each.latency, 50):,.2f} ms"),
    ("latency p90", lambda each, _: f"{milliseconds(each.latency, 90):,.2f} ms"),
    ("latency p99", lambda each, _: f"{milliseconds(each.latency, 99):,.2f} ms"),
    ("latency p99.9", lambda each, _: f"{milliseconds(each.latency, 99.9):,.2f} ms"),
    ("latency, largest", lambda each, _: f"{milliseconds(each.latency, 100):,.2f} ms"),
    ("lag of sending p50", lambda each, _: f"{milliseconds(each.lag, 50):,.2f} ms"),
    ("lag of sending p99", lambda each, _: f"{milliseconds(each.lag, 99):,.2f} ms"),
)


@contextmanager
def progress_bar(console: Console, seconds: float) -> Iterator[Tell]:
    """A bar, where there is a terminal to draw it on."""
    columns = (
        TextColumn("{task.completed:5.1f} of {task.total:.0f} s"),
        BarColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=seconds)

        def tell(figures: Figures, elapsed: float) -> None:
            if console.is_terminal:
                bar.update(task, completed=min(elapsed, seconds), description=_line(figures))

        yield tell


def summary_table(figures: Figures) -> Table:
    """Rates, latencies and answers, all together and each network."""
    table = Table(box=box.SIMPLE_HEAD, title="Load", title_style="bold")
    table.add_column("", min_width=24, no_wrap=True)
    table.add_column("all", justify="right")
    columns = [figures.total]
    for name, network in figures.networks.items():
        table.add_column(TITLES[name], justify="right")
        columns.append(network)
    seconds = max(figures.elapsed, 1e-3)
    for label, show in _ROWS:
        table.add_row(label, *(show(each, seconds) for each in columns))
    table.add_section()
    for code in sorted(figures.total.codes):
        meaning = RESPONSE_CODES[code].meaning if code in RESPONSE_CODES else "unknown code"
        table.add_row(f"{code} {meaning}", *(f"{each.codes[code]:,}" for each in columns))
    if figures.total.errors:
        table.add_section()
    for kind in sorted(figures.total.errors):
        counts = (f"{each.errors[kind]:,}" for each in columns)
        table.add_row(f"error: {kind}", *counts, style="red")
    return table


def _line(figures: Figures) -> str:
    total = figures.total
    errors = total.errors.total()
    last = figures.timeline[-2:-1] or figures.timeline[-1:]
    rate = last[0]["answered"] if last else 0
    return (
        f"{rate:,}/s, p50 {milliseconds(total.latency, 50):.2f} ms,"
        f" p99 {milliseconds(total.latency, 99):.2f} ms, {errors:,} errors"
    )
