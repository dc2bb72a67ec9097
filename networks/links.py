"""The links of one simulated network: dialled, signed on, dialled again when they break."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from networks.network import Network
from networks.wire.link_states import LinkState
from networks.wire.session import Session
from networks.wire.session_events import Event, StateChanged
from networks.wire.session_limits import SessionLimits
from networks.wire.streams import Link, connect

_IN_FLIGHT = 50_000  # an open loop sends whatever the issuer does
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 0.05, 1.0


class IssuerUnreachable(Exception):
    """No link could be signed on within the time allowed."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        super().__init__(host, port, seconds)
        self.host = host
        self.port = port
        self.seconds = seconds

    def __str__(self) -> str:
        return f"no issuer signed on at {self.host}:{self.port} within {self.seconds:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where the issuer is, over how many links, and how long it may be away (seconds)."""

    host: str
    port: int
    links: int = 1
    patience_seconds: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Who is told of messages, of a link that is usable again, of the last one lost for good."""

    on_event: Callable[[Event], None]
    on_link: Callable[[], None]
    on_unreachable: Callable[[], None]


class Links:
    """The signed-on links to one issuer."""

    def __init__(self, network: Network, connection: Connection, watcher: Watcher) -> None:
        self._network = network
        self._connection = connection
        self._watcher = watcher
        self._usable: list[Link] = []
        self._waiting: dict[Link, asyncio.Future[None]] = {}  # for a sign-on or a sign-off
        self._dialling: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._is_closing = False

    def __len__(self) -> int:
        return len(self._usable)

    def next_writable(self) -> Link | None:
        """The next link in turn that takes more."""
        for _ in self._usable:
            self._turn = (self._turn + 1) % len(self._usable)
            if self._usable[self._turn].is_writable:
                return self._usable[self._turn]
        return None

    async def open(self) -> None:
        """Dial and sign on every link.

        Raises
        ------
        IssuerUnreachable
            If one could not be signed on in time.
        """
        await asyncio.gather(*(self._dial() for _ in range(self._connection.links)))

    async def close(self) -> None:
        """Sign off, wait for the answers as long as the network's timer lets it, and hang up."""
        self._is_closing = True
        for task in self._dialling:
            task.cancel()
        await asyncio.gather(*self._dialling, return_exceptions=True)
        links = tuple(self._usable)
        signed_off = [self._expect_change(link) for link in links]
        for link in links:
            link.sign_off()
        if links:
            await asyncio.wait(signed_off, timeout=self._network.response_seconds)
        for link in links:
            link.close()

    def _expect_change(self, link: Link) -> asyncio.Future[None]:
        """Done when the link's state changes, whatever to."""
        change = self._waiting[link] = asyncio.get_running_loop().create_future()
        return change

    async def _dial(self) -> None:
        """Dial one link until it is signed on, within the patience."""
        connection = self._connection
        give_up = time.monotonic() + connection.patience_seconds
        wait = _FIRST_BACK_OFF
        while not await self._sign_on():
            if time.monotonic() + wait > give_up:
                raise IssuerUnreachable(
                    connection.host, connection.port, connection.patience_seconds
                )
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_BACK_OFF)

    async def _sign_on(self) -> bool:
        try:
            link = await connect(
                self._connection.host, self._connection.port, self._session(), self._on_event
            )
        except OSError:
            return False
        signed_on = self._expect_change(link)
        link.sign_on()
        try:
            await asyncio.wait([signed_on], timeout=self._network.response_seconds)
        finally:
            del self._waiting[link]
            if not signed_on.done():
                link.close()
        if link.session.state is not LinkState.SIGNED_ON:
            return False
        self._usable.append(link)
        return True

    def _session(self) -> Session:
        network = self._network
        limits = SessionLimits(outgoing=_IN_FLIGHT, response_seconds=network.response_seconds)
        return Session(network.dialect, station=network.station, peer=network.peer, limits=limits)

    async def _dial_again(self) -> None:
        try:
            await self._dial()
        except IssuerUnreachable:
            if not self._usable:
                self._watcher.on_unreachable()
        else:
            self._watcher.on_link()

    def _on_event(self, link: Link, event: Event) -> None:
        if not isinstance(event, StateChanged):
            self._watcher.on_event(event)
            return
        waiting = self._waiting.get(link)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        if event.after is LinkState.CLOSED and link in self._usable:
            self._lose(link)

    def _lose(self, link: Link) -> None:
        self._usable.remove(link)
        if self._is_closing:
            return
        task = asyncio.get_running_loop().create_task(self._dial_again())
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
