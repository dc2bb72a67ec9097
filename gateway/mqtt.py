"""A connection to an MQTT broker that publishes in order, many at once; alone knows aiomqtt.

QoS 1 in MQTT 3.1.1, which every broker speaks. PUBACKs come in the order of what they acknowledge
[MQTT-4.6.0-2]; what is not acknowledged in time is published again by who called, over a new
connection: a broker that was killed would else hold up everything that is in flight.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import aiomqtt

from gateway.cloud_events import Message
from gateway.publishing_terms import BrokerAddress

_AT_LEAST_ONCE = 1
_KEEPALIVE_SECONDS = 10  # after so long a connection is given up on which nothing comes
_NO_BOUND = 1 << 16  # packet ids are 16 bits wide; `publish` keeps to its caller's bound


class BrokerLost(Exception):
    """Nothing can be published over this connection any more; tells why."""


class BrokerConnection:
    """A connection that is up; made by `connected`."""

    def __init__(self, client: aiomqtt.Client, closed: asyncio.Task[None], seconds: float) -> None:
        self._client = client
        self._closed = closed
        self._seconds = seconds

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send all of them, in order, and wait until the broker has every one.

        Raises
        ------
        BrokerLost
            If a PUBACK does not come within its time, or the connection is closed. The broker may
            have any number of the messages, from the first on.
        """
        try:
            async with asyncio.timeout(self._seconds), asyncio.TaskGroup() as group:
                watching = group.create_task(self._fail_when_closed())
                sent = [group.create_task(self._publish(each)) for each in messages]
                for each in sent:
                    await each
                watching.cancel()
        except TimeoutError:
            raise BrokerLost(f"no PUBACK within {self._seconds:g} s") from None
        except BaseExceptionGroup as errors:
            raise _lost(errors) from None

    async def idle(self, seconds: float) -> None:
        """Wait, and notice if the connection is closed meanwhile.

        Raises
        ------
        BrokerLost
            If it is.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._fail_when_closed(), seconds)

    async def _publish(self, message: Message) -> None:
        await self._client.publish(
            message.topic, message.payload, qos=_AT_LEAST_ONCE, timeout=math.inf
        )

    async def _fail_when_closed(self) -> None:
        """A publish alone does not notice it."""
        await asyncio.shield(self._closed)


@asynccontextmanager
async def connected(
    address: BrokerAddress, identifier: str, *, puback_seconds: float
) -> AsyncIterator[BrokerConnection]:
    """Connect; `identifier` is ours alone, for a broker closes the connection of its namesake.

    Raises
    ------
    BrokerLost
        If it cannot be done, or not within the time of a PUBACK.
    """
    client = aiomqtt.Client(
        address.host,
        address.port,
        identifier=identifier,
        username=address.username,
        password=address.password,
        tls_context=ssl.create_default_context() if address.encrypted else None,
        timeout=puback_seconds,
        keepalive=_KEEPALIVE_SECONDS,
        max_inflight_messages=_NO_BOUND,
    )
    client.pending_calls_threshold = _NO_BOUND  # many at once are the point
    try:
        async with _watched(client) as closed, client:
            yield BrokerConnection(client, closed, puback_seconds)
    except aiomqtt.MqttError as error:
        raise BrokerLost(str(error)) from None


@asynccontextmanager
async def _watched(client: aiomqtt.Client) -> AsyncIterator[asyncio.Task[None]]:
    """A task that fails when the connection is closed; it outlives it, to the last of its end."""
    closed = asyncio.create_task(_until_closed(client))
    try:
        yield closed
    finally:
        closed.cancel()
        await asyncio.wait([closed])
        if not closed.cancelled():
            closed.exception()  # which may be nobody's news


async def _until_closed(client: aiomqtt.Client) -> None:
    """Fails then: who waits for messages is told, and nothing is subscribed."""
    try:
        async for _ in client.messages:
            pass
    except aiomqtt.MqttError:
        raise BrokerLost("the broker has closed the connection") from None


def _lost(errors: BaseExceptionGroup[BaseException]) -> BrokerLost:
    """Of several publishes that failed the first tells why; anything else is none of ours."""
    lost, others = errors.split((BrokerLost, aiomqtt.MqttError))
    if lost is None or others is not None:
        raise errors
    return BrokerLost(str(lost.exceptions[0]))
