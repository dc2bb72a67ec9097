"""The driver's loop against real peers: everything intended is sent, answered and counted."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from time import monotonic
from types import MappingProxyType

import msgspec
import pytest

from loadtest.answers import ErrorKind
from loadtest.arrivals import Arrivals
from loadtest.figures import Figures, Interval
from loadtest.links import LinkRefused
from loadtest.openloop import Driver
from loadtest.plan import Plan, Profile, drawn
from loadtest.targets import TARGETS, Address
from loadtest.traffic import KINDS
from networks.wire.messages import CardRequest
from networks.wire.pan import synthetic_pan
from tests.loadtest.peer import Peer, Script, answer, approval, listening

NOWHERE = Address("127.0.0.1", 1)


def plan(addresses: Mapping[str, Address], **changes: object) -> Plan:
    usual = Plan(addresses=addresses, rate=2000, seconds=0.25, accounts=20, seed=7)
    return msgspec.structs.replace(usual, **changes)


def run(asked: Plan, *, stop_at: float | None = None, number: int = 0) -> Figures:
    """Run one process of the plan here; `stop_at` is when it is told to stop."""
    driver = Driver(asked, number)
    driver.dial()
    return follow(driver, asked, stop_at=stop_at)


def follow(driver: Driver, asked: Plan, *, stop_at: float | None = None) -> Figures:
    figures = Figures(asked.profile.networks)
    ours, theirs = socket.socketpair()

    def report(interval: Interval) -> None:
        figures.add(interval)
        if stop_at is not None and interval.until >= stop_at:
            theirs.send(b"stop")

    with ours, theirs:
        driver.run(monotonic() + 0.01, ours, report)
    return figures


@contextmanager
def both(script: Script | None = None) -> Iterator[dict[str, Peer]]:
    with listening("visanet", script) as visanet, listening("quicpay", script) as quicpay:
        yield {"visanet": visanet, "quicpay": quicpay}


def addresses(peers: Mapping[str, Peer]) -> dict[str, Address]:
    return {name: peer.address for name, peer in peers.items()}


@pytest.mark.parametrize("arrivals", Arrivals)
@pytest.mark.parametrize("profile", Profile)
def test_everything_intended_is_answered(
    responder: Mapping[str, Address], profile: Profile, arrivals: Arrivals
) -> None:
    figures = run(plan(responder, profile=profile, arrivals=arrivals, links=2))
    total = figures.total
    assert total.offered == total.sent == total.answered == total.approved
    assert total.codes == {"00": total.answered}
    assert figures.errors == {}
    if arrivals is Arrivals.UNIFORM:
        assert total.offered == 500
    assert all(network.answered > 100 for network in figures.networks.values())
    assert tuple(figures.networks) == profile.networks
    assert sum(second["answered"] for second in figures.timeline) == total.answered


def test_messages_are_those_of_the_plan() -> None:
    with both() as peers:
        asked = plan(addresses(peers), arrivals=Arrivals.UNIFORM)
        figures = run(asked)
    received = [request for peer in peers.values() for request in peer.received]
    assert len(received) == figures.total.sent == 500
    assert {request.pan for request in received} == {synthetic_pan(n) for n in range(1, 21)}
    assert len({request.stan for request in received}) == 500
    assert len({request.transaction_id for request in peers["visanet"].received}) == len(
        peers["visanet"].received
    )
    sequence = Counter(draw.network for draw in drawn(asked, Random("7/0"))[:500])
    assert {name: len(peer.received) for name, peer in peers.items()} == sequence
    kinds = Counter(request.processing_code for request in received)
    assert kinds["000000"] > kinds["010000"] > 0
    assert kinds["200000"] > 0


@pytest.fixture
def in_hundreds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at a rate that a test has no time for."""
    monkeypatch.setattr("loadtest.openloop._HUNDREDS_FROM", 1)


