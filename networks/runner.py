"""A simulated network on real links: connects, signs on, runs the engine, settles, signs off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from networks.beliefs import Belief
from networks.links import Connection, Links, Watcher
from networks.network import Network
from networks.schedule import Run
from networks.simulator import Simulator
from networks.tally import Phase, Progress, Tally
from networks.wire.errors import SessionError
from networks.wire.messages import CardMessage, CardRequest
from networks.wire.session_events import (
    AnswerReceived,
    AnswerUnmatched,
    Event,
    RejectReceived,
    RequestLost,
    RequestTimedOut,
)
from networks.wire.streams import Link

_BURST = 256  # messages sent before answers are read again
_BACKED_UP_SECONDS = 0.002
_TICK_SECONDS = 0.001  # event loops sleep in whole milliseconds


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
        self._reporting = reporting
        self._loop = asyncio.get_running_loop()
        watcher = Watcher(on_event=self._on_event, on_link=self._arm, on_unreachable=self._give_up)
        self._links = Links(network, connection, watcher)
        self._timer: asyncio.Handle | None = None
        self._armed_for = 0.0
        self._reporter: asyncio.Handle | None = None
        self._done = asyncio.Event()
        self._phase = Phase.CONNECTING
        self._begin = time.monotonic()
        self._simulator: Simulator | None = None
        self._is_stopping = False

    async def run(self) -> Simulator:
        """Everything from the first connection to the last; the engine tells how it went.

        Raises
        ------
        IssuerUnreachable
            If no link could be signed on at first. Later losses are part of the run.
        """
        self._report()
        try:
            await self._links.open()
            simulator = self._start()
            await self._done.wait()
        finally:
            await self._links.close()
            for handle in (self._timer, self._reporter):
                if handle is not None:
                    handle.cancel()
        simulator.close()
        self._phase = Phase.DONE
        self._tell()
        return simulator

    def stop(self) -> None:
        """Begin no more authorizations; what was begun is settled."""
        self._is_stopping = True
        if self._simulator is not None:
            self._simulator.stop()
            self._arm()

    # Events.

    def _on_event(self, event: Event) -> None:
        if self._simulator is not None:
            self._on_answer(self._simulator, event, time.monotonic())
            self._arm()

    def _give_up(self) -> None:
        if self._simulator is not None:
            self._simulator.abandon()
        self._done.set()

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
        if self._is_stopping:
            self._simulator.stop()
        self._arm()
        return self._simulator

    def _arm(self) -> None:
        """Call `_pump` when something is due, and not before."""
        simulator = self._simulator
        if simulator is None:
            return
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
            link = self._links.next_writable()
            if link is None:
                self._call_pump(simulator, time.monotonic() + _BACKED_UP_SECONDS)
                return
            message = simulator.due(time.monotonic())
            if message is None:
                break
            self._send(simulator, link, message)
        if self._phase is Phase.RUNNING and not simulator.beginning:
            self._phase = Phase.SETTLING
        self._arm()

    def _send(self, simulator: Simulator, link: Link, message: CardRequest) -> None:
        try:
            link.send(message, self._network.response_seconds)
        except SessionError:
            simulator.lost(message, time.monotonic())

    # Reporting.

    def _report(self) -> None:
        self._tell()
        self._reporter = self._loop.call_later(self._reporting.seconds, self._report)

    def _tell(self) -> None:
        simulator = self._simulator
        tally = simulator.tally if simulator else Tally(self._network.name)
        links, in_flight = len(self._links), simulator.in_flight if simulator else 0
        elapsed = time.monotonic() - self._begin
        self._reporting.progress(tally.progress(self._phase, elapsed, links, in_flight))
