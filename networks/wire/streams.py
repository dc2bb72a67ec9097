"""Links over TCP: the only file of this package that knows asyncio.

A :class:`Link` carries bytes and times to and from its `Session` and nothing else. What several
answers of one turn of the event loop have to say goes out in one write. A peer that does not read
is not read from, so what one link can make this program hold is bounded; and of one that sends more
than can be read, a piece is read in each turn, so that everything else has its turn, too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias, cast

from networks.wire.errors import LinkClosed
from networks.wire.link_states import LinkState
from networks.wire.messages import Message
from networks.wire.session import Session
from networks.wire.session_events import Event, LinkBroken, LinkOpened, RequestReceived

OnEvent: TypeAlias = Callable[["Link", Event], None]

_CLOSE_SECONDS = 5.0  # for what is still to be written when a link is closed
_WRITE_BUFFER = 256 * 1024
_PIECE = 32 * 1024  # some hundred messages
_GONE = ("", 0)
_TICK_SECONDS = 0.001  # the loop's timers tell no smaller times apart


class Link(asyncio.BufferedProtocol):
    """One connection and its session.

    `on_event` is called for each event, in order, on the event loop. What it raises closes this
    link and is reported to the loop's exception handler.
    """

    def __init__(self, session: Session, on_event: OnEvent) -> None:
        self.session = session
        self.is_writable = True
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._piece = bytearray(_PIECE)
        self._epoch = time.time() - time.monotonic()
        self._transport: asyncio.Transport  # from connection_made on
        self._timer: asyncio.TimerHandle | None = None
        self._timer_deadline = 0.0
        self._abort_timer: asyncio.TimerHandle | None = None
        self._flush_is_due = False
        self._is_ending = False
        self._closed: asyncio.Future[None] = self._loop.create_future()

    @property
    def now(self) -> float:
        """Seconds since the epoch, by a clock that does not go back.

        Not the event loop's clock: uvloop's stands still for a whole turn.
        """
        return self._epoch + time.monotonic()

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self.session.state is LinkState.CLOSED

    def send(self, message: Message, timeout_seconds: float | None = None) -> bytes:
        """Send a request or advice, as `Session.request`; gives the message's bytes."""
        data = self.session.request(message, self.now, timeout_seconds)
        self._after_sending()
        return data

    def respond(self, event: RequestReceived, response: Message) -> bytes:
        """Answer a request; gives the frame, which is empty if the link has ended."""
        try:
            frame = self.session.respond(event, response)
        except LinkClosed:
            return b""
        self._flush_soon()
        return frame

    def sign_on(self) -> None:
        """As `Session.sign_on`."""
        self.session.sign_on(self.now)
        self._after_sending()

    def sign_off(self) -> None:
        """As `Session.sign_off`."""
        self.session.sign_off(self.now)
        self._after_sending()

    def echo(self) -> None:
        """As `Session.echo`."""
        self.session.echo(self.now)
        self._after_sending()

    def cutover(self) -> None:
        """As `Session.cutover`."""
        self.session.cutover(self.now)
        self._after_sending()

    def close(self) -> None:
        """End the link; what was sent before is still written."""
        self._dispatch(self.session.close())
        self._close_transport()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        await asyncio.shield(self._closed)

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the session's clocks."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        # A peer that has hung up by now has no address any more.
        address = transport.get_extra_info("peername") or _GONE
        self._dispatch([LinkOpened(str(address[0]), int(address[1])), *self.session.tick(self.now)])
        self._set_timer()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next piece is to be put."""
        del sizehint
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        """A piece has come; where it fills its place there is more, which waits for its turn."""
        if nbytes == _PIECE and self.is_writable:
            self._transport.pause_reading()
            self._loop.call_soon(self._read_on)
        self.data_received(bytes(memoryview(self._piece)[:nbytes]))

    def _read_on(self) -> None:
        if self.is_writable and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Feed the session, hand out the events, write the answers."""
        self._dispatch(self.session.receive_data(data, self.now))
        self._flush()
        self._set_timer()

    def eof_received(self) -> bool:
        """The peer sends no more; it still gets the answers that it waits for, and then the end."""
        if not self.session.unanswered_count:
            self._dispatch(self.session.receive_eof(self.now))
            return False
        self._is_ending = True
        self._abort_later()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        del exc
        self._dispatch(self.session.receive_eof(self.now))
        for timer in (self._timer, self._abort_timer):
            if timer is not None:
                timer.cancel()
        self._closed.set_result(None)

    def pause_writing(self) -> None:
        """The peer reads too slowly: read no more from it."""
        self.is_writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self.is_writable = True
        if not self._transport.is_closing():
            self._transport.resume_reading()

    # Inside.

    def _dispatch(self, events: list[Event]) -> None:
        for event in events:
            try:
                self._on_event(self, event)
            except Exception as error:  # noqa: BLE001 - the caller's mistake costs its link only
                self._report(error)
                return
            if isinstance(event, LinkBroken):
                self._close_transport()

    def _report(self, error: Exception) -> None:
        context = {"message": "a link's event handler failed", "exception": error, "protocol": self}
        self._loop.call_exception_handler(context)
        self.close()

    def _after_sending(self) -> None:
        self._flush_soon()
        self._set_timer()

    def _flush_soon(self) -> None:
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        data = self.session.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)
        if self._is_ending and not self.session.unanswered_count:
            self._is_ending = False
            self._dispatch(self.session.receive_eof(self.now))
            self._close_transport()

    def _close_transport(self) -> None:
        self._flush()
        if not self._transport.is_closing():
            self._abort_later()
            self._transport.close()

    def _abort_later(self) -> None:
        if self._abort_timer is None:
            self._abort_timer = self._loop.call_later(_CLOSE_SECONDS, self._transport.abort)

    def _set_timer(self) -> None:
        """Keep one timer, never later than the session's next deadline."""
        deadline = self.session.next_deadline()
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer_deadline <= deadline:
                return
            self._timer.cancel()
        self._timer_deadline = deadline
        self._timer = self._loop.call_later(max(deadline - self.now, _TICK_SECONDS), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._dispatch(self.session.tick(self.now))
        self._flush()
        self._set_timer()


async def listen(
    host: str,
    port: int,
    make_session: Callable[[], Session],
    on_event: OnEvent,
    *,
    shared: bool = False,
) -> asyncio.Server:
    """Accept links; each gets its own session. A `shared` port may have other listeners."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Link(make_session(), on_event), host, port, reuse_port=shared
    )


async def connect(host: str, port: int, session: Session, on_event: OnEvent) -> Link:
    """Dial a link."""
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(lambda: Link(session, on_event), host, port)
    return link
