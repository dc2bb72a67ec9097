"""A peer that answers everything at once with a prepared 0110, so that only the driver costs.

Which bytes of a request are its particulars, and where they go in the answer, is found like the
driver's own templates are. ``python -m tests.loadtest.responder`` serves both networks and prints
``PORT PORT`` (visanet, quicpay): what the driver reaches against it is what the driver can do.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import cast

import uvloop

from loadtest.numbering import Particulars, particulars
from loadtest.targets import TARGETS, Target
from loadtest.templates import frame_of, patch
from loadtest.traffic import KINDS, Kind
from networks.wire.canonical import canonical_for
from networks.wire.framing import FrameBuffer
from networks.wire.respond import respond
from networks.wire.session import Session

_SHAPE = {"visanet": slice(22, 32), "quicpay": slice(12, 24)}  # MTI and first bitmap
_ANY = particulars(card=1, amount=1, second=0, serial=0)

Answer = Callable[[bytes], bytes]


def prepare(target: Target, kind: Kind) -> Answer:
    """From the payload of a request of `kind` to the frame of its answer."""
    dialect = target.dialect

    def make_answer(given: Particulars) -> bytes:
        response = respond(kind.build(given), response_code="00", approval_code="ECHO01")
        message = dialect.codec.encode(canonical_for(dialect).write(response))
        header = dialect.header.request(target.peer, target.station, len(message))
        return dialect.framing.wrap(header + message)

    request, response = patch(partial(frame_of, target, kind)), patch(make_answer)
    prefix = dialect.framing.prefix_bytes
    place_of = {slot: slice(a - prefix, b - prefix) for a, b, slot in reversed(request.places)}
    text, places = response.text, [place_of[slot] for _, _, slot in response.places]
    return lambda payload: text % tuple([payload[place] for place in places])


class Responder(asyncio.Protocol):
    """One link; the session signs it on."""

    def __init__(self, target: Target) -> None:
        self._session = Session(target.dialect, station=target.peer, peer=target.station)
        self._framing = target.dialect.framing
        self._buffer = FrameBuffer(self._framing)
        self._shape = _SHAPE[target.name]
        self._answers = {
            self._shape_of(frame_of(target, kind, _ANY)[self._framing.prefix_bytes :]): answer
            for kind in KINDS[target.name]
            for answer in (prepare(target, kind),)
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"".join([self._answer(each) for each in self._buffer.feed(data)]))

    def _answer(self, payload: bytes) -> bytes:
        answer = self._answers.get(self._shape_of(payload))
        if answer is not None:
            return answer(payload)
        self._session.receive_data(self._framing.wrap(payload), 0.0)
        return self._session.data_to_send()

    def _shape_of(self, payload: bytes) -> tuple[int, bytes]:
        return len(payload), payload[self._shape]


async def serve() -> None:
    """Until SIGTERM."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    servers = [
        await loop.create_server(partial(Responder, target), "127.0.0.1", 0)
        for target in TARGETS.values()
    ]
    ports = [str(server.sockets[0].getsockname()[1]) for server in servers]
    sys.stdout.write(" ".join(ports) + "\n")
    sys.stdout.flush()
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(serve())
