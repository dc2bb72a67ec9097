"""What is seen while the demo runs: one column for each network, one row for each question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TypeAlias

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from networks.tally import Phase, Progress
from networks.wire.response_codes import RESPONSE_CODES

Told: TypeAlias = Mapping[str, Progress | None]  # by network; None before its first word
Tell: TypeAlias = Callable[[Told, float], None]

TITLES: Mapping[str, str] = MappingProxyType(
    {"visanet": "VisaNet-like", "quicpay": "QUICPay+-like"}
)
_DECLINES_SHOWN = 6
_PLAIN_SECONDS = 5.0  # between lines without a terminal


class Rate:
    """Authorizations a second, from one look at a network's progress to the next."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._rate = 0.0

    def of(self, progress: Progress) -> float:
        """The rate between the last two different progress lines of the running phase."""
        last = self._last
        if progress["phase"] != Phase.RUNNING:
            return self._rate
        if last is None:
            self._rate = progress["authorizations"] / max(progress["elapsed"], 0.001)
        elif progress["elapsed"] > last["elapsed"]:
            seconds = progress["elapsed"] - last["elapsed"]
            self._rate = (progress["authorizations"] - last["authorizations"]) / seconds
        self._last = progress
        return self._rate


_ROWS: tuple[tuple[str, Callable[[Progress], str]], ...] = (
    ("latency p50 / p99", lambda told: f"{told['p50_ms']:.2f} / {told['p99_ms']:.2f} ms"),
    ("authorizations", lambda told: f"{told['authorizations']:,}"),
    ("approved", lambda told: f"{told['approved']:,}"),
    ("repeats answered alike", lambda told: f"{told['repeats'] - told['repeats_differing']:,}"),
    ("reversals", lambda told: f"{told['reversals'] + told['reversed_partly']:,}"),
    ("increments", lambda told: f"{told['increments']:,}"),
    ("advices", lambda told: f"{told['stood_in'] + told['completed']:,}"),
    ("cleared, JPY", lambda told: f"{told['cleared']:,} / {told['cleared_amount']:,}"),
    ("refunded, JPY", lambda told: f"{told['credited_amount']:,}"),
    ("holds now, JPY", lambda told: f"{told['holds']:,} / {told['held_amount']:,}"),
)


@contextmanager
def live_screen(console: Console, seconds: float) -> Iterator[Tell]:
    """A table that is drawn anew whenever it is told something."""
    rates = {name: Rate() for name in TITLES}
    with Live(console=console, auto_refresh=False) as live:
        yield lambda told, elapsed: live.update(
            screen(told, rates, min(elapsed, seconds), seconds), refresh=True
        )


@contextmanager
def plain_lines(console: Console, _seconds: float) -> Iterator[Tell]:
    """Without a terminal: a line for each network now and then."""
    due = 0.0

    def tell(told: Told, elapsed: float) -> None:
        nonlocal due
        known = [each for each in told.values() if each is not None]
        if known and elapsed >= due:
            due = elapsed + _PLAIN_SECONDS
            for each in known:
                console.print(_plain_line(each, elapsed), highlight=False, soft_wrap=True)

    yield tell


def _plain_line(told: Progress, elapsed: float) -> str:
    return (
        f"{elapsed:5.1f} s  {told['network']}  {told['phase']:<8} {told['authorizations']:>7,}"
        f" answered, {told['approved']:,} approved,"
        f" p50 {told['p50_ms']:.2f} ms, p99 {told['p99_ms']:.2f} ms"
    )


def screen(told: Told, rates: Mapping[str, Rate], elapsed: float, seconds: float) -> Table:
    """The table; a network that has said nothing yet shows dashes."""
    table = Table(
        box=box.SIMPLE_HEAD,
        title=f"Cardrail demo   {elapsed:.0f} of {seconds:.0f} s",
        title_style="bold",
    )
    table.add_column("", min_width=30, no_wrap=True)
    for name in TITLES:
        table.add_column(TITLES[name], justify="right", min_width=20)
    known = [told.get(name) for name in TITLES]
    table.add_row("phase", *_cells(known, lambda each: each["phase"]))
    table.add_row("throughput", *_cells(known, lambda each: _throughput(each, rates)), style="bold")
    for label, show in _ROWS:
        style = "green" if label == "approved" else ""
        table.add_row(label, *_cells(known, show), style=style)
    table.add_section()
    table.add_row("declined", *_cells(known, _declined_count), style="yellow")
    for code in _declines(known):
        label = f"{code} {RESPONSE_CODES[code].meaning}"
        table.add_row(label, *_cells(known, _count_of(code)), style="yellow")
    return table


def _throughput(told: Progress, rates: Mapping[str, Rate]) -> str:
    return f"{rates[told['network']].of(told):,.0f}/s"


def _cells(told: Sequence[Progress | None], show: Callable[[Progress], str]) -> list[str]:
    return ["-" if each is None else show(each) for each in told]


def _declined_count(told: Progress) -> str:
    return f"{sum(told['declined'].values()):,}"


def _count_of(code: str) -> Callable[[Progress], str]:
    return lambda told: f"{told['declined'].get(code, 0):,}"


def _declines(told: Sequence[Progress | None]) -> list[str]:
    """The most frequent codes, in numeric order so that rows do not jump."""
    counts: dict[str, int] = {}
    for each in told:
        for code, count in (each["declined"] if each else {}).items():
            counts[code] = counts.get(code, 0) + count
    return sorted(sorted(counts, key=counts.__getitem__, reverse=True)[:_DECLINES_SHOWN])
