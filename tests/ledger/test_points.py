"""What a hold brings its cardholder, through all of its life, posted once from the events."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import func, select, text

from ledger.audit import audit
from ledger.commands import AnyCommand, Fund, Origin, Purpose, Reference, Resolve
from ledger.database import Database
from ledger.house import AccountKind, Placement, by_remainder
from ledger.ledger import Ledger, Wallet
from ledger.outbox import Reader
from ledger.points import READER, PointsJob
from ledger.reports import PointsTotal, list_accounts, statement, total_points
from ledger.rows import Account, Points
from ledger.tables import accounts, clearings, entries, holds, points
from tests.ledger.books import DAY, NETWORK, NOW, Books, named, yen
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.watching import watched

TODAY = 20270115
ONE_SHARD = Placement()
Step = Callable[[Books], object]


def catch_up(
    database: Database, placement: Placement = ONE_SHARD, *, events_at_once: int = 128
) -> None:
    """Post what there is, on each shard."""
    job = PointsJob(placement, lambda at: TODAY + (at - NOW) // DAY)
    for shard in range(placement.shard_count):
        of = Reader(database, placement.outbox(shard), READER, events_at_once=events_at_once)
        while (batch := of.fetch()) is not None:
            assert of.consume(batch, job.post)


def points_of(books: Books, account_id: int = 1) -> tuple[int, int]:
    """Pending and confirmed: as the statement says, and as the accounts have it."""
    with books.database.reading() as connection:
        told = statement(connection, account_id).points
        ids = [
            ONE_SHARD.points_account(kind, account_id, "JPY")
            for kind in (AccountKind.POINTS_PENDING, AccountKind.POINTS)
        ]
        found = [
            connection.scalar(select(accounts.c.posted).where(accounts.c.account_id == each)) or 0
            for each in ids
        ]
    assert [told.pending, told.confirmed] == found
    return told.pending, told.confirmed


def by_hold(books: Books) -> list[tuple[int, int]]:
    """Pending and confirmed of each row, in the order of the holds; the first may be of none."""
    with books.database.reading() as connection:
        rows = connection.execute(select(points).order_by(points.c.hold_id)).all()
    return [(row.pending, row.confirmed) for row in rows]


# --- steps of a story; each transaction is called by a letter, each clearing by its key ---


def authorize(amount: int, worth: int = 0, of: str = "A", **more: object) -> Step:
    return lambda books: books.ask(
        books.authorize(amount, books.origin(of), points=worth, **more)  # type: ignore[arg-type] # the book's own names
    )


def increase(amount: int, worth: int) -> Step:
    return authorize(amount, worth, increment_of=named("A"))


def advise(amount: int, worth: int = 0, **more: object) -> Step:
    return lambda books: books.ask(
        books.advise(amount, named("A"), books.origin("A"), points=worth, **more)  # type: ignore[arg-type] # the book's own names
    )


def reverse(replacement: int | None = None) -> Step:
    return lambda books: books.ask(books.reverse(named("A"), replacement=replacement))


def clear(amount: int, worth: int, key: str = "", of: str = "A", **more: object) -> Step:
    return lambda books: books.ask(
        books.clear(amount, named(of), books.origin(key=key), points=worth, **more)  # type: ignore[arg-type] # the book's own names
    )


def undo(key: str, stays: int = 0) -> Step:
    return lambda books: books.ask(books.clear(stays, undoes=key))


def resolve(key: str, of: str | None) -> Step:
    return lambda books: books.ask(
        Resolve(
            account_id=1,
            origin=books.origin(),
            at=books.now,
            day=TODAY,
            clearing_key=key,
            reference=None if of is None else named(of),
        )
    )


def fund(books: Books) -> None:
    books.ask(Fund(account_id=1, origin=books.origin(), at=books.now, day=TODAY, amount=yen(500)))


def expire(books: Books) -> None:
    books.ledger.expire(NOW + 8 * DAY)


class Case(NamedTuple):
    """Steps, each with what is pending and confirmed after it; and then by hold (none is first)."""

    name: str
    steps: Sequence[tuple[Step, tuple[int, int]]]
    by_hold: Sequence[tuple[int, int]]


LIVES = [
    Case("held", [(authorize(1000, 10), (10, 0))], [(10, 0)]),
    Case("approved in part", [(authorize(2000, 20, partial=True), (10, 0))], [(10, 0)]),
    Case("declined", [(authorize(2000, 20), (0, 0))], []),
    Case("no money asked", [(authorize(0, 0, purpose=Purpose.VERIFICATION), (0, 0))], []),
    Case("no points", [(authorize(100), (0, 0)), (clear(100, 0), (0, 0))], []),
    Case("funded", [(fund, (0, 0))], []),
    Case("two holds", [(authorize(100, 1), (1, 0)), (authorize(200, 2, "B"), (3, 0))],
         [(1, 0), (2, 0)]),
    Case("increased", [(authorize(100, 1), (1, 0)), (increase(200, 2), (3, 0))], [(3, 0)]),
    Case("reversed", [(authorize(1000, 10), (10, 0)), (reverse(), (0, 0))], [(0, 0)]),
    Case("reversed in part", [(authorize(1000, 10), (10, 0)), (reverse(250), (2, 0))], [(2, 0)]),
    Case("reversed before", [(reverse(), (0, 0)), (authorize(1000, 10), (0, 0))], []),
    Case("expired", [(authorize(1000, 10), (10, 0)), (expire, (0, 0))], [(0, 0)]),
    Case("cleared", [(authorize(1000, 10), (10, 0)), (clear(1000, 10), (0, 10))], [(0, 10)]),
    Case("cleared for less", [(authorize(900, 9), (9, 0)), (clear(400, 4), (0, 4))], [(0, 4)]),
    Case("cleared for more", [(authorize(100, 1), (1, 0)), (clear(400, 4), (0, 4))], [(0, 4)]),
    Case("cleared in parts",
         [(authorize(900, 9), (9, 0)),
          (clear(300, 3, part=(1, 3)), (6, 3)),
          (clear(300, 3, part=(2, 3)), (3, 6)),
          (clear(200, 2, part=(3, 3)), (0, 8))],
         [(0, 8)]),
    Case("a part is cleared, the rest reduced",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, part=(1, 2)), (6, 3)), (reverse(600), (3, 3))],
         [(3, 3)]),
    Case("a part is cleared, the rest reversed",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, part=(1, 2)), (6, 3)), (reverse(), (0, 3))],
         [(0, 3)]),
    Case("more is cleared than held, and the rest reduced",
         [(authorize(600, 6), (6, 0)), (clear(700, 2, part=(1, 2)), (4, 2)), (reverse(500), (0, 2))],
         [(0, 2)]),
    Case("a part is cleared, the actual amount advised",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, part=(1, 2)), (6, 3)),
          (advise(600, 6, completes=True), (3, 3)), (clear(300, 3, part=(2, 2)), (0, 6))],
         [(0, 6)]),
    Case("cleared late",
         [(authorize(900, 9), (9, 0)), (expire, (0, 0)), (clear(900, 9), (0, 9))], [(0, 9)]),
    Case("cleared by force", [(clear(500, 5), (0, 5)), (clear(300, 3), (0, 8))], [(0, 8)]),
    Case("taken back",
         [(authorize(900, 9), (9, 0)), (clear(900, 9, "c"), (0, 9)), (undo("c"), (0, 0))],
         [(0, 0)]),
    Case("taken back bit by bit",
         [(clear(900, 9, "c"), (0, 9)), (undo("c", 500), (0, 5)), (undo("c", 100), (0, 1)),
          (undo("c"), (0, 0)), (undo("c"), (0, 0))],
         [(0, 0)]),
    Case("a part taken back",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, "c", part=(1, 2)), (6, 3)),
          (undo("c"), (6, 0)), (clear(600, 6, part=(2, 2)), (0, 6))],
         [(0, 6)]),
    Case("refunded",
         [(authorize(900, 9), (9, 0)), (clear(900, 9), (0, 9)), (clear(900, 0, credit=True), (0, 9))],
         [(0, 9)]),
    Case("advised", [(advise(700, 7), (7, 0)), (clear(700, 7), (0, 7))], [(0, 7)]),
    Case("advised in another amount",
         [(authorize(100, 1), (1, 0)), (advise(700, 7), (7, 0))], [(7, 0)]),
    Case("advised that it was declined",
         [(authorize(100, 1), (1, 0)), (advise(100, 1, approved=False), (0, 0))], [(0, 0)]),
    Case("advised that nothing was bought",
         [(authorize(100, 1), (1, 0)), (advise(0), (0, 0))], [(0, 0)]),
    Case("advised after it expired",
         [(authorize(100, 1), (1, 0)), (expire, (0, 0)), (advise(200, 2), (2, 0))],
         [(0, 0), (2, 0)]),
    Case("a forced debit found its hold, and is taken back",
         [(authorize(900, 9), (9, 0)), (clear(900, 9, "c", of=""), (9, 9)),
          (resolve("c", "A"), (0, 9)), (undo("c"), (0, 0))],
         [(0, 0), (0, 0)]),
    Case("a part of it had been taken back before",
         [(authorize(900, 9), (9, 0)), (clear(900, 9, "c", of=""), (9, 9)),
          (undo("c", 300), (9, 3)), (resolve("c", "A"), (0, 3))],
         [(0, 0), (0, 3)]),
    Case("what nobody can find stays as it is",
         [(clear(900, 9, "c", of=""), (0, 9)), (resolve("c", "A"), (0, 9)),
          (resolve("d", "A"), (0, 9))],
         [(0, 9)]),
    Case("a credit in suspense found its purchase",
         [(authorize(900, 9), (9, 0)), (clear(200, 0, "c", of="", credit=True), (9, 0)),
          (resolve("c", "A"), (9, 0))],
         [(9, 0)]),
    Case("a credit in suspense was written off",
         [(clear(200, 0, "c", of="", credit=True), (0, 0)), (resolve("c", None), (0, 0))], []),
]  # fmt: skip


@pytest.mark.parametrize("case", LIVES, ids=lambda case: case.name)
def test_the_life_of_a_hold(books: Books, case: Case) -> None:
    for step, expected in case.steps:
        step(books)
        catch_up(books.database)
        assert points_of(books) == expected
        books.must_balance()
    assert by_hold(books) == list(case.by_hold)


@pytest.mark.parametrize("events_at_once", [1, 2, 100])
@pytest.mark.parametrize("case", LIVES, ids=lambda case: case.name)
def test_all_at_once_is_the_same(books: Books, case: Case, events_at_once: int) -> None:
    for step, _ in case.steps:
        step(books)
    catch_up(books.database, events_at_once=events_at_once)
    assert points_of(books) == case.steps[-1][1]
    assert [each for each in by_hold(books) if each != (0, 0)] == [
        each for each in case.by_hold if each != (0, 0)
    ]
    books.must_balance()
