from __future__ import annotations

import pytest

from ledger.house import AccountKind
from ledger.reports import AccountUnknown, list_accounts, statement
from tests.ledger.books import Books, named


def test_accounts_by_kind_and_page(books: Books) -> None:
    books.open(2, 50)
    with books.database.reading() as connection:
        everything = list_accounts(connection)
        wallets = list_accounts(connection, kind=AccountKind.WALLET)
        second = list_accounts(connection, kind=AccountKind.WALLET, limit=1, offset=1)
    assert [each.kind for each in everything] == ["funding", "wallet", "wallet"]
    assert [each.account_id for each in wallets] == [1, 2]
    assert [each.posted for each in second] == [50]


def test_a_statement_has_entries_in_order_and_pending_holds(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A"), fee=10))
    pending = books.ask(books.authorize(40))
    with books.database.reading() as connection:
        found = statement(connection, 1)
        latest = statement(connection, 1, limit=1)
    assert [(line.version, line.kind, line.amount, line.balance) for line in found.lines] == [
        (1, "opening", 1000, 1000),
        (2, "clearing", -300, 700),
        (3, "fee", -10, 690),
    ]
    assert found.lines[1].explanation == "matched by transaction id: JPY 300 posted"
    assert [hold.authorization_id for hold in found.pending] == [pending.authorization_id]
    assert found.account.available == 650
    assert [line.kind for line in latest.lines] == ["fee"]


def test_the_house_has_statements_too(books: Books) -> None:
    with books.database.reading() as connection:
        funding = list_accounts(connection, kind=AccountKind.FUNDING)[0]
        found = statement(connection, funding.account_id)
    assert [(line.amount, line.kind) for line in found.lines] == [(-1000, "opening")]


def test_an_unknown_account(books: Books) -> None:
    with books.database.reading() as connection, pytest.raises(AccountUnknown, match="account 77"):
        statement(connection, 77)
