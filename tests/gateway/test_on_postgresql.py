"""The gateway on a PostgreSQL server, which goes away and comes back."""

from __future__ import annotations

import asyncio

from networks.wire.pan import synthetic_pan
from tests import postgresql
from tests.gateway.running import BALANCE, fresh, run, running
from tests.gateway.samples import purchase, reversal
from tests.ledger.engines import Engine, fresh_ledger

CARD = {"pan": synthetic_pan(1)}


def test_a_purchase_its_repeat_and_its_reversal() -> None:
    async def scenario() -> None:
        with fresh_ledger(Engine.POSTGRESQL) as url:
            async with running(url) as gateway:
                line = await gateway.dial()
                request = purchase(**CARD)
                first, again = await line.answer(request), await line.answer(request)
                assert first == again
                assert first.response_code == "00"
                assert gateway.balances() == (BALANCE, 1250)
                assert await line.code(reversal(**CARD)) == "00"
                assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_while_the_server_is_away_the_answer_is_91_and_no_restart_is_needed() -> None:
    server = postgresql.server()

    async def scenario() -> None:
        with fresh_ledger(Engine.POSTGRESQL) as url:
            async with running(url) as gateway:
                line = await gateway.dial()
                assert await line.code(purchase(**CARD, **fresh())) == "00"
                await asyncio.to_thread(server.kill)
                assert await line.code(purchase(**CARD, **fresh())) == "91"
                await asyncio.to_thread(server.start)
                assert await line.code(purchase(**CARD, **fresh())) == "00"
                assert gateway.balances() == (BALANCE, 2500)

    run(scenario)
