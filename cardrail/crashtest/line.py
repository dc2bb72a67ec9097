"""A client on its links: several requests in flight, until it is told to stop or they break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from cardrail.crashtest.client import Client
from networks.links import Connection, Links, Watcher
from networks.wire.errors import SessionError
from networks.wire.messages import CardMessage, CardRequest
from networks.wire.session_events import (
    AnswerReceived,
    Event,
    RejectReceived,
    RequestLost,
    RequestTimedOut,
)

PATIENCE_SECONDS = 30.0  # for anything that has to happen
_WINDOW = 32  # requests in flight
_ANSWER_SECONDS = 10.0  # the gateway says 91 long before
_ASK_AGAIN_SECONDS = 0.05


class Stuck(Exception):
    """Something that had to happen did not."""


class Line:
    """One network's client and the links to the gateway of the moment."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._links: Links | None = None
        self._next: Callable[[], CardRequest | None] | None = None
        self._changed = asyncio.Event()
        self._rejected = ""

    async def open(self, address: str) -> None:
        """Dial the gateway at `address` and sign on."""
        host, _, port = address.rpartition(":")
        connection = Connection(host=host, port=int(port), patience_seconds=PATIENCE_SECONDS)
        watcher = Watcher(on_event=self.on_event, on_link=_nothing, on_unreachable=_nothing)
        self._links = Links(self.client.network, connection, watcher)
        await self._links.open()

    async def close(self) -> None:
        """Hang up."""
        if self._links is not None:
            await self._links.close()

    def load(self) -> None:
        """Send, and go on sending as answers come."""
        self._next = self.client.next_request
        self._pump()

    def stop(self) -> None:
        """Send nothing more."""
        self._next = None

    async def quiet(self) -> None:
        """Wait until nothing is in flight: everything is answered, or lost.

        Raises
        ------
        Stuck
            If something is neither, or the gateway could not read a request.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.client.in_flight:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise self._stuck("an answer") from None
        if self._rejected:
            raise Stuck(self._rejected)

    async def settle(self) -> None:
        """Ask again whatever was not decided, until it is, and some of what was.

        Raises
        ------
        Stuck
            If that does not come to its end.
        """
        self.client.prepare_repeats()
        self._next = self.client.next_repeat
        give_up = time.monotonic() + PATIENCE_SECONDS
        while self.client.open_count:
            self._pump()
            await self.quiet()
            if self.client.open_count:
                if time.monotonic() > give_up:
                    raise self._stuck("a decision")
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
                self.client.ask_undecided_again()
        self.stop()

    def _stuck(self, wanted: str) -> Stuck:
        count, name = self.client.open_count, self.client.network.name
        return Stuck(f"{name}: {count} requests without {wanted} in {PATIENCE_SECONDS:g} s")

    def _pump(self) -> None:
        """Fill the window."""
        while self._next is not None and self.client.in_flight < _WINDOW:
            link = None if self._links is None else self._links.next_writable()
            message = None if link is None else self._next()
            if link is None or message is None:
                return
            try:
                link.send(message, _ANSWER_SECONDS)
            except SessionError:  # the link has just ended
                self.client.unanswered(message)
                return

    def on_event(self, event: Event) -> None:
        """What the links tell."""
        match event:
            case AnswerReceived(CardRequest() as request, CardMessage() as response):
                is_decided = self.client.answered(request, response, event.response_bytes)
                if is_decided:  # an issuer that cannot decide is not asked for more
                    self._pump()
            case RequestLost(CardRequest() as request) | RequestTimedOut(CardRequest() as request):
                self.client.unanswered(request)
            case RejectReceived(code, _, CardRequest() as request):
                self.client.unanswered(request)
                self._rejected = f"{self.client.network.name} {request.rrn}: reject {code}"
            case _:
                return
        self._changed.set()


def _nothing() -> None:
    """Links are opened anew after each restart; a lost one needs no word."""
