"""Events arrive: at least once, an account's in their order, none left out, whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cardrail.broker import EmbeddedBroker
from gateway.publisher import READER, ShardPublisher, shard_publishers
from gateway.publishing_terms import BrokerAddress, PublishingTerms
from ledger.house import Placement, by_remainder
from ledger.ledger import Ledger, Wallet
from ledger.shards import Shards
from ledger.tables import positions
from tests.brokers import BROKERS, Broker, running
from tests.gateway.scripted_broker import scripted
from tests.gateway.subscribing import (
    WAIT,
    Subscriber,
    by_account,
    receiving,
    subscribed,
)
from tests.ledger.books import DAY, NOW, Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.watching import watched

ACCOUNTS = 7
QUICK = PublishingTerms(
    poll_seconds=0.005, reconnect_seconds=0.02, reconnect_seconds_most=0.1, take_over_seconds=0.3
)
IMPATIENT = msgspec.structs.replace(QUICK, puback_seconds=0.25)


@pytest.fixture(scope="module", params=BROKERS)
def any_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with running(request.param) as broker:
        yield broker


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as started:
        yield started


@pytest.fixture
def books() -> Iterator[Books]:
    with fresh_ledger(Engine.SQLITE) as url:
        made = Books(url)
        for account_id in range(2, ACCOUNTS + 1):
            made.open(account_id, 1000)
        yield made
        made.close()


def commit(books: Books, rows: int, at_once: int = 1) -> None:
    """Rows of the outbox with so many events each, about one account after another."""
    for row in range(rows):
        books.ledger.apply(
            [books.authorize(1, account_id=1 + (row + each) % ACCOUNTS) for each in range(at_once)]
        )


def publisher(books: Books, url: str, terms: PublishingTerms = QUICK) -> ShardPublisher:
    shards = Shards([books.database], Placement())
    [made] = shard_publishers(shards, BrokerAddress.of(url), terms)
    return made


@asynccontextmanager
async def publishing(of: ShardPublisher) -> AsyncIterator[asyncio.Task[None]]:
    stopping = asyncio.Event()
    task = asyncio.create_task(of.run(stopping))
    try:
        yield task
    finally:
        stopping.set()
        async with asyncio.timeout(WAIT):
            with suppress(asyncio.CancelledError):
                await task


def position(books: Books) -> int | None:
    with books.database.reading() as connection:
        return connection.scalar(select(positions.c.sequence).where(positions.c.reader == READER))


def must_have_all(subscriber: Subscriber, books: Books) -> None:
    """Every event that was told, and each account's in its order."""
    told = [str(each.event_id) for each in books.told()]
    assert sorted(each.id for each in subscriber.events) == sorted(told)
    for ids in by_account(subscriber.events).values():
        assert ids == sorted(ids)


def test_events_arrive_under_their_topics(any_broker: Broker, books: Books) -> None:
    async def run() -> None:
        commit(books, 5, at_once=3)
        books.ask(books.authorize(99_999))
        of = publisher(books, any_broker.url)
        async with subscribed(any_broker.url) as subscriber, publishing(of):
            await subscriber.until_there_are(16)
            books.ask(books.fund(10))
            await subscriber.until_there_are(17)
        must_have_all(subscriber, books)
        assert [topic for topic, _ in subscriber.messages] == [
            *["cardrail/0/authorization/approved"] * 15,
            "cardrail/0/authorization/declined",
            "cardrail/0/wallet/funded",
        ]
        assert of.published_count == 17

    asyncio.run(run())


def test_a_filter_chooses_by_event_or_shard(any_broker: Broker, books: Books) -> None:
    async def run() -> None:
        books.ask(books.authorize(1))
        books.ask(books.fund(10))
        url = any_broker.url
        async with (
            subscribed(url, "cardrail/+/wallet/#") as of_wallets,
            subscribed(url, "cardrail/1/#") as of_another_shard,
            subscribed(url, "cardrail/0/#") as of_all,
        ):
            await publisher(books, url).publish_waiting()
            await of_all.until_there_are(2)
            await of_wallets.until_there_are(1)
        assert [each.type for each in of_wallets.events] == ["cardrail.wallet.funded"]
        assert of_another_shard.events == []

    asyncio.run(run())


def test_it_goes_on_from_the_last_sequence(broker: EmbeddedBroker, books: Books) -> None:
    async def published() -> int:
        of = publisher(books, broker.url)
        await of.publish_waiting()
        return of.published_count

    commit(books, 4)
    assert asyncio.run(published()) == 4
    commit(books, 3)
    assert asyncio.run(published()) == 3
    assert asyncio.run(published()) == 0
    assert position(books) == 7


