"""More than the ledger can do: everything is answered in time or early, and only that is done.

The ledger stands still because somebody else holds the database's write lock.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from gateway.policy import Policy
from networks.wire.pan import synthetic_pan
from tests.gateway.running import BALANCE, card_response, fresh, run, running, until
from tests.gateway.samples import purchase, reversal

CARD = {"pan": synthetic_pan(1)}
HASTY = Policy(deadline_seconds=0.2)
CAPACITY = 20
SENT = 200


def test_everything_is_answered_and_what_came_too_late_is_never_decided(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, policy=HASTY, capacity=CAPACITY) as gateway:
            line = await gateway.dial()
            with gateway.database.transaction():
                first = line.send(purchase(**CARD, **fresh()))
                await until(lambda: gateway.processors["visanet"].waiting_count == 1)
                await until(lambda: gateway.writer.waiting_count == 0)  # it is being written
                others = [line.send(purchase(**CARD, **fresh())) for _ in range(SENT)]
                answers = await asyncio.gather(first, *others)
                assert {card_response(each).response_code for each in answers} == {"91"}
                reasons = [record.explanation for record in gateway.records]
                let_in = 1 + SENT - reasons.count("20 commands wait for the ledger already")
                assert reasons.count("not decided before the deadline") == let_in
                waiting = gateway.writer.waiting_count
                assert 0 < waiting <= CAPACITY < let_in
            being_written = let_in - waiting
            await until(lambda: gateway.reversals_count() == being_written)  # these were late
            assert await line.code(purchase(**CARD, **fresh())) == "00"
            assert gateway.authorizations_count() == being_written + 1
            assert gateway.balances() == (BALANCE, 1_250)

    run(scenario)


def test_a_reversal_finds_room_and_is_done_however_late(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, policy=HASTY, capacity=CAPACITY) as gateway:
            line = await gateway.dial()
            names = fresh()
            assert await line.code(purchase(**CARD, **names)) == "00"
            assert gateway.balances() == (BALANCE, 1_250)
            with gateway.database.transaction():
                requests = [line.send(purchase(**CARD, **fresh())) for _ in range(SENT)]
                told = line.send(reversal(**CARD, rrn=names["rrn"], stan=fresh()["stan"]))
                answers = await asyncio.gather(*requests, told)
                assert {card_response(each).response_code for each in answers} == {"91"}
            await until(lambda: gateway.balances() == (BALANCE, 0))

    run(scenario)
