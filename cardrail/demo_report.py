"""How the demo ended: three truths side by side, the audit, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cardrail.demo_screen import TITLES
from cardrail.truth_sources import (
    gateway_truth,
    ledger_truth,
    network_truth,
    points_due,
    read_lines,
)
from cardrail.truths import Disagreement, Totals, Truth, disagreements, totals
from gateway.records import DecisionRecord
from ledger.audit import AuditReport, audit
from ledger.database import Database
from ledger.reports import PointsTotal, total_points
from networks.beliefs import Belief

_SHOWN = 20


class Report(msgspec.Struct, frozen=True):
    """The demo's result.

    Attributes
    ----------
    networks
        Each network's own summary.
    totals
        By network, then by party.
    disagreements
        Authorizations on which two parties differ.
    audit
        The ledger's own replay.
    points, points_due
        What the jobs have posted, and what they should have by holds and clearings.
    """

    networks: Mapping[str, Mapping[str, Any]]
    totals: Mapping[str, Mapping[str, Totals]]
    disagreements: Sequence[Disagreement]
    audit: AuditReport
    points: PointsTotal
    points_due: PointsTotal

    @property
    def unsettled(self) -> list[str]:
        """Networks that ended with something unanswered or answered in two ways."""
        return [
            name
            for name, told in self.networks.items()
            if told["unanswered"] or told["repeats_differing"] or told["broken_promises"]
        ]

    @property
    def agreed(self) -> bool:
        """Whether everybody tells the same story and the books balance."""
        settled = not self.disagreements and not self.unsettled
        return settled and self.audit.clean and self.points == self.points_due


def report(
    networks: Mapping[str, Mapping[str, Any]],
    beliefs: Sequence[Path],
    decisions: Path,
    ledger: str,
    started_at: int,
) -> Report:
    """Compare what the processes left behind.

    `started_at` (microseconds since the epoch) leaves out what a ledger held before.
    """
    believed = [belief for path in beliefs for belief in read_lines(path, Belief)]
    database = Database.open(ledger)
    try:
        with database.reading() as connection:
            in_ledger, books = ledger_truth(connection, started_at), audit(connection)
            points = total_points(connection), points_due(connection)
    finally:
        database.close()
    answers = gateway_truth(read_lines(decisions, DecisionRecord))
    truths: list[Truth] = [network_truth(believed), answers, in_ledger]
    sums = {name: {truth.party: totals(truth, name) for truth in truths} for name in networks}
    return Report(networks, sums, disagreements(truths), books, *points)


def as_json(result: Report) -> dict[str, Any]:
    """The result for programs."""
    return {
        "agreed": result.agreed,
        "networks": result.networks,
        "truths": msgspec.to_builtins(result.totals),
        "disagreements": [str(each) for each in result.disagreements],
        "audit": {
            "clean": result.audit.clean,
            "counts": result.audit.counts,
            "disagreements": msgspec.to_builtins(result.audit.disagreements),
        },
        "points": msgspec.to_builtins(result.points),
        "points_due": msgspec.to_builtins(result.points_due),
    }


def show(result: Report, console: Console) -> None:
    """The result for people."""
    console.print(_side_by_side(result.totals))
    for each in result.disagreements[:_SHOWN]:
        console.print(Text(f"  {each}", style="red"))
    if len(result.disagreements) > _SHOWN:
        console.print(f"  and {len(result.disagreements) - _SHOWN} more (--json lists them all)")
    for fault in result.audit.disagreements[:_SHOWN]:
        said = f"  {fault.subject}: {fault.check}: expected {fault.expected}, found {fault.found}"
        console.print(Text(said, style="red"))
    for name in result.unsettled:
        console.print(Text(f"  {name}: unanswered requests or differing answers", style="red"))
    console.print(_told_of_points(result))
    console.print(_verdict(result), soft_wrap=True)


_ROWS = (
    ("approved", "approved"),
    ("holds now", "held_count"),
    ("held now, JPY", "held"),
    ("cleared, JPY", "cleared"),
    ("refunded, JPY", "credited"),
)


def _side_by_side(networks: Mapping[str, Mapping[str, Totals]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Three truths", title_style="bold")
    table.add_column("")
    for heading in ("network believes", "gateway answered", "ledger holds"):
        table.add_column(heading, justify="right", min_width=16)
    for name, parties in networks.items():
        table.add_row(TITLES[name], style="bold")
        told = [parties[party] for party in ("network", "gateway", "ledger")]
        for label, attribute in _ROWS:
            values = [getattr(each, attribute) for each in told]
            cells = ("" if value is None else f"{value:,}" for value in values)
            table.add_row(f"  {label}", *cells)
    return table


def _told_of_points(result: Report) -> Text:
    points, due = result.points, result.points_due
    told = f"Points: {points.pending:,} pending, {points.confirmed:,} confirmed"
    if points == due:
        return Text(f"{told}, as holds and clearings say.")
    said = f"  {told}; holds and clearings say {due.pending:,} and {due.confirmed:,}"
    return Text(said, style="red")


def _verdict(result: Report) -> Text:
    counts = result.audit.counts
    if result.agreed:
        return Text(
            f"The three truths agree on every authorization, and the books balance:"
            f" {counts['entries']:,} entries of {counts['clearings']:,} clearings replayed.",
            style="bold green",
        )
    return Text(
        f"The truths differ: {len(result.disagreements)} disagreements,"
        f" {len(result.audit.disagreements)} faults in the books.",
        style="bold red",
    )
