"""A broker that acknowledges as a test tells it: just enough of MQTT 3.1.1 for one that publishes.

It keeps what each connection has sent, which no real broker tells.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from gateway.cloud_events import decode_cloud_event

Puback = Callable[[int, int], float | None]  # connection, publish on it; after so many seconds

ACCEPTED, NOT_AUTHORIZED = bytes([0x20, 2, 0, 0]), bytes([0x20, 2, 0, 5])
_CONNECT, _PUBLISH, _DISCONNECT = 1, 3, 14


class ScriptedBroker:
    """Counts connections and their publishes from 0; a PUBACK of ``None`` never comes."""

    def __init__(self, puback: Puback, connack: bytes) -> None:
        self._puback = puback
        self._connack = connack
        self.connects: list[bytes] = []
        self.sent: list[list[str]] = []
        self.ended: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.ended.append(task)
        sent: list[str] = []
        number = len(self.sent)
        self.sent.append(sent)
        self._writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while (packet := await _read(reader))[0] >> 4 != _DISCONNECT:
                if packet[0] >> 4 == _CONNECT:
                    self.connects.append(packet)
                    writer.write(self._connack)
                elif packet[0] >> 4 == _PUBLISH:
                    end = 3 + int.from_bytes(packet[1:3])
                    sent.append(decode_cloud_event(packet[end + 2 :]).id)
                    seconds = self._puback(number, len(sent) - 1)
                    if seconds is not None:
                        await asyncio.sleep(seconds)
                        writer.write(bytes([0x40, 2]) + packet[end : end + 2])
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    def close_connections(self) -> None:
        """Without a word."""
        for each in self._writers:
            each.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """A packet without its length."""
    kind = await reader.readexactly(1)
    length = shift = 0
    while True:
        [digit] = await reader.readexactly(1)
        length |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return kind + await reader.readexactly(length)


@asynccontextmanager
async def scripted(
    puback: Puback = lambda _connection, _number: 0,
    *,
    connack: bytes = ACCEPTED,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker(puback, connack)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0, ssl=tls)
    broker.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield broker
        finally:
            broker.close_connections()
            await asyncio.gather(*broker.ended)
