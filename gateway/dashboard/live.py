"""The last events as subscribers get them: read from the broker, sampled when there are many.

At a high rate nobody could read every event on a page, and to take them all would cost more than
everything else here. So of each moment a few of each group are taken, and the group's subscription
is given up until the next moment. QoS 0: a watcher may miss one. Declines come quicker from the
gateways (`last_declines`).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType

import aiomqtt
import msgspec

from gateway.cloud_events import CloudEvent, decode_cloud_event
from gateway.publishing_terms import BrokerAddress

_log = logging.getLogger(__name__)

_KEPT = 50
_MOMENT_SECONDS = 0.5
_SHARE = 20  # of each group in each moment
_RECONNECT_SECONDS = 1.0
_KEEPALIVE_SECONDS = 10

_APPROVALS = "approvals"
_OTHERS = "reversals and clearings"
# What a topic ends with, by group; no topic is in two.
_GROUPS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        _APPROVALS: (
            "authorization/approved",
            "authorization/advised",
            "authorization/repeated",
        ),
        _OTHERS: ("reversal/#", "clearing/#", "hold/#", "wallet/#"),
    }
)


class LiveEvents:
    """The last events of one broker, for every page; belongs to the running event loop.

    `prefix` begins every topic. `is_connected` tells whether the events are of now, `sampled` the
    groups of which some were left out in this moment or the one before.
    """

    def __init__(self, address: BrokerAddress, prefix: str) -> None:
        self._address = address
        self._prefix = prefix
        self._events: deque[CloudEvent] = deque(maxlen=_KEPT)
        self._taken = dict.fromkeys(_GROUPS, 0)
        self._paused: set[str] = set()
        self.is_connected = False
        self.sampled: frozenset[str] = frozenset()

    @property
    def newest(self) -> Sequence[CloudEvent]:
        """The last ones, newest first; no declines."""
        return tuple(reversed(self._events))

    async def run(self) -> None:
        """Until it is cancelled; a broker that goes away is looked for again."""
        was_told = False
        while True:
            try:
                await self._listen()
            except* aiomqtt.MqttError as errors:
                if self.is_connected or not was_told:
                    _log.warning("no live events: %s", errors.exceptions[0])
                    was_told = True
            self.is_connected = False
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        address = self._address
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            tls_context=ssl.create_default_context() if address.encrypted else None,
            keepalive=_KEEPALIVE_SECONDS,
        )
        async with asyncio.TaskGroup() as tasks, client:
            self._paused = set(_GROUPS)
            await self._next_moment(client)
            self.is_connected = True
            turning = tasks.create_task(self._turn(client))
            async for message in client.messages:
                await self._take(client, message)
            turning.cancel()

    async def _turn(self, client: aiomqtt.Client) -> None:
        while True:
            await asyncio.sleep(_MOMENT_SECONDS)
            await self._next_moment(client)

    async def _next_moment(self, client: aiomqtt.Client) -> None:
        """Subscribe again to what had its share."""
        again, self._paused = self._paused, set()
        self._taken = dict.fromkeys(_GROUPS, 0)
        if self.is_connected:
            self.sampled = frozenset(again)
        for group in sorted(again):
            await client.subscribe([(topic, 0) for topic in self._topics(group)])

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        group = self._group(str(message.topic))
        if group in self._paused or not isinstance(message.payload, bytes):
            return
        with suppress(msgspec.MsgspecError):  # not ours: somebody else's topic
            self._events.append(decode_cloud_event(message.payload))
        self._taken[group] += 1
        if self._taken[group] >= _SHARE:
            self._paused.add(group)
            self.sampled |= {group}
            await client.unsubscribe(self._topics(group))

    def _topics(self, group: str) -> list[str]:
        return [f"{self._prefix}/+/{end}" for end in _GROUPS[group]]

    def _group(self, topic: str) -> str:
        about = topic.removeprefix(f"{self._prefix}/").partition("/")[2]
        return _APPROVALS if about.startswith("authorization/") else _OTHERS
