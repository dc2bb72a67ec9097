"""Two batches at a time on one connection: each decides as if the one before had been written."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec
import psycopg
import pytest

from ledger import lane as lanes
from ledger import reading_ahead, suspicion
from ledger.commands import AnyCommand, Authorize, Clear, Decision, SpendingLimits
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.reading_ahead import ReadAhead
from ledger.writer import LedgerWriter, Undecided
from tests.ledger.books import Books, named
from tests.ledger.engines import Engine, fresh_ledger

WALLETS = range(1, 4)
MANY_WALLETS = range(1, 41)  # most are in no batch under way: what is about them is read ahead
LIMITS = SpendingLimits(day_amount=5000, day_count=30)


@contextmanager
def opened(engine: Engine) -> Iterator[Books]:
    with fresh_ledger(engine) as url:
        books = Books(url)
        books.open(2, 400)
        books.open(3, 100, credit_line=50)
        for wallet in MANY_WALLETS[3:]:
            books.open(wallet, wallet * 10)
        yield books
        books.close()


class Traffic:
    """Commands of every kind about some wallets, few enough that each meets those before it."""

    def __init__(self, books: Books, seed: int, wallets: Sequence[int] = WALLETS) -> None:
        self.books, self.chance, self.wallets = books, random.Random(seed), wallets
        self.made: list[AnyCommand] = []

    def commands(self, count: int) -> list[AnyCommand]:
        for _ in range(count):
            self.made.append(self.one())
        return self.made

    def one(self) -> AnyCommand:  # noqa: C901 - a list
        books, wallet = self.books, self.chance.choice(self.wallets)
        amount, name = self.chance.randint(1, 120), f"{wallet}{self.chance.choice('ABCDEF')}"
        about = named(name)
        key = books.origin(key=f"post {self.chance.randint(1, 40)}")
        match self.chance.randint(0, 13):
            case 0 | 1 | 2 | 3:
                return books.authorize(amount, books.origin(name), account_id=wallet)
            case 4:
                return books.authorize(amount, books.origin(), account_id=wallet, limits=LIMITS)
            case 5:
                origin = books.origin(name)
                return books.authorize(amount, origin, account_id=wallet, increment_of=about)
            case 6:
                return books.reverse(about, account_id=wallet, replacement=amount // 2)
            case 7:
                return books.advise(amount, about, books.origin(name), account_id=wallet)
            case 8 | 9:
                return books.clear(amount, about, key, account_id=wallet, fee=amount % 3)
            case 10:
                return books.clear(amount, about, key, account_id=wallet, credit=True)
            case 11:
                return books.clear(0, undoes=key.request_key, account_id=wallet)
            case 12:
                return books.fund(amount, to_value=amount % 2 == 0, account_id=wallet)
            case _ if self.made:  # a repeat that is not marked as one, or another request
                again = self.chance.choice(self.made)
                changed = self.chance.choice(["", "", "another"]) or again.origin.fingerprint
                origin = msgspec.structs.replace(again.origin, fingerprint=changed)
                return msgspec.structs.replace(again, origin=origin)
            case _:
                return books.authorize(amount, account_id=wallet)


def decide_all(
    books: Books, commands: Sequence[AnyCommand], seed: int
) -> tuple[list[Decision | Undecided], Counter[str]]:
    """As they trickle in; and how many batches were begun beside another, how many read ahead."""
    counts: Counter[str] = Counter()

    class Counting(Ledger):
        def apply_beside(
            self, batch: Sequence[AnyCommand], ahead: ReadAhead | None = None
        ) -> list[Decision]:
            decisions = super().apply_beside(batch, ahead)
            counts["beside"] += 1
            counts["ahead"] += ahead is not None
            return decisions

    async def scene() -> list[Decision | Undecided]:
        chance = random.Random(seed)
        decided: dict[int, Decision | Undecided] = {}
        database = Database.open(books.url)
        writer = LedgerWriter([Counting(database)], batch_limit=chance.choice([3, 8, 20]))
        writer.start()
        for place, command in enumerate(commands):
            writer.submit(command, partial(decided.__setitem__, place))
            if chance.random() < 0.1:
                await asyncio.sleep(chance.choice([0, 0, 0.001, 0.003]))
        await writer.stop()
        database.close()
        return [decided[place] for place in range(len(commands))]

    return asyncio.run(scene()), counts


def plain(decision: Decision | Undecided) -> object:
    """What does not depend on the ids, which another run has others of."""
    if isinstance(decision, Undecided):
        return decision
    told = msgspec.structs.replace(decision, authorization_id=int(decision.authorization_id > 0))
    return msgspec.structs.asdict(told)


@pytest.mark.parametrize("engine", Engine)
@pytest.mark.parametrize("wallets", [WALLETS, MANY_WALLETS], ids=len)
@pytest.mark.parametrize("seed", range(6))
def test_they_decide_as_one_after_the_other(
    seed: int, wallets: Sequence[int], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_WORTH_ITS_OWN", 2)
    monkeypatch.setattr(reading_ahead, "_WORTH_A_TRIP", 1000)
    if wallets is MANY_WALLETS:  # who is careful reads nothing ahead
        monkeypatch.setattr(suspicion, "_CAREFUL_BATCHES", 2)
    with opened(Engine.SQLITE) as one_by_one:
        commands = Traffic(one_by_one, seed, wallets).commands(250)
        expected = [one_by_one.ledger.apply([each])[0] for each in commands]
    with opened(engine) as books:
        decided, counts = decide_all(books, commands, seed)
        books.must_balance()
    assert counts["beside"] > 1
    for place, pair in enumerate(zip(decided, expected, strict=True)):
        assert plain(pair[0]) == plain(pair[1]), (place, commands[place])


@pytest.mark.parametrize("engine", Engine)
def test_clearings_are_read_ahead(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_WORTH_ITS_OWN", 2)
    with opened(engine) as books:
        names = [(f"T{wallet}.{number}", wallet) for number in range(8) for wallet in MANY_WALLETS]
        held = [books.advise(1, origin=books.origin(name), account_id=own) for name, own in names]
        books.ledger.apply(held)
        cleared = [books.clear(1, named(name), account_id=own) for name, own in names]
        decided, counts = decide_all(books, cleared, seed=1)
        books.must_balance()
        assert all(isinstance(each, Decision) and each.authorization_id for each in decided)
        assert books.house()["settlement"] == len(cleared)
    assert counts["ahead"] > 3


def test_what_fails_while_the_next_one_reads_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the batch before had failed each time: then none goes beside it."""
    monkeypatch.setattr(lanes, "_WORTH_ITS_OWN", 2)
    asked: list[bool] = []
    is_up_to_it = lanes.Lane._is_up_to_the_database

    def never_after_reading(lane: lanes.Lane, besides: object = None) -> bool:
        asked.append(besides is not None)
        return besides is None and is_up_to_it(lane)

    monkeypatch.setattr(lanes.Lane, "_is_up_to_the_database", never_after_reading)
    with opened(Engine.SQLITE) as one_by_one:
        commands = Traffic(one_by_one, 1).commands(100)
        expected = [one_by_one.ledger.apply([each])[0] for each in commands]
    with opened(Engine.POSTGRESQL) as books:
        decided, counts = decide_all(books, commands, 1)
        books.must_balance()
    assert list(map(plain, decided)) == list(map(plain, expected))
    assert any(asked)
    assert counts["beside"] == 0


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        pytest.param(Engine.POSTGRESQL, "\x00", id="postgresql, NUL"),
        pytest.param(Engine.POSTGRESQL, "\ud800", id="postgresql, lone surrogate"),
        pytest.param(Engine.SQLITE, "\ud800", id="sqlite, lone surrogate"),
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_what_cannot_be_written_fails_alone(
    seed: int, engine: Engine, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was decided on it is decided again, after it, on what is there."""
    monkeypatch.setattr(lanes, "_WORTH_ITS_OWN", 2)
    with opened(Engine.SQLITE) as one_by_one:
        traffic = Traffic(one_by_one, seed)
        commands = [each for each in traffic.commands(250) if isinstance(each, Authorize | Clear)]
        bad = set(traffic.chance.sample(range(len(commands)), 5))
        expected: list[Decision | Undecided] = []
        for place, each in enumerate(commands):
            if place in bad:
                origin = msgspec.structs.replace(each.origin, rrn=text, request_key="bad")
                commands[place] = msgspec.structs.replace(each, origin=origin)
                expected.append(Undecided.NOT_DONE)
            else:
                expected += one_by_one.ledger.apply([each])
    with opened(engine) as books:
        decided, _ = decide_all(books, commands, seed)
        books.must_balance()
    assert list(map(plain, decided)) == list(map(plain, expected))


@pytest.mark.parametrize("seed", range(4))
def test_a_connection_that_is_lost_under_both(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is unknown or not done then is asked again; nothing is held twice."""
    monkeypatch.setattr(lanes, "_WORTH_ITS_OWN", 2)
    with opened(Engine.POSTGRESQL) as books:
        commands = [books.authorize(1) for _ in range(400)]
        decided: dict[int, Decision | Undecided] = {}

        async def scene() -> None:
            chance = random.Random(seed)
            database = Database.open(books.url)
            writer = LedgerWriter([Ledger(database)], batch_limit=8)
            writer.start()
            for place, command in enumerate(commands):
                writer.submit(command, partial(decided.__setitem__, place))
                await asyncio.sleep(0)
                if chance.random() < 0.02:
                    await asyncio.to_thread(end_all_others, books.url)
            await writer.stop()
            database.close()

        asyncio.run(scene())
        unheard = [place for place, each in decided.items() if isinstance(each, Undecided)]
        assert unheard
        for place in unheard:
            decided[place] = books.ledger.apply([commands[place]])[0]
        approved = [each for each in decided.values() if isinstance(each, Decision)]
        assert len({each.authorization_id for each in approved}) == len(commands)
        assert books.wallet().held == len(commands)
        books.must_balance()


def end_all_others(url: str) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        connection.execute(f"{others} AND datname = current_database()".encode())
