"""A real Prometheus scrapes `cardrail ops` beside two gateways: figures add up, rules evaluate."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from networks.wire.messages import Message
from networks.wire.pan import synthetic_pan
from tests.cardrail.test_serve import exchange, seed, serving, url
from tests.deploy.promql import LABEL_VALUES
from tests.deploy.scraping import PROMETHEUS, Prometheus, operations, prometheus
from tests.deploy.test_dashboard import QUERIES
from tests.deploy.test_rules import ALERTS, RECORDED
from tests.gateway.running import fresh
from tests.gateway.samples import advice, purchase

PAN = synthetic_pan(1)
LINKS, PURCHASES = 8, 5

pytestmark = pytest.mark.skipif(
    PROMETHEUS is None, reason="prometheus is not installed (Debian package prometheus)"
)


def send_purchases(address: str) -> None:
    """Over several links, so that each worker has some of them in all likelihood."""

    async def scene() -> None:
        links: list[list[Message]] = [
            [purchase(pan=PAN, **fresh()) for _ in range(PURCHASES)] for _ in range(LINKS)
        ]
        await asyncio.gather(*(exchange("visanet", address, messages) for messages in links))

    asyncio.run(scene())


def assert_rules_evaluate(server: Prometheus) -> None:
    rules = [rule for group in server.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {*RECORDED, *ALERTS}
    assert [rule["lastError"] for rule in rules if rule["health"] == "err"] == []


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
        send_purchases(ready["visanet"])  # from now on there are rates
        server.wait_for('network:cardrail_approvals:ratio_rate5m{network="visanet"}', 1)
        server.wait_for('network:cardrail_undecided:ratio_rate5m{network="visanet"}', 0)
        server.wait_for('count(network:cardrail_answer_seconds:p99_5m{network="visanet"} > 0)', 1)
        assert_rules_evaluate(server)
        for _, expression, _ in QUERIES:
            server.get("query", query=expression.replace("$__rate_interval", "1m"))
        for label, values in LABEL_VALUES.items():
            assert {*server.get(f"label/{label}/values")} <= values
        alerts = server.get("alerts")["alerts"]
        assert [each for each in alerts if each["state"] == "firing"] == []

        parent = psutil.Process(process.pid)
        parent.suspend()  # it would start them again
        for worker in parent.children():
            worker.kill()
        server.wait_for("sum(cardrail_worker_up)", 0)
        server.wait_for('ALERTS{alertname="CardrailNoGateway", alertstate="pending"}', 1)
