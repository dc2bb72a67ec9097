"""deploy/prometheus: rules that name what there is, each alert seen to fire and to be silent."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.promql import EXPOSED, impossible_labels, metrics_in

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
RUNBOOK = FOLDER.parents[1] / "docs" / "RUNBOOK.md"


def read(name: str) -> Any:  # noqa: ANN401 - as YAML is
    return yaml.safe_load((FOLDER / name).read_text())


def rules(name: str) -> list[dict[str, Any]]:
    return [rule for group in read(f"rules/{name}.yml")["groups"] for rule in group["rules"]]


RECORDED = {rule["record"]: rule for rule in rules("recording")}
ALERTS = {rule["alert"]: rule for rule in rules("alerts")}


@pytest.fixture
def promtool() -> str:
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "tests/recording.yml"],
        ["test", "rules", "tests/alerts.yml"],
    ],
    ids=lambda arguments: Path(arguments[2]).stem,
)
def test_promtool_agrees(promtool: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", [*RECORDED.values(), *ALERTS.values()], ids=str)
def test_a_rule_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    named = metrics_in(rule["expr"])
    assert named
    assert named <= EXPOSED | RECORDED.keys()
    assert impossible_labels(rule["expr"]) == []


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_rule_is_tested(name: str) -> None:
    tested = {
        metric
        for group in read("tests/recording.yml")["tests"]
        for each in group["promql_expr_test"]
        for metric in metrics_in(each["expr"])
    }
    assert name in tested
    assert re.fullmatch(r"[a-z_]+:cardrail_[a-z_]+:[a-z0-9_]+", name)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_seen_to_fire_and_to_be_silent(name: str) -> None:
    cases = [
        each
        for group in read("tests/alerts.yml")["tests"]
        for each in group["alert_rule_test"]
        if each["alertname"] == name
    ]
    assert {bool(each["exp_alerts"]) for each in cases} == {True, False}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_means_and_where_to_look(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert {*rule["annotations"]} == {"summary", "description"}
    assert f"### {name}\n" in RUNBOOK.read_text()


def test_the_runbook_has_no_alert_that_is_none() -> None:
    chapters = {
        line.removeprefix("### ")
        for line in RUNBOOK.read_text().splitlines()
        if line.startswith("### Cardrail")
    }
    assert chapters == {*ALERTS}
