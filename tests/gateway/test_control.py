"""The control socket of a real gateway: what it tells, what it does to links, what it refuses."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.control import ControlServer, ControlUnavailable, remove_dead_sockets
from gateway.control_client import CommandRefused, GatewayControl, WorkerUnreachable
from gateway.control_messages import (
    LONGEST_REPLY,
    CommandLink,
    LinkAction,
    Problem,
    Refused,
    TakeSnapshot,
    framed,
    receive,
    replies,
    workers_in,
)
from gateway.feed import Feed
from gateway.metrics import LedgerMetrics
from gateway.open_links import OpenLinks, UnknownLink
from gateway.snapshot import LedgerSnapshot, Snapshot
from networks.wire.link_states import LinkEvent
from networks.wire.matching import Unmatched
from networks.wire.messages import AuthorizationResponse
from networks.wire.pan import synthetic_pan
from networks.wire.session_events import (
    AnswerUnmatched,
    Event,
    LinkOpened,
    ManagementReceived,
    RejectReceived,
    RequestsDropped,
    StateChanged,
)
from tests.gateway.controlling import (
    controlled,
    network_of,
    only_link,
    runtime_folder,
    survey_until_links,
)
from tests.gateway.running import BALANCE, Network, Running, fresh, run, running, until
from tests.gateway.samples import advice, purchase

PAN = synthetic_pan(1)
NOTHING = Snapshot(
    worker=1,
    pid=1,
    at=2.0,
    started_at=1.0,
    cpu_seconds=0.0,
    networks=(),
    ledger=LedgerSnapshot(
        waiting_count=0,
        capacity=1,
        is_crowded=False,
        batch_size=LedgerMetrics().batch_size(),
        commit=LedgerMetrics().commit(),
    ),
    links=(),
    cards_count=0,
    logs_dropped_count=0,
    feed_readers_count=0,
    feed_dropped_count=0,
)


@pytest.fixture
def runtime() -> Iterator[Path]:
    with runtime_folder() as folder:
        yield folder


@asynccontextmanager
async def watched(folder: Path, runtime: Path) -> AsyncIterator[tuple[Running, GatewayControl]]:
    async with running(folder) as gateway, controlled(gateway, runtime) as control:
        yield gateway, control


# What it tells.


def test_every_answer_is_counted_by_what_it_was(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            line = await gateway.dial()
            first = purchase(pan=PAN, **fresh())
            for request in (
                first,
                first,
                purchase(pan=PAN, **fresh(), amount=BALANCE),
                purchase(pan=synthetic_pan(2), **fresh()),
                purchase(pan=PAN, mti="0101", **fresh()),
                advice(pan=PAN, **fresh()),
            ):
                await line.ask(request)
            found = await control.survey()
            visanet = network_of(found)
            counts = {
                (each.message_class, each.response_code, each.outcome): each.elapsed.count
                for each in visanet.answers
            }
            assert counts == {
                ("authorization", "00", "APPROVED"): 3,
                ("authorization", "51", "INSUFFICIENT_FUNDS"): 1,
                ("authorization", "14", "INSTRUMENT_UNKNOWN"): 1,
                ("advice", "00", "APPROVED"): 1,
            }
            assert visanet.repeats_count == 1
            assert visanet.stand_ins == {"issuer-timeout": 1}
            assert visanet.elapsed().sum > 0
            assert network_of(found, "quicpay").answers == ()

    run(scenario)


def test_the_ledgers_batches_are_counted(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            line = await gateway.dial()
            await asyncio.gather(*(line.send(purchase(pan=PAN, **fresh())) for _ in range(30)))
            [snapshot] = (await control.survey()).snapshots
            ledger = snapshot.ledger
            assert ledger.batch_size.sum == 30
            assert ledger.batch_size.count == ledger.commit.count
            assert 0 < ledger.commit.sum <= snapshot.at - snapshot.started_at
            assert (ledger.waiting_count, ledger.capacity) == (0, 1000)
            assert not ledger.is_crowded
            assert (snapshot.worker, snapshot.pid, snapshot.cards_count) == (1, os.getpid(), 1)

    run(scenario)


def test_links_are_told_from_their_opening_to_their_end(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            assert (await control.survey()).links == ()
            visanet, quicpay = await gateway.dial("visanet"), await gateway.dial("quicpay")
            visanet.link.sign_on()
            links = (await survey_until_links(control, ["signed-on", "connected"])).links
            assert [link.network for link in links] == ["visanet", "quicpay"]
            assert len({link.link_id for link in links}) == 2
            quicpay.link.close()
            survey = await survey_until_links(control, ["signed-on"])
            assert network_of(survey, "quicpay").opened_count == 1

    run(scenario)


def test_what_goes_wrong_on_links_is_counted(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway, controlled(gateway, runtime) as control:
            line = await gateway.dial()
            line.link.sign_off()
            await line.event(StateChanged)
            line.link._transport.write(b"\x00\x05\x00\x00hello")
            line.link._transport.write(b"\xff\xff\x00\x00")
            await line.link.wait_closed()
            visanet = network_of(await survey_until_links(control, []))
            assert visanet.refused == {"HeaderError": 1}
            assert visanet.broken == {"FrameTooLong": 1}

    run(scenario)


def test_what_a_session_tells_of_its_messages_is_counted(tmp_path: Path, runtime: Path) -> None:
    response = AuthorizationResponse("0110")
    told: list[Event] = [
        RequestsDropped(3),
        RequestsDropped(4),
        AnswerUnmatched(response, Unmatched.LATE, "late", 1.5),
        RejectReceived("0134", None, None),
    ]

    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            line = await gateway.dial()
            await survey_until_links(control, ["connected"])
            for event in told:
                gateway.listeners["visanet"]._on_event(line.link, event)
            visanet = network_of(await control.survey())
            assert (visanet.dropped_count, visanet.rejected_count) == (7, 1)
            assert visanet.unmatched == {"late": 1}

    run(scenario)


def test_links_beyond_the_limit_are_counted(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            for _ in range(9):
                line = await gateway.dial()
            await line.link.wait_closed()
            visanet = network_of(await control.survey())
            assert (visanet.opened_count, visanet.turned_away_count) == (8, 1)

    run(scenario)


def test_a_process_that_does_not_answer_is_named(tmp_path: Path, runtime: Path) -> None:
    """2 was killed, 3 takes connections and says nothing, 4 says what nobody understands."""

    async def scenario() -> None:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(str(runtime / "gateway-2.sock"))
        dead.close()

        async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"\0\0\0\x01?")
            writer.close()

        babbling = await asyncio.start_unix_server(babble, runtime / "gateway-4.sock")
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(runtime / "gateway-3.sock"))
            silent.listen()
            async with babbling, watched(tmp_path, runtime):
                control = GatewayControl(runtime, timeout_seconds=0.5)
                survey = await control.survey()
                assert [each.worker for each in survey.snapshots] == [1]
                assert survey.unreachable == (2, 3, 4)
                with pytest.raises(WorkerUnreachable, match="gateway 3 does not answer: nothing"):
                    await control.command("3-1-1", LinkAction.DROP)

    run(scenario)


def test_a_folder_that_is_not_there_has_no_workers(runtime: Path) -> None:
    async def scenario() -> None:
        survey = await GatewayControl(runtime / "nowhere").survey()
        assert (survey.snapshots, survey.unreachable) == ((), ())

    run(scenario)


# What it does to links.


async def signed_on(gateway: Running, control: GatewayControl) -> tuple[Network, str]:
    """A link, and its id."""
    line = await gateway.dial()
    line.link.sign_on()
    return line, only_link(await survey_until_links(control, ["signed-on"])).link_id


def test_a_link_is_signed_off_and_on_again(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            line, link_id = await signed_on(gateway, control)
            await control.command(link_id, LinkAction.SIGN_OFF)
            await survey_until_links(control, ["signed-off"])
            await control.command(link_id, LinkAction.SIGN_ON)
            await survey_until_links(control, ["signed-on"])
            told = [each.event for each in line.events if isinstance(each, ManagementReceived)]
            assert told == [LinkEvent.SIGN_OFF, LinkEvent.SIGN_ON]

    run(scenario)


def test_a_link_is_dropped_and_its_id_never_means_another(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            line, link_id = await signed_on(gateway, control)
            await control.command(link_id, LinkAction.DROP)
            await line.link.wait_closed()
            await signed_on(gateway, control)
            with pytest.raises(UnknownLink, match=f"there is no link {link_id} any more"):
                await control.command(link_id, LinkAction.DROP)

    run(scenario)


def test_what_a_links_state_forbids_is_refused(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (gateway, control):
            line = await gateway.dial()
            await survey_until_links(control, ["connected"])
            line.link.close()
            gateway.open_links.add("visanet", line.link, LinkOpened("127.0.0.1", 1))
            ended = (await control.survey()).links[-1]
            with pytest.raises(CommandRefused, match="the link is closed"):
                await control.command(ended.link_id, LinkAction.SIGN_OFF)
            gateway.open_links.discard(line.link)

    run(scenario)


@pytest.mark.parametrize("link_id", ["", "1", "1-2", "1-2-3-4", "a-1-1", "1--1", "9-1-1", "²-1-1"])
def test_no_links_id(runtime: Path, link_id: str) -> None:
    with pytest.raises(UnknownLink, match=f"there is no link {link_id}"):
        asyncio.run(GatewayControl(runtime).command(link_id, LinkAction.DROP))


# What it refuses.


@pytest.mark.parametrize(
    ("sent", "explanation"),
    [
        (b"\0\0\0\x01?", "expected `object`, got `int`"),
        (b"\0\1\0\0", "a message of 65536 bytes, expected at most 4096"),
        (b"\0\0\0\x07\x81\xa4type\xc0", "`str`"),
    ],
)
def test_what_is_no_request_ends_the_connection(
    tmp_path: Path, runtime: Path, sent: bytes, explanation: str
) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime):
            reader, writer = await asyncio.open_unix_connection(runtime / "gateway-1.sock")
            writer.write(sent)
            reply = await receive(reader, replies, LONGEST_REPLY)
            assert isinstance(reply, Refused)
            assert reply.problem is Problem.BAD_REQUEST
            assert explanation.lower() in reply.explanation.lower()
            assert await reader.read() == b""
            writer.close()

    run(scenario)


def test_a_connection_may_ask_again_and_again(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime):
            reader, writer = await asyncio.open_unix_connection(runtime / "gateway-1.sock")
            for _ in range(3):
                writer.write(framed(TakeSnapshot()))
                reply = await receive(reader, replies, LONGEST_REPLY)
                assert isinstance(reply, Snapshot)
            writer.write(framed(CommandLink("1-1-1", LinkAction.DROP)))
            reply = await receive(reader, replies, LONGEST_REPLY)
            assert isinstance(reply, Refused)
            writer.close()

    run(scenario)


def test_connections_are_bounded(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (_, control):
            kept = []
            for _ in range(32):
                reader, writer = await asyncio.open_unix_connection(runtime / "gateway-1.sock")
                writer.write(framed(TakeSnapshot()))
                await receive(reader, replies, LONGEST_REPLY)
                kept.append(writer)
            assert (await control.survey()).unreachable == (1,)
            kept.pop().close()
            while (await control.survey()).unreachable:
                pass
            for writer in kept:
                writer.close()

    run(scenario)


# Its folder.


def test_what_a_dead_gateway_left_is_replaced(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(runtime / "gateway-1.sock"))
        left.close()
        (runtime / "gateway-1.lock").touch()
        async with watched(tmp_path, runtime) as (_, control):
            assert len((await control.survey()).snapshots) == 1
        assert workers_in(runtime) == []

    run(scenario)


def test_a_gateway_that_starts_forgets_those_that_were_killed(
    tmp_path: Path, runtime: Path
) -> None:
    """Workers 2 and 3 were killed when there were three; 1 runs."""

    async def scenario() -> None:
        for worker in (2, 3):
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(str(runtime / f"gateway-{worker}.sock"))
        async with watched(tmp_path, runtime) as (_, control):
            assert (await control.survey()).unreachable == (2, 3)
            remove_dead_sockets(runtime)
            survey = await control.survey()
            assert (len(survey.snapshots), survey.unreachable) == (1, ())

    run(scenario)


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime / "made" / "here"):
            assert (runtime / "made" / "here").stat().st_mode & 0o777 == 0o700

    run(scenario)


async def refused(runtime: Path) -> str:
    """Why a control socket cannot be opened."""
    server = ControlServer(lambda: NOTHING, OpenLinks(1), Feed(1))
    with pytest.raises(ControlUnavailable) as found:
        await server.open(runtime, 1)
    await server.close()
    return str(found.value)


def test_a_second_gateway_of_the_same_number_is_refused(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with watched(tmp_path, runtime) as (_, control):
            assert await refused(runtime) == (
                f"the runtime folder {runtime}: gateway-1 runs there already;"
                " CARDRAIL_RUNTIME names another folder"
            )
            assert len((await control.survey()).snapshots) == 1, "and the first still answers"

    run(scenario)


def test_a_folder_that_others_may_enter_is_refused(runtime: Path) -> None:
    runtime.chmod(0o750)
    told = asyncio.run(refused(runtime))
    assert told == f"the runtime folder {runtime}: others may enter it, expected mode 0700"


def test_a_folder_that_is_a_file_is_refused(runtime: Path) -> None:
    (runtime / "file").touch()
    told = asyncio.run(refused(runtime / "file"))
    assert told == f"the runtime folder {runtime}/file: File exists"


def test_a_path_may_be_longer_than_a_sockets(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system has a short one for each folder; elsewhere it is told."""
    long = runtime / ("x" * 90)

    async def scenario() -> None:
        async with watched(tmp_path, long) as (gateway, control):
            survey = await control.survey()
            assert (len(survey.snapshots), survey.unreachable) == (1, ())
            async with control.feed():
                await until(lambda: gateway.feed.is_read)
        assert workers_in(long) == []

    if Path("/proc/self/fd").is_dir():
        run(scenario)
    monkeypatch.setattr("gateway.control_messages._FOLDERS_BY_NUMBER", runtime / "nowhere")
    told = asyncio.run(refused(long))
    assert f"the control socket's path {long}/gateway-1.sock has " in told
    assert told.endswith(" bytes, expected at most 103: name a shorter folder in CARDRAIL_RUNTIME")