def test_a_broker_killed_in_full_flight(any_broker: Broker, books: Books) -> None:
    """What it had acknowledged it still has, in the order in which it was published.

    The subscriber comes later: to one that is there while it dies a broker may deliver again, and
    late, what was not acknowledged (docs/EVENTS.md).
    """

    async def run() -> None:
        commit(books, 150, at_once=7)
        subscriber = Subscriber(any_broker.url, "cardrail/#")
        await subscriber.subscribe()
        of = publisher(books, any_broker.url, IMPATIENT)
        async with publishing(of):
            for number in (1, 500):
                await until(lambda: of.published_count >= number)  # noqa: B023 - waited for here
                await asyncio.to_thread(any_broker.kill)
                commit(books, 5)
                await asyncio.to_thread(any_broker.start)
            await until(lambda: of.published_count == 1060)
        assert position(books) == 160
        async with receiving(subscriber):
            await subscriber.until_there_are(1060)
        must_have_all(subscriber, books)

    asyncio.run(run())


def test_a_broker_that_hangs(broker: EmbeddedBroker, books: Books) -> None:
    """No PUBACK comes, and the connection stays open."""

    async def run() -> None:
        of = publisher(books, broker.url, IMPATIENT)
        async with subscribed(broker.url) as subscriber, publishing(of):
            commit(books, 50)
            await subscriber.until_there_are(50)
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                commit(books, 50)
                await until(lambda: of._failures >= 3)
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            await subscriber.until_there_are(100)
        must_have_all(subscriber, books)

    asyncio.run(run())


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT):
        while not so():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def test_while_the_broker_is_away_events_wait_in_the_ledger(
    broker: EmbeddedBroker, books: Books
) -> None:
    """A batch is read and waits here, so that nothing piles up; then all of it comes."""

    async def run() -> None:
        async with subscribed(broker.url) as subscriber:
            broker.kill()
            of = publisher(books, broker.url)
            async with publishing(of):
                commit(books, 1)
                await until(lambda: of._failures > 2)
                assert position(books) == 0  # which keeps them from being pruned
                commit(books, 199, at_once=5)
                broker.start()
                await subscriber.until_there_are(996)
        must_have_all(subscriber, books)
        assert [each.id for each in subscriber.events] == [
            str(each.event_id) for each in books.told()
        ]

    asyncio.run(run())


