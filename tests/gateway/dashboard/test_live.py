"""The last events come from a real broker: at once, sampled when many, and again later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from cardrail.broker import EmbeddedBroker
from gateway.cloud_events import CloudEvent, CloudEvents, Message
from gateway.dashboard.live import LiveEvents
from gateway.publishing_terms import BrokerAddress
from ledger.events import Event
from tests.gateway.running import meanwhile, run, until

MADE = CloudEvents("cardrail", 0)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as made:
        yield made


def message(number: int, type_: str = "reversal.applied") -> Message:
    data: dict[str, str | int | bool] = {"network": "visanet", "outcome": "APPROVED"}
    return MADE.message(Event(number, type_, 1, number, 1_800_000_000_000_000, data))


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[LiveEvents]:
    live = LiveEvents(BrokerAddress.of(url), "cardrail")
    async with meanwhile(live.run()):
        await until(lambda: live.is_connected)
        yield live


async def publish(url: str, *messages: Message) -> None:
    address = BrokerAddress.of(url)
    async with aiomqtt.Client(address.host, address.port) as client:
        for each in messages:
            await client.publish(each.topic, each.payload, qos=1)


def subjects(events: Sequence[CloudEvent]) -> list[str]:
    return [each.subject for each in events]


def test_events_of_every_kind_come_newest_first(broker: EmbeddedBroker) -> None:
    types = [
        "authorization.declined",
        "authorization.approved",
        "reversal.applied",
        "clearing.posted",
        "hold.expired",
        "wallet.funded",
    ]

    async def scenario() -> None:
        async with watching(broker.url) as live:
            sent = [message(number, type_) for number, type_ in enumerate(types, 1)]
            await publish(broker.url, *sent)
            await until(lambda: len(live.newest) == len(types) - 1)
            assert subjects(live.newest) == ["6", "5", "4", "3", "2"]  # no decline
            assert not live.sampled

    run(scenario)


def test_of_many_a_share_is_taken_and_each_kind_has_its_own(broker: EmbeddedBroker) -> None:
    """Some are left out, and afterwards everything comes again."""

    async def scenario() -> None:
        async with watching(broker.url) as live:
            approvals = [message(number, "authorization.approved") for number in range(1, 400)]
            await publish(broker.url, *approvals, message(1000))
            await until(lambda: "1000" in subjects(live.newest))
            await until(lambda: "approvals" in live.sampled)
            await until(lambda: not live.sampled)
            await publish(broker.url, message(2000, "authorization.approved"))
            await until(lambda: "2000" in subjects(live.newest))

    run(scenario)


def test_what_is_no_event_is_passed_over(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with watching(broker.url) as live:
            stranger = Message("cardrail/0/authorization/declined", b"\xff not ours")
            await publish(broker.url, stranger, message(1))
            await until(lambda: subjects(live.newest) == ["1"])

    run(scenario)


def test_a_broker_that_comes_back_is_found_again(broker: EmbeddedBroker) -> None:
    async def scenario() -> None:
        async with watching(broker.url) as live:
            await asyncio.to_thread(broker.kill)
            await until(lambda: not live.is_connected)
            await asyncio.to_thread(broker.start)
            await until(lambda: live.is_connected)
            await publish(broker.url, message(7))
            await until(lambda: subjects(live.newest) == ["7"])

    run(scenario)
