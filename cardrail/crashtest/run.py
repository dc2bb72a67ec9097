"""The rounds: load, SIGKILL at a random instant, recovery, comparison, repeats, comparison."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

import msgspec

from cardrail.crashtest.books import Books, read_books
from cardrail.crashtest.client import Client
from cardrail.crashtest.comparison import (
    Finding,
    Kind,
    compare_money,
    compare_requests,
    count_unheard,
    faults,
    told_differently,
)
from cardrail.crashtest.line import Line
from cardrail.crashtest.system import WALLETS, Addresses, System, fresh_system
from cardrail.crashtest.targets import ROTATION, Target, kill, recover
from cardrail.crashtest.traffic import NETWORKS
from cardrail.engine import Engine

_TAKING_BACK_SECONDS, _LOOK_SECONDS = 15.0, 0.1
_LOAD_SECONDS = (0.02, 0.3)  # from the first request of a round to the kill


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run. The seed fixes sales, targets and instants; the machine's timing stays free."""

    engine: Engine
    rounds: int
    seed: int


class Round(msgspec.Struct, frozen=True):
    """One round as it went; `wrong` says what was found, for people.

    `in_flight` is how many requests were under way at the kill, `acknowledged` how many
    approvals have been read whole since the beginning.
    """

    number: int
    target: Target
    in_flight: int
    acknowledged: int
    wrong: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """How it went.

    Attributes
    ----------
    rounds
        Those that were begun: a round that finds something wrong is the last one.
    sent, repeated
        Messages, and how many of them had been sent before.
    acknowledged
        Approvals that were read whole.
    in_flight
        Requests that were under way at a kill, of all rounds.
    unheard
        Those of them that had been decided, and whose answer was never read.
    killed
        How often each was hit.
    findings
        What is wrong, by kind.
    audits
        How often the books were replayed.
    """

    plan: Plan
    rounds: int = 0
    sent: int = 0
    repeated: int = 0
    acknowledged: int = 0
    in_flight: int = 0
    unheard: int = 0
    killed: Counter[Target] = field(default_factory=Counter)
    findings: Counter[Kind] = field(default_factory=Counter)
    audits: int = 0
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.findings.total()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and there was something that could have been."""
        return self.clean and self.acknowledged > 0 and self.in_flight > 0


Tell = Callable[[Round], None]


def run(plan: Plan, tell: Tell) -> Report:
    """All rounds, or those up to the first that finds something; each is told when it is over.

    Raises
    ------
    NoServer
        If PostgreSQL is wanted and not installed.
    ChildFailed, Stuck, IssuerUnreachable
        If the gateway does not come back, or does not answer.
    """
    with fresh_system(plan.engine) as system:
        return asyncio.run(_CrashTest(plan, system, tell).run())


class _CrashTest:
    def __init__(self, plan: Plan, system: System, tell: Tell) -> None:
        self._plan = plan
        self._system = system
        self._tell = tell
        self._random = Random(f"{plan.seed} instants")  # noqa: S311 - to be repeated
        self._clients = [
            Client(network, Random(f"{plan.seed} {network.name}"), WALLETS)  # noqa: S311 - likewise
            for network in NETWORKS
        ]
        self._lines = [Line(client) for client in self._clients]
        self._report = Report(plan)

    async def run(self) -> Report:
        begin = time.monotonic()
        await self._dial(await asyncio.to_thread(self._system.start_gateway))
        try:
            while self._report.clean and self._report.rounds < self._plan.rounds:
                self._report.rounds += 1
                await self._round(self._report.rounds)
        finally:
            await self._hang_up()
        self._report.seconds = round(time.monotonic() - begin, 1)
        return self._report

    async def _round(self, number: int) -> None:
        rotation = ROTATION[self._plan.engine]
        target = rotation[(number - 1) % len(rotation)]
        in_flight = await self._load_and_kill(target)
        await self._recover(target)
        before = await self._read()
        self._report.unheard += count_unheard(self._clients, before)
        wrong = [*faults(before), *compare_requests(self._clients, before)]
        await asyncio.gather(*(line.settle() for line in self._lines))
        after = await self._read_settled()
        wrong += [*faults(after), *compare_requests(self._clients, after)]
        wrong += [*compare_money(self._clients, after), *self._take_differing()]
        found = dict.fromkeys(wrong)  # what is wrong before the repeats often is so after them
        self._count(target, in_flight, found)
        told = tuple(map(str, found))
        self._tell(Round(number, target, in_flight, self._report.acknowledged, told))

    async def _load_and_kill(self, target: Target) -> int:
        """How many requests were in flight at the kill."""
        for line in self._lines:
            line.load()
        await asyncio.sleep(self._random.uniform(*_LOAD_SECONDS))
        in_flight = sum(client.in_flight for client in self._clients)
        await asyncio.to_thread(kill, self._system, target, self._random)
        for line in self._lines:
            line.stop()
        return in_flight

    async def _recover(self, target: Target) -> None:
        if target is not Target.DATABASE:
            await self._hang_up()
        addresses = await asyncio.to_thread(recover, self._system, target, self._random)
        await asyncio.gather(*(line.quiet() for line in self._lines))
        if addresses is not None:
            await self._dial(addresses)

    async def _dial(self, addresses: Addresses) -> None:
        for line in self._lines:
            await line.open(getattr(addresses, line.client.network.name))

    async def _hang_up(self) -> None:
        await asyncio.gather(*(line.close() for line in self._lines))

    async def _read(self) -> Books:
        self._report.audits += 1
        return await asyncio.to_thread(read_books, self._system.ledger)

    async def _read_settled(self) -> Books:
        """The ledger, once the gateway has taken back what it approved too late; it may take its
        time for that, within bounds.
        """
        give_up = time.monotonic() + _TAKING_BACK_SECONDS
        while True:
            books = await self._read()
            if time.monotonic() > give_up or not any(compare_money(self._clients, books)):
                return books
            await asyncio.sleep(_LOOK_SECONDS)

    def _take_differing(self) -> Iterator[Finding]:
        for client in self._clients:
            for differing in client.differing:
                yield told_differently(client, differing)
            client.differing.clear()

    def _count(self, target: Target, in_flight: int, wrong: Iterable[Finding]) -> None:
        report = self._report
        report.killed[target] += 1
        report.in_flight += in_flight
        report.sent = sum(client.sent_count for client in self._clients)
        report.repeated = sum(client.repeated_count for client in self._clients)
        report.acknowledged = sum(client.approvals_count for client in self._clients)
        report.findings.update(each.kind for each in wrong)
