"""The simulated networks over real sockets, against an issuer that does as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from networks.beliefs import Belief
from networks.links import Connection, IssuerUnreachable
from networks.network import Network
from networks.runner import Reporting, Runner
from networks.schedule import Run
from networks.simulator import Simulator
from networks.tally import Progress
from networks.traffic import Course, Settlement
from networks.wire.messages import CardRequest
from networks.wire.session import Session
from networks.wire.session_events import Event
from networks.wire.streams import Link, listen
from tests.networks.issuer import Answers, Issuer, Script, agreeable, approve, differing, listening
from tests.networks.simulated import COUNTER, NETWORKS, forced, impatient

ALL_NETWORKS = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
VISANET = NETWORKS["visanet"]
RUN = Run(rate=400, seconds=0.25, seed=3, cards=50, retry_seconds=0.01)


@dataclass
class Told:
    """What a run has reported."""

    beliefs: list[Belief] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    def reporting(self) -> Reporting:
        return Reporting(settled=self.beliefs.append, progress=self.progress.append, seconds=0.05)


@asynccontextmanager
async def running(
    issuer: Issuer, network: Network, told: Told, links: int = 1, run: Run = RUN
) -> AsyncIterator[Runner]:
    async with listening(issuer):
        connection = Connection(
            host="127.0.0.1", port=issuer.port, links=links, patience_seconds=1.0
        )
        yield Runner(network, run, connection, told.reporting())


def play(
    network: Network, script: Script = agreeable, links: int = 1
) -> tuple[Issuer, Told, Simulator]:
    issuer, told = Issuer(network, script), Told()

    async def whole() -> Simulator:
        async with running(issuer, network, told, links) as runner:
            return await runner.run()

    return issuer, told, asyncio.run(whole())


@ALL_NETWORKS
def test_a_run_from_sign_on_to_sign_off(network: Network) -> None:
    issuer, told, simulator = play(network)
    assert simulator.kept_its_promises
    assert sum(not belief.increment_of for belief in told.beliefs) == 100
    assert simulator.tally.counts["answered"] == len(issuer.received)
    phases = [line["phase"] for line in told.progress]
    assert (phases[0], phases[-1]) == ("connecting", "done")
    assert {"running", "settling"} & set(phases)
    last = told.progress[-1]
    assert last["authorizations"] == 100
    assert 0 < last["p50_ms"] <= last["p99_ms"] <= last["p999_ms"]


def test_several_links_share_the_work() -> None:
    issuer, _, simulator = play(VISANET, links=3)
    assert len(issuer.links) == 3
    assert simulator.kept_its_promises


@ALL_NETWORKS
def test_repeats_over_sockets_compare_bytes(network: Network) -> None:
    def fickle(_issuer: Issuer, request: CardRequest) -> Answers:
        answer = approve(request)
        return [differing(answer) if request.is_repeat else answer]

    lossy = forced(network, COUNTER, course=Course.LOST_ANSWER)
    assert play(lossy)[2].tally.counts["repeats"] == 100
    differing_run = play(lossy, fickle)[2]
    assert differing_run.tally.counts["repeats_differing"] == 100
    assert not differing_run.kept_its_promises


@ALL_NETWORKS
def test_a_timer_that_runs_out_is_followed_by_a_reversal(network: Network) -> None:
    def mute(_issuer: Issuer, request: CardRequest) -> Answers:
        return [] if request.mti == "0100" else [approve(request)]

    plain = forced(impatient(network), COUNTER, course=Course.PLAIN)
    issuer, told, simulator = play(plain, mute)
    assert len(issuer.of_type("0420")) == 100
    assert all(belief.reversed for belief in told.beliefs)
    assert simulator.tally.counts["unanswered"] == 100


@ALL_NETWORKS
def test_late_answers_are_noticed(network: Network) -> None:
    plain = forced(impatient(network), COUNTER, course=Course.PLAIN, settlement=Settlement.NEVER)
    issuer, told = Issuer(plain, is_late=True), Told()

    async def whole() -> Simulator:
        async with running(issuer, plain, told) as runner:
            return await runner.run()

    simulator = asyncio.run(whole())
    assert simulator.tally.counts["late"] == 100
    assert simulator.kept_its_promises
    assert all(belief.answered and not belief.held for belief in told.beliefs)


@ALL_NETWORKS
def test_a_link_that_breaks_is_dialled_again_and_its_requests_repeated(network: Network) -> None:
    async def whole() -> tuple[Issuer, Simulator]:
        broken: list[int] = []

        def breaking(issuer: Issuer, request: CardRequest) -> Answers:
            count = len(issuer.links)
            if count not in broken and count <= 2 and len(issuer.received) >= 20 * count:
                broken.append(count)
                issuer.links[-1].close()
                return []
            return agreeable(issuer, request)

        issuer, told = Issuer(network, breaking), Told()
        plain = forced(network, COUNTER, course=Course.PLAIN)
        async with running(issuer, plain, told) as runner:
            return issuer, await runner.run()

    issuer, simulator = asyncio.run(whole())
    assert len(issuer.links) == 3
    assert issuer.of_type("0101", "0221")
    assert simulator.kept_its_promises


def test_an_issuer_that_goes_away_for_good_ends_the_run() -> None:
    async def whole() -> tuple[Told, Simulator]:
        issuer, told = Issuer(VISANET), Told()
        async with listening(issuer):
            connection = Connection(host="127.0.0.1", port=issuer.port, patience_seconds=0.1)
            runner = Runner(VISANET, RUN, connection, told.reporting())

            def leaving(issuer: Issuer, request: CardRequest) -> Answers:
                assert issuer.server is not None
                issuer.server.close()
                for link in issuer.links:
                    link.close()
                return [approve(request)]

            issuer.script = leaving
            return told, await runner.run()

    told, simulator = asyncio.run(whole())
    assert simulator.tally.counts["unanswered"] >= 1
    assert not simulator.kept_its_promises
    assert told.progress[-1]["phase"] == "done"


def test_nobody_there() -> None:
    async def whole() -> None:
        issuer = Issuer(VISANET)
        async with listening(issuer):
            port = issuer.port
        connection = Connection(host="127.0.0.1", port=port, patience_seconds=0.1)
        await Runner(VISANET, RUN, connection, Told().reporting()).run()

    with pytest.raises(IssuerUnreachable, match=r"no issuer signed on at 127.0.0.1:\d+ within 0.1"):
        asyncio.run(whole())


def test_an_issuer_that_does_not_answer_the_sign_on() -> None:
    async def whole() -> None:
        async def listen_and_say_nothing(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(listen_and_say_nothing, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            connection = Connection(host="127.0.0.1", port=port, patience_seconds=0.0)
            runner = Runner(impatient(VISANET), RUN, connection, Told().reporting())
            await runner.run()

    with pytest.raises(IssuerUnreachable):
        asyncio.run(whole())


def test_an_issuer_that_hangs_up_on_the_sign_on_is_dialled_again() -> None:
    async def whole() -> Simulator:
        issuer = Issuer(VISANET)
        calls: list[int] = []

        def session() -> Session:
            calls.append(1)
            return issuer.session()

        def on_event(link: Link, event: Event) -> None:
            if len(calls) == 1:
                link.close()
            issuer.on_event(link, event)

        server = await listen("127.0.0.1", 0, session, on_event)
        async with server:
            port = server.sockets[0].getsockname()[1]
            connection = Connection(host="127.0.0.1", port=port, patience_seconds=5.0)
            return await Runner(VISANET, RUN, connection, Told().reporting()).run()

    assert asyncio.run(whole()).kept_its_promises


def test_an_issuer_that_is_late_to_start_is_waited_for() -> None:
    async def whole() -> Simulator:
        first = Issuer(VISANET)
        async with listening(first):
            port = first.port
        connection = Connection(host="127.0.0.1", port=port, patience_seconds=10.0)
        waiting = asyncio.Event()
        reporting = Reporting(settled=lambda _: None, progress=lambda _: waiting.set())
        task = asyncio.create_task(Runner(VISANET, RUN, connection, reporting).run())
        await waiting.wait()
        async with listening(Issuer(VISANET), port):
            return await task

    assert asyncio.run(whole()).kept_its_promises


def test_stopping_settles_what_was_begun() -> None:
    async def whole() -> tuple[Told, Simulator]:
        told = Told()

        def stop_at_ten(issuer: Issuer, request: CardRequest) -> Answers:
            if len(issuer.received) == 10:
                runner.stop()
            return agreeable(issuer, request)

        issuer = Issuer(VISANET, stop_at_ten)
        async with running(issuer, VISANET, told) as runner:
            return told, await runner.run()

    told, simulator = asyncio.run(whole())
    assert 10 <= simulator.tally.counts["authorizations"] < 100
    assert len(told.beliefs) >= 10
    assert simulator.kept_its_promises


def test_stopping_before_anything_is_connected_begins_nothing() -> None:
    async def whole() -> Simulator:
        issuer = Issuer(VISANET, agreeable)
        async with running(issuer, VISANET, Told()) as runner:
            runner.stop()
            return await runner.run()

    assert asyncio.run(whole()).tally.counts["sent"] == 0
