"""Builds the dashboard: python deploy/grafana/build_dashboard.py > deploy/grafana/cardrail.json.

Three questions from top to bottom: is it healthy, how busy is it, and why. A test holds the file
equal to what this writes, and every metric and label in it to what is exposed or recorded.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

from grafana_foundation_sdk.builders.common import ReduceDataOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery as DataqueryModel
from grafana_foundation_sdk.models.common import BigValueColorMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

_SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
_WIDTH = 24  # of Grafana's grid

Query: TypeAlias = tuple[str, str]  # expression, legend


@dataclass(frozen=True, slots=True)
class Figure:
    """One value, coloured from each threshold on."""

    title: str
    unit: str
    queries: Sequence[Query]
    colors: Sequence[tuple[float | None, str]]
    description: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Lines over time."""

    title: str
    unit: str
    queries: Sequence[Query]
    description: str = ""


_DECLINED = '{outcome!~"APPROVED|APPROVED_PARTIALLY|NOTED"}'
_NONE_WANTED = ((None, "green"), (1, "red"))
_SOME_WANTED = ((None, "red"), (1, "green"))

HEALTHY = [
    Figure("Alerts", "short",
           [('count(ALERTS{alertname=~"Cardrail.*", alertstate="firing"}) or vector(0)', "")],
           _NONE_WANTED, "Each has a chapter in docs/RUNBOOK.md."),
    Figure("Gateway processes", "short",
           [("sum(cardrail_worker_up)", "")], _SOME_WANTED),
    Figure("Links that serve", "short",
           [('sum by (network) (cardrail_links{state=~"connected|signed-on"})', "{{network}}")],
           _SOME_WANTED),
    Figure("Books", "short",
           [("max(cardrail_audit_disagreements)", "")], _NONE_WANTED,
           "What the last audit found; 0 is a ledger that balances."),
    Figure("Age of the audit", "s",
           [("min(cardrail:cardrail_audit:age_seconds)", "")],
           ((None, "green"), (900, "yellow"), (3600, "red"))),
    Figure("Approved", "percentunit",
           [("network:cardrail_approvals:ratio_rate5m", "{{network}}")],
           ((None, "red"), (0.5, "yellow"), (0.7, "green")),
           "Of the requests that ask for money."),
    Figure("Not decided", "percentunit",
           [("network:cardrail_undecided:ratio_rate5m", "{{network}}")],
           ((None, "green"), (0.001, "yellow"), (0.01, "red")),
           "Answered 91 or 96, or kept out at the door."),
    Figure("Events behind", "s",
           [("cardrail_reader_lag_seconds", "{{reader}}")],
           ((None, "green"), (10, "yellow"), (60, "red"))),
]  # fmt: skip

BUSY = [
    Graph("Answers a second", "reqps",
          [("network:cardrail_answers:rate1m", "{{network}}")]),
    Graph("Time to the answer", "s",
          [("network:cardrail_answer_seconds:p50_5m", "{{network}} p50"),
           ("network:cardrail_answer_seconds:p99_5m", "{{network}} p99")]),
    Graph("Time to the answer, p99 by message class", "s",
          [("network_message_class:cardrail_answer_seconds:p99_5m",
            "{{network}} {{message_class}}")]),
    Graph("Commands in one transaction", "short",
          [("cardrail:cardrail_ledger_batch_commands:mean5m", "mean")]),
    Graph("Time of a transaction", "s",
          [("cardrail:cardrail_ledger_commit_seconds:p99_5m", "p99")]),
    Graph("Queue of the ledger", "percentunit",
          [("worker:cardrail_ledger_queue:ratio", "worker {{worker}}")]),
    Graph("Requests without an answer", "short",
          [("sum by (network) (cardrail_waiting_requests)", "{{network}}")]),
    Graph("Processor time", "percentunit",
          [("rate(cardrail_worker_cpu_seconds_total[$__rate_interval])", "worker {{worker}}")],
          "1 is one core; a worker uses little more."),
    Graph("Cards in memory", "short", [("cardrail_cards", "worker {{worker}}")]),
]  # fmt: skip

