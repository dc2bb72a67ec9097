"""The other end of a link, in a thread: a session that signs on, and a script for everything else.

A script is given each request and returns the frames to send, whatever they are; None hangs up.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import msgspec

from loadtest.targets import TARGETS, Address, Target
from networks.wire.canonical import canonical_for
from networks.wire.framing import FrameBuffer
from networks.wire.messages import CardRequest, CardResponse, Message
from networks.wire.respond import respond
from networks.wire.session import Session
from networks.wire.session_events import Event, RequestReceived
from networks.wire.session_limits import SessionLimits

Script = Callable[[CardRequest], list[bytes] | None]


@dataclass
class Peer:
    """Where it listens, and what it was asked."""

    target: Target
    script: Script
    signs_on: bool = True
    received: list[CardRequest] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)  # of every frame, keep-alives included
    links: list[socket.socket] = field(default_factory=list)
    has_received: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = Address(*self.server.getsockname())

    def serve(self) -> None:
        """Accept links until the server is closed."""
        while True:
            try:
                link, _ = self.server.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links.append(link)
            threading.Thread(target=self._converse, args=(link,), daemon=True).start()

    def _converse(self, link: socket.socket) -> None:
        session = Session(
            self.target.dialect,
            station=self.target.peer,
            peer=self.target.station,
            limits=SessionLimits(incoming=1_000_000),
        )
        framing = self.target.dialect.framing
        buffer = FrameBuffer(framing)
        with suppress(OSError):
            while data := link.recv(65_536):
                for payload in buffer.feed(data):
                    self.payloads.append(payload)
                    events = session.receive_data(framing.wrap(payload), 0.0) if payload else []
                    if self.signs_on:
                        link.sendall(session.data_to_send())
                    if not all(self._answer(link, event) for event in events):
                        link.close()
                        return

    def _answer(self, link: socket.socket, event: Event) -> bool:
        """False to hang up."""
        if not isinstance(event, RequestReceived):
            return True
        request = event.message
        assert isinstance(request, CardRequest)
        self.received.append(request)
        self.has_received.set()
        frames = self.script(request)
        if frames is None:
            return False
        link.sendall(b"".join(frames))
        return True


@contextmanager
def listening(
    network: str, script: Script | None = None, *, signs_on: bool = True
) -> Iterator[Peer]:
    """A peer on a free port that does as `script` says; it approves if there is none."""
    target = TARGETS[network]
    peer = Peer(target, script or (lambda request: [approval(request)]), signs_on)
    thread = threading.Thread(target=peer.serve, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        with suppress(OSError):
            peer.server.shutdown(socket.SHUT_RDWR)
        peer.server.close()
        for link in peer.links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()
        thread.join(5)


def network_of(request: CardRequest) -> Target:
    """The target of the network that `request` came over."""
    return TARGETS["quicpay" if request.quicpay_id else "visanet"]


def approval(request: CardRequest) -> bytes:
    """The frame of an approval."""
    return answer(request, "00")


def answer(request: CardRequest, code: str, **changes: object) -> bytes:
    """The frame of an answer with `code`; `changes` spoil it."""
    response = respond(request, response_code=code, approval_code="A12345" if code == "00" else "")
    return frame(network_of(request), msgspec.structs.replace(response, **changes))


def frame(target: Target, message: CardResponse | Message) -> bytes:
    """The frame of a message from the issuer."""
    dialect = target.dialect
    data = dialect.codec.encode(canonical_for(dialect).write(message))
    return dialect.framing.wrap(
        dialect.header.request(target.peer, target.station, len(data)) + data
    )
