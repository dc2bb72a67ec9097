"""Links over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, takewhile
from random import Random
from typing import Any, TypeVar

import pytest
import uvloop

from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, VISANET
from networks.wire.errors import FrameCut, FrameStalled, PeerSilent
from networks.wire.framing import FrameBuffer
from networks.wire.link_states import LinkState
from networks.wire.respond import acknowledge, respond
from networks.wire.session_events import (
    AnswerReceived,
    Event,
    LinkBroken,
    LinkOpened,
    MessageRefused,
    RequestLost,
    RequestReceived,
    RequestTimedOut,
    StateChanged,
)
from networks.wire.session_limits import Probe, SessionLimits
from networks.wire.streams import Link, connect, listen
from tests.wire.pairs import LIMITS, PURCHASE, issuer_session, network_session, purchase
from tests.wire.vectors import VECTORS, vector

T = TypeVar("T")
HOST = "127.0.0.1"


@pytest.fixture(params=DIALECTS.values(), ids=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


@dataclass
class Recorder:
    """Takes a link's events, and lets a test wait for the first of a kind."""

    events: list[Event] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, link: Link, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, LinkOpened):
            self.links.append(link)
        self.changed.set()

    async def first(self, kind: type[T], count: int = 1) -> T:
        """The `count`th event of `kind`, waited for."""
        while True:
            found = [event for event in self.events if isinstance(event, kind)]
            if len(found) >= count:
                return found[count - 1]
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 10)


@dataclass
class Issuer(Recorder):
    """Approves what it is asked."""

    def __call__(self, link: Link, event: Event) -> None:
        super().__call__(link, event)
        if isinstance(event, RequestReceived):
            link.respond(event, acknowledge(event.message))


@asynccontextmanager
async def listening(
    dialect: Dialect, on_event: Callable[[Link, Event], None], limits: SessionLimits = LIMITS
) -> AsyncIterator[int]:
    """A listener, its port, and at the end none of its links left."""
    links: list[Link] = []

    def observe(link: Link, event: Event) -> None:
        if isinstance(event, LinkOpened):
            links.append(link)
        on_event(link, event)

    server = await listen(HOST, 0, lambda: issuer_session(dialect, limits), observe)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for link in links:
            link.close()
            await link.wait_closed()
        await server.wait_closed()


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run `test` with a limit, on asyncio's own loop and on the one that the gateway uses."""

    async def limited() -> None:
        await asyncio.wait_for(test(), 60)

    for new_loop in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(limited())


def test_a_link_from_sign_on_to_close(dialect: Dialect) -> None:
    async def test() -> None:
        issuer, network = Issuer(), Recorder()
        async with listening(dialect, issuer) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            for act in (link.sign_on, link.cutover, link.echo, link.sign_off, link.sign_on):
                act()
            await network.first(AnswerReceived, 5)
            assert link.session.state is LinkState.SIGNED_ON

            asked = purchase(dialect)
            sent = link.send(asked)
            answer = await network.first(AnswerReceived, 6)
            assert (answer.request, sent) == (asked, dialect.codec.encode(asked.elements))

            link.close()
            assert link.is_closed
            await link.wait_closed()
            assert isinstance(network.events[0], LinkOpened)
            assert isinstance(network.events[-1], StateChanged)

    run(test)


def test_the_answers_of_one_piece_go_out_in_one_write(dialect: Dialect) -> None:
    async def test() -> None:
        writes: list[bytes] = []

        def answer(link: Link, event: Event) -> None:
            if isinstance(event, LinkOpened):
                transport = link._transport
                write = transport.write

                def observed(data: bytes) -> None:
                    writes.append(data)
                    write(data)

                object.__setattr__(link, "_transport", _Observed(transport, observed))
            if isinstance(event, RequestReceived):
                link.respond(event, acknowledge(event.message))

        network = Recorder()
        async with listening(dialect, answer) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            for number in range(20):
                link.send(purchase(dialect, stan=f"{number:06d}"))
            await network.first(AnswerReceived, 20)
            link.close()
            assert len(writes) == 1

    run(test)


class _Observed:
    """A transport whose writes are seen."""

    def __init__(self, transport: asyncio.Transport, write: Callable[[bytes], None]) -> None:
        self._transport = transport
        self.write = write

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)


def test_answers_that_are_decided_later_go_out_too(dialect: Dialect) -> None:
    async def test() -> None:
        issuer, network = Recorder(), Recorder()
        async with listening(dialect, issuer) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            asked = purchase(dialect)
            link.send(asked)
            event = await issuer.first(RequestReceived)
            assert issuer.links[0].respond(event, respond(asked, response_code="51"))
            await network.first(AnswerReceived)
            link.close()
            await issuer.first(StateChanged)
            assert not issuer.links[0].respond(event, respond(asked, response_code="51"))

    run(test)


