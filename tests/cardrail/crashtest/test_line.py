"""A line that waits for what does not come says so, and does not wait for ever."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from cardrail.crashtest import line as line_module
from cardrail.crashtest.client import Client
from cardrail.crashtest.line import Line, Stuck
from networks.visanet_sim.network import VISANET_NETWORK
from networks.wire.messages import CardRequest
from networks.wire.session_events import Event, RejectReceived
from tests.networks.issuer import Answers, Issuer, agreeable, decline, listening


def silent(_issuer: Issuer, _request: CardRequest) -> Answers:
    return []


def undecided(_issuer: Issuer, request: CardRequest) -> Answers:
    return [decline(request, "91")]


async def scene(issuer: Issuer) -> Line:
    """A line that has sent a window of requests and is then told to stop."""
    line = Line(Client(VISANET_NETWORK, Random(1), 100))
    await line.open(f"127.0.0.1:{issuer.port}")
    line.load()
    line.stop()
    return line


def test_an_issuer_that_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with listening(Issuer(VISANET_NETWORK, silent)) as issuer:
            line = await scene(issuer)
            monkeypatch.setattr(line_module, "PATIENCE_SECONDS", 0.05)
            with pytest.raises(Stuck, match=r"visanet: 32 requests without an answer in 0\.05 s"):
                await line.quiet()
            await line.close()

    asyncio.run(test())


def test_an_issuer_that_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with listening(Issuer(VISANET_NETWORK, undecided)) as issuer:
            line = await scene(issuer)
            await line.quiet()
            monkeypatch.setattr(line_module, "PATIENCE_SECONDS", 0.5)
            with pytest.raises(Stuck, match="requests without a decision"):
                await line.settle()
            await line.close()

    asyncio.run(test())


def test_a_request_that_comes_back_unread() -> None:
    async def test() -> None:
        async with listening(Issuer(VISANET_NETWORK, agreeable)) as issuer:
            line = await scene(issuer)
            request = line.client.next_request()
            event: Event = RejectReceived("0134", None, request)
            line.on_event(event)
            with pytest.raises(Stuck, match=f"visanet {request.rrn}: reject 0134"):
                await line.quiet()
            await line.close()

    asyncio.run(test())