WHY = [
    Graph("Answers by response code", "reqps",
          [("network_response_code:cardrail_answers:rate1m", "{{network}} {{response_code}}")]),
    Graph("Declines by reason", "reqps",
          [(f"sum by (outcome) (rate(cardrail_answers_total{_DECLINED}[$__rate_interval]))",
            "{{outcome}}")]),
    Graph("Decided in our place", "reqps",
          [("sum by (network, reason) (rate(cardrail_stand_in_advices_total[$__rate_interval]))",
            "{{network}} {{reason}}")]),
    Graph("Messages refused", "reqps",
          [("sum by (network, error) (rate(cardrail_messages_refused_total[$__rate_interval]))",
            "{{network}} {{error}}"),
           ("sum by (network) (rate(cardrail_requests_dropped_total[$__rate_interval]))",
            "{{network}} dropped unread")]),
    Graph("Links by state", "short",
          [("sum by (network, state) (cardrail_links)", "{{network}} {{state}}")]),
    Graph("Links that came and went", "short",
          [("sum by (network) (increase(cardrail_links_opened_total[$__rate_interval]))",
            "{{network}} opened"),
           ("sum by (network, error) (increase(cardrail_links_broken_total[$__rate_interval]))",
            "{{network}} {{error}}"),
           ("sum by (network) (increase(cardrail_links_turned_away_total[$__rate_interval]))",
            "{{network}} turned away")]),
    Graph("Repeats", "reqps",
          [("sum by (network) (rate(cardrail_repeats_total[$__rate_interval]))", "{{network}}")]),
    Graph("Late approvals, not yet taken back", "short",
          [("sum by (network) (cardrail_late_approvals)", "{{network}}")]),
    Graph("Mistakes of the program", "short",
          [("sum by (network) (increase(cardrail_failures_total[$__rate_interval]))",
            "{{network}}"),
           ("sum(increase(cardrail_log_lines_dropped_total[$__rate_interval]))",
            "log lines dropped")]),
]  # fmt: skip

AFTERWARDS = [
    Graph("Pending holds by age", "short",
          [("sum by (currency, age) (cardrail_pending_holds)", "{{currency}} {{age}}")]),
    Graph("What they hold, in minor units", "short",
          [("sum by (currency, age) (cardrail_pending_holds_minor_units)",
            "{{currency}} {{age}}")]),
    Graph("Holds past their time", "short", [("max(cardrail_overdue_holds)", "overdue")]),
    Graph("From authorization to clearing, p90 of a day", "s",
          [("network:cardrail_clearing_lag_seconds:p90_1d", "{{network}}")]),
    Graph("Events behind", "s", [("cardrail_reader_lag_seconds", "{{reader}}")]),
    Graph("Rows behind", "short",
          [("cardrail_reader_lag_rows", "{{reader}}"),
           ("max(cardrail_outbox_unnumbered_rows)", "without a number")]),
]  # fmt: skip

ROWS: Sequence[tuple[str, Sequence[Figure | Graph]]] = [
    ("Is it healthy?", HEALTHY),
    ("How busy is it?", BUSY),
    ("Why?", WHY),
    ("What follows the decisions", AFTERWARDS),
]


def _targets(queries: Sequence[Query]) -> list[Builder[DataqueryModel]]:
    """Named A, B, C."""
    return [
        Dataquery().expr(expression).legend_format(legend).ref_id(name)
        for name, (expression, legend) in zip("ABC", queries, strict=False)
    ]


def _figure(figure: Figure) -> Stat:
    steps = [Threshold(value=value, color=color) for value, color in figure.colors]
    return (
        Stat()
        .title(figure.title)
        .description(figure.description)
        .unit(figure.unit)
        .datasource(_SOURCE)
        .color_mode(BigValueColorMode.BACKGROUND)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .targets(_targets(figure.queries))
        .span(_WIDTH // 8)
        .height(4)
    )


def _graph(graph: Graph) -> TimeSeries:
    return (
        TimeSeries()
        .title(graph.title)
        .description(graph.description)
        .unit(graph.unit)
        .min(0)
        .datasource(_SOURCE)
        .targets(_targets(graph.queries))
        .span(_WIDTH // 3)
        .height(7)
    )


def build() -> Dashboard:
    """The whole dashboard."""
    dashboard = (
        Dashboard("Cardrail")
        .uid("cardrail")
        .tags(["cardrail"])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .with_variable(DatasourceVariable("source").label("Source").type("prometheus"))
    )
    ids = count(1)
    for title, panels in ROWS:
        dashboard.with_row(Row(title).id(next(ids)))
        for panel in panels:
            made = _figure(panel) if isinstance(panel, Figure) else _graph(panel)
            dashboard.with_panel(made.id(next(ids)))
    return dashboard


if __name__ == "__main__":
    text = JSONEncoder(sort_keys=True, indent=2).encode(build().build())
    sys.stdout.write(text + "\n")
