"""The feed over a real control socket: whole frames for those who watch, nothing for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.control_client import GatewayControl
from gateway.control_messages import (
    Exchanged,
    Exchanges,
    LinkAction,
    Subscribe,
    framed,
    replies,
)
from gateway.feed import Feed, FeedReader
from gateway.records import DecisionRecord
from networks.wire.describe import describe_frame
from networks.wire.dialects import DIALECTS
from networks.wire.messages import Administrative
from networks.wire.pan import synthetic_pan
from tests.gateway.controlling import controlled, runtime_folder
from tests.gateway.running import Running, fresh, run, running, until
from tests.gateway.samples import purchase

PAN = synthetic_pan(1)
RECORD = DecisionRecord(at=1, network="visanet", mti="0100", response_code="00", outcome="APPROVED")


@pytest.fixture
def runtime() -> Iterator[Path]:
    with runtime_folder() as folder:
        yield folder


@asynccontextmanager
async def watching(
    gateway: Running, control: GatewayControl, most: int = 1000
) -> AsyncIterator[AsyncIterator[Exchanges]]:
    """The feed, from when the gateway knows that somebody watches."""
    async with control.feed(most) as batches:
        await until(lambda: gateway.feed.is_read)
        yield batches


async def some(batches: AsyncIterator[Exchanges], count: int) -> list[Exchanged]:
    """The next exchanges, so many."""
    found: list[Exchanged] = []
    async for batch in batches:
        assert batch.dropped_count == 0
        found += batch.exchanges
        if len(found) >= count:
            break
    return found


@pytest.mark.parametrize("network", DIALECTS)
def test_an_exchange_is_the_record_and_both_frames(
    tmp_path: Path, runtime: Path, network: str
) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path) as gateway,
            controlled(gateway, runtime) as control,
            watching(gateway, control) as batches,
        ):
            line = await gateway.dial(network)
            requests = [
                purchase(network, pan=PAN, **fresh()),
                purchase(network, pan=synthetic_pan(2), **fresh()),
                Administrative("0600", "1122013045", "000777", "632601000777", text="HELLO"),
            ]
            for request in requests:
                await line.ask(request)
            exchanges = await some(batches, len(requests))
            assert [each.record for each in exchanges] == gateway.records
            for each, request in zip(exchanges, requests, strict=True):
                came = describe_frame(DIALECTS[network], each.request)
                went = describe_frame(DIALECTS[network], each.response)
                assert (came.problems, went.problems) == ([], [])
                assert came.fields["t"] == request.mti
                assert (came.fields["11"], went.fields["11"]) == (request.stan, request.stan)
                assert went.fields["39"] == each.record.response_code
                assert PAN not in repr(each)

    run(scenario)


def test_an_answer_that_nobody_got_has_no_frame(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path) as gateway,
            controlled(gateway, runtime) as control,
            watching(gateway, control) as batches,
        ):
            line = await gateway.dial()
            line.link.send(purchase(pan=PAN, **fresh()))
            await until(lambda: gateway.processors["visanet"].waiting_count == 1)
            gateway.open_links.command(gateway.open_links.snapshot()[0].link_id, LinkAction.DROP)
            [exchange] = await some(batches, 1)
            assert exchange.response == b""
            assert exchange.record.outcome == "APPROVED"
            await line.link.wait_closed()

    run(scenario)


def test_nothing_is_gathered_where_nobody_watches(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway, controlled(gateway, runtime) as control:
            line = await gateway.dial()
            await line.ask(purchase(pan=PAN, **fresh()))
            async with watching(gateway, control) as batches:
                seen = purchase(pan=PAN, **fresh())
                await line.ask(seen)
                assert [each.record.stan for each in await some(batches, 1)] == [seen.stan]
            await until(lambda: not gateway.feed.is_read)
            await line.ask(purchase(pan=PAN, **fresh()))
            assert gateway.feed._exchanges._gathered == []

    run(scenario)


def test_all_workers_are_watched_also_those_that_come_later(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway, GatewayControl(runtime).feed() as batches:
            async with controlled(gateway, runtime, worker=7):
                await until(lambda: gateway.feed.is_read)
                line = await gateway.dial()
                await line.ask(purchase(pan=PAN, **fresh()))
                assert len(await some(batches, 1)) == 1
            async with controlled(gateway, runtime, worker=8):
                await until(lambda: gateway.feed.readers_count == 1)
                await line.ask(purchase(pan=PAN, **fresh()))
                assert len(await some(batches, 1)) == 1

    run(scenario)


# What is too much.


class Reader:
    """A reader's end: what it was given, and whether it reads."""

    def __init__(self, most: int = 1000) -> None:
        self.is_behind = False
        self.got: list[bytes] = []
        self.reader = FeedReader(self.got.append, lambda: self.is_behind, most)

    async def next(self) -> Exchanges:
        await until(lambda: bool(self.got))
        return decoded(self.got.pop())


