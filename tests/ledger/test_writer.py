"""The writer's thread, queue and answers; everything real, no sleeps."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from ledger.commands import Decision, SpendingLimits
from ledger.database import Database
from ledger.outcomes import Outcome
from ledger.writer import LedgerBusy, LedgerLate, LedgerWriter, Undecided, WriterStopped
from tests import postgresql
from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.writing import Answers, Gated

NOT_DONE = Undecided.NOT_DONE
NEVER = 2**62  # a deadline all the same


def test_a_lone_command_is_decided(books: Books) -> None:
    async def scene() -> None:
        writer = LedgerWriter([books.ledger])
        writer.start()
        decided = asyncio.get_running_loop().create_future()
        writer.submit(books.authorize(5), decided.set_result)
        assert (await decided).outcome is Outcome.APPROVED
        await writer.stop()

    asyncio.run(scene())
    books.must_balance()


def test_what_waits_goes_into_one_commit(books: Books) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger], batch_limit=3)
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        for _ in range(5):
            writer.submit(books.authorize(1), answers)
        assert writer.waiting_count == 5
        ledger.gate.release(3)
        await writer.stop()
        assert ledger.batches == [1, 3, 2]
        assert answers.outcomes == [Outcome.APPROVED] * 6

    asyncio.run(scene())
    books.must_balance()


def test_the_queue_is_bounded_and_what_has_no_deadline_has_room_behind_it(books: Books) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger], capacity=2)
        writer.start()
        writer.submit(books.authorize(1), answers, NEVER)
        await ledger.someone_entered()
        for _ in range(2):
            writer.submit(books.authorize(1), answers, NEVER)
        with pytest.raises(LedgerBusy, match="2 commands wait"):
            writer.submit(books.authorize(1), answers, NEVER)
        for _ in range(2):
            writer.submit(books.authorize(1), answers)
        with pytest.raises(LedgerBusy, match="4 commands wait"):
            writer.submit(books.authorize(1), answers)
        ledger.gate.release(2)
        await writer.stop()
        assert answers.outcomes == [Outcome.APPROVED] * 5

    asyncio.run(scene())


@pytest.mark.parametrize("with_another", [False, True])
def test_what_its_turn_comes_too_late_for_is_not_decided(
    books: Books, *, with_another: bool
) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger])
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        writer.submit(books.authorize(1), answers, time.monotonic_ns())
        if with_another:
            writer.submit(books.authorize(1), answers)
        ledger.gate.release(2)
        await writer.stop()
        told = [Outcome.APPROVED, Undecided.LATE, Outcome.APPROVED]
        assert answers.outcomes == told[: 2 + with_another]
        assert ledger.batches == [1] * (1 + with_another)

    asyncio.run(scene())
    books.must_balance()


def test_what_would_be_decided_too_late_is_refused_at_once(books: Books) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger], batch_limit=1)
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        writer.submit(books.authorize(1), answers)
        ledger.gate.release()  # from here on it is known that a batch takes some time
        await ledger.someone_entered()
        now = time.monotonic_ns()
        writer.submit(books.authorize(1), answers, now)  # nothing waits before it
        with pytest.raises(LedgerLate, match=r"^the ledger would come to it in \d+ ms only$"):
            writer.submit(books.authorize(1), answers, now)
        writer.submit(books.authorize(1), answers, NEVER)
        ledger.gate.release(2)
        await writer.stop()
        assert answers.outcomes == [
            Outcome.APPROVED,
            Outcome.APPROVED,
            Undecided.LATE,
            Outcome.APPROVED,
        ]

    asyncio.run(scene())


# What makes a command unfit to be written, and which engine minds.
POISONS: list[tuple[dict[str, Any], set[Engine]]] = [
    ({"at": "never"}, {*Engine}),
    ({"approval_code": object()}, {*Engine}),
    ({"day": 2**70, "limits": SpendingLimits(900)}, {*Engine}),
    ({"approval_code": "\ud800"}, {*Engine}),
    ({"approval_code": "a\0b"}, {Engine.POSTGRESQL}),
]


@pytest.mark.parametrize(("poison", "minds"), POISONS)
def test_a_poisoned_command_is_found_by_halves_and_fails_alone(
    books: Books, engine: Engine, poison: dict[str, Any], minds: set[Engine]
) -> None:
    if engine not in minds:
        pytest.skip("this engine keeps it")

    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger])
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        for place in range(8):
            command = books.authorize(10)
            if place == 5:
                command = msgspec.structs.replace(command, **poison)
            writer.submit(command, answers)
        ledger.gate.release(8)
        await writer.stop()
        assert ledger.batches == [1, 8, 4, 4, 2, 1, 1, 2]
        approved = [Outcome.APPROVED]
        assert answers.outcomes == approved * 6 + [NOT_DONE] + approved * 2

    asyncio.run(scene())
    books.must_balance()
    assert books.wallet().held == 1 + 7 * 10


def test_several_poisoned_commands_fail_and_no_other(books: Books) -> None:
    async def scene() -> None:
        answers, poisoned = Answers(), {3, 4, 17, 30}
        ledger = Gated(books)
        writer = LedgerWriter([ledger])
        writer.start()
        for place in range(32):
            command = books.authorize(10)
            at = "never" if place in poisoned else command.at
            writer.submit(msgspec.structs.replace(command, at=at), answers)
        ledger.gate.release(64)
        await writer.stop()
        assert [place for place, each in enumerate(answers.outcomes) if each is NOT_DONE] == [
            *sorted(poisoned)
        ]

    asyncio.run(scene())
    assert books.wallet().held == 28 * 10


def test_a_failing_database_fails_its_batch_and_comes_back(books: Books) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger])
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        _rename(books, "accounts", "lost")
        ledger.gate.release()
        writer.submit(books.authorize(1), answers)
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        _rename(books, "lost", "accounts")
        writer.submit(books.authorize(1), answers)
        ledger.gate.release(2)
        await writer.stop()
        assert answers.outcomes[0] is NOT_DONE
        assert answers.outcomes[1:] == [Outcome.APPROVED] * 3

    asyncio.run(scene())
    books.must_balance()


def test_an_operating_error_is_not_retried_one_by_one(books: Books) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger])
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        _rename(books, "holds", "lost")
        for _ in range(3):
            writer.submit(books.authorize(1), answers)
        ledger.gate.release()
        await ledger.someone_entered()
        ledger.gate.release()
        await writer.stop()
        assert ledger.batches == [1, 3]
        assert answers.outcomes == [NOT_DONE] * 4

    asyncio.run(scene())


def test_a_stop_does_not_wait_for_a_database_that_is_away(books: Books) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger], batch_limit=1)
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        _rename(books, "holds", "lost")
        for _ in range(3):
            writer.submit(books.authorize(1), answers)
        stopping = asyncio.create_task(writer.stop())
        await asyncio.sleep(0)
        ledger.gate.release()
        await stopping
        assert ledger.batches == [1]
        assert answers.outcomes == [NOT_DONE] * 4

    asyncio.run(scene())


def test_a_server_that_is_killed_and_started_again_needs_no_restart_of_ours() -> None:
    server = postgresql.server()

    async def scene(books: Books) -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger])
        writer.start()
        ledger.gate.release()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        for _ in range(2):
            writer.submit(books.authorize(10), answers)
        await ledger.someone_entered()
        await asyncio.to_thread(server.kill)
        ledger.gate.release()
        writer.submit(books.authorize(100), answers)
        await ledger.someone_entered()
        await asyncio.to_thread(server.start)
        ledger.gate.release()
        await writer.stop()
        approved = Outcome.APPROVED
        assert answers.outcomes == [approved, NOT_DONE, NOT_DONE, approved]

    with fresh_ledger(Engine.POSTGRESQL) as url:
        books = Books(url)
        asyncio.run(scene(books))
        books.must_balance()
        assert books.ask(books.authorize(900)).outcome is Outcome.INSUFFICIENT_FUNDS
        books.close()


def test_a_receiver_that_fails_harms_no_other(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        ledger, answers = Gated(books), Answers()
        writer = LedgerWriter([ledger])
        writer.start()
        writer.submit(books.authorize(1), answers)
        await ledger.someone_entered()
        writer.submit(books.authorize(1), _fail)
        writer.submit(books.authorize(1), answers)
        ledger.gate.release(2)
        await writer.stop()
        assert answers.outcomes == [Outcome.APPROVED] * 2

    asyncio.run(scene())
    assert "the receiver of a decision failed" in caplog.text


def test_before_the_start_and_after_the_end(books: Books) -> None:
    async def scene() -> None:
        writer = LedgerWriter([books.ledger])
        with pytest.raises(WriterStopped):
            writer.submit(books.authorize(1), print)
        await writer.stop()
        writer.start()
        await writer.stop()
        await writer.stop()
        with pytest.raises(WriterStopped):
            writer.submit(books.authorize(1), print)

    asyncio.run(scene())


def test_stopping_writes_what_waits(books: Books) -> None:
    async def scene() -> None:
        answers = Answers()
        writer = LedgerWriter([books.ledger], batch_limit=7)
        writer.start()
        for _ in range(100):
            writer.submit(books.authorize(1), answers)
        await writer.stop()
        assert answers.outcomes == [Outcome.APPROVED] * 100

    asyncio.run(scene())


def _rename(books: Books, before: str, after: str) -> None:
    """A table that is not there: what the writer sees of a database in trouble."""
    other = Database.open(books.url)
    with other.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
        connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")
    other.close()


def _fail(_decision: Decision | Undecided) -> None:
    raise RuntimeError
