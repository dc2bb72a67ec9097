"""Several writers on one ledger at once, as several gateways would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from ledger.commands import AnyCommand, Decision
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from ledger.reports import list_accounts
from tests.ledger.books import NOW, Books, named

WRITERS = 3


def race(url: str, work: Callable[[Ledger], list[Decision]]) -> list[list[Decision]]:
    """Each writer does `work` at the same time, on a database of its own."""
    together = Barrier(WRITERS)

    def run(node: int) -> list[Decision]:
        database = Database.open(url)
        ledger = Ledger(database, node=node)
        together.wait(30)
        try:
            return work(ledger)
        finally:
            database.close()

    with ThreadPoolExecutor(WRITERS) as threads:
        return [each.result() for each in [threads.submit(run, n) for n in range(WRITERS)]]


def outcomes(decided: Sequence[Sequence[Decision]]) -> Counter[str]:
    return Counter(each.outcome.name for one in decided for each in one)


def test_one_balance_is_spent_once(books: Books) -> None:
    purchases = [[books.authorize(10) for _ in range(60)] for _ in range(WRITERS)]
    waiting = iter(purchases)

    def work(ledger: Ledger) -> list[Decision]:
        mine = next(waiting)
        return [each for start in range(0, 60, 4) for each in ledger.apply(mine[start : start + 4])]

    assert outcomes(race(books.url, work)) == {"APPROVED": 100, "INSUFFICIENT_FUNDS": 80}
    books.must_balance()


def test_racing_repeats_find_each_other(books: Books) -> None:
    commands: list[AnyCommand] = []
    for number in range(30):
        commands.append(books.authorize(5, books.origin(f"T{number}")))
        commands.append(books.clear(5))
        commands.append(books.reverse(named(f"T{number}")))
    decided = race(books.url, lambda ledger: [ledger.apply([each])[0] for each in commands])
    books.must_balance()
    for answers in zip(*decided, strict=True):
        assert Counter(each.replayed for each in answers) == {False: 1, True: WRITERS - 1}
        assert len({(each.outcome, each.amount, each.authorization_id) for each in answers}) == 1


def test_accounts_of_the_house_are_opened_once(books: Books) -> None:
    """Nobody has cleared anything yet: every writer opens the same accounts."""
    for number in range(2, 2 + WRITERS):
        books.open(number, 100)
    numbers = iter(range(2, 2 + WRITERS))

    def work(ledger: Ledger) -> list[Decision]:
        account_id = next(numbers)
        return ledger.apply(
            [
                books.clear(5, account_id=account_id, fee=1, points=3),
                books.clear(5, account_id=account_id, credit=True),
            ]
        )

    assert outcomes(race(books.url, work)) == {"APPROVED": 2 * WRITERS}
    books.must_balance()
    with books.database.reading() as connection:
        kinds = Counter(each.kind for each in list_accounts(connection))
    assert kinds.pop("wallet") == WRITERS + 1
    assert set(kinds.values()) == {1}


def test_the_same_wallets_are_opened_once(books: Books) -> None:
    wallets = [
        Wallet(account_id=number, currency="JPY", at=NOW, opening_balance=7)
        for number in range(1, 500)
    ]
    opened: list[int] = []

    def work(ledger: Ledger) -> list[Decision]:
        opened.append(ledger.open_wallets(wallets))
        return []

    race(books.url, work)
    assert sum(opened) == 498
    books.must_balance()


def test_holds_expire_once(books: Books) -> None:
    books.ledger.apply([books.authorize(1) for _ in range(300)])
    expired: list[int] = []

    def work(ledger: Ledger) -> list[Decision]:
        expired.append(ledger.expire(NOW + 10**15))
        return []

    race(books.url, work)
    assert sum(expired) == 300
    books.must_balance()
