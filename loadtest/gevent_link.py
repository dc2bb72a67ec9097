"""A link for gevent: one connection, one session, as many askers as there are greenlets.

The session is the one that asyncio's links use; what differs is who waits. An asker's greenlet
sleeps until its own answer has come, in whatever order they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import gevent
from gevent import socket
from gevent.event import AsyncResult, Event

from loadtest.answers import ErrorKind
from loadtest.links import LinkRefused
from loadtest.targets import Address, Target
from networks.wire.errors import SessionError
from networks.wire.link_states import LinkState
from networks.wire.matching import Unmatched
from networks.wire.messages import CardRequest, Message
from networks.wire.session import Session
from networks.wire.session_events import (
    AnswerReceived,
    AnswerUnmatched,
    LinkBroken,
    MessageRefused,
    RejectReceived,
    RequestLost,
    RequestTimedOut,
)
from networks.wire.session_events import Event as LinkEvent
from networks.wire.session_limits import SessionLimits

_READ_BYTES = 64 * 1024
_IN_FLIGHT = 50_000
_TICK_SECONDS = 0.05

_UNMATCHED: Mapping[Unmatched, ErrorKind] = MappingProxyType(
    {
        Unmatched.LATE: ErrorKind.LATE,
        Unmatched.ALREADY_ANSWERED: ErrorKind.DUPLICATE,
        Unmatched.KEY_DIFFERS: ErrorKind.UNMATCHED,
        Unmatched.NEVER_SENT: ErrorKind.UNMATCHED,
    }
)

OnError = Callable[[ErrorKind], None]


class NoAnswer(Exception):
    """A request was not answered, or could not be sent."""

    def __init__(self, kind: ErrorKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class GeventLink:
    """One signed-on link. `on_error` hears of answers that belong to no request."""

    def __init__(
        self, target: Target, address: Address, on_error: OnError, patience_seconds: float = 5.0
    ) -> None:
        limits = SessionLimits(outgoing=_IN_FLIGHT, response_seconds=target.response_seconds)
        self._session = Session(
            target.dialect, station=target.station, peer=target.peer, limits=limits
        )
        self._on_error = on_error
        self._epoch = time.time() - time.monotonic()
        self._answers: dict[int, AsyncResult] = {}  # by identity of the request
        self._to_write, self._changed = Event(), Event()
        self._socket = _dial(target, address, patience_seconds)
        self._greenlets = [gevent.spawn(each) for each in (self._read, self._write, self._tick)]
        self._session.sign_on(self._now)
        self._to_write.set()
        if not self._await_state(LinkState.SIGNED_ON, patience_seconds):
            self.close()
            raise LinkRefused(f"{target.name} at {address} did not accept the sign-on")

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return self._session.state is LinkState.SIGNED_ON

    def ask(self, request: CardRequest) -> AnswerReceived:
        """Send `request`, wait for its answer.

        Raises
        ------
        NoAnswer
            If there is none within the network's timer.
        """
        answer = self._answers[id(request)] = AsyncResult()
        try:
            self._session.request(request, self._now)
        except SessionError:
            del self._answers[id(request)]
            raise NoAnswer(ErrorKind.UNSENT) from None
        self._to_write.set()
        received: AnswerReceived = answer.get()
        return received

    def sign_off(self, patience_seconds: float = 1.0) -> None:
        """Sign off, wait a little for the answer, hang up."""
        if self.is_open:
            self._session.sign_off(self._now)
            self._to_write.set()
            self._await_state(LinkState.SIGNED_OFF, patience_seconds)
        self.close()

    def close(self) -> None:
        """Hang up; whoever waits for an answer is told."""
        self._hear(self._session.close())
        gevent.killall(self._greenlets)
        self._socket.close()

    @property
    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _await_state(self, state: LinkState, seconds: float) -> bool:
        with gevent.Timeout(seconds, exception=False):
            while self._session.state not in (state, LinkState.CLOSED):
                self._changed.clear()
                self._changed.wait()
        return self._session.state is state

    # Greenlets.

    def _read(self) -> None:
        while self._session.state is not LinkState.CLOSED:
            try:
                data = self._socket.recv(_READ_BYTES)
            except OSError:
                data = b""
            if data:
                self._hear(self._session.receive_data(data, self._now))
            else:
                self._hear(self._session.receive_eof(self._now))

    def _write(self) -> None:
        """Everything that waits goes out in one piece."""
        while self._session.state is not LinkState.CLOSED:
            self._to_write.wait()
            self._to_write.clear()
            try:
                self._socket.sendall(self._session.data_to_send())
            except OSError:
                self._hear(self._session.receive_eof(self._now))

    def _tick(self) -> None:
        while self._session.state is not LinkState.CLOSED:
            gevent.sleep(_TICK_SECONDS)
            self._hear(self._session.tick(self._now))

    def _hear(self, events: list[LinkEvent]) -> None:
        for event in events:
            match event:
                case AnswerReceived(request=request):
                    self._settle(request, event)
                case RequestTimedOut(request=request):
                    self._settle(request, NoAnswer(ErrorKind.TIMEOUT))
                case RequestLost(request=request):
                    self._settle(request, NoAnswer(ErrorKind.LOST))
                case RejectReceived(request=request) if request is not None:
                    self._settle(request, NoAnswer(ErrorKind.REJECTED))
                case AnswerUnmatched(reason=reason):
                    self._on_error(_UNMATCHED[reason])
                case MessageRefused() | LinkBroken():
                    self._on_error(ErrorKind.UNREADABLE)
                case _:
                    pass
        self._changed.set()
        self._to_write.set()

    def _settle(self, request: Message, outcome: AnswerReceived | NoAnswer) -> None:
        answer = self._answers.pop(id(request), None)
        if answer is None:
            return  # network management, which nobody asks for here
        if isinstance(outcome, NoAnswer):
            answer.set_exception(outcome)
        else:
            answer.set(outcome)


def _dial(target: Target, address: Address, seconds: float) -> socket.socket:
    try:
        dialled = socket.create_connection((address.host, address.port), seconds)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LinkRefused(f"no link to {target.name} at {address}: {reason}") from None
    dialled.settimeout(None)
    dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return dialled
