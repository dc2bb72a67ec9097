"""A real Prometheus scrapes the demo, where everything is to be seen, and two gateways' figures."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from networks.wire.messages import Message
from networks.wire.pan import synthetic_pan
from tests.cardrail.test_serve import exchange, seed, serving, url
from tests.deploy.promql import LABEL_VALUES, metrics_in
from tests.deploy.scraping import PROMETHEUS, Prometheus, demo, operations, prometheus
from tests.deploy.test_dashboard import QUERIES
from tests.deploy.test_rules import ALERTS, RECORDED
from tests.gateway.running import fresh
from tests.gateway.samples import advice, purchase

PAN = synthetic_pan(1)
LINKS, PURCHASES = 8, 5
PANELS = [expression.replace("$__rate_interval", "1m") for _, expression, _ in QUERIES]
EXPRESSIONS = [*PANELS, *(rule["expr"] for rule in (*RECORDED.values(), *ALERTS.values()))]
NAMED = {metric for expression in EXPRESSIONS for metric in metrics_in(expression)}
# What is no more than a machine with much else to do; all others would be wrong.
OF_A_BUSY_MACHINE = {"CardrailSlow", "CardrailCommitSlow", "CardrailQueueFull", "CardrailUndecided"}

pytestmark = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not installed (Debian package prometheus)"
)


def missing(server: Prometheus) -> set[str]:
    """What is named and not there, or has no number yet."""
    there = {*server.get("label/__name__/values")}
    return NAMED - there | {name for name in RECORDED if not server.numbers(name)}


def unevaluated(server: Prometheus) -> set[str]:
    """Rules that were not evaluated yet, or cannot be."""
    rules = [rule for group in server.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {*RECORDED, *ALERTS}
    return {rule["name"] for rule in rules if rule["health"] != "ok"}


def alarming(server: Prometheus) -> set[str]:
    """Alerts that fire, or would before long."""
    names = {each["labels"]["alertname"] for each in server.get("alerts")["alerts"]}
    return names - OF_A_BUSY_MACHINE


def test_prometheus_scrapes_the_demo(tmp_path: Path) -> None:
    with (
        demo(tmp_path, "--seconds", "90", "--rate", "40", "--cards", "200") as target,
        prometheus(tmp_path, target) as server,
    ):
        server.wait_for("up", 1)
        server.wait_until_none(lambda: missing(server))
        server.wait_until_none(lambda: unevaluated(server))
        server.wait_until_none(lambda: alarming(server))  # before the first scrape one was
        asked = [panel for panel in PANELS if "ALERTS{" not in panel]
        assert [panel for panel in asked if not server.get("query", query=panel)["result"]] == []
        for label, values in LABEL_VALUES.items():
            assert {*server.get(f"label/{label}/values")} <= values
        assert server.value("min_over_time(up[1m])") == 1


def send_purchases(address: str) -> None:
    """Over several links, so that each worker has some of them in all likelihood."""

    async def scene() -> None:
        links: list[list[Message]] = [
            [purchase(pan=PAN, **fresh()) for _ in range(PURCHASES)] for _ in range(LINKS)
        ]
        await asyncio.gather(*(exchange("visanet", address, messages) for messages in links))

    asyncio.run(scene())


def test_prometheus_scrapes_all_workers(tmp_path: Path) -> None:
    seed(tmp_path)
    with (
        serving(tmp_path, "--workers", "2") as (process, ready),
        operations(tmp_path, url(tmp_path)) as target,
        prometheus(tmp_path, target) as server,
    ):
        server.wait_for("sum(cardrail_worker_up)", 2)
        send_purchases(ready["visanet"])
        told: list[Message] = [advice(pan=PAN, transaction_id="386326054321999", **fresh())]
        asyncio.run(exchange("visanet", ready["visanet"], told))
        approved = 'sum(cardrail_answers_total{message_class="authorization", outcome="APPROVED"})'
        server.wait_for(approved, LINKS * PURCHASES)
        server.wait_for('cardrail_pending_holds{age="1d"}', LINKS * PURCHASES + 1)
        server.wait_for('sum(cardrail_stand_in_advices_total{reason="issuer-timeout"})', 1)

        parent = psutil.Process(process.pid)
        parent.suspend()  # it would start them again
        for worker in parent.children():
            worker.kill()
        server.wait_for("sum(cardrail_worker_up)", 0)
        server.wait_for('ALERTS{alertname="CardrailNoGateway", alertstate="pending"}', 1)
