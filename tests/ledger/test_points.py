"""What a hold brings its cardholder, through all of its life, posted once from the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple
from sqlalchemy import case, func, select

from ledger.audit import audit
from ledger.commands import AnyCommand, Fund, Purpose, Resolve
from ledger.database import Database
from ledger.house import AccountKind, Placement, by_remainder
from ledger.ledger import Wallet
from ledger.outbox import Reader
from ledger.points import READER, PointsJob
from ledger.posting import Manner
from ledger.reports import PointsTotal, statement, total_points
from ledger.row_sets import Insert, write
from ledger.rows import EventRow
from ledger.shards import Shards
from ledger.tables import accounts, clearings, entries, events, holds, points
from tests.ledger.books import DAY, NOW, Books, named, yen
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.watching import watched

TODAY = 20270115
ONE_SHARD = Placement()
Step = Callable[[Books, int], AnyCommand | None]
wallets = count(100)


def catch_up(
    database: Database,
    placement: Placement = ONE_SHARD,
    shard: int = 0,
    *,
    events_at_once: int = 128,
) -> None:
    """Post what there is."""
    job = PointsJob(placement, lambda at: TODAY + (at - NOW) // DAY)
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


def by_hold(books: Books, account_id: int = 1) -> list[tuple[int, int]]:
    """Pending and confirmed of each row, in the order of the holds; the first may be of none."""
    rows = select(points).where(points.c.account_id == account_id).order_by(points.c.hold_id)
    with books.database.reading() as connection:
        return [(row.pending, row.confirmed) for row in connection.execute(rows)]


# --- steps of a story about a wallet; transactions are called by letters, clearings by keys ---


def authorize(amount: int, worth: int = 0, of: str = "A", **more: Any) -> Step:  # noqa: ANN401 - options of `Books`
    def step(books: Books, wallet: int = 1) -> AnyCommand:
        origin = books.origin(of)
        return books.authorize(amount, origin, points=worth, account_id=wallet, **more)

    return step


def increase(amount: int, worth: int) -> Step:
    return authorize(amount, worth, increment_of=named("A"))


def advise(amount: int, worth: int = 0, **more: Any) -> Step:  # noqa: ANN401 - options of `Books`
    def step(books: Books, wallet: int = 1) -> AnyCommand:
        origin = books.origin("A")
        return books.advise(amount, named("A"), origin, points=worth, account_id=wallet, **more)

    return step


def reverse(replacement: int | None = None) -> Step:
    def step(books: Books, wallet: int = 1) -> AnyCommand:
        return books.reverse(named("A"), replacement=replacement, account_id=wallet)

    return step


def clear(amount: int, worth: int, key: str = "", of: str = "A", **more: Any) -> Step:  # noqa: ANN401 - options of `Books`
    def step(books: Books, wallet: int = 1) -> AnyCommand:
        origin = books.origin(key=key)
        return books.clear(amount, named(of), origin, points=worth, account_id=wallet, **more)

    return step


def undo(key: str, stays: int = 0) -> Step:
    def step(books: Books, wallet: int = 1) -> AnyCommand:
        return books.clear(stays, undoes=key, account_id=wallet)

    return step


def resolve(key: str, of: str | None) -> Step:
    def step(books: Books, wallet: int = 1) -> AnyCommand:
        return Resolve(
            account_id=wallet,
            origin=books.origin(),
            at=books.now,
            day=TODAY,
            clearing_key=key,
            reference=None if of is None else named(of),
        )

    return step


def fund(books: Books, wallet: int = 1) -> AnyCommand:
    origin = books.origin()
    return Fund(account_id=wallet, origin=origin, at=books.now, day=TODAY, amount=yen(500))


def expire(books: Books, _wallet: int = 1) -> None:
    """Whatever is due within eight days, of any wallet."""
    books.ledger.expire(NOW + 8 * DAY)


def take(step: Step, books: Books, wallet: int = 1) -> None:
    command = step(books, wallet)
    if command is not None:
        books.ledger.apply([command])


class Life(NamedTuple):
    """Steps, each with what is pending and confirmed after it; and then by hold (none is first)."""

    name: str
    steps: Sequence[tuple[Step, tuple[int, int]]]
    by_hold: Sequence[tuple[int, int]]


LIVES = [
    Life("held", [(authorize(1000, 10), (10, 0))], [(10, 0)]),
    Life("approved in part", [(authorize(2000, 20, partial=True), (10, 0))], [(10, 0)]),
    Life("declined", [(authorize(2000, 20), (0, 0))], []),
    Life("no money asked", [(authorize(0, 0, purpose=Purpose.VERIFICATION), (0, 0))], []),
    Life("no points", [(authorize(100), (0, 0)), (clear(100, 0), (0, 0))], []),
    Life("funded", [(fund, (0, 0))], []),
    Life("two holds", [(authorize(100, 1), (1, 0)), (authorize(200, 2, "B"), (3, 0))],
         [(1, 0), (2, 0)]),
    Life("increased", [(authorize(100, 1), (1, 0)), (increase(200, 2), (3, 0))], [(3, 0)]),
    Life("reversed", [(authorize(1000, 10), (10, 0)), (reverse(), (0, 0))], [(0, 0)]),
    Life("reversed in part", [(authorize(1000, 10), (10, 0)), (reverse(250), (2, 0))], [(2, 0)]),
    Life("reversed before", [(reverse(), (0, 0)), (authorize(1000, 10), (0, 0))], []),
    Life("expired", [(authorize(1000, 10), (10, 0)), (expire, (0, 0))], [(0, 0)]),
    Life("cleared", [(authorize(1000, 10), (10, 0)), (clear(1000, 10), (0, 10))], [(0, 10)]),
    Life("cleared for less", [(authorize(900, 9), (9, 0)), (clear(400, 4), (0, 4))], [(0, 4)]),
    Life("cleared for more", [(authorize(100, 1), (1, 0)), (clear(400, 4), (0, 4))], [(0, 4)]),
    Life("cleared in parts",
         [(authorize(900, 9), (9, 0)),
          (clear(300, 3, part=(1, 3)), (6, 3)),
          (clear(300, 3, part=(2, 3)), (3, 6)),
          (clear(200, 2, part=(3, 3)), (0, 8))],
         [(0, 8)]),
    Life("a part is cleared, the rest reduced",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, part=(1, 2)), (6, 3)),
          (reverse(600), (3, 3))],
         [(3, 3)]),
    Life("a part is cleared, the rest reversed",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, part=(1, 2)), (6, 3)), (reverse(), (0, 3))],
         [(0, 3)]),
    Life("more is cleared than held, and the rest reduced",
         [(authorize(600, 6), (6, 0)), (clear(700, 2, part=(1, 2)), (4, 2)),
          (reverse(500), (0, 2))],
         [(0, 2)]),
    Life("a part is cleared, the actual amount advised",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, part=(1, 2)), (6, 3)),
          (advise(600, 6, completes=True), (3, 3)), (clear(300, 3, part=(2, 2)), (0, 6))],
         [(0, 6)]),
    Life("cleared late",
         [(authorize(900, 9), (9, 0)), (expire, (0, 0)), (clear(900, 9), (0, 9))], [(0, 9)]),
    Life("cleared by force", [(clear(500, 5), (0, 5)), (clear(300, 3), (0, 8))], [(0, 8)]),
    Life("taken back",
         [(authorize(900, 9), (9, 0)), (clear(900, 9, "c"), (0, 9)), (undo("c"), (0, 0))],
         [(0, 0)]),
    Life("taken back bit by bit",
         [(clear(900, 9, "c"), (0, 9)), (undo("c", 500), (0, 5)), (undo("c", 100), (0, 1)),
          (undo("c"), (0, 0)), (undo("c"), (0, 0))],
         [(0, 0)]),
    Life("a part taken back",
         [(authorize(900, 9), (9, 0)), (clear(300, 3, "c", part=(1, 2)), (6, 3)),
          (undo("c"), (6, 0)), (clear(600, 6, part=(2, 2)), (0, 6))],
         [(0, 6)]),
    Life("refunded",
         [(authorize(900, 9), (9, 0)), (clear(900, 9), (0, 9)),
          (clear(900, 0, credit=True), (0, 9))],
         [(0, 9)]),
    Life("advised", [(advise(700, 7), (7, 0)), (clear(700, 7), (0, 7))], [(0, 7)]),
    Life("advised in another amount",
         [(authorize(100, 1), (1, 0)), (advise(700, 7), (7, 0))], [(7, 0)]),
    Life("advised that it was declined",
         [(authorize(100, 1), (1, 0)), (advise(100, 1, approved=False), (0, 0))], [(0, 0)]),
    Life("advised that nothing was bought",
         [(authorize(100, 1), (1, 0)), (advise(0), (0, 0))], [(0, 0)]),
    Life("advised after it expired",
         [(authorize(100, 1), (1, 0)), (expire, (0, 0)), (advise(200, 2), (2, 0))],
         [(2, 0)]),
    Life("a forced debit found its hold, and is taken back",
         [(authorize(900, 9), (9, 0)), (clear(900, 9, "c", of=""), (9, 9)),
          (resolve("c", "A"), (0, 9)), (undo("c"), (0, 0))],
         [(0, 0), (0, 0)]),
    Life("a part of it had been taken back before",
         [(authorize(900, 9), (9, 0)), (clear(900, 9, "c", of=""), (9, 9)),
          (undo("c", 300), (9, 3)), (resolve("c", "A"), (0, 3))],
         [(0, 0), (0, 3)]),
    Life("what nobody can find stays as it is",
         [(clear(900, 9, "c", of=""), (0, 9)), (resolve("c", "A"), (0, 9)),
          (resolve("d", "A"), (0, 9))],
         [(0, 9)]),
    Life("a credit in suspense found its purchase",
         [(authorize(900, 9), (9, 0)), (clear(200, 0, "c", of="", credit=True), (9, 0)),
          (resolve("c", "A"), (9, 0))],
         [(9, 0)]),
    Life("a credit in suspense was written off",
         [(clear(200, 0, "c", of="", credit=True), (0, 0)), (resolve("c", None), (0, 0))], []),
]  # fmt: skip


@pytest.fixture(scope="module", params=list(Engine))
def many_lives(request: pytest.FixtureRequest) -> Iterator[Books]:
    """A ledger with a wallet for each life."""
    with fresh_ledger(request.param) as url:
        made = Books(url)
        yield made
        made.close()


@pytest.fixture
def wallet(many_lives: Books) -> int:
    opened = next(wallets)
    many_lives.open(opened, 1000)
    return opened


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_the_life_of_a_hold(many_lives: Books, wallet: int, life: Life) -> None:
    books = many_lives
    for step, expected in life.steps:
        take(step, books, wallet)
        catch_up(books.database)
        assert points_of(books, wallet) == expected
    assert by_hold(books, wallet) == list(life.by_hold)
    books.must_balance()


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_all_of_it_in_one_batch_is_the_same(many_lives: Books, wallet: int, life: Life) -> None:
    books, nothing = many_lives, (0, 0)
    for step, _ in life.steps:
        take(step, books, wallet)
    catch_up(books.database)
    assert points_of(books, wallet) == life.steps[-1][1]
    assert [each for each in by_hold(books, wallet) if each != nothing] == [
        each for each in life.by_hold if each != nothing
    ]


def test_the_entries_of_a_life(books: Books) -> None:
    """From funding to pending; then the common part to confirmed, and the rest back."""
    take(authorize(900, 9), books)
    books.now += DAY
    take(clear(400, 4), books)
    catch_up(books.database)
    with books.database.reading() as connection:
        told = connection.execute(
            select(accounts.c.kind, entries.c.amount, entries.c.day, entries.c.at)
            .join(accounts, accounts.c.account_id == entries.c.account_id)
            .where(entries.c.kind == "points")
            .order_by(entries.c.posting_id, accounts.c.kind)
        ).all()
        sums = connection.execute(
            select(func.sum(entries.c.amount)).group_by(entries.c.posting_id)
        ).scalars()
        assert set(sums) == {0}
    assert [(kind, amount, day, at - NOW) for kind, amount, day, at in told] == [
        ("funding", -9, TODAY, 0),
        ("points pending", 9, TODAY, 0),
        ("funding", 5, TODAY + 1, DAY),
        ("points", 4, TODAY + 1, DAY),
        ("points pending", -9, TODAY + 1, DAY),
    ]


def test_accounts_are_opened_when_they_are_needed(books: Books) -> None:
    books.ask(books.authorize(10))
    catch_up(books.database)
    assert kinds(books) == ["funding", "wallet"]
    take(authorize(900, 9), books)
    catch_up(books.database)
    assert kinds(books) == ["funding", "funding", "points pending", "wallet"]
    take(clear(900, 9), books)
    catch_up(books.database)
    assert "points" in kinds(books)


def kinds(books: Books) -> list[str]:
    with books.database.reading() as connection:
        return sorted(connection.scalars(select(accounts.c.kind)).all())


def test_an_event_that_is_not_about_points_is_passed(books: Books) -> None:
    data = '[{"event_id":1,"type":"card.changed","account_id":1,"subject_id":7,"at":1,"data":{}}]'
    with books.database.transaction() as connection:
        write(connection, [Insert(events, [astuple(EventRow(ONE_SHARD.outbox(0), 1, 0, data))])])
    catch_up(books.database)
    assert by_hold(books) == []


# --- once, whatever happens; and in nobody's way ---


class Crashed(Exception):
    """The process ends here."""


def test_a_crash_at_any_step_costs_no_point_and_doubles_none(books: Books) -> None:
    """Before each step there is a crash, until there are no more steps; each time more to do."""
    steps: list[str] = []
    crash_at = 0

    def on_step(step: str) -> None:
        steps.append(step)
        if len(steps) == crash_at:
            raise Crashed

    database = watched(books.url, on_step)
    crashes = 0
    while crashes == crash_at:
        books.ledger.apply([books.authorize(1, points=2), books.clear(1, points=3)])
        steps.clear()
        crash_at += 1
        try:
            catch_up(database, events_at_once=1)
        except Crashed:
            crashes += 1
            database.close()
    assert crashes >= 15
    books.must_balance()
    assert points_of(books) == (2 * crash_at, 3 * crash_at)
    database.close()


def test_two_jobs_and_a_writer_at_once(books: Books) -> None:
    together = Barrier(3)

    def post() -> None:
        database = Database.open(books.url)
        job = PointsJob(ONE_SHARD, lambda _at: TODAY)
        of = Reader(database, ONE_SHARD.outbox(0), READER, events_at_once=2)
        together.wait(30)
        for _ in range(40):
            batch = of.fetch()
            if batch is not None:
                of.consume(batch, job.post)
        database.close()

    with ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(post) for _ in range(2)]
        together.wait(30)
        for _ in range(40):
            books.ledger.apply([books.authorize(1, points=2), books.clear(1, points=3)])
        for each in jobs:
            each.result(60)
    catch_up(books.database)
    assert points_of(books) == (80, 120)
    books.must_balance()


def test_neither_wallets_nor_their_funding_are_locked() -> None:
    """Somebody else has locked them: an authorization, a transfer. SQLite has one lock for all."""
    with fresh_ledger(Engine.POSTGRESQL) as url:
        books = Books(url)
        take(authorize(900, 9), books)
        with books.database.transaction() as connection:
            everything = select(accounts.c.account_id).with_for_update()
            assert len(connection.execute(everything).all()) == 2
            catch_up(books.database)
        assert points_of(books) == (9, 0)
        books.close()


def test_points_stay_on_their_shard() -> None:
    """Each shard has its outbox, its funding and its readers."""
    placement = Placement(by_remainder(2), 2)
    with ExitStack() as resources:
        urls = [resources.enter_context(fresh_ledger(Engine.SQLITE)) for _ in range(2)]
        books = Books(urls[1])
        resources.callback(books.close)
        shards = Shards.open(urls, placement)
        resources.callback(shards.close)
        shards.create_schema()
        shards.open_wallets([Wallet(account_id=2, currency="JPY", at=NOW, opening_balance=100)])
        for account_id, worth in ((1, 5), (2, 4)):
            shard = placement.shard_of(account_id)
            shards.ledgers[shard].apply([books.authorize(10, account_id=account_id, points=worth)])
            catch_up(shards.databases[shard], placement, shard)
            with shards.databases[shard].reading() as connection:
                assert total_points(connection) == PointsTotal(worth, 0)
                kept = connection.scalars(select(accounts.c.account_id)).all()
            pending = placement.points_account(AccountKind.POINTS_PENDING, account_id, "JPY")
            assert {pending, placement.points_funding(account_id, "JPY")} <= set(kept)
            assert placement.shard_of(pending) == shard
        assert shards.audit().clean


# --- what the books say of points ---


def test_a_house_account_has_no_points(books: Books) -> None:
    take(authorize(900, 9), books)
    catch_up(books.database)
    with books.database.reading() as connection:
        funding = ONE_SHARD.points_funding(1, "JPY")
        found = statement(connection, funding)
    assert (found.account.posted, found.points) == (-9, PointsTotal(0, 0))


TAMPERING = [
    # what is done,   what must be said,   expected, found
    ("UPDATE points SET pending = 8 WHERE pending = 9",
     "points pending is not what the holds brought", "8", "9"),
    ("UPDATE points SET confirmed = 5 WHERE confirmed = 4",
     "points is not what the holds brought", "5", "4"),
    ("DELETE FROM points", "points is not what the holds brought", "0", "4"),
    ("INSERT INTO points (account_id, hold_id, pending, confirmed) VALUES (1, 7, 1, 0)",
     "points pending is not what the holds brought", "10", "9"),
    ("UPDATE accounts SET posted = 10 WHERE kind = 'points pending'",
     "points pending is not what the holds brought", "9", "10"),
    ("UPDATE accounts SET posted = 3 WHERE kind = 'points'",
     "posted is not the sum of the entries", "4", "3"),
    ("UPDATE entries SET amount = 5 WHERE kind = 'points' AND amount = 4",
     "posting does not sum to zero", "0", "1"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "check", "expected", "found"), TAMPERING)
def test_tampering_with_points_is_seen(
    books: Books, statement: str, check: str, expected: str, found: str
) -> None:
    take(authorize(900, 9), books)
    take(authorize(100, 1, "B"), books)
    take(clear(100, 4, of="B"), books)
    catch_up(books.database)
    books.must_balance()
    with books.database.transaction() as connection:
        connection.exec_driver_sql(statement)
        report = audit(connection)
    assert (check, expected, found) in [
        (each.check, each.expected, each.found) for each in report.disagreements
    ]


# --- any story ---

VERBS = (
    "authorize", "authorize", "authorize", "increase", "advise", "decline", "complete", "reverse",
    "reduce", "clear", "clear", "part", "force", "refund", "undo", "undo but for", "resolve",
)  # fmt: skip


def tell(books: Books, wallet: int, verb: str, name: str, amount: int, worth: int) -> AnyCommand:
    """One command about a transaction called `name`; clearings have one of three keys."""
    origin, this, key = books.origin(name), named(name), f"c{amount % 3}"
    authorize = partial(books.authorize, amount, origin, account_id=wallet, points=worth)
    advise = partial(books.advise, amount, this, origin, account_id=wallet, points=worth)
    reverse = partial(books.reverse, this, account_id=wallet)
    clear = partial(books.clear, amount, account_id=wallet, points=worth)
    undo = partial(books.clear, undoes=key, account_id=wallet)
    told: dict[str, Callable[[], AnyCommand]] = {
        "authorize": authorize,
        "increase": lambda: authorize(increment_of=this),
        "advise": advise,
        "decline": lambda: advise(approved=False),
        "complete": lambda: advise(completes=True),
        "reverse": reverse,
        "reduce": lambda: reverse(replacement=amount),
        "clear": lambda: clear(this, books.origin(key=key)),
        "part": lambda: clear(this, part=(1, 3)),
        "force": lambda: clear(origin=books.origin(key=key)),
        "refund": lambda: clear(this, books.origin(key=key), credit=True, points=0),
        "undo": lambda: undo(0),
        "undo but for": lambda: undo(amount),
        "resolve": lambda: Resolve(
            account_id=wallet,
            origin=books.origin(),
            at=books.now,
            clearing_key=key,
            reference=this,
        ),
    }
    return told[verb]()


STORIES = st.lists(
    st.tuples(
        st.sampled_from(VERBS), st.sampled_from("AB"), st.integers(1, 500), st.integers(0, 9)
    ),
    max_size=16,
)


@pytest.mark.no_cover
@settings(max_examples=40)
@given(story=STORIES, chunks=st.lists(st.integers(1, 6), max_size=6), expires=st.booleans())
def test_rows_accounts_and_holds_tell_the_same(
    many_lives: Books, story: Sequence[tuple[str, str, int, int]], chunks: list[int], expires: bool
) -> None:
    """Whatever has happened, committed and read by any number at a time."""
    books, wallet = many_lives, next(wallets)
    books.open(wallet, 1000)
    commands = [tell(books, wallet, *each) for each in story]
    for size in chunks:
        books.ledger.apply(commands[:size])
        del commands[:size]
        catch_up(books.database, events_at_once=size)
    books.ledger.apply(commands)
    if expires:
        books.ledger.expire(NOW + 8 * DAY)
    catch_up(books.database)
    with books.database.reading() as connection:
        expected = dict(
            connection.execute(
                select(holds.c.authorization_id, holds.c.points).where(
                    holds.c.account_id == wallet, holds.c.points != 0
                )
            ).all()
        )
        rows = connection.execute(select(points).where(points.c.account_id == wallet)).all()
        granted = connection.scalar(
            select(
                func.sum(
                    case(
                        (clearings.c.manner == Manner.UNDONE.value, -clearings.c.points),
                        else_=clearings.c.points,
                    )
                )
            ).where(clearings.c.account_id == wallet)
        )
    assert {row.hold_id: row.pending for row in rows if row.pending} == expected
    assert points_of(books, wallet) == (sum(expected.values()), granted or 0)
    assert all(row.confirmed >= 0 for row in rows)
    books.must_balance()