def test_deadlines_pass_by_the_loop_s_clock(dialect: Dialect) -> None:
    async def test() -> None:
        network = Recorder()
        async with listening(dialect, Recorder()) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            asked = [purchase(dialect, stan=f"{number:06d}") for number in range(2)]
            link.send(asked[0], timeout_seconds=30.0)
            link.send(asked[1], timeout_seconds=0.01)  # the timer is brought forward
            assert (await network.first(RequestTimedOut)).request is asked[1]
            link.close()
            assert (await network.first(RequestLost)).request is asked[0]

    run(test)


@pytest.mark.parametrize("probe", Probe)
def test_a_peer_that_answers_nothing_is_left(dialect: Dialect, probe: Probe) -> None:
    async def test() -> None:
        issuer = Recorder()
        limits = SessionLimits(idle_seconds=0.01, probe_seconds=0.01, probe=probe)
        async with listening(dialect, issuer, limits) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            assert isinstance((await issuer.first(LinkBroken)).error, PeerSilent)
            await reader.read()
            writer.close()
            await writer.wait_closed()

    run(test)


def test_a_frame_that_stalls_is_left(dialect: Dialect) -> None:
    async def test() -> None:
        issuer = Recorder()
        async with listening(dialect, issuer, SessionLimits(frame_seconds=0.01)) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"\x00")
            assert isinstance((await issuer.first(LinkBroken)).error, FrameStalled)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()

    run(test)


