# ruff: noqa: ANN401 - fields of a message or card are given by name
from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.card_registry import CardLookups, CardRegistry, TooManyLookups
from gateway.cards import Card, create_card_schema, issue_cards
from gateway.vault import PanVault
from ledger.database import Database
from networks.wire.pan import synthetic_pan
from tests.gateway.running import new_card
from tests.gateway.samples import card

VAULT = PanVault(b"i" * 32, b"e" * 32)


def index(number: int) -> bytes:
    return VAULT.index(synthetic_pan(number))


def test_cards_are_found_and_replaced_by_index() -> None:
    registry = CardRegistry()
    first = card(index=index(1))
    registry.put([first, card(index=index(2))])
    assert registry.find(index(1)) == first
    registry.put([card(index=index(1), card_id=99)])
    found = registry.find(index(1))
    assert found is not None
    assert (found.card_id, len(registry)) == (99, 2)
    assert registry.find(index(3)) is None


def test_an_absent_card_is_remembered_for_a_while() -> None:
    registry = CardRegistry(absent_seconds=5.0)
    registry.put_absent(index(1), 100.0)
    assert registry.is_absent(index(1), 104.9)
    assert not registry.is_absent(index(1), 105.0)
    assert registry.absent_count == 0
    assert not registry.is_absent(index(2), 100.0)


def test_the_memory_of_absent_cards_is_bounded() -> None:
    registry = CardRegistry(absent_most=3)
    for number in (1, 2, 3, 1, 4):
        registry.put_absent(index(number), 100.0)
    assert registry.absent_count == 3
    assert not registry.is_absent(index(2), 100.0)
    assert all(registry.is_absent(index(number), 100.0) for number in (1, 3, 4))


class Loop:
    """What the lookups' thread wants to be called on the event loop."""

    def __init__(self) -> None:
        self.calls: queue.Queue[tuple[Any, tuple[Any, ...]]] = queue.Queue()
        self.answers: list[tuple[str, Card | None]] = []

    def call_soon(self, function: Any, *arguments: Any) -> None:
        self.calls.put((function, arguments))

    def turn(self) -> None:
        """Wait for one call and make it."""
        function, arguments = self.calls.get(timeout=30)
        function(*arguments)

    def ask(self, lookups: CardLookups, number: int, name: str) -> None:
        lookups.find(
            index(number),
            lambda found: self.answers.append((name, found)),
            lambda: self.answers.append((f"{name} failed", None)),
        )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path}/cards.db")
    with database.transaction() as connection:
        create_card_schema(connection)
        issue_cards(connection, VAULT, [new_card(1)])
    yield database
    database.close()


def test_lookups_find_what_is_there_and_ask_once_for_the_same(database: Database) -> None:
    loop = Loop()
    lookups = CardLookups(database, loop.call_soon, most=3)
    loop.ask(lookups, 1, "first")
    loop.ask(lookups, 1, "again")
    loop.ask(lookups, 2, "other")
    with pytest.raises(TooManyLookups):
        loop.ask(lookups, 3, "one too many")
    lookups.start()
    loop.turn()
    told = {name: found and found.card_id for name, found in loop.answers}
    assert told == {"first": 1, "again": 1, "other": None}
    loop.ask(lookups, 3, "there is room again")
    loop.turn()
    lookups.stop()


def test_what_is_asked_before_the_stop_is_answered(database: Database) -> None:
    loop = Loop()
    lookups = CardLookups(database, loop.call_soon)
    loop.ask(lookups, 1, "first")
    stopping = threading.Thread(target=lookups.stop)
    lookups.start()
    stopping.start()
    loop.turn()
    stopping.join()
    assert [name for name, _ in loop.answers] == ["first"]


def test_the_stop_ends_a_batch(database: Database) -> None:
    loop = Loop()
    lookups = CardLookups(database, loop.call_soon)
    loop.ask(lookups, 1, "first")
    lookups.stop()  # not started yet: only the end is queued
    lookups.start()
    loop.turn()
    lookups.stop()
    assert [name for name, _ in loop.answers] == ["first"]


def test_a_database_that_fails_is_told_apart_from_an_unknown_card(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/empty.db")
    loop = Loop()
    lookups = CardLookups(database, loop.call_soon)
    lookups.start()
    loop.ask(lookups, 1, "first")
    loop.turn()
    lookups.stop()
    database.close()
    assert loop.answers == [("first failed", None)]
