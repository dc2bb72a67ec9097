"""A run as a table: live on a terminal, and once at its end."""

from __future__ import annotations

from rich.table import Table

from networks.tally import Progress


def screen(progress: Progress) -> Table:
    """The state of one run, for a person."""
    table = Table(title=f"{progress['network']}: {progress['phase']}", title_justify="left")
    table.add_column("what", style="bold")
    table.add_column("count", justify="right")
    table.add_column("detail")
    for row in _rows(progress):
        table.add_row(*row)
    return table


def _rows(progress: Progress) -> list[tuple[str, str, str]]:
    latency = (
        f"p50 {progress['p50_ms']:.2f} ms, p99 {progress['p99_ms']:.2f} ms,"
        f" p99.9 {progress['p999_ms']:.2f} ms"
    )
    return [
        ("elapsed", f"{progress['elapsed']:.1f} s", f"{progress['links']} links"),
        ("sent", f"{progress['sent']:,}", f"{progress['in_flight']:,} in flight"),
        ("answered", f"{progress['answered']:,}", f"{progress['timeouts']} timeouts"),
        ("authorizations", f"{progress['authorizations']:,}", latency),
        ("approved", f"{progress['approved']:,}", _share(progress)),
        ("declined", f"{sum(progress['declined'].values()):,}", _codes(progress["declined"])),
        ("repeats", f"{progress['repeats']:,}", f"{progress['repeats_differing']} differing"),
        (
            "reversals",
            f"{progress['reversals']:,}",
            f"{progress['reversed_partly']} in part, {progress['broken_promises']} ignored",
        ),
        (
            "advices",
            f"{progress['stood_in'] + progress['completed']:,}",
            f"{progress['stood_in']} stand-in, {progress['completed']} completions",
        ),
        ("cleared", f"{progress['cleared']:,}", f"{progress['cleared_amount']:,} yen"),
        ("holds", f"{progress['holds']:,}", f"{progress['held_amount']:,} yen"),
        ("refused", f"{sum(progress['refused'].values()):,}", _codes(progress["refused"])),
        ("unanswered", f"{progress['unanswered']:,}", ""),
    ]


def _share(progress: Progress) -> str:
    if not progress["authorizations"]:
        return ""
    return f"{100 * progress['approved'] / progress['authorizations']:.1f} %"


def _codes(counts: dict[str, int]) -> str:
    return ", ".join(f"{code}: {number}" for code, number in counts.items())
