"""Several processes as one run."""

from __future__ import annotations

from collections.abc import Mapping
from multiprocessing import active_children

import pytest

from loadtest.links import LinkRefused
from loadtest.plan import Plan, Profile
from loadtest.targets import Address
from loadtest.workers import Run, WorkerFailed


def plan(addresses: Mapping[str, Address], seconds: float = 0.5, processes: int = 2) -> Plan:
    return Plan(addresses=addresses, rate=1000, seconds=seconds, processes=processes)


def test_processes_share_the_rate_and_are_gone_at_the_end(
    responder: Mapping[str, Address],
) -> None:
    told: list[float] = []
    most = 0

    def tell(elapsed: float) -> None:
        nonlocal most
        told.append(elapsed)
        most = max(most, len(active_children()))

    figures = Run(plan(responder)).follow(tell)
    assert figures.total.offered == figures.total.answered
    assert abs(figures.total.offered - 500) < 150
    assert figures.cpu_seconds > 0
    assert told == sorted(told)
    assert most == 2
    assert active_children() == []


def test_a_run_that_is_stopped_comes_to_its_end(responder: Mapping[str, Address]) -> None:
    run = Run(plan(responder, seconds=60))
    figures = run.follow(lambda _: run.stop())
    assert figures.elapsed < 30
    assert figures.total.offered == figures.total.answered > 0


def test_a_gateway_that_is_not_there_is_refused() -> None:
    asked = plan({"visanet": Address("127.0.0.1", 1), "quicpay": Address("127.0.0.1", 1)})
    with pytest.raises(LinkRefused, match=r"no link to visanet at 127\.0\.0\.1:1"):
        Run(asked).follow(lambda _: None)
    assert active_children() == []


def test_a_process_that_dies_fails_the_run(responder: Mapping[str, Address]) -> None:
    with pytest.raises(WorkerFailed, match="ended early"):
        Run(plan(responder, seconds=60)).follow(lambda _: active_children()[0].kill())
    assert active_children() == []


def test_the_hot_account_is_a_profile_of_both_networks() -> None:
    assert Profile.HOT_ACCOUNT.networks == Profile.MIXED.networks == ("visanet", "quicpay")
    assert plan({}).cards == (1, 1000)
