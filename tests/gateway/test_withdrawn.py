"""Answered 91 and taken back: a repeat is answered 91 too, by whichever gateway it reaches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.policy import Policy
from networks.wire.messages import CardRequest
from networks.wire.pan import synthetic_pan
from tests import postgresql
from tests.gateway.running import (
    BALANCE,
    Network,
    Running,
    code_of,
    fresh,
    run,
    running,
    until,
)
from tests.gateway.samples import advice, changed, financial, purchase, reversal
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.stuck_commits import (
    commits_wait_after,
    commits_wait_before,
    until_some_process_waits,
)

CARD: dict[str, Any] = {"pan": synthetic_pan(1)}
HASTY = Policy(deadline_seconds=0.05)
REQUESTS: dict[str, Callable[[], CardRequest]] = {
    "purchase": lambda: purchase(**CARD),
    "credit": lambda: purchase(**CARD, processing_code="200000"),
    "single message": lambda: financial(**CARD),
}


async def answer_too_late(gateway: Running, line: Network, request: CardRequest) -> bytes:
    """The 91 that a request gets while somebody else holds the ledger; then it is taken back."""
    with gateway.database.transaction():
        answer = await line.ask(request)
    await until(lambda: gateway.reversals_count() == 1)
    return answer.response_bytes


@pytest.mark.parametrize("title", REQUESTS)
@pytest.mark.parametrize("marked", [True, False])
def test_a_second_gateway_that_remembers_nothing_answers_the_same(
    tmp_path: Path, title: str, *, marked: bool
) -> None:
    request = REQUESTS[title]()
    repeat = changed(request, mti=request.mti[:3] + "1") if marked else request

    async def scenario() -> None:
        async with running(tmp_path, policy=HASTY) as first:
            told = await answer_too_late(first, await first.dial(), request)
            async with running(tmp_path, issuing=False) as second:
                line = await second.dial()
                again = await line.ask(repeat)
                assert again.response_bytes == told
                assert (second.balances(), second.holds_count()) == (
                    first.balances(),
                    _holds(title),
                )
                assert second.balances() == (BALANCE, 0)
                [record] = second.records
                assert (record.outcome, record.response_code) == ("WITHDRAWN", "91")
                assert record.replayed

    run(scenario)


def _holds(title: str) -> int:
    return 0 if title == "credit" else 1


def test_nor_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        request = purchase(**CARD)
        async with running(tmp_path, policy=HASTY) as gateway:
            told = await answer_too_late(gateway, await gateway.dial(), request)
        async with running(tmp_path, issuing=False) as gateway:
            line = await gateway.dial()
            assert (await line.ask(changed(request, mti="0101"))).response_bytes == told
            assert gateway.balances() == (BALANCE, 0)
            assert await line.code(purchase(**CARD, **fresh())) == "00"

    run(scenario)


def test_what_the_network_approves_in_our_stead_is_held_and_can_be_reversed(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        request = purchase(**CARD)
        async with running(tmp_path, policy=HASTY) as gateway:
            line = await gateway.dial()
            await answer_too_late(gateway, line, request)
        async with running(tmp_path, issuing=False) as gateway:
            line = await gateway.dial()
            assert await line.code(advice(**CARD)) == "00"
            assert gateway.balances() == (BALANCE, 1_250)
            assert await line.code(changed(request, mti="0101")) == "91"
            assert await line.code(reversal(**CARD)) == "00"
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


@pytest.mark.parametrize("it_has_happened", [True, False])
def test_a_server_killed_in_the_commit_leaves_no_hold_behind(*, it_has_happened: bool) -> None:
    """What became of it is read back once the server is there again, and is taken back."""
    server = postgresql.server()
    waiting = commits_wait_after if it_has_happened else commits_wait_before

    async def scenario(url: str) -> None:
        request = purchase(**CARD)
        async with running(url, policy=Policy(deadline_seconds=0.5)) as gateway:
            line = await gateway.dial()
            assert await line.code(purchase(**CARD, **fresh(), amount=100)) == "00"
            with waiting(url) as event:
                answer = line.send(request)
                await asyncio.to_thread(until_some_process_waits, url, event)
                await asyncio.to_thread(server.kill)
                assert code_of(await answer) == "91"
            late = gateway.processors["visanet"].late_decisions
            await until(lambda: late.owed_count == 0)
            assert await line.code(changed(request, mti="0101")) == "91"
            await until(lambda: gateway.reversals_count() == 1)
            assert gateway.balances() == (BALANCE, 100)
            async with running(url, issuing=False) as second:
                line = await second.dial()
                assert await line.code(changed(request, mti="0101")) == "91"
                assert second.balances() == (BALANCE, 100)

    with fresh_ledger(Engine.POSTGRESQL) as url:
        run(lambda: scenario(url))
