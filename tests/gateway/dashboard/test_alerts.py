# ruff: noqa: E501 - a row of a table is a case
"""Each alert holds in its own case, and none of them when all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from gateway.dashboard.alerts import ALERTS, Glance, Severity, alerts

_RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules" / "alerts.yml"

WELL = Glance(
    workers=2,
    unreachable=0,
    links={"visanet": 1, "quicpay": 2},
    expected=frozenset({"visanet", "quicpay"}),
    books_clean=True,
    audit_age=20.0,
    approval=0.96,
    undecided=2,
    undecided_part=0.001,
    queue_part=0.1,
    commit_p99=0.004,
    lags={"mqtt": 1.0},
    overdue_holds=0,
)

CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"workers": 0}, "CardrailNoGateway", "no gateway process answers"),
    ({"books_clean": False}, "CardrailBooksDoNotBalance", "the books do not balance"),
    ({"links": {"quicpay": 1}}, "CardrailNetworkDown", "no link of visanet takes requests"),
    ({"unreachable": 1}, "CardrailWorkerDown", "1 gateway process does not answer"),
    ({"unreachable": 2}, "CardrailWorkerDown", "2 gateway processes do not answer"),
    ({"undecided": 1200, "undecided_part": 0.02}, "CardrailUndecided", "1,200 answered 91 in a minute"),
    ({"queue_part": 0.6}, "CardrailQueueFull", "the ledger's queue is 60% full"),
    ({"commit_p99": 0.3}, "CardrailCommitSlow", "p99 of a commit is 300 ms"),
    ({"approval": 0.4}, "CardrailApprovalsLow", "40% approved"),
    ({"lags": {"mqtt": 90.0}}, "CardrailReaderBehind", "readers of the outbox are behind: mqtt 90 s"),
    ({"overdue_holds": 3}, "CardrailHoldsOverdue", "3 holds are past their time: is `cardrail jobs` running?"),
    ({"audit_age": 4000.0}, "CardrailAuditOld", "the last audit is 4000 s old"),
]  # fmt: skip


def test_there_is_none_when_all_is_well() -> None:
    assert alerts(WELL) == []
    unknown = replace(WELL, books_clean=None, audit_age=None, approval=None, commit_p99=None)
    assert alerts(unknown) == []


@pytest.mark.parametrize(("change", "name", "told"), CASES)
def test_each_holds_alone(change: dict[str, Any], name: str, told: str) -> None:
    assert [(each.name, each.told) for each in alerts(replace(WELL, **change))] == [(name, told)]


def test_they_are_alerts_of_prometheus_by_the_same_names_and_as_urgent() -> None:
    rules = yaml.safe_load(_RULES.read_text())
    severities = {
        rule["alert"]: rule["labels"]["severity"]
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    ours = {name: str(severity) for name, severity, _ in ALERTS}
    assert ours == {name: severities[name] for name in ours}


def test_every_alert_has_a_case_and_the_urgent_ones_come_first() -> None:
    assert {name for name, _, _ in ALERTS} == {name for _, name, _ in CASES}
    severities = [severity for _, severity, _ in ALERTS]
    assert severities == sorted(severities, key=[*Severity].index)
