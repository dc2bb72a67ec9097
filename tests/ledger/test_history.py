"""Past authorizations, newest first, a page at a time."""

from __future__ import annotations

import time
from itertools import count

import pytest
from msgspec.structs import replace

from ledger import history, of_account
from ledger.history import HistoryPage, Place, Search
from ledger.tables import authorizations
from tests.ledger.books import DAY, NOW, Books

SECOND = 1_000_000
LATER = NOW + 400 * DAY


def authorized(books: Books, *times: int) -> None:
    """One of account 1 at each of `times`, in microseconds; its RRN tells the place."""
    for place, at in enumerate(times):
        books.ask(
            replace(books.authorize(1), at=at, origin=replace(books.origin(), rrn=f"{place}"))
        )


def page(books: Books, search: Search, now: int = LATER, patience: int = 10**10) -> HistoryPage:
    with books.database.reading() as connection:
        return history.of_all(connection, search, now, patience)


def walk(books: Books, search: Search, now: int = LATER, patience: int = 10**10) -> list[list[str]]:
    """The RRNs of each page."""
    pages = []
    while True:
        found = page(books, search, now, patience)
        pages.append([row.rrn for row in found.rows])
        if found.next is None:
            return pages
        search = replace(search, after=found.next)


def test_from_yesterday_back_to_years_ago(books: Books) -> None:
    """Spans grow where nothing is found, and lose nothing between them."""
    authorized(books, NOW, NOW + 1, NOW + SECOND, NOW + 90 * DAY, LATER - SECOND)
    assert walk(books, Search(limit=2)) == [["4", "3"], ["2", "1"], ["0"]]
    assert walk(books, Search(limit=5)) == [["4", "3", "2", "1", "0"]]
    assert walk(books, Search(), now=NOW) == [["4", "3", "2", "1", "0"]]  # clocks differ


def test_what_happened_at_once_is_on_one_page_or_the_next(books: Books) -> None:
    books.open(2, 100)
    for account_id in (1, 2, 1, 2):
        books.ask(books.authorize(1, account_id=account_id))
    found = page(books, Search(limit=3))
    rest = page(books, Search(limit=3, after=found.next))
    ids = [row.authorization_id for row in (*found.rows, *rest.rows)]
    assert (len(found.rows), len({*ids}), rest.next) == (3, 4, None)


def test_of_a_span_of_time(books: Books) -> None:
    authorized(books, *(NOW + place * DAY for place in range(6)))
    of_span = Search(since=NOW + DAY, until=NOW + 4 * DAY, limit=2)
    assert walk(books, of_span) == [["3", "2"], ["1"]]
    assert walk(books, Search(until=NOW + DAY)) == [["0"]]
    assert walk(books, Search(since=NOW + 5 * DAY)) == [["5"]]
    assert walk(books, Search(until=NOW)) == [[]]


def test_who_has_no_patience_gets_what_was_found_and_where_to_go_on(books: Books) -> None:
    """As with a condition that one row of millions fulfils."""
    authorized(books, NOW, NOW + 30 * DAY)
    rare = Search(conditions=[authorizations.c.rrn == "0"])
    first = page(books, rare, patience=0)
    assert first.rows == ()
    assert first.next is not None
    assert first.next.at < LATER
    assert walk(books, replace(rare, after=first.next)) == [["0"]]
    in_a_hurry = walk(books, replace(rare, since=NOW - 3 * SECOND, until=NOW + 5), patience=0)
    assert in_a_hurry == [["0"], [], [], []], "a span is looked through whole, then it is enough"


def test_a_span_that_takes_long_is_not_made_longer(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorized(books, NOW, NOW + 30 * DAY)
    clock = count(0, 400)
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(clock))
    found = page(books, Search(conditions=[authorizations.c.rrn == "0"]), patience=3000)
    assert found.rows == ()
    assert found.next is not None  # it has looked three times at a little, and gives up


@pytest.mark.parametrize("many", [0, 10_000])
def test_of_accounts_that_have_few_or_many(
    books: Books, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_account, "_MANY", many)
    books.open(2, 100)
    books.open(3, 100)
    for account_id in (1, 2, 3):
        books.ask(books.authorize(1, account_id=account_id))
    with books.database.reading() as connection:
        found = history.of_accounts(connection, [3, 1], Search(limit=1), LATER)
        assert [row.account_id for row in found.rows] == [3]
        more = history.of_accounts(connection, [3, 1], Search(after=found.next), LATER)
        assert ([row.account_id for row in more.rows], more.next) == ([1], None)
        assert history.of_accounts(connection, [4], Search(), LATER) == HistoryPage((), None)


def test_of_an_rrn_that_nobody_has(books: Books) -> None:
    with books.database.reading() as connection:
        assert history.of_rrn(connection, "rrn-9", Search()) == HistoryPage((), None)


@pytest.mark.parametrize("account_id", [-(2**63), 2**63 - 1])
def test_a_place_need_not_be_that_of_a_row(books: Books, account_id: int) -> None:
    authorized(books, NOW, NOW + SECOND)
    found = page(books, Search(after=Place(NOW + SECOND, account_id, 0)))
    assert [row.rrn for row in found.rows] == (["0"] if account_id < 0 else ["1", "0"])
