"""deploy/grafana: the file is what the script builds, and names only what there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.promql import EXPOSED, impossible_labels, metrics_in
from tests.deploy.test_rules import RECORDED

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
TEXT = (FOLDER / "cardrail.json").read_text()
PANELS: list[dict[str, Any]] = json.loads(TEXT)["panels"]
QUERIES = [
    (panel["title"], target["expr"], target.get("legendFormat", ""))
    for panel in PANELS
    for target in panel.get("targets", [])
]


def test_the_file_is_what_the_script_builds() -> None:
    built = subprocess.run(
        [sys.executable, FOLDER / "build_dashboard.py"], capture_output=True, text=True, check=True
    )
    assert built.stdout == TEXT


@pytest.mark.parametrize(("title", "expression", "legend"), QUERIES)
def test_a_panel_asks_for_what_there_is(title: str, expression: str, legend: str) -> None:
    named = metrics_in(expression)
    assert named <= EXPOSED | RECORDED.keys(), title
    assert named or "ALERTS{" in expression, title
    assert [each for each in impossible_labels(expression) if each[0] != "alertname"] in (
        [],
        [("alertstate", "firing")],
    )
    for label in re.findall(r"{{(\w+)}}", legend):
        assert label in _labels(expression), f"{title}: a legend of {label}"


def _labels(expression: str) -> set[str]:
    """What the result has: that of a sum is written down, that of a metric is known."""
    summed = re.search(r"\bby \(([\w, ]+)\)", expression)
    if summed is not None:
        return {*summed[1].split(", ")}
    recorded = re.match(r"(\w+):cardrail", expression)
    if recorded is not None:
        level = recorded[1]
        return {name for name in ("network", "message_class", "response_code", "worker")
                if name in level}  # fmt: skip
    return {"worker", "reader"}


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations([panel["gridPos"] for panel in PANELS], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert one["x"] + one["w"] <= 24


def test_every_family_is_to_be_seen() -> None:
    """By itself, or by what is recorded of it; but for what only alerts need."""
    seen = {name for _, expression, _ in QUERIES for name in metrics_in(expression)}
    behind = {
        name for each in seen & RECORDED.keys() for name in metrics_in(RECORDED[each]["expr"])
    }
    unseen = {re.sub(r"_(bucket|count|sum)$", "", name) for name in EXPOSED} - {
        re.sub(r"_(bucket|count|sum)$", "", name) for name in seen | behind
    }
    assert unseen == {
        "up",
        "cardrail_answers_unmatched_total",
        "cardrail_messages_rejected_total",
        "cardrail_ledger_crowded",
        "cardrail_ledger_up",
        "cardrail_ledger_looked_at_timestamp_seconds",
        "cardrail_worker_start_time_seconds",
        "cardrail_audit_duration_seconds",
        "cardrail_feed_dropped_total",
    }