def test_a_publisher_killed_before_it_took_note_publishes_again(
    broker: EmbeddedBroker, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        commit(books, 1, at_once=10)
        async with subscribed(broker.url) as subscriber:
            first = publisher(books, broker.url)
            with monkeypatch.context() as patched:
                patched.setattr(first._reader, "acknowledge", crash)
                with pytest.raises(Crashed):
                    await first.publish_waiting()
            await publisher(books, broker.url).publish_waiting()
            await subscriber.until(lambda: len(subscriber.messages) == 20)
        must_have_all(subscriber, books)
        ids = [each.id for _, each in subscriber.messages]
        assert ids[:10] == ids[10:]

    asyncio.run(run())


class Crashed(Exception):
    """The process ends here."""


def crash(_batch: object) -> bool:
    raise Crashed


def test_without_a_puback_all_of_a_batch_is_published_again(books: Books) -> None:
    """In the same order, over a new connection; what had been acknowledged before is not."""

    def puback(connection: int, number: int) -> float | None:
        return None if connection == 0 and number >= 13 else 0

    async def run() -> None:
        commit(books, 2, at_once=10)
        async with scripted(puback) as broker:
            of = publisher(books, broker.url, msgspec.structs.replace(IMPATIENT, in_flight=10))
            async with publishing(of):
                await until(lambda: of.published_count == 20)
        ids = [str(each.event_id) for each in books.told()]
        assert broker.sent == [ids, ids[10:]]

    asyncio.run(run())


def test_fewer_are_sent_at_once_to_a_broker_that_is_slow(books: Books) -> None:
    """Else it would never get through with them in time, and would be sent them again and again."""

    async def run() -> None:
        commit(books, 2, at_once=24)
        async with scripted(lambda _connection, _number: 0.015) as broker:
            of = publisher(books, broker.url, IMPATIENT)
            async with publishing(of):
                await until(lambda: of.published_count == 48)
        assert of._in_flight < 24
        assert len(broker.sent) > 1
        last_ids = [each for sent in broker.sent for each in sent]
        assert [*dict.fromkeys(last_ids)] == [str(each.event_id) for each in books.told()]

    asyncio.run(run())


def test_of_two_publishers_one_stands_by_and_takes_over(
    broker: EmbeddedBroker, books: Books
) -> None:
    async def run() -> None:
        one, other = publisher(books, broker.url), publisher(books, broker.url)
        async with subscribed(broker.url) as subscriber:
            async with publishing(one) as first, publishing(other) as second:
                async with asyncio.timeout(WAIT):
                    while one._overtaken is other._overtaken:
                        commit(books, 5)
                        await subscriber.until_there_are(len(books.told()))
                waiting, active = (one, second) if one._overtaken else (other, first)
                active.cancel()
                before = waiting.published_count
                commit(books, 5)
                await subscriber.until_there_are(len(books.told()))
            must_have_all(subscriber, books)
            assert waiting.published_count > before

    asyncio.run(run())


def test_what_commits_while_others_are_published_is_not_skipped(broker: EmbeddedBroker) -> None:
    """Of two transactions at once the first to get its ids is the last to commit.

    An embedded ledger has one at a time.
    """
    made, go = threading.Event(), threading.Event()

    def before_its_end(step: str) -> None:
        if step == "last write":
            made.set()
            assert go.wait(WAIT)

    async def run(books: Books) -> None:
        slow = watched(books.url, before_its_end)
        early, late = books.authorize(1), books.authorize(1, account_id=2)
        async with subscribed(broker.url) as subscriber, publishing(publisher(books, broker.url)):
            committing = asyncio.create_task(asyncio.to_thread(Ledger(slow, node=1).apply, [early]))
            assert await asyncio.to_thread(made.wait, WAIT)
            books.ledger.apply([msgspec.structs.replace(late, at=books.now + DAY)])
            await subscriber.until_there_are(1)
            go.set()
            await committing
            await subscriber.until_there_are(2)
        slow.close()
        assert [each.partitionkey for each in subscriber.events] == ["2", "1"]
        assert int(subscriber.events[0].id) > int(subscriber.events[1].id)

    with fresh_ledger(Engine.POSTGRESQL) as url:
        books = Books(url)
        books.open(2, 1000)
        asyncio.run(run(books))
        books.close()


@pytest.mark.parametrize("lost_at", ["statement", "last write"])
def test_a_database_in_trouble_is_waited_for(
    broker: EmbeddedBroker, books: Books, lost_at: str
) -> None:
    troubles = iter(range(3))

    def on_step(step: str) -> None:
        if step == lost_at and next(troubles, None) is not None:
            raise OperationalError("", None, sqlite3.OperationalError("disk I/O error"))

    async def run() -> None:
        commit(books, 20)
        database = watched(books.url, on_step)
        [of] = shard_publishers(
            Shards([database], Placement()), BrokerAddress.of(broker.url), QUICK
        )
        async with subscribed(broker.url) as subscriber, publishing(of):
            await subscriber.until_there_are(20)
        must_have_all(subscriber, books)
        database.close()

    asyncio.run(run())
    assert next(troubles, None) is None


def test_every_shard_is_published(broker: EmbeddedBroker, books: Books, tmp_path: Path) -> None:
    """Over a connection of its own, so that none waits for another's database."""
    placement = Placement(by_remainder(2), shard_count=2)
    shards = Shards.open([f"sqlite:///{tmp_path}/{each}.db" for each in "ab"], placement)
    shards.create_schema()
    shards.open_wallets(
        [Wallet(account_id=each, currency="JPY", at=NOW, opening_balance=9) for each in range(1, 5)]
    )
    for account_id in (4, 1, 2, 3, 1):
        command = books.authorize(1, account_id=account_id)
        shards.ledgers[placement.shard_of(account_id)].apply([command])

    async def run() -> None:
        of_all = shard_publishers(shards, BrokerAddress.of(broker.url), QUICK)
        async with subscribed(broker.url) as subscriber:
            for each in of_all:
                await each.publish_waiting()
            await subscriber.until_there_are(5)
        told = {(topic, event.source, event.partitionkey) for topic, event in subscriber.messages}
        assert told == {
            (f"cardrail/{shard}/authorization/approved", f"/cardrail/{shard}", account_id)
            for shard, account_id in [(0, "4"), (0, "2"), (1, "1"), (1, "3")]
        }
        assert [each.published_count for each in of_all] == [2, 3]

    asyncio.run(run())
    shards.close()
