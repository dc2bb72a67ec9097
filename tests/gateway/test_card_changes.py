"""A changed card is changed for a running gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from gateway.card_changes import CardChanges, card_of_account, cards_changed_since, change_card
from gateway.cards import Card, CardControls, CardState, Channel
from networks.wire.pan import synthetic_pan
from tests.gateway.running import Running, fresh, new_card, run, running, until
from tests.gateway.samples import purchase

CONTROLS = CardControls(
    frozenset({"7995"}), frozenset({Channel.ABROAD}), amount_limit=500, day_amount=900, day_count=3
)


def change(gateway: Running, at: int = 1, **changes: object) -> Card:
    """Change card 1 as an operator does."""
    with gateway.database.transaction() as connection:
        card = card_of_account(connection, 10, 1)
        assert card is not None
        changed = msgspec.structs.replace(card, **changes)
        change_card(connection, changed, at)
    return changed


def changed_since(gateway: Running, since: int) -> tuple[list[Card], int]:
    with gateway.database.reading() as connection:
        return cards_changed_since(connection, since)


def changes_of(gateway: Running) -> CardChanges:
    put, on_loop = gateway.registry.put, asyncio.get_running_loop().call_soon_threadsafe
    return CardChanges(gateway.database, put, on_loop, seconds=0.001)


def test_a_frozen_card_stops_working_and_a_thawed_one_works_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            changes = changes_of(gateway)
            changes.start()
            line = await gateway.dial()
            index = gateway.vault.index(synthetic_pan(1))
            for at, state, code in ((1, CardState.LOST, "41"), (2, CardState.ACTIVE, "00")):
                frozen = change(gateway, at, state=state)
                await until(lambda frozen=frozen: gateway.registry.find(index) == frozen)  # type: ignore[misc]
                assert await line.code(purchase(pan=synthetic_pan(1), **fresh())) == code
            changes.stop()

    run(scenario)


def test_a_database_that_is_away_for_a_while_costs_only_the_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            changes = changes_of(gateway)
            limited = change(gateway, controls=CONTROLS)
            with gateway.table_missing("cards"):
                changes.start()
                await until(lambda: "changed cards could not be read" in caplog.text)
            await until(lambda: gateway.registry.find(limited.index) == limited)
            changes.stop()

    run(scenario)


def test_only_what_has_changed_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, new_card(1), new_card(2)) as gateway:
            assert changed_since(gateway, -1) == ([], -1)
            changed = change(gateway, 5, controls=CONTROLS)
            assert changed_since(gateway, 4) == ([changed], 5)
            assert changed_since(gateway, 5) == ([], 5)

    run(scenario)


def test_what_never_started_can_be_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            changes_of(gateway).stop()

    run(scenario)


@pytest.mark.parametrize("key", [(10, 2), (20, 1)])
def test_a_card_that_is_not_there(tmp_path: Path, key: tuple[int, int]) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            with gateway.database.reading() as connection:
                assert card_of_account(connection, *key) is None

    run(scenario)
