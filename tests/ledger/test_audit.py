"""Books that were tampered with are reported, each by its account or hold."""

from __future__ import annotations

import pytest

from ledger.audit import AuditReport, audit, checks
from ledger.commands import SpendingLimits
from tests.ledger.books import Books, named

LIMITS = SpendingLimits(1000)


@pytest.fixture
def used(books: Books) -> Books:
    """Authorization A half cleared, B pending, C declined, of the counted wallet 1, which has some
    Value; wallet 2 owes; one credit in suspense, one written off from it.
    """
    books.open(2, 50)
    nobodys = books.clear(5, account_id=2, credit=True)
    books.ledger.apply(
        [
            books.authorize(300, books.origin("A"), limits=LIMITS),
            books.clear(100, named("A"), part=(1, 2), fee=10),
            books.authorize(50, books.origin("B"), limits=LIMITS),
            books.authorize(5000, books.origin("C")),
            books.fund(20, to_value=True),
            books.clear(80, account_id=2),
            books.clear(7, account_id=2, credit=True),
            nobodys,
            books.resolve(nobodys, account_id=2),
        ]
    )
    books.must_balance()
    return books


def report_after(books: Books, *statements: str) -> AuditReport:
    with books.database.transaction() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        return audit(connection)


COUNTER = "account 1 instrument 7 day 20270115"
TAMPERING = [
    # what is done to the books, what must be said, of whom, expected, found
    ("UPDATE accounts SET posted = posted + 1 WHERE account_id = 1",
     "posted is not the sum of the entries", "account 1", "910", "911"),
    ("UPDATE accounts SET value = value + 1 WHERE account_id = 1",
     "value is not the sum of the entries", "account 1", "20", "21"),
    ("UPDATE entries SET value = 19 WHERE account_id = 1 AND version = 4",
     "value is not the sum of the entries", "account 1", "19", "20"),
    ("UPDATE accounts SET version = 9 WHERE account_id = 1",
     "version is not the number of entries", "account 1", "4", "9"),
    ("UPDATE entries SET version = 9 WHERE account_id = 1 AND version = 4",
     "versions of the entries have a gap", "account 1", "4", "9"),
    ("DELETE FROM entries WHERE account_id = 1 AND version = 2",
     "versions of the entries have a gap", "account 1", "3", "4"),
    ("UPDATE accounts SET held = 0 WHERE account_id = 1",
     "held is not the sum of the pending holds", "account 1", "250", "0"),
    ("UPDATE holds SET remaining = 40 WHERE amount = 50",
     "held is not the sum of the pending holds", "account 1", "240", "250"),

    ("UPDATE accounts SET credit_line = -2000 WHERE account_id = 1",
     "wallet is below its credit line", "account 1", "2000", "910"),
    ("UPDATE accounts SET owed = 5 WHERE account_id = 1",
     "wallet owes and has money", "account 1", "0", "910"),
    ("UPDATE accounts SET owed = -5 WHERE account_id = 1",
     "debt is below zero", "account 1", "0", "-5"),
    ("UPDATE accounts SET value = -5 WHERE account_id = 1",
     "value is below zero", "account 1", "0", "-5"),
    ("UPDATE accounts SET value = 911 WHERE account_id = 1",
     "wallet has more value than all in all", "account 1", "910", "911"),

    ("UPDATE entries SET balance = 5 WHERE account_id = 1 AND version = 2",
     "running balance does not follow from the entry before", "account 1 entry 2", "900", "5"),
    ("UPDATE entries SET currency = 'USD' WHERE account_id = 1 AND version = 2",
     "entry in another currency than its account", "account 1 entry 2", "JPY", "USD"),
    ("DELETE FROM accounts WHERE account_id = 1",
     "entry in another currency than its account", "account 1 entry 1", "an account", "JPY"),
    ("UPDATE entries SET amount = -101 WHERE account_id = 1 AND version = 2",
     "posting does not sum to zero", "in JPY", "0", "-1"),
    ("DELETE FROM entries WHERE account_id < 0 AND kind = 'lent'",
     "posting does not sum to zero", "in JPY", "0", "30"),

    ("UPDATE holds SET remaining = -5 WHERE amount = 50",
     "hold remains below zero", "account 1 hold", "0", "-5"),
    ("UPDATE holds SET state = 'voided' WHERE amount = 50",
     "ended hold still holds", "account 1 hold", "0", "50"),
    ("UPDATE holds SET posted = 5 WHERE amount = 300",
     "posted of a hold is not the sum of its clearings", "account 1 hold", "100", "5"),
    ("UPDATE clearings SET returned = 1 WHERE amount = 100",
     "posted of a hold is not the sum of its clearings", "account 1 hold", "99", "100"),
    ("UPDATE holds SET parts = 5 WHERE amount = 300",
     "parts of a hold are not the number of its clearings", "account 1 hold", "1", "5"),
    ("DELETE FROM authorizations WHERE amount = 50",
     "hold without its authorization", "account 1 hold", "", "none"),
    ("UPDATE holds SET money = 101 WHERE amount = 300",
     "more was paid from money than was posted", "account 1 hold", "100", "101"),
    ("UPDATE holds SET money = -1 WHERE amount = 300",
     "more was paid from money than was posted", "account 1 hold", "100", "-1"),

    ("UPDATE spending SET amount = 5",
     "spending amount is not that of the holds", COUNTER, "350", "5"),
    ("UPDATE spending SET count = 5",
     "spending count is not that of the holds", COUNTER, "2", "5"),
    ("DELETE FROM spending",
     "holds are counted in no spending counter", COUNTER, "350", "none"),

    ("DELETE FROM holds WHERE amount = 50",
     "authorization without its hold", "account 1 authorization", "", "none"),
    ("UPDATE authorizations SET hold_id = 0 WHERE amount = 50",
     "authorization without its hold", "account 1 authorization", "0", "none"),
    ("UPDATE clearings SET manner = 'refused' WHERE amount = 100",
     "clearing is not posted once", "account 1 clearing", "0", "-100"),
    ("UPDATE clearings SET amount = 99 WHERE amount = 100",
     "clearing is not posted once", "account 1 clearing", "-99", "-100"),
    ("DELETE FROM entries WHERE account_id = 1 AND kind = 'clearing'",
     "clearing is not posted once", "account 1 clearing", "-100", "0"),
    ("UPDATE entries SET amount = 21 WHERE kind = 'funded' AND account_id = 1",
     "clearing is not posted once", "account 1 clearing", "20", "21"),

    ("UPDATE clearings SET outcome = 'FORMAT_INVALID' WHERE amount = 100",
     "settlement is not what the clearings say", "visanet JPY", "68", "168"),
    ("UPDATE accounts SET network = 'quicpay' WHERE kind = 'settlement'",
     "settlement is not what the clearings say", "visanet JPY", "168", "0"),
    ("UPDATE clearings SET manner = 'credited' WHERE amount = 7",
     "suspense is not what the clearings say", "JPY", "0", "7"),
    ("UPDATE clearings SET fee = 9 WHERE fee = 10",
     "fee is not what the clearings say", "JPY", "14", "15"),
    ("UPDATE clearings SET manner = 'suspense' WHERE manner = 'written off'",
     "fee is not what the clearings say", "JPY", "10", "15"),
    ("UPDATE accounts SET owed = 31 WHERE account_id = 2",
     "receivable is not what the wallets owe", "JPY", "-31", "-30"),
    ("INSERT INTO points VALUES (1, 5, 7, 0)",
     "points pending is not what the holds brought", "JPY", "7", "0"),
    ("INSERT INTO points VALUES (1, 5, 0, 7)",
     "points is not what the holds brought", "JPY", "7", "0"),
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
    assert any(
        (each.expected == expected or not expected) and each.found == found for each in told
    ), told


def test_there_is_no_check_that_cannot_fail() -> None:
    assert {check for _, check, *_ in TAMPERING} == {name for name, _, _ in checks()}


def test_a_record_taken_twice_is_seen(used: Books) -> None:
    report = report_after(
        used,
        "CREATE TABLE copies AS SELECT * FROM clearings",
        "INSERT INTO copies SELECT * FROM clearings WHERE amount = 100",
        "DROP TABLE clearings",
        "ALTER TABLE copies RENAME TO clearings",
    )
    told = {each.check: (each.expected, each.found) for each in report.disagreements}
    assert told == {
        "posted of a hold is not the sum of its clearings": ("200", "100"),
        "parts of a hold are not the number of its clearings": ("2", "1"),
        "settlement is not what the clearings say": ("268", "168"),
        "fee is not what the clearings say": ("25", "15"),
    }


def test_a_clean_report_counts_what_it_looked_at(used: Books) -> None:
    with used.database.reading() as connection:
        report = audit(connection)
    assert report.clean
    assert report.totals == {"JPY": 0}
    assert report.counts["authorizations"] == 3
    assert report.counts["entries"] == 20
