"""The life of one link, without input or output.

Bytes and times go in, events and bytes come out: feed what was read to `receive_data`, write what
`data_to_send` gives, call `tick` when `next_deadline` has come. `now` is in seconds since the
epoch, from a clock that does not go back.

The session answers network management itself, refuses what it cannot read, and answers 91 early
what it may not accept; everything else is an event, and every `RequestReceived` wants a `respond`.
It never answers an answer. Only a broken byte stream or a silent peer ends a link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from networks.wire.canonical import canonical_for
from networks.wire.crowding import Door
from networks.wire.dialect import Dialect
from networks.wire.errors import (
    NO_FIELDS,
    DuplicateKey,
    FrameCut,
    FrameTooLong,
    IllegalTransition,
    InFlightLimit,
    LinkClosed,
    NotAwaited,
    NotSignedOn,
    PeerSilent,
    WireError,
)
from networks.wire.framing import FrameBuffer
from networks.wire.headers import Reject
from networks.wire.link_states import REFUSAL, TRANSITIONS, LinkEvent, LinkState, after
from networks.wire.link_timers import LinkTimers
from networks.wire.management import EVENTS, management_request
from networks.wire.matching import DEFAULT_MATCH, Matcher, Mismatch
from networks.wire.messages import Message, NetworkManagement
from networks.wire.open_requests import OpenRequests
from networks.wire.outbox import Outbox
from networks.wire.refusal import Unreadable
from networks.wire.respond import APPROVED, acknowledge
from networks.wire.session_events import (
    AnswerReceived,
    AnswerUnmatched,
    Event,
    LinkBroken,
    ManagementReceived,
    MessageRefused,
    RejectReceived,
    RequestLost,
    RequestReceived,
    RequestsDropped,
    RequestTimedOut,
    StateChanged,
)
from networks.wire.session_limits import Probe, SessionLimits

_STANS = 999_999
_ANSWERS = "13"  # third digit of an answer's MTI
_CLOSED = LinkState.CLOSED  # looked up once
_SERVING = frozenset({LinkState.CONNECTED, LinkState.SIGNED_ON})
_NO_LIMITS = SessionLimits()


class Session:
    """One end of a link.

    Parameters
    ----------
    station, peer
        Our station in the dialect's header, and the other side's.
    match_on
        Attributes that tell answers apart, the best first.
    require_sign_on
        Serve nothing but network management before a sign-on.
    is_crowded
        Whether what is new has to be kept out (`networks.wire.crowding`).
    """

    def __init__(  # noqa: PLR0913 - named, not positional
        self,
        dialect: Dialect,
        *,
        station: str,
        peer: str,
        limits: SessionLimits = _NO_LIMITS,
        match_on: tuple[str, ...] = DEFAULT_MATCH,
        require_sign_on: bool = False,
        is_crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self.dialect = dialect
        self.station = station
        self.peer = peer
        self.limits = limits
        self.state = LinkState.CONNECTED
        self._serving = _SERVING - {LinkState.CONNECTED} if require_sign_on else _SERVING
        self._codec, self._header = dialect.codec, dialect.header
        self._canonical = canonical_for(dialect)
        self._events_of_codes = EVENTS[dialect.name]
        self._buffer = FrameBuffer(dialect.framing)
        self._matcher: Matcher[LinkEvent | Probe | None] = Matcher(match_on, limits.remembered)
        self._timers = LinkTimers(limits)
        self._outbox = Outbox(dialect, station)
        self._open = OpenRequests(limits)
        self._door = Door(dialect, limits, self._open, is_crowded)
        self._stan = 0
        self._is_probing = False
        self._is_started = False

    @property
    def unanswered_count(self) -> int:
        """How many of the peer's requests wait for our answer."""
        return len(self._open)

    # What came.

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """The events in `data`, which may be any piece of the stream."""
        events: list[Event] = []
        if self.state is _CLOSED:
            return events
        self._timers.heard(now)
        broken: FrameTooLong | None = None
        try:
            payloads = self._buffer.feed(data, self._door.look_out(now))
        except FrameTooLong as error:
            broken, payloads = error, list(error.frames)
        skipped_count = self._buffer.take_skipped()
        for payload in self._door.let_in(payloads, skipped_count):
            self._receive(payload, now, events)
        if dropped := self._door.take_dropped():
            events.append(RequestsDropped(dropped))
        is_new = bool(payloads or skipped_count)
        self._timers.frame(self._buffer.pending, now, is_new=is_new)
        if broken is not None:
            self._break(broken, events)
        return events

    def receive_eof(self, now: float) -> list[Event]:
        """The peer has closed its side; nothing can follow."""
        del now
        events: list[Event] = []
        if self.state is not _CLOSED and self._buffer.pending:
            events.append(LinkBroken(FrameCut(self._buffer.pending)))
        self._close(events)
        return events

    def tick(self, now: float) -> list[Event]:
        """What has become due: timeouts, probes, a link that is lost. Also starts the clocks."""
        events: list[Event] = []
        if self.state is _CLOSED:
            return events
        if not self._is_started:
            self._is_started = True
            self._timers.heard(now)
        for pending in self._matcher.expired(now):
            if isinstance(pending.purpose, Probe):
                self._break(PeerSilent(self.limits.probe_seconds), events)
                return events
            events.append(RequestTimedOut(pending.message))
        lost = self._timers.broken(self._buffer.pending, now)
        if lost is not None:
            self._break(lost, events)
        elif not self._is_probing and self._timers.is_idle(now):
            self._send_probe(now)
        return events

    def next_deadline(self) -> float | None:
        """When `tick` has to be called, or None."""
        if self.state is _CLOSED:
            return None
        first = self._matcher.next_deadline()
        second = self._timers.deadline(is_probing=self._is_probing)
        if first is None or second is None:
            return second if first is None else first
        return min(first, second)

    # What is to be sent.

    def data_to_send(self) -> bytes:
        """Everything to be written, in one piece; it is handed over once."""
        return self._outbox.take()

    def request(self, message: Message, now: float, timeout_seconds: float | None = None) -> bytes:
        """Send a request or advice and wait for its answer; gives the message's bytes.

        Raises
        ------
        LinkClosed, NotSignedOn, InFlightLimit, DuplicateKey, IllegalTransition
            What the link's state forbids.
        EncodeError
            A value that the dialect cannot carry.
        """
        purpose = self._permit(message)
        if timeout_seconds is None:
            timeout_seconds = self.limits.response_seconds
        return self._send_request(message, now, now + timeout_seconds, purpose)

    def respond(self, event: RequestReceived, response: Message) -> bytes:
        """Answer a request that was received; gives the whole frame.

        Raises
        ------
        LinkClosed, NotAwaited
            The link has ended; the request has its answer already, or was given up
            (`SessionLimits.answer_seconds`).
        EncodeError
            A value that the dialect cannot carry; the request still waits for an answer.
        """
        if self.state is _CLOSED:
            raise LinkClosed
        if event.sequence not in self._open:
            raise NotAwaited
        frame = self._outbox.answer(event.header, response)
        self._open.discard(event.sequence)
        return frame

    def sign_on(self, now: float) -> None:
        """Ask the peer to sign on; its answer is an event, and so is the change of state."""
        self._manage(self.dialect.management.sign_on, now)

    def sign_off(self, now: float) -> None:
        """Ask the peer to sign off."""
        self._manage(self.dialect.management.sign_off, now)

    def echo(self, now: float) -> None:
        """Ask the peer whether it is there."""
        self._manage(self.dialect.management.echo, now)

    def cutover(self, now: float) -> None:
        """Tell the peer that the next business day has begun."""
        self._manage(self.dialect.management.cutover, now)

    def close(self) -> list[Event]:
        """End the link from our side."""
        events: list[Event] = []
        self._close(events)
        return events

    # One payload.

    def _receive(self, payload: bytes, now: float, events: list[Event]) -> None:
        if not payload:
            self._keep_alive()
            return
        header: bytes | None = None
        fields: Mapping[str, str] = NO_FIELDS
        try:
            reject = self._header.parse_reject(payload)
            if reject is not None:
                self._rejected(reject, now, events)
                return
            header, message_bytes = self._header.split(payload)
            fields = self._codec.decode(message_bytes)
            message = self._canonical.read(fields)
        except WireError as error:
            fields = fields or getattr(error, "partial", NO_FIELDS)
            was_answered = self._outbox.refuse(Unreadable(payload, header, fields, error))
            events.append(MessageRefused(error, was_answered))
            return
        if message.mti[2] in _ANSWERS:
            self._answered(message, message_bytes, now, events)
        elif isinstance(message, NetworkManagement):
            self._managed(header, message, events)
        else:
            self._requested(payload, header, message, now, events)

    def _keep_alive(self) -> None:
        """Echo the peer's poll; a frame that answers ours ends there."""
        if self._timers.is_polling:
            self._timers.polled(None)
            self._is_probing = False
        else:
            self._outbox.keep_alive()

    def _requested(
        self, payload: bytes, header: bytes, message: Message, now: float, events: list[Event]
    ) -> None:
        is_serving = self.state in self._serving
        refusal = self._door.refusal(message, now) if is_serving else NotSignedOn()
        if refusal is not None:
            self._outbox.answer(header, acknowledge(message, refusal.response_code))
            events.append(MessageRefused(refusal, was_answered=True))
            return
        events.append(RequestReceived(header, message, now, self._open.add(now), payload))

    def _managed(self, header: bytes, message: NetworkManagement, events: list[Event]) -> None:
        event = self._events_of_codes.get(message.management_code)
        if event is None or event not in TRANSITIONS[self.state]:
            name = "an unknown management code" if event is None else event.value
            self._outbox.answer(header, acknowledge(message, REFUSAL))
            events.append(MessageRefused(IllegalTransition(self.state.value, name), True))
            return
        self._outbox.answer(header, acknowledge(message, APPROVED))
        events.append(ManagementReceived(message, event))
        self._agree(event, events)

    def _answered(
        self, response: Message, response_bytes: bytes, now: float, events: list[Event]
    ) -> None:
        found = self._matcher.match(response, now)
        if isinstance(found, Mismatch):
            events.append(AnswerUnmatched(response, found.reason, found.detail, found.late_seconds))
            return
        if isinstance(found.purpose, Probe):
            self._is_probing = False
            return
        elapsed = now - found.sent_at
        events.append(AnswerReceived(found.message, response, elapsed, response_bytes))
        if found.purpose is not None and getattr(response, "response_code", "") == APPROVED:
            self._agree(found.purpose, events)

    def _rejected(self, reject: Reject, now: float, events: list[Event]) -> None:
        """A message of ours came back."""
        message = None
        try:
            message = self._canonical.read(self._codec.decode(reject.message))
        except WireError:
            events.append(RejectReceived(reject.code, None, None))
            return
        pending = None if message.mti[2] in _ANSWERS else self._matcher.withdraw(message, now)
        if pending is not None and isinstance(pending.purpose, Probe):
            self._is_probing = False
        ended = None if pending is None else pending.message
        events.append(RejectReceived(reject.code, message, ended))

    # Sending.

    def _permit(self, message: Message) -> LinkEvent | None:
        """The event that `message` asks for, if it may be sent now."""
        if self.state is _CLOSED:
            raise LinkClosed
        if isinstance(message, NetworkManagement):
            event = self._events_of_codes.get(message.management_code)
            if event is not None:
                after(self.state, event)
            return event
        if self.state not in self._serving:
            raise NotSignedOn
        if len(self._matcher) >= self.limits.outgoing:
            raise InFlightLimit(self.limits.outgoing)
        return None

    def _send_request(
        self, message: Message, now: float, deadline: float, purpose: LinkEvent | Probe | None
    ) -> bytes:
        data, frame = self._outbox.frame_request(message, self.peer)
        self._matcher.add(message, now, deadline, purpose)
        self._outbox.keep(frame)
        return data

    def _manage(self, code: str, now: float) -> None:
        self.request(self._management_request(code, now), now)

    def _management_request(self, code: str, now: float) -> NetworkManagement:
        self._stan = self._stan % _STANS + 1
        return management_request(code, self._stan, now)

    def _send_probe(self, now: float) -> None:
        if self.limits.probe is Probe.POLL:
            self._timers.polled(now)
            self._outbox.keep_alive()
        else:
            message = self._management_request(self.dialect.management.echo, now)
            try:
                self._send_request(message, now, now + self.limits.probe_seconds, Probe.ECHO)
            except DuplicateKey:  # the caller's own management took this STAN: try the next one
                return
        self._is_probing = True

    # The link's state.

    def _agree(self, event: LinkEvent, events: list[Event]) -> None:
        """Both sides have agreed on `event`; where it has become illegal meanwhile, it is void."""
        before, following = self.state, TRANSITIONS[self.state].get(event, self.state)
        if following is not before:
            self.state = following
            events.append(StateChanged(before, following, event))

    def _break(self, error: WireError, events: list[Event]) -> None:
        events.append(LinkBroken(error))
        self._close(events)

    def _close(self, events: list[Event]) -> None:
        if self.state is not _CLOSED:
            events += [
                RequestLost(pending.message)
                for pending in self._matcher.drain()
                if not isinstance(pending.purpose, Probe)
            ]
            self._agree(LinkEvent.CLOSE, events)
