"""A subscriber as there are many: its session outlives its connection, and duplicates are told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count

import aiomqtt

from gateway.cloud_events import CloudEvent, decode_cloud_event
from gateway.duplicates import Duplicates
from gateway.publishing_terms import BrokerAddress
from tests.gateway.running import meanwhile

WAIT = 30
_NUMBERS = count(1)


class Subscriber:
    """What has come, with the topics; `events` is without duplicates."""

    def __init__(self, url: str, topics: str) -> None:
        self._address = BrokerAddress.of(url)
        self._topics = topics
        self._identifier = f"subscriber-{next(_NUMBERS)}"
        self._changed = asyncio.Event()
        self._duplicates = Duplicates()
        self.subscribed = asyncio.Event()
        self.messages: list[tuple[str, CloudEvent]] = []
        self.events: list[CloudEvent] = []

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT):
            while not enough():
                self._changed.clear()
                await self._changed.wait()

    async def until_there_are(self, number: int) -> None:
        await self.until(lambda: len(self.events) >= number)

    async def run(self) -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                async with self._client() as client:
                    await client.subscribe(self._topics, qos=1)
                    self.subscribed.set()
                    async for message in client.messages:
                        self._receive(message)
            await asyncio.sleep(0.02)  # the broker is away

    async def subscribe(self) -> None:
        """Begin the session, so that the broker keeps from now on what is published."""
        async with self._client() as client:
            await client.subscribe(self._topics, qos=1)

    async def forget(self) -> None:
        """End the session, so that the broker keeps nothing for it."""
        with suppress(aiomqtt.MqttError):
            async with self._client(clean=True):
                pass

    def _client(self, *, clean: bool = False) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            identifier=self._identifier,
            clean_session=clean,
        )

    def _receive(self, message: aiomqtt.Message) -> None:
        assert isinstance(message.payload, bytes)
        event = decode_cloud_event(message.payload)
        self.messages.append((str(message.topic), event))
        if not self._duplicates.came_before(event):
            self.events.append(event)
        self._changed.set()


@asynccontextmanager
async def subscribed(url: str, topics: str = "cardrail/#") -> AsyncIterator[Subscriber]:
    """One that is there all the time."""
    async with receiving(Subscriber(url, topics)) as subscriber:
        yield subscriber


@asynccontextmanager
async def receiving(subscriber: Subscriber) -> AsyncIterator[Subscriber]:
    """From now on, and what was kept for it; at the end it is forgotten."""
    try:
        async with meanwhile(subscriber.run()):
            async with asyncio.timeout(WAIT):
                await subscriber.subscribed.wait()
            yield subscriber
    finally:
        await subscriber.forget()


def by_account(events: Iterable[CloudEvent]) -> Mapping[str, list[int]]:
    """The ids of each account's events, in the order in which they came."""
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for each in events:
        ids[each.partitionkey].append(int(each.id))
    return ids
