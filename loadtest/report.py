"""A run as files: ``load.json``, and plots of latency and throughput as SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import msgspec
import pygal
from pygal.style import Style

from loadtest.figures import Figures, percentiles
from loadtest.timeline import Second

_STYLE = Style(
    background="white",
    plot_background="white",
    colors=("#0b6e99", "#c8553d", "#588157", "#7d5ba6"),
    font_family="sans-serif",
)
_NINES = {
    1: "0 %",
    10: "90 %",
    100: "99 %",
    1_000: "99.9 %",
    10_000: "99.99 %",
    100_000: "99.999 %",
}
_LABELS_MOST = 12
_SHOWN: Mapping[str, Callable[[Second], float]] = {
    "p50": lambda second: second["p50_ms"],
    "p99": lambda second: second["p99_ms"],
    "largest": lambda second: second["max_ms"],
}


def write_report(folder: Path, summary: Mapping[str, object], figures: Figures) -> None:
    """Write the files into `folder`, which is made if it is not there.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(summary))
    (folder / "load.json").write_bytes(text + b"\n")
    plots = {
        "percentiles.svg": percentile_plot(figures),
        "throughput.svg": throughput_plot(figures.timeline),
        "latency.svg": latency_plot(figures.timeline),
    }
    for name, plot in plots.items():
        (folder / name).write_bytes(plot)


def percentile_plot(figures: Figures) -> bytes:
    """Latency by percentile, one line a network, both axes logarithmic: every nine is as wide."""
    chart = pygal.XY(
        title="Latency by percentile, from the intended send time",
        x_title="percentile",
        y_title="ms",
        logarithmic=True,
        **_options(),
    )
    lines = {
        name: [(100 / (100 - each), ms) for each, ms in percentiles(network.latency) if ms]
        for name, network in figures.networks.items()
    }
    furthest = max((x for line in lines.values() for x, _ in line), default=1.0)
    chart.x_labels = [x for x in _NINES if x <= furthest]
    chart.x_value_formatter = lambda x: _NINES.get(round(x), f"{100 - 100 / x:.4g} %")
    for name, line in lines.items():
        chart.add(name, line)
    return _rendered(chart)


def throughput_plot(timeline: Iterable[Second]) -> bytes:
    """Messages offered and answered in each second."""
    seconds = list(timeline)
    chart = _by_second("Messages a second", "messages", seconds)
    chart.add("offered", [each["offered"] for each in seconds])
    chart.add("answered", [each["answered"] for each in seconds])
    if any(each["errors"] for each in seconds):
        chart.add("errors", [each["errors"] for each in seconds])
    return _rendered(chart)


def latency_plot(timeline: Iterable[Second]) -> bytes:
    """Latency of what was answered in each second."""
    seconds = list(timeline)
    chart = _by_second("Latency in each second", "ms", seconds, logarithmic=True)
    for name, value in _SHOWN.items():
        # A logarithm has no zero: a second without answers is a gap.
        chart.add(name, [value(each) or None for each in seconds])
    return _rendered(chart)


def _by_second(
    title: str, unit: str, seconds: list[Second], *, logarithmic: bool = False
) -> pygal.Line:
    chart = pygal.Line(
        title=title,
        x_title="second",
        y_title=unit,
        logarithmic=logarithmic,
        show_minor_x_labels=False,
        **_options(),
    )
    every = max(len(seconds) // _LABELS_MOST, 1)
    chart.x_labels = [str(each["second"]) for each in seconds]
    chart.x_labels_major = [str(each["second"]) for each in seconds[::every]]
    return chart


def _options() -> dict[str, object]:
    return {"style": _STYLE, "js": (), "width": 900, "height": 420, "show_dots": False}


def _rendered(chart: pygal.graph.graph.Graph) -> bytes:
    """Without a script: a page or an issue may have the plot as a picture."""
    chart.add_xml_filter(_without_scripts)
    return bytes(chart.render())


def _without_scripts(root: Element) -> Element:
    for parent in root.iter():
        for script in parent.findall("script"):
            parent.remove(script)
    return root
