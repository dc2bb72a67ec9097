from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.commands import AnyCommand
from ledger.ledger import Ledger, Wallet
from ledger.outcomes import Outcome
from ledger.reports import list_accounts
from tests.ledger.books import NOW, Books, named
from tests.ledger.engines import Engine, fresh_ledger


def wallet(account_id: int, opening_balance: int = 500) -> Wallet:
    return Wallet(account_id=account_id, currency="JPY", at=NOW, opening_balance=opening_balance)


def test_wallets_are_opened_once(books: Books) -> None:
    assert books.ledger.open_wallets([wallet(1), wallet(2), wallet(2), wallet(3, 0)]) == 2
    assert not books.ledger.open_wallet(wallet(3))
    books.must_balance()
    with books.database.reading() as connection:
        found = list_accounts(connection)
    assert [(each.account_id > 0, each.posted) for each in found] == [
        (False, -1500),
        (True, 1000),
        (True, 500),
        (True, 0),
    ]


def test_many_wallets_take_several_transactions(books: Books) -> None:
    assert books.ledger.open_wallets([wallet(number) for number in range(1, 10_002)]) == 10_000
    books.must_balance()


def test_negative_ids_are_the_houses(books: Books) -> None:
    with pytest.raises(ValueError, match="account_id is -3, expected a positive number"):
        books.ledger.open_wallets([wallet(-3)])


def test_ids_go_on_after_a_restart(books: Books) -> None:
    first = books.ask(books.authorize(1))
    books.ledger = Ledger(books.database)
    assert books.ask(books.authorize(1)).authorization_id > first.authorization_id


def test_a_batch_that_cannot_be_written_has_not_happened(books: Books) -> None:
    poisoned = msgspec.structs.replace(books.authorize(1), approval_code=object())
    with pytest.raises(Exception, match="object"):
        books.ledger.apply([books.authorize(5), poisoned])
    assert books.ask(books.authorize(1000)).outcome is Outcome.APPROVED


def test_strangers_in_a_batch_never_fail_each_other(books: Books) -> None:
    commands: list[AnyCommand] = [
        books.authorize(5),
        books.authorize(5, account_id=99),
        books.clear(-5),
        books.authorize(5),
    ]
    assert [each.outcome.name for each in books.ledger.apply(commands)] == [
        "APPROVED",
        "ACCOUNT_UNKNOWN",
        "FORMAT_INVALID",
        "APPROVED",
    ]


def test_an_empty_batch(books: Books) -> None:
    assert books.ledger.apply([]) == []


names = st.sampled_from(["A", "B"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["authorize", "increase", "advise", "reverse", "clear", "credit"]),
        names,
        st.integers(1, 12).map(str),
        st.integers(1, 600),
    ),
    min_size=1,
    max_size=20,
)


def commands_of(books: Books, story: list[tuple[str, str, str, int]]) -> list[AnyCommand]:
    made: list[AnyCommand] = []
    for verb, name, key, amount in story:
        origin = books.origin(name, f"s{key}", key)
        match verb:
            case "authorize":
                made.append(books.authorize(amount, origin, partial=True))
            case "increase":
                made.append(books.authorize(amount, origin, increment_of=named(name)))
            case "advise":
                made.append(books.advise(amount, named(name), origin))
            case "reverse":
                made.append(books.reverse(named(name), amount, origin))
            case _:
                made.append(books.clear(amount, named(name), origin, credit=verb == "credit"))
    return made


@pytest.mark.no_cover
@given(story=steps, cuts=st.sets(st.integers(1, 19)))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_batch_decides_as_one_at_a_time(
    engine: Engine, story: list[tuple[str, str, str, int]], cuts: set[int]
) -> None:
    answers = []
    for borders in ({*range(1, 20)}, set[int](), cuts):
        with fresh_ledger(engine) as url:
            books = Books(url)
            commands = commands_of(books, story)
            decided = []
            edges = [0, *sorted(each for each in borders if each < len(commands)), len(commands)]
            for start, end in pairwise(edges):
                decided += books.ledger.apply(commands[start:end])
            books.must_balance()
            books.close()
        answers.append([msgspec.structs.replace(each, authorization_id=0) for each in decided])
    assert answers[0] == answers[1] == answers[2]
