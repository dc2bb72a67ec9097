"""An RRN alone finds the authorization, and the account and the shard it is on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from ledger.commands import Origin
from ledger.house import Placement, by_remainder
from ledger.ledger import Wallet
from ledger.outbox import Reader
from ledger.outcomes import Outcome
from ledger.requests import (
    EVENTS_AT_ONCE,
    READER,
    bucket_of,
    find_by_rrn,
    keep_requests,
    read_authorization,
)
from ledger.rows import Authorization
from ledger.shards import Shards
from ledger.tables import requests
from tests.ledger.books import NOW, Books, named
from tests.ledger.engines import Engine, fresh_ledger

ONE_SHARD = Placement()


def catch_up(books: Books) -> None:
    of = Reader(books.database, ONE_SHARD.outbox(0), READER, events_at_once=EVENTS_AT_ONCE)
    while (batch := of.fetch()) is not None:
        keep_requests([books.database], ONE_SHARD, batch.events)
        assert of.acknowledge(batch)


def found(books: Books, rrn: str, network: str = "") -> list[Authorization]:
    with books.database.reading() as connection:
        return [
            read_authorization(connection, each)
            for each in find_by_rrn(connection, rrn, network=network)
        ]


def test_what_has_been_authorized_is_found_with_its_account(books: Books) -> None:
    books.open(2, 1000)
    asked = [books.authorize(10), books.authorize(20, account_id=2), books.authorize(5000)]
    decided = books.ledger.apply(asked)
    assert found(books, asked[1].origin.rrn) == []
    catch_up(books)
    for command, decision in zip(asked, decided, strict=True):
        [row] = found(books, command.origin.rrn)
        assert row.authorization_id == decision.authorization_id
        assert (row.account_id, row.outcome) == (command.account_id, decision.outcome.name)
        assert (row.request_key, row.rrn) == (command.origin.request_key, command.origin.rrn)
    assert decided[2].outcome is Outcome.INSUFFICIENT_FUNDS
    assert found(books, "rrn-0") == []


def test_what_shares_an_rrn_is_found_together(books: Books) -> None:
    """An increment has its original's; another network's is another transaction."""
    first = books.origin("A")
    books.ask(books.authorize(10, first))
    increment = replace(books.origin("A"), rrn=first.rrn)
    books.ask(books.authorize(5, increment, increment_of=named("A")))
    stranger = replace(books.origin("B"), rrn=first.rrn, network="quicpay")
    books.ask(books.authorize(1, stranger))
    catch_up(books)
    assert [row.amount for row in found(books, first.rrn)] == [1, 10, 5]
    assert [row.amount for row in found(books, first.rrn, "visanet")] == [10, 5]
    assert [row.amount for row in found(books, first.rrn, "quicpay")] == [1]


def test_a_repeat_under_another_key_is_found_too(books: Books) -> None:
    """It got the answer of the first, and may be reversed by its own names."""
    books.ask(books.authorize(10, books.origin("A")))
    again = books.origin("A")
    assert books.ask(books.authorize(10, again, repeats_within=1000)).replayed
    catch_up(books)
    assert [row.verb for row in found(books, again.rrn)] == ["repeat"]


def test_an_advice_is_found(books: Books) -> None:
    advice = books.advise(10)
    books.ask(advice)
    catch_up(books)
    assert [row.verb for row in found(books, advice.origin.rrn)] == ["advise"]


def test_only_authorizations_with_an_rrn_are_kept(books: Books) -> None:
    books.ask(books.authorize(10, books.origin("A")))
    books.ask(books.authorize(10, replace(books.origin("B"), rrn="")))
    books.ask(books.clear(10, named("A")))
    books.ask(books.reverse(named("B")))
    books.ledger.expire(NOW)
    catch_up(books)
    with books.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(requests)) == 1


def test_what_is_read_twice_is_kept_once(books: Books) -> None:
    """The reader ends between its two transactions, and begins again."""
    command = books.authorize(10)
    books.ask(command)
    for _ in range(2):
        batch = Reader(
            books.database, ONE_SHARD.outbox(0), READER, events_at_once=EVENTS_AT_ONCE
        ).fetch()
        assert batch is not None
        keep_requests([books.database], ONE_SHARD, [*batch.events, *batch.events])
    assert len(found(books, command.origin.rrn)) == 1


@pytest.fixture
def shards() -> Iterator[Shards]:
    placement = Placement(by_remainder(2), 2)
    with ExitStack() as resources:
        urls = [resources.enter_context(fresh_ledger(Engine.SQLITE)) for _ in range(2)]
        made = Shards.open(urls, placement)
        resources.callback(made.close)
        made.create_schema()
        made.open_wallets(
            [
                Wallet(account_id=each, currency="JPY", at=NOW, opening_balance=100)
                for each in (1, 2)
            ]
        )
        yield made


def test_the_bucket_leads_to_the_shard(books: Books, shards: Shards) -> None:
    """The RRN is looked up on the shard of its bucket, the rest on that of the wallet."""
    place = shards.placement
    at = set()
    for number in range(40):
        account_id = number % 2 + 1
        origin = Origin("visanet", f"key-{number}", "", f"{number:012d}", "same")
        home = place.shard_of(account_id)
        shards.ledgers[home].apply([books.authorize(1, origin, account_id=account_id)])
        of = Reader(
            shards.databases[home], place.outbox(home), READER, events_at_once=EVENTS_AT_ONCE
        )
        batch = of.fetch()
        assert batch is not None
        keep_requests(shards.databases, place, batch.events)
        assert of.acknowledge(batch)
        bucket = place.shard_of(bucket_of(origin.rrn))
        with shards.databases[bucket].reading() as connection:
            [request] = find_by_rrn(connection, origin.rrn)
        with shards.databases[home].reading() as connection:
            assert read_authorization(connection, request).request_key == origin.request_key
        assert request.wallet_id == account_id
        at.add((home, bucket))
    assert at == {(0, 0), (0, 1), (1, 0), (1, 1)}
