"""What cannot be decided in time is answered 91, and leaves no hold behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.authorize import authorize
from gateway.policy import Policy
from ledger.commands import Authorize
from networks.wire.pan import synthetic_pan
from tests.gateway.running import BALANCE, Running, code_of, fresh, run, running, until
from tests.gateway.samples import card, case, financial, purchase

CARD = {"pan": synthetic_pan(1)}
HASTY = Policy(deadline_seconds=0.05)


@contextmanager
def ledger_stuck(gateway: Running) -> Iterator[None]:
    """Somebody else holds the database's write lock."""
    with gateway.database.transaction():
        yield


@pytest.mark.parametrize("build", [purchase, financial])
def test_a_late_approval_is_answered_91_and_taken_back(tmp_path: Path, build: object) -> None:
    async def scenario() -> None:
        async with running(tmp_path, policy=HASTY) as gateway:
            line = await gateway.dial()
            with ledger_stuck(gateway):
                assert await line.code(build(**CARD)) == "91"  # type: ignore[operator]
            await until(lambda: gateway.reversals_count() == 1)
            assert (gateway.balances(), gateway.holds_count()) == ((BALANCE, 0), 1)
            record = gateway.records[0]
            assert (record.outcome, record.explanation) == (
                "UNAVAILABLE",
                "not decided before the deadline",
            )

    run(scenario)


def test_its_repeat_gets_the_same_answer_and_no_hold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, policy=HASTY) as gateway:
            line = await gateway.dial()
            with ledger_stuck(gateway):
                first = await line.ask(purchase(**CARD))
            await until(lambda: gateway.reversals_count() == 1)
            again = await line.ask(purchase(**CARD, mti="0101"))
            assert again.response_bytes == first.response_bytes
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_late_decline_is_left_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, policy=HASTY) as gateway:
            line = await gateway.dial()
            with ledger_stuck(gateway):
                assert await line.code(purchase(**CARD, amount=BALANCE + 1)) == "91"
            await until(lambda: gateway.authorizations_count() == 1)
            another = authorize(purchase(**CARD, **fresh()), case(card(account_id=10, card_id=1)))
            assert isinstance(another, Authorize)
            decided = asyncio.get_running_loop().create_future()
            gateway.processors["visanet"].submit(another, decided.set_result)
            await decided  # and so was the one before it
            assert gateway.processors["visanet"].late_decisions.owed_count == 0
            assert (gateway.reversals_count(), gateway.balances()) == (0, (BALANCE, 1_250))

    run(scenario)


def test_a_single_message_posted_too_late_is_paid_back(tmp_path: Path) -> None:
    """The hold was in time and the posting was not: money has moved when 91 has gone out."""

    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            assert await line.code(financial(**CARD)) == "00"
            assert gateway.balances() == (BALANCE - 1_250, 0)
            hold = authorize(financial(**CARD), case(card(account_id=10, card_id=1)))
            assert isinstance(hold, Authorize)
            decision = gateway.other_ledger.apply([hold])[0]
            late = gateway.processors["visanet"].late_decisions
            late.settle(hold, msgspec.structs.replace(decision, replayed=False))
            await until(lambda: gateway.balances() == (BALANCE, 0))
            assert await line.code(financial(**CARD, mti="0201")) == "91"

    run(scenario)


def test_when_the_ledger_fails_requests_get_91_until_it_is_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            with gateway.table_missing("authorizations"):
                assert await line.code(purchase(**CARD)) == "91"
                assert await line.code(financial(**CARD)) == "91"
            with gateway.table_missing("clearings"):  # the hold succeeds, its posting does not
                assert await line.code(financial(**CARD, **fresh())) == "91"
            assert await line.code(purchase(**CARD, mti="0101")) == "00"
            await until(lambda: gateway.balances() == (BALANCE, 1_250))

    run(scenario)


def test_when_cards_cannot_be_looked_up_unknown_ones_get_91(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            with gateway.table_missing("cards"):
                assert await line.code(purchase(pan=synthetic_pan(2))) == "91"
                assert await line.code(purchase(**CARD)) == "00"
            assert await line.code(purchase(pan=synthetic_pan(2))) == "14"

    run(scenario)


@pytest.mark.parametrize("table", ["cards", "entries"])
def test_a_card_that_is_looked_up_too_late_is_not_decided(tmp_path: Path, table: str) -> None:
    """Whether the lookup fails or finds nothing: its requests have been answered 91 before."""

    async def scenario() -> None:
        hasty = Policy(deadline_seconds=0.02)
        async with running(tmp_path, policy=hasty, looking_up=False) as gateway:
            line = await gateway.dial()
            first = line.send(purchase(pan=synthetic_pan(2), **fresh()))
            await until(lambda: gateway.processors["visanet"].waiting_count == 1)
            second = line.send(purchase(pan=synthetic_pan(2), **fresh()))
            for each in (first, second):
                assert code_of(await each) == "91"
            with gateway.table_missing(table):
                gateway.lookups.start()
                gateway.lookups.stop()
                await asyncio.sleep(0)
            assert len(gateway.records) == 2
            assert gateway.registry.absent_count == (0 if table == "cards" else 1)

    run(scenario)


def test_a_flood_of_unknown_cards_is_answered_91_early(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, lookups_most=2) as gateway:
            line = await gateway.dial()
            waiting = [line.send(purchase(**fresh(), pan=synthetic_pan(n))) for n in range(2, 40)]
            codes = [code_of(await each) for each in waiting]
            assert codes[:2] == ["14", "14"]
            assert set(codes[2:]) <= {"14", "91"}
            assert "91" in codes

    run(scenario)


def test_a_stopping_gateway_answers_what_it_has_and_refuses_what_comes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            with ledger_stuck(gateway):
                under_way = line.send(purchase(**CARD))
                await until(lambda: gateway.processors["visanet"].waiting_count == 1)
                draining = asyncio.create_task(gateway.processors["visanet"].drain(30.0))
                await asyncio.sleep(0)
                assert await line.code(purchase(**CARD, **fresh())) == "91"
                assert not draining.done()
            await draining
            assert code_of(await under_way) == "00"

    run(scenario)


def test_a_stop_waits_no_longer_than_it_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            with ledger_stuck(gateway):
                answer = line.send(purchase(**CARD))
                await until(lambda: gateway.processors["visanet"].waiting_count == 1)
                await gateway.processors["visanet"].drain(0.01)
            assert code_of(await answer) == "00"

    run(scenario)


def test_a_full_queue_is_answered_91_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, capacity=1) as gateway:
            line = await gateway.dial()
            with ledger_stuck(gateway):
                waiting = [line.send(purchase(**CARD, **fresh())) for _ in range(4)]
                refused, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                codes = [code_of(each.result()) for each in refused]
                assert set(codes) == {"91"}
            answers = [code_of(await each) for each in waiting]
            assert set(answers) == {"00", "91"}
            assert gateway.balances() == (BALANCE, 1_250 * answers.count("00"))

    run(scenario)
