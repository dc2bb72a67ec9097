"""What each network is owed for each day, worked out three times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.settlement import SettlementPosition, Within, settlement_positions
from tests.ledger.books import Books
from tests.ledger.two_days import FIRST, QUICPAY, SECOND, VISANET, TwoDays


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database.open(url)
    Ledger(opened).create_schema()
    yield opened
    opened.close()


@pytest.fixture
def told(database: Database) -> Database:
    return TwoDays(database).tell().database


def found(database: Database, within: Within = Within()) -> list[SettlementPosition]:  # noqa: B008 - frozen
    with database.reading() as connection:
        return settlement_positions(connection, within)


POSITIONS = [
    # day, network, currency, debits, credits, taken back (number, amount), net
    (FIRST, QUICPAY, "JPY", (1, 120), (0, 0), (0, 0), 120),
    (FIRST, VISANET, "JPY", (3, 635), (2, 100), (0, 0), 535),
    (SECOND, QUICPAY, "JPY", (1, 250), (0, 0), (0, 0), 250),
    (SECOND, VISANET, "JPY", (6, 3443), (1, 100), (1, 500), 2843),
    (SECOND, VISANET, "USD", (1, 1950), (0, 0), (0, 0), 1950),
]


def row(each: SettlementPosition) -> tuple[object, ...]:
    debits, credits_ = (each.debits_count, each.debits), (each.credits_count, each.credits)
    taken_back = (each.taken_back_count, each.taken_back)
    return each.day, each.network, each.currency, debits, credits_, taken_back, each.net


def test_each_day_of_each_network(told: Database) -> None:
    settled = found(told)
    assert [row(each) for each in settled] == POSITIONS
    assert all(each.agrees for each in settled)
    assert [(each.entries_count, each.entries, each.movement) for each in settled] == [
        (each.cleared_count, each.net, each.net) for each in settled
    ]


@pytest.mark.parametrize(
    ("within", "rows"),
    [
        (Within(first_day=SECOND), POSITIONS[2:]),
        (Within(last_day=FIRST), POSITIONS[:2]),
        (Within(FIRST, FIRST, VISANET), POSITIONS[1:2]),
        (Within(network="elsewhere"), []),
    ],
)
def test_days_and_a_network_can_be_chosen(
    told: Database, within: Within, rows: list[object]
) -> None:
    assert [row(each) for each in found(told, within)] == rows


def test_a_credit_that_is_taken_back_is_owed_again(books: Books) -> None:
    books.ask(books.clear(40, origin=books.origin(key="K"), credit=True))
    books.ask(books.clear(0, undoes="K"))
    [position] = found(books.database)
    assert (position.credits, position.taken_back_count, position.taken_back) == (40, 1, -40)
    assert (position.net, position.agrees) == (0, True)


def test_the_accounts_of_all_lanes_are_one_position(database: Database) -> None:
    books = [Ledger(database, placement=Placement(lanes=4)) for _ in range(4)]
    story = TwoDays(database)
    for number, story.ledger in enumerate(books, 10):
        story.open(number, "JPY", 100)
        story.clear(f"{number}", 25, account_id=number)
    [position] = found(database)
    assert row(position)[3:] == ((4, 100), (0, 0), (0, 0), 100)
    assert position.agrees


@pytest.mark.parametrize(
    ("statement", "net", "entries", "movement"),
    [
        ("UPDATE clearings SET amount = 501 WHERE manner = 'part'", 536, 535, 535),
        ("DELETE FROM clearings WHERE manner = 'part'", 35, 535, 535),
        ("UPDATE clearings SET manner = 'forced' WHERE manner = 'written off'", 675, 535, 535),
        ("UPDATE entries SET amount = 501 WHERE amount = 500 AND account_id < 0", 535, 536, 535),
        ("UPDATE entries SET balance = 536 WHERE account_id < 0 AND balance = 535", 535, 535, 536),
    ],
)
def test_tampering_sets_them_apart(
    told: Database, statement: str, net: int, entries: int, movement: int
) -> None:
    with told.transaction() as connection:
        connection.exec_driver_sql(statement)
    [position] = found(told, Within(FIRST, FIRST, VISANET))
    assert (position.net, position.entries, position.movement) == (net, entries, movement)
    assert not position.agrees
