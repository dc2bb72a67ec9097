"""A simulated network on real links: connects, signs on, runs the engine, settles, signs off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from networks.beliefs import Belief
from networks.network import Network
from networks.schedule import Run
from networks.simulator import Simulator
from networks.tally import Phase, Progress, Tally
from networks.wire.errors import SessionError
from networks.wire.link_states import LinkState
from networks.wire.messages import CardMessage, CardRequest
from networks.wire.session import Session
from networks.wire.session_events import (
    AnswerReceived,
    AnswerUnmatched,
    Event,
    RejectReceived,
    RequestLost,
    RequestTimedOut,
    StateChanged,
)
from networks.wire.session_limits import SessionLimits
from networks.wire.streams import Link, connect

_BURST = 256  # messages sent before answers are read again
_IN_FLIGHT = 50_000  # an open loop sends whatever the issuer does
_BACKED_UP_SECONDS = 0.002
_TICK_SECONDS = 0.001  # event loops sleep in whole milliseconds
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
class Reporting:
    """Who is told of finished beliefs, and of progress every `seconds`."""

    settled: Callable[[Belief], None]
    progress: Callable[[Progress], None]
    seconds: float = 0.5


class Runner:
    """One run of `network` against the issuer at `connection`."""

    def __init__(
        self, network: Network, run: Run, connection: Connection, reporting: Reporting
    ) -> None:
        self._network = network
        self._run = run
        self._connection = connection
        self._reporting = reporting
        self._loop = asyncio.get_running_loop()
        self._links: list[Link] = []
        self._signed_on: dict[Link, asyncio.Future[None]] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._timer: asyncio.Handle | None = None
        self._armed_for = 0.0
        self._reporter: asyncio.Handle | None = None
        self._done = asyncio.Event()
        self._phase = Phase.CONNECTING
        self._begin = time.monotonic()
        self._simulator: Simulator | None = None

    async def run(self) -> Simulator:
        """Everything from the first connection to the last; the engine tells how it went.

        Raises
        ------
        IssuerUnreachable
            If no link could be signed on at first. Later losses are part of the run.
        """
        self._report()
        try:
            await asyncio.gather(*(self._connect() for _ in range(self._connection.links)))
            simulator = self._start()
            self._arm(simulator)
            await self._done.wait()
            await self._sign_off()
        finally:
            await self._close()
        simulator.close()
        self._phase = Phase.DONE
        self._tell(0)
        return simulator

    def stop(self) -> None:
        """Begin no more authorizations; what was begun is settled."""
        if self._simulator is not None:
            self._simulator.stop()
            self._arm(self._simulator)

    # Links.

    async def _connect(self) -> None:
        """Connect and sign on one link, however often it takes within the patience."""
        connection = self._connection
        give_up = time.monotonic() + connection.patience_seconds
        wait = _FIRST_BACK_OFF
        while not await self._try_to_connect():
            if time.monotonic() + wait > give_up:
                raise IssuerUnreachable(
                    connection.host, connection.port, connection.patience_seconds
                )
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_BACK_OFF)

    async def _try_to_connect(self) -> bool:
        network, connection = self._network, self._connection
        session = Session(
            network.dialect,
            station=network.station,
            peer=network.peer,
            limits=SessionLimits(outgoing=_IN_FLIGHT, response_seconds=network.response_seconds),
        )
        try:
            link = await connect(connection.host, connection.port, session, self._on_event)
        except OSError:
            return False
        signed_on = self._signed_on[link] = self._loop.create_future()
        link.sign_on()
        try:
            await asyncio.wait_for(signed_on, network.response_seconds)
        except (TimeoutError, ConnectionError):
            link.close()
            return False
        finally:
            del self._signed_on[link]
        self._links.append(link)
        return True

    async def _reconnect(self) -> None:
        try:
            await self._connect()
        except IssuerUnreachable:
            if not self._links:
                self._give_up()
        else:
            if self._simulator is not None:
                self._arm(self._simulator)

    def _lose(self, link: Link) -> None:
        if link in self._signed_on and not self._signed_on[link].done():
            self._signed_on[link].set_exception(ConnectionError())
        if link not in self._links:
            return
        self._links.remove(link)
        if not self._done.is_set():
            task = self._loop.create_task(self._reconnect())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def _give_up(self) -> None:
        if self._simulator is not None:
            self._simulator.abandon()
        self._done.set()

    async def _sign_off(self) -> None:
        """Sign off and wait for the answers, as long as the network's timer lets it."""
        for link in self._links:
            self._signed_on[link] = self._loop.create_future()
            link.sign_off()
        waiting = list(self._signed_on.values())
        if waiting:
            await asyncio.wait(waiting, timeout=self._network.response_seconds)
        for future in waiting:
            future.cancelled() or not future.done() or future.exception()

    async def _close(self) -> None:
        for handle in (self._timer, self._reporter):
            if handle is not None:
                handle.cancel()
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for link in self._links:
            link.close()

    # Events.

    def _on_event(self, link: Link, event: Event) -> None:
        simulator = self._simulator
        if isinstance(event, StateChanged):
            self._on_state(link, event.after)
        elif simulator is not None:
            self._on_answer(simulator, event, time.monotonic())
            self._arm(simulator)

    def _on_state(self, link: Link, state: LinkState) -> None:
        waiting = self._signed_on.get(link)
        if state is LinkState.CLOSED:
            self._lose(link)
        elif waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _on_answer(self, simulator: Simulator, event: Event, now: float) -> None:
        match event:
            case AnswerReceived(CardRequest() as request, CardMessage() as response):
                simulator.answered(request, response, event.response_bytes, now)
            case AnswerUnmatched(CardMessage() as response):
                simulator.late(response, now)
            case RequestTimedOut(CardRequest() as request):
                simulator.timed_out(request, now)
            case RequestLost(CardRequest() as request):
                simulator.lost(request, now)
            case RejectReceived(code, _, CardRequest() as request):
                simulator.rejected(request, code)
            case _:
                pass

    # Sending.

    def _start(self) -> Simulator:
        self._phase = Phase.RUNNING
        self._begin = time.monotonic()
        self._simulator = Simulator(
            self._network,
            self._run,
            self._reporting.settled,
            begin=self._begin,
            epoch=time.time(),
        )
        return self._simulator

    def _arm(self, simulator: Simulator) -> None:
        """Call `_pump` when something is due, and not before."""
        if simulator.finished:
            self._done.set()
            return
        due = simulator.next_due()
        if due is None or not self._links:
            return
        if self._timer is not None:
            if self._armed_for <= due:
                return
            self._timer.cancel()
        self._call_pump(simulator, due)

    def _call_pump(self, simulator: Simulator, at: float) -> None:
        self._armed_for = at
        seconds = at - time.monotonic()
        if seconds > 0:
            self._timer = self._loop.call_later(max(seconds, _TICK_SECONDS), self._pump, simulator)
        else:
            self._timer = self._loop.call_soon(self._pump, simulator)

    def _pump(self, simulator: Simulator) -> None:
        """Send what is due, a burst at a time."""
        self._timer = None
        for _ in range(_BURST):
            link = self._writable_link()
            if link is None:
                self._call_pump(simulator, time.monotonic() + _BACKED_UP_SECONDS)
                return
            message = simulator.due(time.monotonic())
            if message is None:
                break
            self._send(simulator, link, message)
        if self._phase is Phase.RUNNING and not simulator.beginning:
            self._phase = Phase.SETTLING
        self._arm(simulator)

    def _send(self, simulator: Simulator, link: Link, message: CardRequest) -> None:
        try:
            link.send(message, self._network.response_seconds)
        except SessionError:
            simulator.lost(message, time.monotonic())

    def _writable_link(self) -> Link | None:
        """The next link in turn that takes more."""
        for _ in self._links:
            self._turn = (self._turn + 1) % len(self._links)
            if self._links[self._turn].is_writable:
                return self._links[self._turn]
        return None

    # Reporting.

    def _report(self) -> None:
        self._tell(len(self._links))
        self._reporter = self._loop.call_later(self._reporting.seconds, self._report)

    def _tell(self, links: int) -> None:
        simulator = self._simulator
        tally = simulator.tally if simulator else Tally(self._network.name)
        elapsed = time.monotonic() - self._begin
        in_flight = simulator.in_flight if simulator else 0
        self._reporting.progress(tally.progress(self._phase, elapsed, links, in_flight))