def decoded(frame: bytes) -> Exchanges:
    message = replies.decode(frame[4:])
    assert isinstance(message, Exchanges)
    return message


def put(feed: Feed, count: int) -> None:
    for _ in range(count):
        feed.put(RECORD, b"request", b"response")


def test_a_batch_is_bounded_and_what_is_beyond_is_counted() -> None:
    async def scenario() -> None:
        feed, all_of_it, few = Feed(1), Reader(10_000), Reader(2)
        for each in (all_of_it, few):
            feed.add(each.reader)
        put(feed, 1200)
        for each, given in ((all_of_it, 1000), (few, 2)):
            batch = await each.next()
            assert (len(batch.exchanges), batch.dropped_count) == (given, 1200 - given)
        put(feed, 1)
        batch = await few.next()
        assert (batch.worker, len(batch.exchanges), batch.dropped_count) == (1, 1, 0)
        assert feed.dropped_count == 200 + 1198

    run(scenario)


def test_a_reader_that_is_behind_costs_itself_exchanges_and_no_other() -> None:
    async def scenario() -> None:
        feed, slow, quick = Feed(1), Reader(), Reader()
        for each in (slow, quick):
            feed.add(each.reader)
        slow.is_behind = True
        for _ in range(3):
            put(feed, 5)
            assert len((await quick.next()).exchanges) == 5
        slow.is_behind = False
        put(feed, 1)
        batch = await slow.next()
        assert (len(batch.exchanges), batch.dropped_count) == (1, 15)
        assert (await quick.next()).dropped_count == 0

    run(scenario)


def test_one_who_does_not_read_makes_nothing_grow(tmp_path: Path, runtime: Path) -> None:
    """Megabytes for somebody who subscribes and never reads: what is kept for him is bounded."""

    async def scenario() -> None:
        async with running(tmp_path) as gateway, controlled(gateway, runtime):
            _, writer = await asyncio.open_unix_connection(runtime / "gateway-1.sock", limit=1)
            writer.write(framed(Subscribe()))
            await until(lambda: gateway.feed.is_read)
            while not gateway.feed.dropped_count:
                for _ in range(1000):
                    gateway.feed.put(RECORD, b"r" * 900, b"")
                gateway.feed._exchanges.hand_out()
                await asyncio.sleep(0)
            writer.close()
            await until(lambda: not gateway.feed.is_read)

    run(scenario)


def test_what_was_gathered_for_one_who_left_is_forgotten() -> None:
    async def scenario() -> None:
        feed, first, second = Feed(1), Reader(), Reader()
        feed.add(first.reader)
        put(feed, 3)
        feed.remove(first.reader)
        assert (feed.is_read, feed.readers_count) == (False, 0)
        feed.add(second.reader)
        put(feed, 1)
        assert len((await second.next()).exchanges) == 1

    run(scenario)
