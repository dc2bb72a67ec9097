"""What a writer knows of its accounts from its last batch, and how it finds that it is no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest

from ledger.commands import AnyCommand, SpendingLimits
from ledger.kept import KeptAccounts
from ledger.ledger import Ledger
from ledger.outcomes import Outcome
from ledger.rows import Account, Spending
from ledger.tables import metadata
from tests.ledger.books import DAY, NOW, TODAY, Books, named
from tests.ledger.watching import watched


@dataclass
class Watched:
    """A writer beside that of the books; `steps` are those of its last batch."""

    books: Books
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = watched(self.books.url, self.steps.append)
        self.ledger = Ledger(self.database, node=9)

    def decide(self, *commands: AnyCommand) -> list[Outcome]:
        self.steps.clear()
        decisions = self.ledger.apply(commands)
        self.books.must_balance()
        return [each.outcome for each in decisions]

    @property
    def trips(self) -> list[str]:
        return [each for each in self.steps if each in {"find", "last write"}]


@pytest.fixture
def writer(books: Books) -> Iterator[Watched]:
    made = Watched(books)
    yield made
    made.database.close()


def test_an_account_is_asked_for_once(books: Books, writer: Watched) -> None:
    assert writer.decide(books.authorize(300)) == [Outcome.APPROVED]
    assert writer.trips == ["find", "last write"]
    assert writer.decide(books.authorize(300), books.authorize(500)) == [
        Outcome.APPROVED,
        Outcome.INSUFFICIENT_FUNDS,
    ]
    assert writer.trips == ["last write"]


def test_an_account_that_is_new_to_it_is_asked_for_beside_one_that_is_not(
    books: Books, writer: Watched
) -> None:
    books.open(2, 50)
    writer.decide(books.authorize(300))
    approved = [Outcome.APPROVED] * 2
    assert writer.decide(books.authorize(700), books.authorize(50, account_id=2)) == approved
    assert writer.trips == ["find", "last write"]
    assert (
        writer.decide(books.authorize(1), books.authorize(1, account_id=2))
        == [Outcome.INSUFFICIENT_FUNDS] * 2
    )


# What another writer does between two batches of this one, and what 600 of 1,000 yen get then.
BETWEEN = {
    "a purchase": Outcome.INSUFFICIENT_FUNDS,
    "a purchase that is declined": Outcome.APPROVED,
    "a deposit": Outcome.APPROVED,
    "a clearing without a hold": Outcome.INSUFFICIENT_FUNDS,
    "a reversal that comes early": Outcome.REVERSED_BEFORE,
    "the expiry of a hold": Outcome.APPROVED,
}


def _between(books: Books, what: str) -> None:
    match what:
        case "a purchase":
            books.ask(books.authorize(500))
        case "a purchase that is declined":
            books.ask(books.authorize(5000))
        case "a deposit":
            books.ask(books.fund(500))
        case "a clearing without a hold":
            books.ask(books.clear(500))
        case "a reversal that comes early":
            books.ask(books.reverse(named("LATER")))
        case _:
            assert books.ledger.expire(NOW + 30 * DAY) == 2


@pytest.mark.parametrize("what", BETWEEN)
def test_what_another_writer_has_done_since_counts(
    books: Books, writer: Watched, what: str
) -> None:
    writer.decide(books.authorize(1))
    if what == "the expiry of a hold":
        writer.decide(books.authorize(900))
    _between(books, what)
    assert writer.decide(books.authorize(600, books.origin("LATER"))) == [BETWEEN[what]]
    assert writer.trips == ["last write", "find", *_early(what), "last write"]


def _early(what: str) -> list[str]:
    return ["find"] if what == "a reversal that comes early" else []


def test_it_looks_before_each_batch_while_there_is_company(books: Books, writer: Watched) -> None:
    writer.decide(books.authorize(1))
    for _ in range(5):
        books.ask(books.authorize(1))
        writer.decide(books.authorize(1))
    assert writer.trips == ["find", "last write"]
    for _ in range(70):
        writer.decide(books.authorize(1))
    assert writer.trips == ["last write"]
    assert books.wallet().held == 1 + 5 + 5 + 70


def test_what_is_only_answered_again_is_compared_too(books: Books, writer: Watched) -> None:
    """An answer that changes nothing must not come from what is no more."""
    request = books.authorize(300)
    writer.decide(request)
    unchanged = books.wallet()
    again = msgspec.structs.replace(
        request, origin=msgspec.structs.replace(request.origin, is_repeat=True)
    )
    assert writer.decide(again) == [Outcome.APPROVED]
    assert books.wallet() == unchanged
    unknown = books.recall(books.authorize(5))
    books.ask(books.authorize(100))
    [decision] = writer.ledger.apply([unknown])
    assert decision.available == 600


def test_spending_counters_are_those_of_now(books: Books, writer: Watched) -> None:
    limits = SpendingLimits(day_amount=500)
    first, second, third = (books.authorize(200, limits=limits) for _ in range(3))
    assert writer.decide(first) == [Outcome.APPROVED]
    books.ask(second)
    assert writer.decide(third) == [Outcome.AMOUNT_LIMIT]


def test_a_batch_that_fails_leaves_nothing_behind(books: Books, writer: Watched) -> None:
    writer.decide(books.authorize(1))
    poisoned = msgspec.structs.replace(books.authorize(500), at="never")
    with pytest.raises(TypeError, match="unsupported operand"):
        writer.ledger.apply([books.authorize(500), poisoned])
    assert writer.decide(books.authorize(999)) == [Outcome.APPROVED]


def test_accounts_of_the_house_are_kept_as_well(books: Books, writer: Watched) -> None:
    for _ in range(2):
        writer.decide(books.clear(10))
    books.ask(books.clear(10))
    assert writer.decide(books.clear(10)) == [Outcome.APPROVED]
    assert books.house() == {"settlement": 40, "funding": -1000}


def test_no_more_are_kept_than_it_may() -> None:
    kept = KeptAccounts(most=3)
    rows = {number: Account(number, "wallet", "", "JPY", posted=TODAY) for number in range(1, 6)}
    kept.keep({each: rows[each] for each in (1, 2)}, [])
    kept.keep({each: rows[each] for each in (2, 3, 4)}, [])
    assert kept.take([1, 2, 3, 4, 5]) == ([rows[2], rows[3], rows[4]], [])
    assert kept.take([2]) == ([], [])
    kept.keep({1: rows[1]}, [])
    kept.forget()
    assert kept.take([1]) == ([], [])


def test_counters_go_with_their_account() -> None:
    kept = KeptAccounts()
    account = Account(1, "wallet", "", "JPY")
    counters = [Spending(1, 7, TODAY + day, 100, 1) for day in range(6)]
    kept.keep({1: account}, counters)
    assert kept.take([1]) == ([account], counters[2:])
    kept.keep({1: account}, counters[:1])
    kept.keep({1: account, 2: account}, counters[1:2])  # read anew, not taken
    assert kept.take([1, 2]) == ([account, account], counters[1:2])
    assert kept.take([1, 2]) == ([], [])


def test_a_counter_is_asked_for_once(books: Books, writer: Watched) -> None:
    limits = SpendingLimits(day_amount=500)
    for trips in (["find", "last write"], ["last write"], ["last write"]):
        writer.decide(books.authorize(200, limits=limits))
        assert writer.trips == trips
    assert books.wallet().held == 400


def test_the_expiry_of_a_hold_beside_a_counter_that_has_moved(
    books: Books, writer: Watched
) -> None:
    """The job reads accounts anew, which makes no counter newer."""
    limits = SpendingLimits(day_amount=500)
    writer.decide(books.authorize(200, limits=limits))
    books.ask(books.authorize(200, limits=limits))
    assert writer.ledger.expire(NOW + 7 * DAY) == 2
    assert writer.decide(books.authorize(200, limits=limits)) == [Outcome.AMOUNT_LIMIT]


def test_an_account_that_is_gone_is_not_written_about(books: Books, writer: Watched) -> None:
    """As after a restore of an older database: what is kept is of no use then."""
    writer.decide(books.authorize(300), books.clear(10))
    with books.database.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    [decision] = writer.ledger.apply([books.authorize(1)])
    assert decision.outcome is Outcome.ACCOUNT_UNKNOWN
    books.open(1, 500)
    writer.ledger.apply([books.authorize(5)])
    assert writer.decide(books.clear(10)) == [Outcome.APPROVED]
    assert books.house() == {"settlement": 10, "funding": -500}


def test_what_does_not_fit_what_was_kept_is_no_mistake_of_the_command(
    books: Books, writer: Watched
) -> None:
    """Rows beside the account are those of now: a hold may be more than was held when kept."""
    writer.decide(books.authorize(1))
    books.ask(books.authorize(500, books.origin("A")))
    assert writer.decide(books.reverse(named("A"))) == [Outcome.APPROVED]
    assert books.wallet().held == 1


def test_what_needs_nothing_else_is_decided_beside_what_does(books: Books, writer: Watched) -> None:
    """And on each account in the order of arrival."""
    books.open(2, 1000)
    writer.decide(books.authorize(600, books.origin("A")), books.authorize(1, account_id=2))
    answers = writer.decide(
        books.authorize(999, account_id=2),
        books.authorize(500),
        books.reverse(named("A")),
        books.authorize(500),
        books.authorize(1, account_id=2),
    )
    refused = Outcome.INSUFFICIENT_FUNDS
    assert answers == [Outcome.APPROVED, refused, Outcome.APPROVED, Outcome.APPROVED, refused]
    assert writer.trips == ["find", "find", "last write"]
