"""What subscribers are told: one row a commit and shard, in the order of what has happened."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from ledger.commands import AnyCommand, Authorize, Purpose
from ledger.events import Event, decode_events, encode_events
from ledger.house import Placement, by_remainder
from ledger.ledger import Ledger, Wallet
from ledger.rows import EventRow
from ledger.tables import entries, events
from tests.ledger.books import DAY, NOW, Books, named

SHARDED = Placement(by_remainder(2), shard_count=2)


def rows(books: Books) -> list[EventRow]:
    """The outbox, in the order in which it is read."""
    chosen = select(events).order_by(events.c.account_id, events.c.event_id)
    with books.database.reading() as connection:
        return [EventRow(*row) for row in connection.execute(chosen)]


# --- rows ---


def test_a_commit_is_one_row_with_its_events_in_order(books: Books) -> None:
    held = books.authorize(300, books.origin("A"))
    decisions = books.ledger.apply(
        [held, books.authorize(9000), books.clear(100, named("A"), part=(1, 2)), books.fund(5)]
    )
    [row] = rows(books)
    told = decode_events(row.data)
    assert [each.type for each in told] == [
        "authorization.approved", "authorization.declined", "clearing.posted", "wallet.funded",
    ]  # fmt: skip
    assert told[0].subject_id == decisions[0].authorization_id
    ids = [each.event_id for each in told]
    assert ids == sorted({*ids})
    assert row.event_id > ids[-1]
    assert (row.account_id, row.sequence) == (Placement().outbox(0), 0)
    books.ask(books.authorize(1))
    assert len(rows(books)) == 2


def test_what_changes_nothing_tells_nothing(books: Books) -> None:
    held = books.authorize(300)
    books.ask(held)
    books.ledger.apply([held, books.recall(held), books.authorize(5, account_id=99)])
    assert len(books.told()) == 1


def test_a_commit_about_two_shards_is_a_row_for_each(books: Books) -> None:
    books.open(2, 1000)
    ledger = Ledger(books.database, placement=SHARDED)
    ledger.apply([books.authorize(number, account_id=1 + number % 2) for number in range(1, 7)])
    told = {row.account_id: decode_events(row.data) for row in rows(books)}
    assert {outbox: {each.account_id for each in found} for outbox, found in told.items()} == {
        SHARDED.outbox(0): {2},
        SHARDED.outbox(1): {1},
    }
    assert [len(found) for found in told.values()] == [3, 3]


def test_expiry_is_told_too(books: Books) -> None:
    held = books.ask(books.authorize(300, points=3))
    books.ledger.expire(NOW + 7 * DAY)
    expired = books.told()[-1]
    assert (expired.type, expired.subject_id, expired.at) == (
        "hold.expired", held.authorization_id, NOW + 7 * DAY,
    )  # fmt: skip
    assert expired.data == {
        "amount": 300, "currency": "JPY", "hold_id": held.authorization_id, "points_pending": 0,
        "available": 1000,
    }  # fmt: skip


# --- ids that grow, whoever writes ---


def test_ids_about_an_account_grow_though_another_writers_clock_is_behind(books: Books) -> None:
    ahead, behind = Ledger(books.database, node=900), Ledger(books.database, node=3)
    decided = []
    for step in range(6):
        ledger, books.now = (ahead, NOW + DAY) if step % 2 == 0 else (behind, NOW)
        [decision] = ledger.apply([books.authorize(step + 1)])
        decided.append(decision.authorization_id)
    assert decided == sorted({*decided})
    assert [each.subject_id for each in books.told()] == decided
    ids = [each.event_id for each in books.told()]
    assert ids == sorted({*ids})


def test_an_account_keeps_the_id_of_the_last_row_about_it(books: Books) -> None:
    for command in (
        books.authorize(300, books.origin("A")),
        books.clear(100, named("A"), part=(1, 2)),
        books.reverse(named("A")),
        books.authorize(5000),
    ):
        books.ask(command)
        assert books.wallet().last_id == rows(books)[-1].event_id
    books.ask(books.authorize(7))
    books.ledger.expire(NOW + 7 * DAY)
    assert books.wallet().last_id == rows(books)[-1].event_id


def test_a_wallet_keeps_the_id_of_its_opening(books: Books) -> None:
    """Its next entry is a later one, though that writer's clock is behind."""
    wallet = Wallet(account_id=2, currency="JPY", at=NOW + DAY, opening_balance=50)
    books.ledger.open_wallet(wallet)
    Ledger(books.database, node=3).apply([books.fund(5, account_id=2)])
    chosen = select(entries.c.posting_id).where(entries.c.account_id == 2)
    with books.database.reading() as connection:
        opening, funded = connection.scalars(chosen.order_by(entries.c.version))
    assert opening < funded


def test_a_transaction_tells_after_every_id_that_it_has_made(books: Books) -> None:
    """So that a restart, which goes on above the last row, makes none of them again."""
    batch: list[AnyCommand] = [books.fund(5), books.authorize(1), books.clear(2, credit=True)]
    decided = books.ledger.apply(batch)
    assert rows(books)[-1].event_id > max(each.authorization_id for each in decided)
    restarted = Ledger(books.database, node=0)
    books.now = NOW - DAY
    [decision] = restarted.apply([books.authorize(1)])
    assert decision.authorization_id > rows(books)[0].event_id


