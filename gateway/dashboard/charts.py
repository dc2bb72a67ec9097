"""The charts of the overview: options of ECharts, whose code comes with the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.dashboard.figures import NETWORKS, Span, added_up

POINTS = 60
_COLOURS = {"visanet": "#3b82f6", "quicpay": "#f59e0b"}
_GREY = "#8795a4"


def rate_chart(spans: Sequence[Span]) -> dict[str, Any]:
    """Answers a second of each network."""
    points = thinned(spans)
    lines = [
        _line(network, [round(each.rate(network), 1) for each in points]) for network in NETWORKS
    ]
    return _chart(points, lines, [*NETWORKS])


def latency_chart(spans: Sequence[Span]) -> dict[str, Any]:
    """p50 and p99 of each network in milliseconds; the scale is logarithmic."""
    points = thinned(spans)
    lines = [
        _line(
            f"{network} {name}",
            [_milliseconds(each.quantile(network, part)) for each in points],
            dashed=name == "p50",
        )
        for network in NETWORKS
        for name, part in (("p99", 0.99), ("p50", 0.5))
    ]
    options = _chart(points, lines, [f"{network} p99" for network in NETWORKS])
    options["yAxis"] |= {"type": "log", "min": 0.1}
    return options


def thinned(spans: Sequence[Span]) -> list[Span]:
    """A few spans in the place of many; the last ones always together in the same way."""
    size = max(1, -(-len(spans) // POINTS))
    groups = [spans[start : start + size] for start in range(0, len(spans), size)]
    return [added_up(each, each[-1].at, sum(span.seconds for span in each)) for each in groups]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else max(0.1, round(1000 * seconds, 2))


def _line(
    name: str, data: list[float] | list[float | None], *, dashed: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "data": data,
        "color": _COLOURS[name.partition(" ")[0]],
        "lineStyle": {"width": 1.2 if dashed else 2, "type": "dashed" if dashed else "solid"},
    }


def _chart(points: Sequence[Span], lines: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    faint = {"lineStyle": {"color": _GREY, "opacity": 0.25}}
    return {
        "animation": False,
        "grid": {"left": 44, "right": 14, "top": 30, "bottom": 24},
        "legend": {
            "data": names,
            "top": 0,
            "right": 0,
            "itemWidth": 18,
            "itemGap": 8,
            "icon": "roundRect",
            "itemHeight": 3,
            "textStyle": {"color": _GREY, "fontSize": 11},
        },
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": [f"{datetime.fromtimestamp(each.at, UTC):%H:%M:%S}" for each in points],
            "axisLabel": {"color": _GREY},
            "axisLine": faint,
            "boundaryGap": False,
        },
        "yAxis": {
            "type": "value",
            "axisLabel": {"color": _GREY},
            "splitLine": faint,
        },
        "series": lines,
    }
