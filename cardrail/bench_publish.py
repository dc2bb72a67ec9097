"""Publishing measured: a fresh database and a real broker, and a subscriber that is to get it all.

First what waits in the ledger, as after an hour without a broker: a latency is that of one batch,
from its publishing to its acknowledgement. Then a commit at a time with the subscriber there: from
the commit until it has the event. Rates are in events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns

import aiomqtt
from hdrh.histogram import HdrHistogram

from cardrail import bench_opening
from cardrail.bench_commands import Load
from cardrail.bench_database import fresh_database
from cardrail.bench_opening import open_accounts, opened
from cardrail.bench_rows import Row, nanoseconds, row_of
from cardrail.broker import EmbeddedBroker
from gateway.cloud_events import decode_cloud_event
from gateway.mqtt import BrokerConnection
from gateway.publisher import ShardPublisher
from gateway.publishing_terms import BrokerAddress, PublishingTerms
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.outbox import Batch

_PAUSE_SECONDS = 0.005  # between commits, so that each is alone
_PATIENCE_SECONDS = 60.0
_TERMS = PublishingTerms()
_LIVE = "from a commit to a subscriber"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(bench_opening.Plan):
    """How many events wait, of commits of so many each; and how many commits one at a time."""

    live: int


def measure(plan: Plan) -> Iterator[Row]:
    """Each row as soon as it is measured; what the subscriber did not get is an error.

    Raises
    ------
    NoBroker, NoServer
        If there is no broker or database to measure with.
    """
    with (
        fresh_database(plan.engine, plan.url) as url,
        EmbeddedBroker() as broker,
        opened(url) as database,
    ):
        yield from _rows(plan, database, BrokerAddress.of(broker.url))


def _rows(plan: Plan, database: Database, address: BrokerAddress) -> Iterator[Row]:
    ledger = Ledger(database)
    open_accounts(ledger, plan.accounts)
    load = Load(seed=plan.seed, accounts=plan.accounts)
    for start in range(0, plan.count, plan.batch):
        ledger.apply(load.holds(min(plan.batch, plan.count - start)))
    asyncio.run(_subscribe(address))
    yield asyncio.run(_publish_waiting(plan, database, address))
    yield asyncio.run(_receive_waiting(plan, address))
    yield asyncio.run(_one_at_a_time(plan, database, load, address))


async def _subscribe(address: BrokerAddress) -> None:
    """What is published from now on is kept for the subscriber."""
    async with _subscriber(address) as client:
        await client.subscribe(f"{_TERMS.topic}/#", qos=1)


async def _publish_waiting(plan: Plan, database: Database, address: BrokerAddress) -> Row:
    publisher = _Timed(database, address, plan.count)
    begin = perf_counter()
    await publisher.run(publisher.done)
    seconds = perf_counter() - begin
    taken = publisher.histogram, seconds
    return _row(plan, "waiting events published", taken, in_flight=_TERMS.in_flight)


async def _receive_waiting(plan: Plan, address: BrokerAddress) -> Row:
    histogram = nanoseconds()
    async with _subscriber(address) as client:
        begin = perf_counter()
        received = await _received(client, plan.count, histogram)
        seconds = perf_counter() - begin
    missing = plan.count - len(received)
    return _row(plan, "waiting events received", (histogram, seconds), missing=missing)


async def _received(client: aiomqtt.Client, count: int, histogram: HdrHistogram) -> set[str]:
    """The ids of what comes, until `count` have; timed from one to the next."""
    ids: set[str] = set()
    start = perf_counter_ns()
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                ids.add(decode_cloud_event(message.payload).id)
                histogram.record_value(perf_counter_ns() - start)
                start = perf_counter_ns()
                if len(ids) == count:
                    break
    return ids


async def _one_at_a_time(plan: Plan, database: Database, load: Load, address: BrokerAddress) -> Row:
    """From a commit until the subscriber has its event, half an interval of polling on average."""
    histogram, missing, stopping = nanoseconds(), 0, asyncio.Event()
    ledger = Ledger(database)
    publisher = ShardPublisher(database, Placement().outbox(0), 0, address, _TERMS)
    async with _subscriber(address) as client, asyncio.TaskGroup() as group:
        group.create_task(publisher.run(stopping))
        begin = perf_counter()
        for command in load.holds(plan.live):
            await asyncio.to_thread(ledger.apply, [command])
            missing += not await _received(client, 1, histogram)
            await asyncio.sleep(_PAUSE_SECONDS)
        seconds = perf_counter() - begin
        stopping.set()
    return _row(plan, _LIVE, (histogram, seconds), missing=missing)


class _Timed(ShardPublisher):
    """Takes the time of each batch, and is done after `count` events."""

    def __init__(self, database: Database, address: BrokerAddress, count: int) -> None:
        super().__init__(database, Placement().outbox(0), 0, address, _TERMS)
        self._count = count
        self.done = asyncio.Event()
        self.histogram = nanoseconds()

    async def publish_batch(self, connection: BrokerConnection, batch: Batch) -> None:
        start = perf_counter_ns()
        await super().publish_batch(connection, batch)
        self.histogram.record_value(perf_counter_ns() - start)
        if self.published_count >= self._count:
            self.done.set()


def _subscriber(address: BrokerAddress) -> aiomqtt.Client:
    return aiomqtt.Client(
        address.host, address.port, identifier="bench-subscriber", clean_session=False
    )


def _row(
    plan: Plan,
    name: str,
    taken: tuple[HdrHistogram, float],
    *,
    in_flight: int = 1,
    missing: int = 0,
) -> Row:
    """`taken` are the latencies and the seconds in all."""
    histogram, seconds = taken
    count = plan.live if name == _LIVE else plan.count
    return row_of(
        name,
        plan.engine,
        histogram,
        done=count - missing,
        seconds=seconds,
        in_flight=in_flight,
        errors=missing,
    )