async def dial_narrow(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that takes little before it is full."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, (HOST, port))
    return await asyncio.open_connection(sock=narrow)


async def fill(issuer: Recorder, writer: asyncio.StreamWriter) -> Link:
    """Ask without reading until the answers fill every buffer on the way."""
    await issuer.first(LinkOpened)
    link = issuer.links[-1]
    ours = link._transport.get_extra_info("socket")
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    while link.is_writable:
        writer.write(vector("visanet", "echo").frame * 500)
        await asyncio.sleep(0)
    return link


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    async def test() -> None:
        issuer = Issuer()
        async with listening(VISANET, issuer) as port:
            reader, writer = await dial_narrow(port)
            link = await fill(issuer, writer)
            received = len(issuer.events)
            assert not link._transport.is_reading()

            async def drain() -> None:
                while not link.is_writable:
                    await reader.read(1 << 20)

            await asyncio.wait_for(drain(), 10)
            assert link._transport.is_reading()
            writer.transport.abort()
            await link.wait_closed()
            assert len(issuer.events) > received

    run(test)


def test_a_flood_is_read_a_piece_in_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever one link sends, everybody else has a turn between two pieces of it."""
    keep_alives = bytes(VISANET.framing.prefix_bytes) * 200_000
    pieces: list[tuple[int, int]] = []  # the turn of the loop, and the piece's length
    turn, arrived = 0, asyncio.Event()
    take = Link.buffer_updated

    def taken(link: Link, nbytes: int) -> None:
        pieces.append((turn, nbytes))
        take(link, nbytes)
        if sum(length for _, length in pieces) == len(keep_alives):
            arrived.set()

    async def test() -> None:
        nonlocal arrived
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def next_turn() -> None:
            nonlocal turn
            turn += 1
            loop.call_soon(next_turn)

        loop.call_soon(next_turn)
        pieces.clear()
        async with listening(VISANET, Recorder()) as port:
            _, writer = await asyncio.open_connection(HOST, port)
            writer.write(keep_alives)
            await arrived.wait()
            writer.close()
        turns = [turn for turn, _ in pieces]
        assert len(set(turns)) == len(turns) > 20

    monkeypatch.setattr(Link, "buffer_updated", taken)
    run(test)


def test_a_link_that_is_closed_while_its_peer_does_not_read_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("networks.wire.streams._CLOSE_SECONDS", 0.01)

    async def test() -> None:
        issuer = Issuer()
        async with listening(VISANET, issuer) as port:
            _, writer = await dial_narrow(port)
            link = await fill(issuer, writer)
            link.close()
            await link.wait_closed()
            writer.transport.abort()

    run(test)


def test_what_was_sent_before_a_close_is_still_written() -> None:
    async def test() -> None:
        issuer = Issuer()
        async with listening(VISANET, issuer) as port:
            reader, writer = await dial_narrow(port)
            link = await fill(issuer, writer)
            link.close()
            answers = b""
            with suppress(ConnectionResetError):  # there were requests that nobody read
                while piece := await reader.read(1 << 20):
                    answers += piece
            assert len(answers) >= 256 * 1024
            writer.transport.abort()
            await link.wait_closed()

    run(test)


def test_a_peer_that_has_said_all_still_gets_its_answers(dialect: Dialect) -> None:
    async def test() -> None:
        waiting = Recorder()
        async with listening(dialect, waiting) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            frame = vector(dialect.name, PURCHASE[dialect.name]).frame
            writer.write(frame + frame + frame[:9])
            writer.write_eof()
            await waiting.first(RequestReceived, 2)
            for _ in takewhile(lambda _: not waiting.links[0]._is_ending, count()):
                await asyncio.sleep(0)
            for number in (1, 2):
                event = await waiting.first(RequestReceived, number)
                assert waiting.links[0].respond(event, acknowledge(event.message))
            answers = await reader.read()
            assert len(FrameBuffer(dialect.framing).feed(answers)) == 2
            broken = await waiting.first(LinkBroken)
            assert isinstance(broken.error, FrameCut)
            assert waiting.links[0].is_closed
            writer.close()
            await writer.wait_closed()

    run(test)


def test_a_peer_that_has_said_all_is_not_waited_for_for_ever(
    dialect: Dialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("networks.wire.streams._CLOSE_SECONDS", 0.01)

    async def test() -> None:
        silent = Recorder()
        async with listening(dialect, silent) as port:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(vector(dialect.name, PURCHASE[dialect.name]).frame)
            writer.write_eof()
            await silent.first(RequestReceived)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    run(test)


def test_a_handler_s_mistake_costs_its_own_link(dialect: Dialect) -> None:
    async def test() -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: reported.append(context)
        )
        seen = Recorder()

        def fail_once(link: Link, event: Event) -> None:
            seen(link, event)
            if isinstance(event, RequestReceived) and event.message.stan == "000666":
                raise ZeroDivisionError
            if isinstance(event, RequestReceived):
                link.respond(event, acknowledge(event.message))

        victim, other = Recorder(), Recorder()
        async with listening(dialect, fail_once) as port:
            unlucky = await connect(HOST, port, network_session(dialect), victim)
            lucky = await connect(HOST, port, network_session(dialect), other)
            unlucky.send(purchase(dialect, stan="000666"))
            await victim.first(RequestLost)
            await unlucky.wait_closed()
            lucky.send(purchase(dialect))
            await other.first(AnswerReceived)
            lucky.close()

        assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]

    run(test)


@pytest.mark.parametrize(
    ("data", "kind", "is_closed"),
    [
        (b"\xff\xff\x00\x00" * 8, LinkBroken, True),
        (b"\x00\x40", None, False),
        (bytes.fromhex("00180000") + b"\x00" * 24, MessageRefused, False),
    ],
    ids=["oversize", "half a frame", "garbage"],
)
def test_bad_bytes_on_one_link_leave_the_others_alone(
    dialect: Dialect,
    data: bytes,
    kind: type[Event] | None,
    is_closed: bool,
) -> None:
    async def test() -> None:
        issuer, network = Issuer(), Recorder()
        async with listening(dialect, issuer) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            reader, writer = await asyncio.open_connection(HOST, port)
            await issuer.first(LinkOpened, 2)
            writer.write(data)
            if kind is not None:
                await issuer.first(kind)
            link.send(purchase(dialect))
            await network.first(AnswerReceived)
            assert issuer.links[1].is_closed is is_closed
            writer.close()
            await writer.wait_closed()
            assert isinstance(await reader.read(), bytes)
            link.close()

    run(test)


def test_mutated_messages_on_one_link_leave_the_other_alone(dialect: Dialect) -> None:
    async def test() -> None:
        random = Random(dialect.name)
        issuer, network = Issuer(), Recorder()
        async with listening(dialect, issuer) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            golden = [each for each in VECTORS if each.dialect is dialect]
            for number in range(50):
                _, writer = await asyncio.open_connection(HOST, port)
                data = bytearray(random.choice(golden).frame)
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
                writer.write(data)
                link.send(purchase(dialect, stan=f"{number:06d}"))
                await network.first(AnswerReceived, number + 1)
                writer.close()
                await writer.wait_closed()
            link.close()

    run(test)


def test_a_peer_that_vanishes_loses_what_was_pending(dialect: Dialect) -> None:
    async def test() -> None:
        issuer, network = Recorder(), Recorder()
        async with listening(dialect, issuer) as port:
            link = await connect(HOST, port, network_session(dialect), network)
            await issuer.first(LinkOpened)
            asked = purchase(dialect)
            link.send(asked)
            await issuer.first(RequestReceived)
            transport = issuer.links[0]._transport
            transport.abort()
            assert (await network.first(RequestLost)).request is asked
            await link.wait_closed()

    run(test)


def test_a_peer_that_has_hung_up_already_has_no_address(dialect: Dialect) -> None:
    async def test() -> None:
        network = Recorder()
        with socket.create_server((HOST, 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()  # at once: a reset
        loop = asyncio.get_running_loop()
        session = network_session(dialect)
        _, link = await loop.create_connection(lambda: Link(session, network), sock=ours)
        assert await network.first(LinkOpened) == LinkOpened("", 0)
        await link.wait_closed()
        assert link.is_closed

    run(test)
