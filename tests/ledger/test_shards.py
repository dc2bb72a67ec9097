"""Several shards on one PostgreSQL, each a database or a schema, and several SQLite files."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import partial
from typing import Any, NoReturn, cast

import pytest
from sqlalchemy import func, make_url, select

from ledger.commands import (
    AnyCommand,
    Authorize,
    Clear,
    Decision,
    Origin,
    Purpose,
    Reference,
    Reverse,
)
from ledger.events import decode_events
from ledger.house import AccountKind, Placement, by_remainder
from ledger.ledger import Wallet
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.shards import Shards
from ledger.tables import accounts, authorizations, events
from ledger.writer import LedgerWriter, Undecided
from tests import postgresql
from tests.ledger.books import DAY, NOW
from tests.ledger.engines import Engine, fresh_ledger

SHARDS, LANES, WALLETS, BALANCE = 3, 2, 24, 1000


class Kept(StrEnum):
    """What a shard is."""

    FILE = "SQLite file"
    DATABASE = "PostgreSQL database"
    SCHEMA = "PostgreSQL schema"


@contextmanager
def shard_urls(kept: Kept) -> Iterator[list[str]]:
    with ExitStack() as resources:
        if kept is Kept.SCHEMA:
            url = make_url(resources.enter_context(fresh_ledger(Engine.POSTGRESQL)))
            names = [f"shard_{number}" for number in range(SHARDS)]
            postgresql.server().execute_in(str(url), *(f"CREATE SCHEMA {n}" for n in names))
            yield [
                url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(
                    hide_password=False
                )
                for name in names
            ]
        else:
            engine = Engine.SQLITE if kept is Kept.FILE else Engine.POSTGRESQL
            yield [resources.enter_context(fresh_ledger(engine)) for _ in range(SHARDS)]


@pytest.fixture(params=list(Kept))
def shards(request: pytest.FixtureRequest) -> Iterator[Shards]:
    placement = Placement(shard_of=by_remainder(SHARDS), shard_count=SHARDS, lanes=LANES)
    with shard_urls(cast("Kept", request.param)) as urls:
        made = Shards.open(urls, placement)
        made.create_schema()
        wallets = [
            Wallet(account_id=number, currency="JPY", at=NOW, opening_balance=BALANCE)
            for number in range(1, WALLETS + 1)
        ]
        assert made.open_wallets(wallets) == WALLETS
        yield made
        made.close()


def origin(number: int, story: str) -> Origin:
    return Origin("visanet", f"{number}{story}|key", f"T{number}", f"rrn-{number}", "same")


def hold(number: int, account_id: int, amount: int = 10) -> Authorize:
    return Authorize(
        account_id=account_id,
        origin=origin(number, "hold"),
        at=NOW + number,
        purpose=Purpose.PURCHASE,
        amount=Money(amount, "JPY"),
        approval_code="123456",
        expires_at=NOW + DAY,
    )


def clearing(held: Authorize, number: int) -> Clear:
    return Clear(
        account_id=held.account_id,
        origin=origin(number, "clear"),
        at=held.at,
        reference=Reference(held.origin.transaction_id),
        amount=held.amount,
    )


def reversal(held: Authorize, number: int) -> Reverse:
    return Reverse(
        account_id=held.account_id,
        origin=origin(number, "reverse"),
        at=held.at,
        reference=Reference(held.origin.transaction_id),
        amount=held.amount,
    )


def decide(writer: LedgerWriter, commands: Sequence[AnyCommand]) -> list[Decision]:
    async def scene() -> list[Decision | Undecided]:
        decided: dict[int, Decision | Undecided] = {}
        writer.start()
        for place, command in enumerate(commands):
            writer.submit(command, lambda told, place=place: decided.__setitem__(place, told))  # type: ignore[misc] # the loop's own place
        await writer.stop()
        return [decided[place] for place in range(len(commands))]

    answers = asyncio.run(scene())
    assert all(isinstance(each, Decision) for each in answers)
    return cast("list[Decision]", answers)


def begun(shards: Shards) -> Counter[int]:
    """Counts the write transactions of each shard from now on."""
    counts = Counter[int]()
    for shard, database in enumerate(shards.databases):
        database.run = partial(_counted, database.run, counts, shard)  # type: ignore[method-assign]
    return counts


def _counted(run: Callable[..., Any], counts: Counter[int], shard: int, *asked: Any) -> Any:  # noqa: ANN401 - whatever `run` takes and gives
    counts[shard] += 1
    return run(*asked)


def test_each_command_is_decided_on_its_shard_and_every_shard_balances(shards: Shards) -> None:
    held = [hold(number, number % WALLETS + 1) for number in range(1, 241)]
    later = [
        clearing(each, number) if number % 2 else reversal(each, number)
        for number, each in enumerate(held)
    ]
    answers = decide(shards.writer(batch_limit=16), [*held, *later])
    assert {each.outcome for each in answers} == {Outcome.APPROVED}
    assert [each.authorization_id for each in answers[:240]] == [
        each.authorization_id for each in answers[240:]
    ]
    report = shards.audit()
    assert report.clean, report.disagreements
    assert report.counts["authorizations"] == 240
    for shard, database in enumerate(shards.databases):
        with database.reading() as connection:
            for table in (accounts, authorizations):
                found = connection.scalars(select(table.c.account_id))
                assert {each % SHARDS for each in found} == {shard}


def test_a_batch_for_one_shard_begins_a_transaction_on_that_one_alone(shards: Shards) -> None:
    counts = begun(shards)
    mine = [hold(number, SHARDS * (number % 8 + 1)) for number in range(1, 65)]
    decide(shards.writer(), mine)
    assert set(counts) == {0}
    assert counts[0] < len(mine)


def test_a_shard_that_is_away_does_not_hold_up_the_others(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = shards.writer()
    monkeypatch.setattr(shards.databases[1], "run", _is_away)
    commands = [hold(number, number) for number in range(1, WALLETS + 1)]

    async def scene() -> Counter[bool]:
        decided: list[bool] = []
        writer.start()
        for command in commands:
            writer.submit(command, lambda told: decided.append(isinstance(told, Decision)))
        await writer.stop()
        return Counter(decided)

    assert asyncio.run(scene()) == {True: WALLETS * 2 // SHARDS, False: WALLETS // SHARDS}


def _is_away(*_asked: object) -> NoReturn:
    raise OSError("this shard is away")


def test_house_accounts_and_outbox_lie_beside_their_wallets(shards: Shards) -> None:
    held = [hold(number, number % WALLETS + 1) for number in range(1, 49)]
    decide(shards.writer(), [clearing(each, number) for number, each in enumerate(held)])
    placement = shards.placement
    settlement = 0
    for shard, database in enumerate(shards.databases):
        with database.reading() as connection:
            kinds = Counter(connection.scalars(select(accounts.c.kind)))
            settlement += connection.scalar(
                select(func.sum(accounts.c.posted)).where(
                    accounts.c.kind == AccountKind.SETTLEMENT.value
                )
            )
            outboxes = set(connection.scalars(select(events.c.account_id)))
            told = [
                each.account_id
                for data in connection.scalars(select(events.c.data))
                for each in decode_events(data)
            ]
        assert kinds[AccountKind.SETTLEMENT] == LANES
        assert outboxes == {placement.outbox(shard)}
        assert {each % SHARDS for each in told} == {shard}
    assert settlement == 48 * 10


def test_holds_expire_on_every_shard(shards: Shards) -> None:
    decide(shards.writer(), [hold(number, number) for number in range(1, WALLETS + 1)])
    assert shards.expire(NOW + 2 * DAY) == WALLETS
    assert shards.audit().clean


def test_what_does_not_add_up_names_its_shard(shards: Shards) -> None:
    with shards.databases[2].transaction() as connection:
        connection.execute(accounts.update().where(accounts.c.account_id == 2).values(posted=1))
    [found, *_] = shards.audit().disagreements
    assert found.subject == "shard 2 account 2"


def test_every_shard_has_its_database() -> None:
    with pytest.raises(ValueError, match="1 databases, expected 2, one for each shard"):
        Shards.open(["sqlite:///:nowhere:"], Placement(by_remainder(2), 2))


def test_databases_that_were_opened_are_closed_if_another_cannot_be() -> None:
    with pytest.raises(ValueError, match="expected sqlite"):
        Shards.open(["sqlite:///:nowhere:", "mysql://x/y"], Placement(by_remainder(2), 2))


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_lanes_share_the_accounts_of_each_shard(lanes: int) -> None:
    placement = Placement(by_remainder(SHARDS), SHARDS, lanes)
    places = Counter(placement.writer_of(account_id) for account_id in range(1, 24_001))
    assert set(places) == set(range(SHARDS * lanes))
    assert min(places.values()) > 0.9 * 24_000 / (SHARDS * lanes)
