"""What benchmarks printed as JSON, as tables of docs/PERFORMANCE.md; the prose around them stays.

A table stands between two comments, ``<!-- measured: NAME -->`` and ``<!-- end: NAME -->``.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

_COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "name": ("what", "{}"),
        "engine": ("engine", "{}"),
        "in_flight": ("in flight", "{:,}"),
        "per_second": ("a second", "{:,.0f}"),
        "p50_ms": ("p50 ms", "{:.3f}"),
        "p99_ms": ("p99 ms", "{:.3f}"),
        "p999_ms": ("p99.9 ms", "{:.3f}"),
        "ratio": ("ratio", "{:.1f}"),
        "errors": ("errors", "{:,}"),
        "megabytes": ("MB", "{:,.0f}"),
        "lag_ms": ("driver's lag p50 ms", "{:.3f}"),
        "cores": ("gateway's cores", "{:.2f}"),
    }
)


class NoPlace(Exception):
    """The document has no such table."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"no place for {self.name}: expected {_begin(self.name)} and {_end(self.name)}"


def with_table(document: str, name: str, lines: Iterable[str], today: date) -> str:
    """`document` with the rows of `lines`, one JSON object each, as its table `name`.

    Raises
    ------
    NoPlace
        If the document does not say where.
    """
    head, begin, rest = document.partition(_begin(name))
    _, end, tail = rest.partition(_end(name))
    if not (begin and end):
        raise NoPlace(name)
    rows = [json.loads(line) for line in lines if line.strip()]
    told = f"Measured on {today:%Y-%m-%d}: {machine()}."
    return "\n".join([head + begin, "", told, "", *_table(rows), "", end + tail])


def machine() -> str:
    """What it was measured on, without the machine's name."""
    told = (f"{os.cpu_count()} cores", platform.machine(), platform.system())
    return ", ".join([*told, f"Python {platform.python_version()}"])


def _table(rows: list[dict[str, Any]]) -> list[str]:
    columns = [name for name in _COLUMNS if any(row.get(name) is not None for row in rows)]
    headings = [_COLUMNS[name][0] for name in columns]
    return [
        f"| {' | '.join(headings)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(_cell(row, name) for name in columns)} |" for row in rows),
    ]


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else _COLUMNS[name][1].format(value)


def _begin(name: str) -> str:
    return f"<!-- measured: {name} -->"


def _end(name: str) -> str:
    return f"<!-- end: {name} -->"
