"""A timeline in the terminal: the answers first, then each step."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.inspector.annotated import Exchange, Frame
from gateway.inspector.timeline import CheckLine, EventLine, Leg, Step, Timeline, Tone, Verdict
from gateway.inspector.words import clock, when

_WIDTH_IN_A_FILE = 120
_STYLES = {Tone.GOOD: "green", Tone.BAD: "red", Tone.WARNING: "yellow", Tone.NEUTRAL: "cyan"}
_MARKS = {
    Verdict.PASSED: ("\u2713", "green"),
    Verdict.IN_PART: ("\u25d0", "yellow"),
    Verdict.DECLINED: ("\u2717", "bold red"),
    Verdict.NOT_REACHED: ("\u00b7", "dim"),
}


def show_timeline(timeline: Timeline, *, frames: bool) -> None:
    """Print it to stdout, in the terminal's width."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_IN_A_FILE
    style = _STYLES[timeline.tone]
    console.print(Text(f"{timeline.headline}", style=f"bold {style}"))
    named = (timeline.network, f"RRN {timeline.rrn}" if timeline.rrn else "")
    console.print(Text("   ".join(filter(None, named)), style="bold"))
    _say_facts(console, timeline.facts, 0)
    for answer in timeline.answers:
        console.print()
        _say(console, answer.question, 0, "bold")
        _say(console, answer.answer, 2)
        for each in answer.details:
            _say(console, each, 4, "dim")
    for step in timeline.steps:
        console.print()
        _show_step(console, step, frames=frames)
    console.print()


def _show_step(console: Console, step: Step, *, frames: bool) -> None:
    console.print(
        Text.assemble((when(step.at), "dim"), "  ", (step.title, f"bold {_STYLES[step.tone]}"))
    )
    _say(console, step.explanation, 2)
    _say_facts(console, step.facts, 2)
    _show_checks(console, step.checks)
    for leg in step.legs:
        _say(console, _leg(leg), 4)
    for event in step.events:
        _say(console, _event(event), 4, "dim")
    for number, exchange in enumerate(step.exchanges, 1):
        _show_exchange(console, exchange, number, len(step.exchanges), frames=frames)


def _show_checks(console: Console, checks: tuple[CheckLine, ...]) -> None:
    """One line where all passed: nobody wants to read two dozen."""
    if checks and all(each.verdict is Verdict.PASSED for each in checks):
        _say(console, f"\u2713 all {len(checks)} checks passed", 4, "green")
        return
    for each in checks:
        mark, style = _MARKS[each.verdict]
        told = f": {each.explanation}" if each.explanation else ""
        _say(console, f"{mark} {each.title}{told}  ({each.by})", 4, style)


def _show_exchange(
    console: Console, exchange: Exchange, number: int, count: int, *, frames: bool
) -> None:
    record = exchange.record
    of = f" {number} of {count}" if count > 1 else ""
    told = f"message{of} {record.mti} at {clock(record.at)}, answered {record.response_code}"
    _say(console, f"{told} after {record.elapsed_ms:.1f} ms", 4, "dim")
    if frames:
        for title, frame in (("request", exchange.request), ("answer", exchange.response)):
            _show_frame(console, title, frame)


def _show_frame(console: Console, title: str, frame: Frame) -> None:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("byte", justify="right", no_wrap=True)
    table.add_column("field", no_wrap=True)
    for name in ("name", "raw", "value", "meaning"):
        table.add_column(name, overflow="fold")
    for line in frame.lines:
        cells = ("  " * line.depth + line.field, line.name, line.raw, line.value, line.note)
        table.add_row(str(line.offset), *map(_printable, cells))
    console.print(Padding(table, (0, 0, 0, 4)))
    for problem in frame.problems:
        _say(console, problem, 4, "red")


def _leg(leg: Leg) -> str:
    balance = f"; the wallet then had {leg.balance}" if leg.balance else ""
    return f"{leg.amount}: {leg.origin} \u2192 {leg.to} ({leg.kind}){balance}"


def _event(event: EventLine) -> str:
    heard = _names("read by", event.read_by), _names("not yet by", event.awaited_by)
    return f"event {event.type} {event.event_id}{''.join(heard)}"


def _names(how: str, names: Iterable[str]) -> str:
    joined = ", ".join(names)
    return f"; {how} {joined}" if joined else ""


def _say(console: Console, told: str, indent: int, style: str = "") -> None:
    """What a network has sent is never read as markup, nor steers the terminal."""
    text = _printable(told)
    text.stylize(style)
    console.print(Padding(text, (0, 0, 0, indent), expand=False))


def _say_facts(console: Console, facts: Iterable[tuple[str, str]], indent: int) -> None:
    """As many on a line as there is room for, none of them broken."""
    line = ""
    for name, value in facts:
        fact = f"{name}: {value}"
        if line and len(line) + len(fact) + 3 + indent > console.width:
            _say(console, line, indent, "dim")
            line = ""
        line = f"{line}   {fact}" if line else fact
    if line:
        _say(console, line, indent, "dim")


def _printable(told: str) -> Text:
    return Text("".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in told))
