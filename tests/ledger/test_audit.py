"""Books that were tampered with are reported, each by its account or hold."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from ledger.audit import AuditReport, audit
from tests.ledger.books import Books, named


def _let_go(connection: Connection) -> None:
    """What an attacker would do first: have the database forget its foreign keys."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    else:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")


@pytest.fixture
def used(books: Books) -> Books:
    """Authorization A half cleared, B pending, C declined."""
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(100, named("A"), part=(1, 2), fee=10))
    books.ask(books.authorize(50, books.origin("B")))
    books.ask(books.authorize(5000, books.origin("C")))
    return books


def report_after(books: Books, *statements: str) -> AuditReport:
    with books.database.transaction() as connection:
        _let_go(connection)
        for statement in statements:
            connection.exec_driver_sql(statement)
        return audit(connection)


TAMPERING = [
    # what is done to the books, what must be said, of whom, expected, found
    ("UPDATE accounts SET posted = posted + 1 WHERE account_id = 1",
     "posted is not the sum of the entries", "account 1", "890", "891"),
    ("UPDATE accounts SET version = 9 WHERE account_id = 1",
     "version is not the number of entries", "account 1", "3", "9"),
    ("UPDATE entries SET version = 9 WHERE account_id = 1 AND version = 3",
     "versions of the entries have a gap", "account 1", "3", "9"),
    ("DELETE FROM entries WHERE account_id = 1 AND version = 2",
     "versions of the entries have a gap", "account 1", "2", "3"),
    ("UPDATE accounts SET held = 0 WHERE account_id = 1",
     "held is not the sum of the pending holds", "account 1", "250", "0"),
    ("UPDATE entries SET balance = 5 WHERE account_id = 1 AND version = 2",
     "running balance does not follow from the entry before", "account 1 entry 2", "900", "5"),
    ("UPDATE entries SET currency = 'USD' WHERE account_id = 1 AND version = 2",
     "entry in another currency than its account", "account 1 entry 2", "JPY", "USD"),
    ("UPDATE entries SET amount = -101 WHERE account_id = 1 AND version = 2",
     "posting does not sum to zero", "", "0", "-1"),
    ("DELETE FROM postings WHERE kind = 'fee'",
     "entry without its posting", "account 1 entry 3", "", "none"),
    ("UPDATE holds SET remaining = -5 WHERE amount = 50",
     "hold remains below zero", "", "0", "-5"),
    ("UPDATE holds SET state = 'voided' WHERE amount = 50",
     "ended hold still holds", "", "0", "50"),
    ("UPDATE holds SET posted = 5 WHERE amount = 300",
     "posted of a hold is not the sum of its clearings", "", "100", "5"),
    ("UPDATE holds SET parts = 5 WHERE amount = 300",
     "parts of a hold are not the number of its clearings", "", "1", "5"),
    ("UPDATE spending SET amount = 5",
     "spending amount is not that of the holds", "account 1 instrument 7 day 20270115",
     "350", "5"),
    ("UPDATE spending SET count = 5",
     "spending count is not that of the holds", "account 1 instrument 7 day 20270115", "2", "5"),
    ("DELETE FROM spending",
     "holds are counted in no spending counter", "account 1 instrument 7 day 20270115",
     "350", "none"),
    ("UPDATE clearings SET outcome = 'FORMAT_INVALID'",
     "clearing is not posted once", "", "0", "1"),
    ("DELETE FROM postings WHERE kind = 'clearing'",
     "clearing is not posted once", "", "1", "0"),
    ("DELETE FROM holds WHERE amount = 50", "authorization without its hold", "", "", "none"),
    ("UPDATE authorizations SET hold_id = 0 WHERE amount = 50",
     "authorization without its hold", "", "0", "none"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "check", "subject", "expected", "found"), TAMPERING)
def test_tampering_is_seen(
    used: Books, statement: str, check: str, subject: str, expected: str, found: str
) -> None:
    report = report_after(used, statement)
    assert not report.clean
    told = [each for each in report.disagreements if each.check == check]
    assert told, report.disagreements
    assert any(subject in each.subject for each in told)
    assert any(expected in each.expected and each.found == found for each in told)


def test_a_hold_without_its_authorization_is_seen(used: Books) -> None:
    with used.database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE strays AS SELECT * FROM holds")
        connection.exec_driver_sql("DROP TABLE holds")
        connection.exec_driver_sql("ALTER TABLE strays RENAME TO holds")
    report = report_after(used, "UPDATE holds SET authorization_id = 5 WHERE amount = 50")
    assert ("hold without its authorization", "account 1 hold 5", "5", "none") in [
        (each.check, each.subject, each.expected, each.found) for each in report.disagreements
    ]


def test_a_record_taken_twice_is_seen(used: Books) -> None:
    report = report_after(
        used,
        "CREATE TABLE copies AS SELECT * FROM clearings",
        "INSERT INTO copies SELECT * FROM clearings",
        "DROP TABLE clearings",
        "ALTER TABLE copies RENAME TO clearings",
    )
    twice = [each for each in report.disagreements if each.check.endswith("taken twice")]
    assert [(each.expected, each.found) for each in twice] == [("1", "2")]
    assert twice[0].subject.startswith("account 1 visanet record key-")


def test_a_clean_report_counts_what_it_looked_at(used: Books) -> None:
    with used.database.reading() as connection:
        report = audit(connection)
    assert report.clean
    assert report.totals == {"JPY": 0}
    assert report.counts["authorizations"] == 3
    assert report.counts["entries"] == 6