@pytest.mark.usefixtures("in_hundreds")
@pytest.mark.parametrize("arrivals", [Arrivals.POISSON, Arrivals.UNIFORM])
def test_a_hundred_at_a_time_is_the_same_traffic(arrivals: Arrivals) -> None:
    with both() as peers:
        asked = plan(addresses(peers), arrivals=arrivals, rate=2100, links=2)
        figures = run(asked)
    received = [request for peer in peers.values() for request in peer.received]
    total = figures.total
    assert total.offered == total.sent == total.answered == total.approved == len(received)
    assert figures.errors == {}
    if arrivals is Arrivals.UNIFORM:
        assert total.offered == 525  # those after the last whole hundred as well
    assert {request.pan for request in received} == {synthetic_pan(n) for n in range(1, 21)}
    assert len({(request.stan, request.rrn) for request in received}) == len(received)
    assert all(len(peer.received) >= 200 for peer in peers.values())
    assert total.codes == {"00": total.answered}


@pytest.mark.usefixtures("in_hundreds", "impatient")
def test_a_hundred_at_a_time_counts_its_errors() -> None:
    with listening("visanet", Sometimes(lambda _: [])) as peer:
        asked = plan({"visanet": peer.address}, profile=Profile.VISANET, arrivals=Arrivals.UNIFORM)
        figures = run(asked)
    assert figures.errors == {"timeout": 50}
    assert figures.total.answered == 450


@pytest.mark.usefixtures("in_hundreds", "impatient")
def test_no_hundred_is_sent_for_which_there_is_no_room() -> None:
    with listening("visanet", lambda _: []) as peer:
        asked = plan({"visanet": peer.address}, profile=Profile.VISANET, in_flight_most=250)
        figures = run(asked)
    assert figures.errors["timeout"] == len(peer.received) == 250
    assert figures.errors["not sent"] == figures.total.offered - 250


def test_the_hot_account_has_all_the_traffic() -> None:
    with both() as peers:
        run(plan(addresses(peers), profile=Profile.HOT_ACCOUNT))
    received = [request for peer in peers.values() for request in peer.received]
    assert {request.pan for request in received} == {synthetic_pan(1)}
    assert all(peer.received for peer in peers.values())


