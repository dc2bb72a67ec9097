"""What was read for a batch before its turn is used as long as it is as it was."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.book import Book
from ledger.commands import AnyCommand
from ledger.house import Placement
from ledger.ids import Ids
from ledger.loading import read_ahead
from ledger.outcomes import Outcome
from ledger.reading_ahead import ReadAhead
from tests.ledger.books import Books, named
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.test_batches_beside import end_all_others
from tests.ledger.test_kept import Watched, writer

__all__ = ["writer"]  # a fixture


def empty() -> Book:
    return Book(Ids(), Placement())


def read(
    writer: Watched, commands: Sequence[AnyCommand], under_way: Sequence[Book] = ()
) -> ReadAhead | None:
    with writer.database.engine.connect() as connection:
        return read_ahead(lambda: connection, empty(), commands, writer.ledger._kept, [*under_way])


def decide(
    writer: Watched, commands: Sequence[AnyCommand], ahead: ReadAhead | None
) -> list[Outcome]:
    writer.steps.clear()
    decisions = writer.ledger._decide(commands, own_keys=False, ahead=ahead)
    writer.books.must_balance()
    return [each.outcome for each in decisions]


@pytest.fixture
def about_earlier(books: Books, writer: Watched) -> list[AnyCommand]:
    """A clearing, a reversal and a refund of purchases; the writer keeps all their accounts."""
    writer.decide(*(books.authorize(100, books.origin(name)) for name in "ABC"))
    writer.decide(books.clear(1), books.clear(1, credit=True))
    return [
        books.clear(100, named("A")),
        books.reverse(named("B")),
        books.clear(30, named("C"), credit=True),
    ]


def test_nothing_is_looked_up_again(
    books: Books, writer: Watched, about_earlier: list[AnyCommand]
) -> None:
    ahead = read(writer, about_earlier)
    assert decide(writer, about_earlier, ahead) == [Outcome.APPROVED] * 3
    assert writer.trips == ["last write"]
    assert (books.wallet().posted, books.wallet().held) == (929, 100)


def test_what_has_moved_since_is_looked_up(
    books: Books, writer: Watched, about_earlier: list[AnyCommand]
) -> None:
    ahead = read(writer, about_earlier)
    writer.decide(books.clear(40, named("A")))
    assert decide(writer, about_earlier, ahead) == [Outcome.APPROVED] * 3
    assert writer.trips == ["find", "find", "last write"]
    assert books.wallet().posted == 1000 - 1 - 40 - 100 + 30


def test_what_another_writer_has_moved_fails_and_is_done_again(
    books: Books, writer: Watched, about_earlier: list[AnyCommand]
) -> None:
    ahead = read(writer, about_earlier)
    books.ask(books.clear(40, named("A")))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the engine's own
        decide(writer, about_earlier, ahead)
    assert writer.database.has_moved(caught.value)
    assert writer.decide(*about_earlier) == [Outcome.APPROVED] * 3
    assert books.wallet().posted == 1000 - 1 - 40 - 100 + 30


def test_an_account_of_a_batch_under_way_is_not_read(
    books: Books, writer: Watched, about_earlier: list[AnyCommand]
) -> None:
    under_way = empty()
    under_way.accounts[1] = books.wallet()
    assert read(writer, about_earlier, [under_way]) is None


def test_nor_is_one_that_is_not_kept(writer: Watched, about_earlier: list[AnyCommand]) -> None:
    writer.ledger._kept.forget()
    assert read(writer, about_earlier) is None


def test_purchases_are_not_held_up_for_it() -> None:
    """They need nothing, and are decided while the few others are looked up in their turn."""
    with fresh_ledger(Engine.POSTGRESQL) as url:
        books = Books(url)
        books.ledger.open_session(lambda: None)
        books.ledger.apply([books.authorize(100, books.origin("A"))])
        reversal, purchases = books.reverse(named("A")), [books.authorize(1) for _ in range(2)]
        assert books.ledger.read_ahead([reversal, *purchases]) is None
        assert books.ledger.read_ahead([reversal, *purchases[:1]]) is not None
        books.ledger.close_session()
        books.close()


def test_house_accounts_that_are_not_kept_are_found_in_their_turn(
    books: Books, writer: Watched
) -> None:
    writer.decide(books.authorize(100, books.origin("A")))
    clearing = [books.clear(100, named("A"))]
    assert decide(writer, clearing, read(writer, clearing)) == [Outcome.APPROVED]
    assert "find" in writer.trips
    assert books.wallet().posted == 900


def test_a_connection_that_is_lost_is_replaced() -> None:
    """Nothing is read ahead then, and everything in its turn."""
    with fresh_ledger(Engine.POSTGRESQL) as url:
        books = Books(url)
        ledger = books.ledger
        ledger.open_session(lambda: None)
        clearing = [books.clear(10)]
        ledger.apply(clearing)
        for is_lost in (False, True, False):
            if is_lost:
                end_all_others(url)
            again = [books.clear(10, named("A"))]
            assert (ledger.read_ahead(again) is None) is is_lost
        ledger.close_session()
        books.close()


def test_who_is_careful_reads_nothing_ahead(books: Books) -> None:
    request = books.authorize(10)
    books.ledger.apply([request])
    assert books.ledger.read_ahead([books.clear(10)]) is None  # it has no session
    with fresh_ledger(Engine.POSTGRESQL) as url:
        others = Books(url)
        others.ledger.open_session(lambda: None)
        request = others.authorize(10)
        for _ in range(2):  # the second is an unmarked repeat
            others.ledger.apply([request])
        assert others.ledger.read_ahead([others.clear(10)]) is None
        others.ledger.close_session()
        others.close()
