"""Broken and hostile bytes cost their own link at most."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest

from gateway.link_terms import LinkTerms
from gateway.listener import Listener
from gateway.records import DecisionRecord
from networks.wire.dialects import DIALECTS
from networks.wire.link_states import LinkState
from networks.wire.messages import Administrative, Message
from networks.wire.pan import synthetic_pan
from networks.wire.session import Session
from networks.wire.session_events import StateChanged
from networks.wire.session_limits import SessionLimits
from tests.gateway.running import STATIONS, Running, code_of, fresh, new_card, run, running
from tests.gateway.samples import advice, financial, purchase, reversal

NETWORKS = pytest.mark.parametrize("network", ["visanet", "quicpay"])
MUTATIONS = 1_000
PAN = synthetic_pan(1)


def frames(network: str) -> list[bytes]:
    """Real messages of every kind, as bytes."""
    messages: list[Message] = [
        build(network, pan=PAN) for build in (purchase, advice, reversal, financial)
    ]
    messages.append(financial(network, pan=PAN, mti="0220"))
    if network == "visanet":
        messages.append(Administrative(mti="0620", transmission="1122013045", stan="000114"))
    station, peer = STATIONS[network]
    session = Session(DIALECTS[network], station=peer, peer=station)
    made = []
    for message in messages:
        session.request(message, 0.0)
        made.append(session.data_to_send())
    session.sign_on(0.0)
    return [*made, session.data_to_send()]


def mutated(frame: bytes, chance: random.Random) -> bytes:
    """`frame` with some bytes changed, lost, added, or cut off."""
    data = bytearray(frame)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.randrange(256)
            case 2 if len(data) > 1:
                del data[at]
            case 3:
                data.insert(at, chance.randrange(256))
            case _:
                data = data[: at + 1]
    return bytes(data)


async def throw(gateway: Running, network: str, data: bytes) -> None:
    """Send `data` on a link of its own and read what comes until the link ends."""
    reader, writer = await asyncio.open_connection(*gateway.addresses[network])
    writer.write(data)
    writer.write_eof()
    with contextlib.suppress(ConnectionResetError):
        await reader.read()
    writer.close()


@NETWORKS
def test_mutations_harm_no_other_link(tmp_path: Path, network: str) -> None:
    chance = random.Random(8583)
    originals = frames(network)

    async def scenario() -> None:
        async with running(tmp_path, new_card(1), new_card(2)) as gateway:
            line = await gateway.dial(network)
            for number in range(MUTATIONS // 2):
                await throw(gateway, network, mutated(chance.choice(originals), chance))
                if number % 50 == 0:
                    request = purchase(network, **fresh(), pan=synthetic_pan(2), amount=1)
                    assert await line.code(request) == "00"
            assert not line.link.is_closed

    run(scenario)


@NETWORKS
@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff" * 4096, b"GET / HTTP/1.1\r\n\r\n", bytes(4096)]
)
def test_garbage_harms_no_other_link(tmp_path: Path, network: str, data: bytes) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial(network)
            await throw(gateway, network, data)
            assert await line.code(purchase(network, pan=PAN)) == "00"

    run(scenario)


def test_more_links_than_allowed_are_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            lines = [await gateway.dial() for _ in range(9)]
            await lines[-1].event(StateChanged)
            assert lines[-1].link.is_closed
            assert gateway.listeners["visanet"].links_count == 8
            assert await lines[0].code(purchase(pan=PAN)) == "00"

    run(scenario)


def test_a_stopping_gateway_signs_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line, silent = await gateway.dial(), await gateway.dial()
            line.link.sign_on()
            await line.event(StateChanged)
            gateway.listeners["visanet"].stop_accepting()
            line.events.clear()
            changed = await line.event(StateChanged)
            assert isinstance(changed, StateChanged)
            assert changed.after is LinkState.SIGNED_OFF
            assert not silent.events[1:], "a link that never signed on is told nothing"
            with pytest.raises(ConnectionRefusedError):
                await gateway.dial()

    run(scenario)


def test_one_failing_callback_does_not_cost_its_neighbours(tmp_path: Path) -> None:
    def fail(record: DecisionRecord) -> None:
        if record.amount == 666:
            raise ZeroDivisionError

    async def scenario() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: reported.append(context["exception"])
        )
        async with running(tmp_path, tell=fail) as gateway:
            line = await gateway.dial()
            waiting = [
                line.send(purchase(**fresh(), pan=PAN, amount=amount)) for amount in (1, 666, 2)
            ]
            codes = [code_of(await each) for each in waiting]
            assert codes == ["00", "00", "00"]
        assert [type(each) for each in reported] == [ZeroDivisionError]

    run(scenario)


def test_answers_to_nothing_are_told_and_ignored(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            session = Session(DIALECTS["visanet"], station="400552", peer="000000")
            session.request(purchase(pan=PAN), 0.0)
            request = bytearray(session.data_to_send())
            request[27] |= 0x10  # 0100 becomes 0110
            await throw(gateway, "visanet", bytes(request))
            assert await line.code(purchase(pan=PAN)) == "00"

    run(scenario)


def test_a_message_that_the_network_rejects_is_told_and_answered_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            dialect = DIALECTS["visanet"]
            ours = frames("visanet")[0][4:]
            reject = dialect.header.reject(ours, "0134", "000000")
            assert reject is not None
            await throw(gateway, "visanet", dialect.framing.wrap(reject))
            assert gateway.records == []
            assert await line.code(purchase(pan=PAN)) == "00"

    run(scenario)


def test_a_listener_that_never_opened_can_be_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            terms = LinkTerms(station="400552", peer="000000", limits=SessionLimits(), links_most=1)
            unopened = Listener(
                DIALECTS["visanet"], terms, gateway.processors["visanet"], gateway.open_links
            )
            unopened.stop_accepting()
            await unopened.close()

    run(scenario)