def test_two_writers_whose_nodes_are_the_same_by_chance_part(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.ledger._any_node", lambda: 6)
    books.open(2, 1000)
    writers = {each: Ledger(books.database, node=5) for each in (1, 2)}
    for _ in range(3):
        books.now += 1000
        for account_id, writer in writers.items():
            [decision] = writer.apply([books.authorize(1, account_id=account_id)])
            assert decision.outcome.approved
    ids = [row.event_id for row in rows(books)]
    assert sorted({each >> 12 & 1023 for each in ids[-6:]}) == [5, 6]
    books.must_balance()


# --- points, which are told here and posted by those who listen ---

Step = tuple[str, int, int, int | None, int]  # what, amount, points; told as granted, as pending
POINTS: dict[str, list[Step]] = {
    "a purchase": [("hold", 300, 30, None, 30), ("post", 300, 30, 30, 0)],
    "a part of it": [("hold", 2000, 40, None, 20), ("post", 1000, 20, 20, 0)],
    "an increment": [("hold", 300, 30, None, 30), ("add", 100, 10, None, 40)],
    "an increment, reversed": [
        ("hold", 300, 30, None, 30), ("add", 100, 10, None, 40), ("take off", 0, 0, None, 30),
    ],
    "a partial reversal": [("hold", 300, 31, None, 31), ("leave", 100, 0, None, 10)],
    "a reversal": [("hold", 300, 30, None, 30), ("leave", 0, 0, None, 0)],
    "a completion": [("hold", 300, 30, None, 30), ("advise", 500, 50, None, 50)],
    "a completion below": [("hold", 300, 30, None, 30), ("advise", 100, 10, None, 10)],
    "an advice of nothing": [("hold", 300, 30, None, 30), ("advise", 0, 0, None, 0)],
    "parts": [
        ("hold", 300, 30, None, 30), ("part", 100, 10, 10, 20), ("part", 150, 25, 25, 0),
        ("post", 50, 5, 5, 0),
    ],
    "late": [("hold", 300, 30, None, 30), ("leave", 0, 0, None, 0), ("post", 300, 30, 30, 0)],
    "by force": [("post", 300, 30, 30, 0)],
    "taken back": [
        ("hold", 300, 30, None, 30), ("post", 300, 30, 30, 0), ("undo", 100, 0, -20, 0),
        ("undo", 0, 0, -10, 0),
    ],
    "refused": [("post", -5, 30, 0, 0)],
    "a credit": [("credit", 300, 0, None, 0)],
}  # fmt: skip


@pytest.mark.parametrize("title", POINTS)
def test_points_are_told_as_they_are_expected_and_granted(books: Books, title: str) -> None:
    for what, amount, points, granted, pending in POINTS[title]:
        books.ask(command(books, what, amount, points))
        data = books.told()[-1].data
        assert (data.get("points"), data["points_pending"]) == (granted, pending), what


def command(books: Books, what: str, amount: int, points: int) -> AnyCommand:
    origin, about = books.origin("A"), named("A")
    match what:
        case "hold":
            return books.authorize(amount, origin, points=points, partial=True)
        case "add":
            more = books.origin("A", "more")
            return books.authorize(amount, more, points=points, increment_of=about)
        case "take off":
            return books.reverse(named("A", "more"))
        case "leave":
            return books.reverse(about, replacement=amount)
        case "advise":
            return books.advise(amount, about, points=points)
        case "part":
            return books.clear(amount, about, points=points, part=(1, 3))
        case "undo":
            return books.clear(amount, undoes="posted")
        case "credit":
            return books.authorize(amount, origin, purpose=Purpose.CREDIT)
        case _:
            return books.clear(amount, about, books.origin(key="posted"), points=points)


# --- data ---


def test_each_event_has_its_facts(books: Books) -> None:
    held: Authorize = books.authorize(300, books.origin("A"))
    decision = books.ask(held)
    books.ask(books.clear(100, named("A"), part=(1, 2)))
    books.ask(books.reverse(named("A")))
    approved, posted, reversed_ = books.told()
    assert approved.data == {
        "network": "visanet", "rrn": held.origin.rrn, "purpose": "purchase",
        "request_key": held.origin.request_key,
        "outcome": "APPROVED", "amount": 300, "currency": "JPY",
        "hold_id": decision.authorization_id, "points_pending": 0, "available": 700,
    }  # fmt: skip
    assert posted.data == {
        "network": "visanet", "authorization_id": decision.authorization_id,
        "hold_id": decision.authorization_id, "manner": "part", "outcome": "APPROVED",
        "credit": False, "amount": 100, "currency": "JPY", "points": 0, "points_pending": 0,
        "available": 700,
    }  # fmt: skip
    assert reversed_.data == {
        "network": "visanet", "authorization_id": decision.authorization_id,
        "outcome": "APPROVED", "amount": 200, "currency": "JPY",
        "hold_id": decision.authorization_id, "points_pending": 0, "available": 900,
    }  # fmt: skip


def test_events_read_as_they_were_written() -> None:
    told = (Event(1, "a", 2, 3, 4, {"text": "ｺﾝﾋﾞﾆ", "number": -5, "flag": True}),)
    assert decode_events(encode_events(told)) == told


@pytest.mark.parametrize("data", ["", "{}", "[1]", '[{"event_id": "x"}]'])
def test_what_is_none_of_ours_is_not_taken_for_events(data: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_events(data)
