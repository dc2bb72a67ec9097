"""Publishes a shard's events: at least once, an account's in order, none left out.

A batch is read from the outbox, published, and acknowledged when the broker has all of it. Where
that fails, it is read again from the position, which only grows, and published again in the same
order. Nothing is kept in memory but the batch at hand and the next one: while the broker is away
events wait in the ledger.

Of two publishers one publishes: who finds that the position was moved by another stands by, until
it does not move any more. Until they know of each other both publish, each in order.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from gateway.cloud_events import CloudEvents
from gateway.mqtt import BrokerConnection, BrokerLost, connected
from gateway.publishing_terms import BrokerAddress, PublishingTerms
from ledger.database import Database
from ledger.outbox import Batch, Reader
from ledger.shards import Shards

_LONGER = 1.5
READER = "mqtt"  # whose position tells how far publishing has come

_log = structlog.get_logger()


class _Overtaken(Exception):
    """Another publisher has moved the position."""


class ShardPublisher:
    """Publishes one shard's events over a connection of its own.

    Parameters
    ----------
    database, outbox, shard
        The shard's database, its outbox there (`Placement.outbox`) and its number in topics.
    """

    def __init__(
        self,
        database: Database,
        outbox: int,
        shard: int,
        address: BrokerAddress,
        terms: PublishingTerms,
    ) -> None:
        self._database = database
        self._reader = Reader(database, outbox, READER, events_at_once=terms.in_flight)
        self._events = CloudEvents(terms.topic, shard)
        self._shard = shard
        self._address = address
        self._terms = terms
        self._identifier = f"cardrail-publish-{shard}-{secrets.token_hex(4)}"
        self._in_flight = terms.in_flight
        self._failures = 0
        self._told = ""
        self._overtaken = False
        self.published_count = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until `stopping`, whatever becomes of the broker and the database."""
        while not stopping.is_set():
            try:
                if self._overtaken:
                    await self._stand_by(stopping)
                await self._publish_until(stopping)
            except _Overtaken:
                _log.info("another publisher is at work", shard=self._shard)
                self._overtaken = True
            except Exception as error:
                if not (isinstance(error, BrokerLost) or self._database.is_operating_error(error)):
                    raise
                self._tell(error)
                await _pause(stopping, self._next_pause())

    async def publish_waiting(self) -> None:
        """Publish what there is, once.

        Raises
        ------
        BrokerLost
            If the broker has not got all of it.
        Exception
            If the database was in trouble.
        """
        batch = await self._fetch()
        async with self._connected() as connection:
            while batch is not None:
                with suppress(_Overtaken):  # by one who has published it
                    await self.publish_batch(connection, batch)
                batch = await self._fetch()

    async def _publish_until(self, stopping: asyncio.Event) -> None:
        """It reads first, broker or not: from then on nothing is pruned that it has not passed."""
        batch = await self._fetch()
        async with self._connected() as connection:
            while not stopping.is_set():
                if batch is None:
                    await connection.idle(self._terms.poll_seconds)
                    batch = await self._fetch()
                else:
                    batch = await self._publish_and_read_on(connection, batch)

    async def _publish_and_read_on(
        self, connection: BrokerConnection, batch: Batch
    ) -> Batch | None:
        """The next batch, which is read while this one is on its way."""
        reading = asyncio.create_task(self._fetch(batch))
        try:
            await self.publish_batch(connection, batch)
        except BaseException:
            reading.cancel()  # it is read again
            raise
        return await reading

    async def publish_batch(self, connection: BrokerConnection, batch: Batch) -> None:
        """Publish a batch and, when the broker has all of it, go on after it."""
        messages = [self._events.message(each) for each in batch.events]
        try:
            for start in range(0, len(messages), self._in_flight):
                await connection.publish(messages[start : start + self._in_flight])
        except BrokerLost:
            self._send_at_once(self._in_flight // 2)
            raise
        if not await asyncio.to_thread(self._reader.acknowledge, batch):
            raise _Overtaken
        self.published_count += len(messages)
        self._send_at_once(self._in_flight + 1)
        self._failures, self._told = 0, ""

    def _send_at_once(self, count: int) -> None:
        """Fewer after a failure: a slow broker is to get through with what it was sent in time."""
        self._in_flight = max(1, min(count, self._terms.in_flight))
        self._reader.events_at_once = self._in_flight

    async def _fetch(self, ahead_of: Batch | None = None) -> Batch | None:
        return await asyncio.to_thread(self._reader.fetch, ahead_of)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[BrokerConnection]:
        seconds = self._terms.puback_seconds
        async with connected(self._address, self._identifier, puback_seconds=seconds) as made:
            _log.info("broker connected", shard=self._shard)
            yield made

    async def _stand_by(self, stopping: asyncio.Event) -> None:
        """Wait until the position has not moved for a while though there is more to publish."""
        waiting_at, since = -1, time.monotonic()
        while not stopping.is_set():
            batch = await self._fetch()
            if batch is None or batch.after != waiting_at:
                waiting_at, since = -1 if batch is None else batch.after, time.monotonic()
            elif time.monotonic() - since >= self._terms.take_over_seconds:
                _log.warning("taking over", shard=self._shard)
                self._overtaken = False
                return
            await _pause(stopping, self._terms.take_over_seconds / 10)

    def _tell(self, error: Exception) -> None:
        """Once for each trouble, however long it lasts."""
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        if reason != self._told:
            _log.warning("not publishing", shard=self._shard, reason=reason)
        self._told = reason

    def _next_pause(self) -> float:
        """Longer with each failure since something was published."""
        longest = self._terms.reconnect_seconds_most
        self._failures += 1
        return min(longest, self._terms.reconnect_seconds * _LONGER**self._failures)


def shard_publishers(
    shards: Shards, address: BrokerAddress, terms: PublishingTerms
) -> list[ShardPublisher]:
    """One for each shard: none waits for another's database."""
    return [
        ShardPublisher(database, shards.placement.outbox(shard), shard, address, terms)
        for shard, database in enumerate(shards.databases)
    ]


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
