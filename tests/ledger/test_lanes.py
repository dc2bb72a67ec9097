"""Writers side by side: each account in one lane, and in the order of its requests."""

from __future__ import annotations

import asyncio
import time

import pytest

from ledger.commands import AnyCommand
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.outcomes import Outcome
from ledger.writer import LedgerBusy, LedgerWriter
from tests.ledger.books import Books, named
from tests.ledger.writing import Answers, Gated

TWO = Placement(lanes=2)
LEFT = [each for each in range(1, 100) if TWO.lane_of(each) == 0][:10]
RIGHT = [each for each in range(1, 100) if TWO.lane_of(each) == 1][:10]
ACCOUNTS = sorted({1, *LEFT, *RIGHT})


@pytest.fixture
def books(books: Books) -> Books:
    """With a wallet of JPY 1,000 for each of the accounts."""
    for account_id in ACCOUNTS[1:]:
        books.open(account_id, 1000)
    return books


def test_two_lanes_really_run_side_by_side(books: Books) -> None:
    """Each is inside its ledger while the other is, and answers come as they are decided."""

    async def scene() -> None:
        left, right, answers = Gated(books, TWO), Gated(books, TWO), Answers()
        writer = LedgerWriter([left, right], TWO)
        writer.start()
        writer.submit(books.authorize(1, account_id=LEFT[0]), answers)
        writer.submit(books.authorize(2, account_id=RIGHT[0]), answers)
        await left.someone_entered()
        await right.someone_entered()
        assert answers.decided == []
        right.gate.release()
        await answers.some()
        left.gate.release()
        await writer.stop()
        assert [each.account_id for each in answers.decisions] == [RIGHT[0], LEFT[0]]

    asyncio.run(scene())
    books.must_balance()


def test_a_lane_that_is_stuck_does_not_hold_up_the_other(books: Books) -> None:
    async def scene() -> None:
        stuck, answers = Gated(books, TWO), Answers()
        free = Ledger(books.database, placement=TWO)
        writer = LedgerWriter([stuck, free], TWO, capacity=2)
        writer.start()
        writer.submit(books.authorize(1, account_id=LEFT[0]), answers)
        await stuck.someone_entered()
        in_time = time.monotonic_ns() + 60 * 10**9
        for _ in range(2):
            writer.submit(books.authorize(1, account_id=LEFT[0]), answers, in_time)
        with pytest.raises(LedgerBusy, match="2 commands wait"):
            writer.submit(books.authorize(1, account_id=LEFT[0]), answers, in_time)
        for account_id in RIGHT:
            decided = asyncio.get_running_loop().create_future()
            writer.submit(books.authorize(1, account_id=account_id), decided.set_result)
            assert (await decided).outcome is Outcome.APPROVED
        assert writer.waiting_count == 2
        stuck.gate.release(2)
        await writer.stop()
        assert answers.outcomes == [Outcome.APPROVED] * 3

    asyncio.run(scene())


def test_one_account_is_decided_in_the_order_of_its_requests(books: Books) -> None:
    """Whatever the batches: each answer tells a balance that follows from the one before it."""

    async def scene() -> None:
        answers = {account_id: Answers() for account_id in ACCOUNTS}
        ledgers = [Ledger(books.database, placement=TWO) for _ in range(2)]
        writer = LedgerWriter(ledgers, TWO, batch_limit=7)
        writer.start()
        for step in range(1, 21):
            for account_id in ACCOUNTS:
                writer.submit(books.authorize(step, account_id=account_id), answers[account_id])
            await asyncio.sleep(0)
        await writer.stop()
        left = [1000 - step * (step + 1) // 2 for step in range(1, 21)]
        for told in answers.values():
            assert [each.available for each in told.decisions] == left

    asyncio.run(scene())
    books.must_balance()


def test_lanes_post_to_house_accounts_of_their_own(books: Books) -> None:
    """So that they do not wait for each other; reports sum over them."""

    async def scene() -> None:
        answers = Answers()
        writer = LedgerWriter([Ledger(books.database, placement=TWO) for _ in range(2)], TWO)
        writer.start()
        for account_id in ACCOUNTS:
            commands: list[AnyCommand] = [
                books.authorize(30, books.origin(f"T{account_id}"), account_id=account_id),
                books.clear(30, named(f"T{account_id}"), fee=1, account_id=account_id),
                books.clear(5, credit=True, account_id=account_id),
            ]
            for command in commands:
                writer.submit(command, answers)
        await writer.stop()
        assert answers.outcomes == [Outcome.APPROVED] * (3 * len(ACCOUNTS))

    asyncio.run(scene())
    books.must_balance()
    count = len(ACCOUNTS)
    assert books.house() == {
        "funding": -1000 * count, "settlement": 25 * count, "fee": count, "suspense": 5 * count,
    }  # fmt: skip
    with books.database.reading() as connection:
        settlements = connection.exec_driver_sql(
            "SELECT count(*) FROM accounts WHERE kind = 'settlement'"
        ).scalar_one()
    assert settlements == 2


def test_the_number_of_lanes_may_change_from_one_start_to_the_next(books: Books) -> None:
    for lanes in (1, 3, 2):
        placement = Placement(lanes=lanes)
        ledger = Ledger(books.database, placement=placement)
        ledger.apply([books.clear(1, account_id=account_id) for account_id in ACCOUNTS])
        books.must_balance()
    assert books.house()["settlement"] == 3 * len(ACCOUNTS)


def test_stopping_waits_for_every_lane(books: Books) -> None:
    async def scene() -> None:
        left, right, answers = Gated(books, TWO), Gated(books, TWO), Answers()
        writer = LedgerWriter([left, right], TWO)
        writer.start()
        for account_id in ACCOUNTS:
            writer.submit(books.authorize(1, account_id=account_id), answers)
        stopping = asyncio.create_task(writer.stop())
        left.gate.release(99)
        await left.someone_entered()
        await right.someone_entered()
        assert not stopping.done()
        right.gate.release(99)
        await stopping
        assert answers.outcomes == [Outcome.APPROVED] * len(ACCOUNTS)

    asyncio.run(scene())


def test_a_writer_is_crowded_while_a_lane_has_work_for_too_long(books: Books) -> None:
    """Judged by how fast it has been; one that has had nothing to do yet is not."""

    async def scene() -> None:
        ledgers = [Ledger(books.database, placement=TWO) for _ in range(2)]
        writer = LedgerWriter(ledgers, TWO)
        assert not writer.is_crowded()
        writer.start()
        decided = asyncio.get_running_loop().create_future()
        writer.submit(books.authorize(1), decided.set_result)
        await decided
        assert not writer.is_crowded()
        await writer.stop()

    asyncio.run(scene())


def test_an_engine_tells_how_many_lanes_it_is_worth(books: Books) -> None:
    assert books.database.lanes == 1
