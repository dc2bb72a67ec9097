"""What can only happen between other things: answers that cannot be written, notes for nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway import answers
from networks.wire.pan import synthetic_pan
from tests.gateway.running import BALANCE, run, running
from tests.gateway.samples import purchase

CARD = {"pan": synthetic_pan(1)}


def test_an_answer_that_cannot_be_written_is_96(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a balance of more than twelve digits, should anybody put one into DE 54."""
    monkeypatch.setattr(answers, "_LARGEST", 10**18)

    async def scenario() -> None:
        reported: list[object] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: reported.append(context["exception"])
        )
        async with running(tmp_path, balance=BALANCE * 10**9) as gateway:
            line = await gateway.dial()
            inquiry = purchase(**CARD, processing_code="300000")
            assert await line.code(inquiry) == "96"
            assert gateway.records[0].response_code == "96"
            assert len(reported) == 1

    run(scenario)
