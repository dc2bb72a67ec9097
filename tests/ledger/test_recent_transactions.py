"""What a writer need not look for: a transaction that it would know of."""

from __future__ import annotations

import msgspec
import pytest

from ledger.ids import first_id_at
from ledger.recent_transactions import RecentTransactions
from ledger.rows import Authorization
from tests.ledger.books import NOW, Books
from tests.ledger.test_kept import Watched, writer
from tests.ledger.test_repeating import WINDOW, ask

__all__ = ["writer"]  # a fixture

ASKED, KNOWN = ["find", "last write"], ["last write"]


def row(transaction_id: str, at: int, account_id: int = 1) -> Authorization:
    made = {each.name: each.type() for each in msgspec.structs.fields(Authorization)}
    given = {"account_id": account_id, "transaction_id": transaction_id, "at": at}
    return msgspec.convert({**made, **given}, Authorization)


def recent(*rows: Authorization, most: int = 100, read_at: int = 0) -> RecentTransactions:
    made = RecentTransactions(most)
    made.know({1: first_id_at(NOW + read_at)})
    made.add(rows)
    return made


@pytest.mark.parametrize(
    ("made", "at", "expected"),
    [
        pytest.param(recent(), WINDOW + 2000, False, id="known for long enough"),
        pytest.param(recent(), WINDOW, True, id="known since a moment ago"),
        pytest.param(recent(), -WINDOW, True, id="earlier than what is known"),
        pytest.param(RecentTransactions(), 2 * WINDOW, True, id="unknown account"),
        pytest.param(recent(row("T", NOW)), 2 * WINDOW, True, id="met"),
        pytest.param(recent(row("U", NOW)), 2 * WINDOW, False, id="another was met"),
        pytest.param(recent(row("T", NOW, 2)), 2 * WINDOW, False, id="met on another account"),
        pytest.param(
            recent(row("T", NOW), row("U", NOW), most=1),
            2 * WINDOW,
            True,
            id="in the generation before",
        ),
    ],
)
def test_what_may_have_come_a_moment_ago(made: RecentTransactions, at: int, expected: bool) -> None:
    assert made.may_have(1, "T", NOW + at, WINDOW) is expected


def test_what_was_forgotten_may_have_come() -> None:
    made = recent(most=1)
    for number in range(3):
        made.add([row(f"A{number}", NOW + number * 1000), row(f"B{number}", NOW + number * 1000)])
    assert made.may_have(1, "T", NOW + 1000 + WINDOW, WINDOW)
    assert not made.may_have(1, "T", NOW + 2000 + WINDOW, WINDOW)


def test_accounts_that_are_kept_no_more_are_not_known() -> None:
    made = recent()
    made.forget()
    assert made.may_have(1, "T", NOW + 2 * WINDOW, WINDOW)


def test_a_tap_is_not_looked_for_where_it_would_be_known(books: Books, writer: Watched) -> None:
    trips = []
    for number in range(4):
        books.now = NOW + number * WINDOW // 2
        writer.decide(ask(books, f"T{number}"))
        trips.append(writer.trips)
    assert trips == [ASKED, ASKED, ASKED, KNOWN]  # the account has been known for two of them


@pytest.mark.parametrize("repeated", ["T0", "T5"])
def test_one_that_repeats_is_found_all_the_same(
    books: Books, writer: Watched, repeated: str
) -> None:
    for number in range(6):
        books.now = NOW + number * WINDOW // 2
        writer.decide(ask(books, f"T{number}"))
    [again] = writer.ledger.apply([ask(books, repeated)])
    assert again.replayed is (repeated == "T5")


def test_what_another_writer_has_recorded_is_found(books: Books, writer: Watched) -> None:
    writer.decide(books.authorize(1))
    books.now = NOW + 3 * WINDOW
    first = books.ask(ask(books))
    [again] = writer.ledger.apply([ask(books)])
    assert again == msgspec.structs.replace(first, replayed=True)
