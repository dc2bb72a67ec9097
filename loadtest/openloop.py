"""The driver: one process's share of a run, in one thread.

Messages are sent at their intended times whatever the gateway does, an open loop, unless a closed
one is asked for; from a certain rate on a hundred at a time (`sheets`), once the last of them is
due. Everything waits in one `select`, whose timeout is fine enough for that: the timers of an event
loop are a millisecond coarse, and at a moderate rate that would be most of the latency
(docs/decisions/0009).
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random
from time import monotonic
from typing import Protocol

from loadtest.arrivals import Arrivals, Schedule, intended_times
from loadtest.figures import Interval
from loadtest.links import Link, LinkRefused
from loadtest.network_driver import NetworkDriver
from loadtest.numbering import HUNDRED, Numbering
from loadtest.plan import Plan, drawn

_AT_ONCE = 64  # messages sent before answers are looked for
_HUNDREDS_FROM = 40_000  # messages a second: nobody waits longer for the others than 2.5 ms
_REPORT_SECONDS = 0.25
_SWEEP_SECONDS = 0.1
_SIGN_OFF_SECONDS = 1.0
_NEVER = float("inf")


class Control(Protocol):
    """Becomes readable when sending has to end."""

    def fileno(self) -> int:
        """For `select`."""
        ...


class Driver:
    """One of a plan's processes. Times are monotonic seconds."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan = plan
        self._number = number
        self._is_closed = plan.arrivals is Arrivals.CLOSED
        self._in_hundreds = not self._is_closed and plan.rate / plan.processes >= _HUNDREDS_FROM
        random = Random(f"{plan.seed}/{number}")  # noqa: S311 - traffic, not secrets
        self._random = random
        self._networks = {name: NetworkDriver(plan, name) for name in plan.profile.networks}
        self._link_of: dict[int, tuple[NetworkDriver, Link]] = {}  # by file number
        messages = [
            (network, draw.kind, network.encode_amount(draw.amount))
            for draw in drawn(plan, random)
            for network in (self._networks[draw.network],)
        ]
        self._messages: Iterator[tuple[NetworkDriver, int, bytes]] = cycle(messages)
        self._turns = cycle(self._networks.values())  # of hundreds
        if self._in_hundreds:
            for network in self._networks.values():
                network.prepare_sheets(
                    [(kind, amount) for of, kind, amount in messages if of is network]
                )
        self._cpu_seconds = 0.0
        self._since = self._report_at = self._sweep_at = 0.0
        self._ended: float | None = None
        self._has_hundred = False

    def dial(self) -> None:
        """Open and sign on every link.

        Raises
        ------
        LinkRefused
            If one does not come about; then none stays open.
        """
        try:
            for network in self._networks.values():
                network.dial(self._plan.links, self._plan.patience_seconds)
        except LinkRefused:
            self._hang_up()
            raise
        self._link_of = {
            link.fileno(): (network, link)
            for network in self._networks.values()
            for link in network.links
        }

    def run(self, begin: float, control: Control, report: Callable[[Interval], None]) -> None:
        """Send from `begin` on, until the plan's time is over or `control` is readable.

        Returns when everything is answered or given up; `report` is told several times a second,
        and last with `Interval.ended`.
        """
        self._start(begin)
        while self._next < _NEVER or self._in_flight():
            now = monotonic()
            if self._due <= now:
                self._send_due(now)
            self._wait(control)
            now = monotonic()
            if now >= self._sweep_at:
                self._sweep_at = now + _SWEEP_SECONDS
                for network in self._networks.values():
                    network.expire(now)
            if now >= self._report_at:
                report(self._interval(now))
        ended = self._ended
        last = self._interval(monotonic())
        self._hang_up()
        last.ended = ended
        report(last)

    def _start(self, begin: float) -> None:
        plan = self._plan
        epoch = time.time() - monotonic()
        self._epoch = epoch
        self._begin, self._end = begin, begin + plan.seconds
        self._first_card, self._cards = plan.cards
        self._numbering = Numbering(int(epoch + begin), self._number, plan.processes)
        if not self._is_closed:
            self._times = Schedule(
                intended_times(plan.arrivals, self._random, plan.rate, self._number, plan.processes)
            )
        self._since = begin
        self._cpu_seconds = time.process_time()
        self._report_at = begin + _REPORT_SECONDS
        self._sweep_at = begin
        self._advance(begin)

    def _advance(self, now: float) -> None:
        """The next intended time, and when it is due; never, once the plan's time is over."""
        self._due = self._next = now if self._is_closed else self._begin + self._times.take()
        if self._next >= self._end:
            self._stop(self._plan.seconds)
        elif self._in_hundreds:
            last = self._begin + self._times.look(HUNDRED - 1)
            self._has_hundred = last < self._end
            self._due = last if self._has_hundred else self._next

    def _stop(self, seconds: float) -> None:
        if self._ended is None:
            self._ended = seconds
        self._due = self._next = _NEVER
        self._has_hundred = False

    def _send_due(self, now: float) -> None:
        """Send what is due, so much of it that answers need not wait for long."""
        for each in self._networks.values():
            each.turn_to(int(self._epoch + now))
        room = self._plan.in_flight_most - self._in_flight()
        if self._has_hundred and room >= HUNDRED:
            self._send_hundred(now)
        else:
            self._send_each(now, room)
        for each in self._networks.values():
            each.flush()

    def _send_each(self, now: float, room: int) -> None:
        random, first, cards = self._random.random, self._first_card, self._cards
        take = self._numbering.take
        for _ in range(_AT_ONCE):
            if self._next > now or (self._is_closed and room <= 0):
                break
            network, kind, amount = next(self._messages)
            if room > 0:
                room -= 1
                card = first + int(random() * cards)
                network.send(kind, card, amount, take(), self._next, now)
            else:
                network.skip()
            self._advance(now)

    def _send_hundred(self, now: float) -> None:
        """The one that is next, and those after it."""
        random, first, cards = self._random.random, self._first_card, self._cards
        begin, network = self._begin, next(self._turns)
        rest = self._times.take_some(HUNDRED - 1)
        network.send_hundred(
            [first + int(random() * cards) for _ in range(HUNDRED)],
            self._numbering.take_hundred(),
            [self._next, *(begin + each for each in rest)],
            now,
        )
        self._advance(now)

    def _wait(self, control: Control) -> None:
        """Until something has come, or something is due."""
        link_of = self._link_of
        reading = [control.fileno(), *link_of] if self._ended is None else [*link_of]
        writing = [number for number, (_, link) in link_of.items() if link.is_backed_up]
        due = self._sweep_at if self._is_full() else min(self._due, self._sweep_at)
        readable, writable, _ = select.select(reading, writing, [], max(due - monotonic(), 0.0))
        for number in writable:
            link_of[number][1].flush()
        for number in readable:
            if number in link_of:
                network, link = link_of[number]
                network.receive(link)
                if not link.is_open:
                    self._forget(number)
            else:
                self._stop(monotonic() - self._begin)

    def _forget(self, number: int) -> None:
        """A link is gone; a run that has none left is over."""
        del self._link_of[number]
        if not self._link_of:
            self._stop(monotonic() - self._begin)

    def _is_full(self) -> bool:
        """Whether a closed loop has to wait for an answer."""
        return self._is_closed and self._in_flight() >= self._plan.in_flight_most

    def _in_flight(self) -> int:
        return sum(network.in_flight for network in self._networks.values())

    def _interval(self, now: float) -> Interval:
        last_answer = max(network.last_answer for network in self._networks.values())
        cpu, self._cpu_seconds = self._cpu_seconds, time.process_time()
        interval = Interval(
            since=max(self._since - self._begin, 0.0),
            until=max(now - self._begin, 0.0),
            networks={name: network.counts() for name, network in self._networks.items()},
            in_flight=self._in_flight(),
            last_answer=max(last_answer - self._begin, 0.0),
            cpu_seconds=self._cpu_seconds - cpu,
        )
        self._since = now
        while self._report_at <= now:
            self._report_at += _REPORT_SECONDS
        return interval

    def _hang_up(self) -> None:
        for network in self._networks.values():
            for link in network.links:
                link.sign_off(_SIGN_OFF_SECONDS)