def test_two_processes_name_no_message_alike() -> None:
    names: list[tuple[str, str]] = []
    for number in range(2):
        with listening("visanet") as peer:
            asked = plan({"visanet": peer.address}, profile=Profile.VISANET, processes=2)
            run(asked, number=number)
        names += [(request.stan, request.transaction_id) for request in peer.received]
    assert len(set(names)) == len(names) > 300


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks whose timers are a second."""
    quick = {
        name: msgspec.structs.replace(target, response_seconds=1.0)
        for name, target in TARGETS.items()
    }
    monkeypatch.setattr("loadtest.network_driver.TARGETS", MappingProxyType(quick))


class Sometimes:
    """A script that does something else at every tenth request."""

    def __init__(self, other: Script) -> None:
        self.other = other
        self.count = 0

    def __call__(self, request: CardRequest) -> list[bytes] | None:
        self.count += 1
        return [approval(request)] if self.count % 10 else self.other(request)


# What happens to every tenth request: what is counted for it, and whether it has a code.
ERRORS: dict[ErrorKind, tuple[Script, bool]] = {
    ErrorKind.TIMEOUT: (lambda _: [], False),
    ErrorKind.DUPLICATE: (lambda request: [approval(request)] * 2, True),
    ErrorKind.UNDECIDED: (lambda request: [answer(request, "91")], True),
    ErrorKind.UNREADABLE: (lambda request: [answer(request, "")], False),  # no DE 39
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ERRORS)
def test_errors_are_counted(kind: ErrorKind) -> None:
    other, is_answered = ERRORS[kind]
    with listening("visanet", Sometimes(other)) as peer:
        asked = plan(
            {"visanet": peer.address}, profile=Profile.VISANET, arrivals=Arrivals.UNIFORM, rate=400
        )
        figures = run(asked)
    assert figures.total.offered == 100
    assert figures.errors == {kind.value: 10}
    assert figures.total.answered == (100 if is_answered else 90)


@pytest.mark.usefixtures("impatient")
def test_an_answer_after_the_timer_is_a_timeout_and_late() -> None:
    kept: list[bytes] = []

    def all_at_the_end(request: CardRequest) -> list[bytes]:
        kept.append(approval(request))
        return kept if len(kept) == 40 else []

    with listening("quicpay", all_at_the_end) as peer:
        asked = plan({"quicpay": peer.address}, profile=Profile.QUICPAY, rate=20, seconds=2)
        figures = run(msgspec.structs.replace(asked, arrivals=Arrivals.UNIFORM))
    late = figures.errors["late answer"]
    assert figures.errors == {"late answer": late, "timeout": late}
    assert 0 < late == 40 - figures.total.answered


def test_a_lost_link_is_told_and_the_others_go_on() -> None:
    def die(request: CardRequest) -> list[bytes] | None:
        return [approval(request)] if len(peer.received) != 50 else None

    with listening("visanet", die) as peer:
        asked = plan({"visanet": peer.address}, profile=Profile.VISANET, links=2)
        figures = run(asked)
    assert figures.total.errors["lost with its link"] >= 1
    assert set(figures.errors) == {"lost with its link"}
    assert figures.total.answered > 100
    assert figures.total.answered + figures.errors["lost with its link"] == figures.total.sent


def test_a_peer_that_stops_reading_for_a_moment_misses_nothing() -> None:
    stall = threading.Event()

    def once(request: CardRequest) -> list[bytes]:
        if not stall.is_set():
            stall.set()
            threading.Event().wait(0.3)
        return [approval(request)]

    with listening("visanet", once) as peer:
        asked = plan({"visanet": peer.address}, profile=Profile.VISANET, rate=4000)
        driver = Driver(asked, 0)
        driver.dial()
        for link in driver._networks["visanet"].links:
            link._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        figures = follow(driver, asked)
    assert figures.total.offered == figures.total.answered > 500
    assert figures.errors == {}
    assert len(peer.received) == figures.total.offered


def test_a_run_without_a_link_left_is_over() -> None:
    with listening("visanet", lambda _: None) as peer:
        asked = plan({"visanet": peer.address}, profile=Profile.VISANET, rate=100, seconds=60)
        figures = run(asked)
    assert figures.elapsed < 30
    assert figures.errors["lost with its link"] >= 1
    assert figures.total.answered == 0


def test_a_network_without_a_link_left_is_told_as_not_sent() -> None:
    with listening("visanet", lambda _: None) as visanet, listening("quicpay") as quicpay:
        asked = plan({"visanet": visanet.address, "quicpay": quicpay.address})
        figures = run(asked)
    visanet_figures = figures.networks["visanet"]
    assert visanet_figures.errors["not sent"] > 10
    assert visanet_figures.offered == visanet_figures.errors.total()
    assert figures.networks["quicpay"].errors == {}


@pytest.mark.usefixtures("impatient")
def test_no_more_are_in_flight_than_may_be() -> None:
    with listening("visanet", lambda _: []) as peer:
        asked = plan({"visanet": peer.address}, profile=Profile.VISANET, in_flight_most=5)
        figures = run(asked)
    assert set(figures.errors) == {"not sent", "timeout"}
    assert 5 <= figures.errors["timeout"] < 50
    assert sum(figures.errors.values()) == figures.total.offered


def test_a_run_can_be_stopped_and_settles(responder: Mapping[str, Address]) -> None:
    figures = run(plan(responder, seconds=60), stop_at=0.1)
    assert figures.elapsed < 30
    assert figures.total.offered == figures.total.answered > 50


def test_nothing_stays_open_when_a_link_is_refused() -> None:
    with listening("visanet") as peer:
        driver = Driver(plan({"visanet": peer.address, "quicpay": NOWHERE}), 0)
        with pytest.raises(LinkRefused):
            driver.dial()
    assert len(peer.payloads) == 2  # on and off


def test_kinds_are_drawn_by_weight_and_networks_alike() -> None:
    draws = drawn(plan({}), Random(1))
    by_network = Counter(draw.network for draw in draws)
    assert abs(by_network["visanet"] / len(draws) - 0.5) < 0.02
    taps = sum(draw.network == "quicpay" and draw.kind == 0 for draw in draws)
    assert abs(taps / by_network["quicpay"] - KINDS["quicpay"][0].weight) < 0.02
    assert all(1 <= draw.amount <= 100_000 for draw in draws)
