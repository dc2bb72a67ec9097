"""The ledger is lost while it commits: the request was answered 91, whatever became of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.commands import AnyCommand, Authorize, Decision, Recall
from ledger.database import OutcomeUnknown
from networks.wire.pan import synthetic_pan
from tests.gateway.running import BALANCE, Running, run, running, until
from tests.gateway.samples import changed, purchase

REQUEST = purchase(pan=synthetic_pan(1))
REPEAT = changed(REQUEST, mti="0101")


class LostOnce:
    """Stands in for `Ledger.apply`: the first commit is lost, with what it did or before that."""

    def __init__(self, gateway: Running, *, has_happened: bool) -> None:
        self._apply: Any = gateway.ledger.apply
        self._has_happened = has_happened
        self._was_lost = False
        self.recalled: list[Decision] = []

    def __call__(self, commands: Sequence[AnyCommand]) -> list[Decision]:
        if not self._was_lost and any(isinstance(each, Authorize) for each in commands):
            self._was_lost = True
            if self._has_happened:
                self._apply(commands)
            raise OutcomeUnknown
        decided: list[Decision] = self._apply(commands)
        pairs = zip(commands, decided, strict=True)
        self.recalled += [decision for each, decision in pairs if isinstance(each, Recall)]
        return decided


@pytest.mark.parametrize("has_happened", [True, False])
def test_a_repeat_is_answered_91_too_and_nothing_stays_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_happened: bool
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            ledger = LostOnce(gateway, has_happened=has_happened)
            monkeypatch.setattr(gateway.ledger, "apply", ledger)
            line = await gateway.dial()
            assert await line.code(REQUEST) == "91"
            await until(lambda: len(ledger.recalled) == 1)
            assert await line.code(REPEAT) == "91"
            await until(lambda: gateway.reversals_count() == 1)
            assert gateway.balances() == (BALANCE, 0)
            assert await line.code(REPEAT) == "91"
            assert gateway.authorizations_count() == 1

    run(scenario)
