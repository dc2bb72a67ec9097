"""A server killed while it commits: nobody knows what has happened until it is asked again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ledger.commands import AnyCommand, Decision
from ledger.outcomes import Outcome
from ledger.writer import LedgerWriter, Undecided
from tests import postgresql
from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.stuck_commits import (
    commits_wait_after,
    commits_wait_before,
    until_some_process_waits,
)
from tests.ledger.writing import Answers, Gated


@pytest.fixture
def books() -> Iterator[Books]:
    with fresh_ledger(Engine.POSTGRESQL) as url:
        made = Books(url)
        yield made
        made.close()


async def ask(writer: LedgerWriter, command: AnyCommand) -> Decision | Undecided:
    decided = asyncio.get_running_loop().create_future()
    writer.submit(command, decided.set_result)
    answer: Decision | Undecided = await decided
    return answer


@pytest.mark.parametrize("it_has_happened", [False, True])
def test_what_became_of_a_commit_is_told_when_the_server_is_back(
    books: Books, *, it_has_happened: bool
) -> None:
    server = postgresql.server()
    waiting = commits_wait_after if it_has_happened else commits_wait_before

    async def scene() -> None:
        answers = Answers()
        writer = LedgerWriter([books.ledger])
        writer.start()
        before, lost = books.authorize(10), books.authorize(200)
        assert isinstance(await ask(writer, before), Decision)
        with waiting(books.url) as event:
            writer.submit(lost, answers)
            await asyncio.to_thread(until_some_process_waits, books.url, event)
            await asyncio.to_thread(server.kill)
        recalled = await ask(writer, books.recall(lost))
        again = await ask(writer, lost)
        await writer.stop()
        assert answers.decided == [Undecided.UNKNOWN]
        assert isinstance(recalled, Decision)
        assert isinstance(again, Decision)
        assert (recalled.outcome is Outcome.APPROVED) == it_has_happened
        assert again.outcome is Outcome.APPROVED
        assert again.replayed == it_has_happened

    asyncio.run(scene())
    books.must_balance()
    assert books.wallet().held == 210


def test_everything_in_the_batch_is_unknown_and_what_comes_after_is_not(books: Books) -> None:
    server = postgresql.server()

    async def scene() -> None:
        first, answers, later = Answers(), Answers(), Answers()
        ledger = Gated(books)
        writer = LedgerWriter([ledger])
        writer.start()
        writer.submit(books.authorize(1), first)
        await ledger.someone_entered()
        batch = [books.authorize(10) for _ in range(5)]
        for command in batch:
            writer.submit(command, answers)
        ledger.gate.release()
        await first.some()
        with commits_wait_after(books.url) as event:
            ledger.gate.release(99)
            await asyncio.to_thread(until_some_process_waits, books.url, event)
            writer.submit(books.authorize(900), later)
            await asyncio.to_thread(server.kill)
            await later.some()
        recalled = [await ask(writer, books.recall(command)) for command in batch]
        await writer.stop()
        assert answers.decided == [Undecided.UNKNOWN] * 5
        assert later.outcomes == [Undecided.NOT_DONE]
        assert {each.outcome for each in recalled if isinstance(each, Decision)} == {
            Outcome.APPROVED
        }

    asyncio.run(scene())
    books.must_balance()
    assert books.wallet().held == 51


def test_a_writer_that_stops_then_does_not_wait_for_the_server(books: Books) -> None:
    server = postgresql.server()

    async def scene() -> None:
        answers = Answers()
        writer = LedgerWriter([books.ledger], batch_limit=1)
        writer.start()
        with commits_wait_after(books.url) as event:
            for _ in range(4):
                writer.submit(books.authorize(10), answers)
            await asyncio.to_thread(until_some_process_waits, books.url, event)
            stopping = asyncio.create_task(writer.stop())
            await asyncio.sleep(0)
            await asyncio.to_thread(server.kill)
            await stopping
        assert answers.outcomes == [Undecided.UNKNOWN, *[Undecided.NOT_DONE] * 3]

    asyncio.run(scene())
    books.must_balance()
    assert books.wallet().held == 10
