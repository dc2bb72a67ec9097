"""Authorizations, clearings and general ledger of a known story, line by line; and tampering."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.database import Database
from ledger.ledger import Ledger
from ledger.open_items import open_items
from ledger.reconciliation import Reconciliation, reconcile
from ledger.report_lines import Section
from tests.ledger.two_days import EVE, FIRST, QUICPAY, SECOND, VISANET, TwoDays

DAYS = (FIRST, SECOND)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database.open(url)
    Ledger(opened).create_schema()
    yield opened
    opened.close()


@pytest.fixture
def told(database: Database) -> Database:
    return TwoDays(database).tell().database


def reconciled(database: Database, *days: int, pending_days: int = 7) -> Reconciliation:
    with database.reading() as connection:
        return reconcile(connection, days, pending_days=pending_days)


LINES = [
    # section, day, network, currency, item, number, amount
    (Section.AUTHORIZATIONS, FIRST, QUICPAY, "JPY", "approved", 1, 120),
    (Section.AUTHORIZATIONS, FIRST, QUICPAY, "JPY", "advised", 1, 250),
    (Section.AUTHORIZATIONS, FIRST, VISANET, "JPY", "approved", 7, 4550),
    (Section.AUTHORIZATIONS, FIRST, VISANET, "JPY", "approved partially", 1, 500),
    (Section.AUTHORIZATIONS, FIRST, VISANET, "JPY", "incremental", 1, 200),
    (Section.AUTHORIZATIONS, FIRST, VISANET, "JPY", "approved, nothing held", 1, 0),
    (Section.AUTHORIZATIONS, FIRST, VISANET, "JPY", "declined", 1, 50_000),
    (Section.AUTHORIZATIONS, FIRST, VISANET, "USD", "approved", 1, 2000),
    (Section.AUTHORIZATIONS, SECOND, VISANET, "JPY", "approved", 1, 33),
    (Section.HOLDS, FIRST, QUICPAY, "JPY", "posted, authorized", 2, 370),
    (Section.HOLDS, FIRST, QUICPAY, "JPY", "posted, cleared", 2, 370),
    (Section.HOLDS, FIRST, VISANET, "JPY", "pending, authorized", 1, 700),
    (Section.HOLDS, FIRST, VISANET, "JPY", "pending, held", 1, 700),
    (Section.HOLDS, FIRST, VISANET, "JPY", "posted, authorized", 5, 3890),
    (Section.HOLDS, FIRST, VISANET, "JPY", "posted, cleared", 5, 2850),
    (Section.HOLDS, FIRST, VISANET, "JPY", "voided, authorized", 1, 400),
    (Section.HOLDS, FIRST, VISANET, "JPY", "expired, authorized", 1, 60),
    (Section.HOLDS, FIRST, VISANET, "USD", "posted, authorized", 1, 2000),
    (Section.HOLDS, FIRST, VISANET, "USD", "posted, cleared", 1, 1950),
    (Section.HOLDS, SECOND, VISANET, "JPY", "pending, authorized", 1, 33),
    (Section.HOLDS, SECOND, VISANET, "JPY", "pending, held", 1, 33),
    (Section.CLEARINGS, FIRST, QUICPAY, "JPY", "final", 1, 120),
    (Section.CLEARINGS, FIRST, VISANET, "JPY", "final", 1, 90),
    (Section.CLEARINGS, FIRST, VISANET, "JPY", "part", 1, 500),
    (Section.CLEARINGS, FIRST, VISANET, "JPY", "forced", 1, 45),
    (Section.CLEARINGS, FIRST, VISANET, "JPY", "suspense", 1, 30),
    (Section.CLEARINGS, FIRST, VISANET, "JPY", "written off", 1, 70),
    (Section.CLEARINGS, SECOND, "bank", "JPY", "funded", 1, 100),
    (Section.CLEARINGS, SECOND, QUICPAY, "JPY", "final", 1, 250),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "final", 3, 2560),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "late", 1, 200),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "forced", 2, 683),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "credited", 1, 100),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "undone", 1, 500),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "resolved", 2, 160),
    (Section.CLEARINGS, SECOND, VISANET, "JPY", "refused", 1, 0),
    (Section.CLEARINGS, SECOND, VISANET, "USD", "final", 1, 1950),
    (Section.MATCHES, FIRST, QUICPAY, "JPY", "trace", 1, 120),
    (Section.MATCHES, FIRST, VISANET, "JPY", "transaction id", 1, 500),
    (Section.MATCHES, FIRST, VISANET, "JPY", "hand", 1, 90),
    (Section.MATCHES, SECOND, QUICPAY, "JPY", "trace", 1, 250),
    (Section.MATCHES, SECOND, VISANET, "JPY", "transaction id", 5, 2860),
    (Section.MATCHES, SECOND, VISANET, "USD", "transaction id", 1, 1950),
    (Section.DIFFERENCES, FIRST, QUICPAY, "JPY", "as authorized", 1, 0),
    (Section.DIFFERENCES, FIRST, VISANET, "JPY", "as authorized", 1, 0),
    (Section.DIFFERENCES, SECOND, QUICPAY, "JPY", "as authorized", 1, 0),
    (Section.DIFFERENCES, SECOND, VISANET, "JPY", "as authorized", 1, 0),
    (Section.DIFFERENCES, SECOND, VISANET, "JPY", "under", 2, 800),
    (Section.DIFFERENCES, SECOND, VISANET, "JPY", "over", 1, 60),
    (Section.DIFFERENCES, SECOND, VISANET, "USD", "under", 1, 50),
    (Section.AGEING, SECOND, VISANET, "JPY", "0-1 days", 2, 733),
    (Section.AGEING, SECOND, VISANET, "JPY", "2-7 days", 1, 7),
    (Section.AGEING, SECOND, VISANET, "JPY", "8-30 days", 1, 6),
    (Section.AGEING, SECOND, VISANET, "JPY", "over 30 days", 1, 5),
    (Section.UNMATCHED, SECOND, VISANET, "JPY", "forced", 3, 728),
    (Section.UNMATCHED, SECOND, VISANET, "JPY", "forced, one suggested", 1, 33),
    (Section.UNMATCHED, SECOND, VISANET, "JPY", "suspense", 1, 30),
    (Section.UNMATCHED, SECOND, VISANET, "JPY", "pending over 7 days", 2, 11),
    (Section.OWING, SECOND, "", "JPY", "wallets", 1, 250),
    (Section.OPENING, FIRST, "", "JPY", "funding", 2, -10_500),
    (Section.OPENING, FIRST, "", "JPY", "wallet", 2, 10_500),
    (Section.OPENING, FIRST, "", "USD", "funding", 1, -10_000),
    (Section.OPENING, FIRST, "", "USD", "wallet", 1, 10_000),
    (Section.MOVEMENT, FIRST, "", "JPY", "fee", 1, 10),
    (Section.MOVEMENT, FIRST, "", "JPY", "suspense", 2, 100),
    (Section.MOVEMENT, FIRST, "", "JPY", "wallet", 5, -765),
    (Section.MOVEMENT, FIRST, QUICPAY, "JPY", "settlement", 1, 120),
    (Section.MOVEMENT, FIRST, VISANET, "JPY", "settlement", 5, 535),
    (Section.CLOSING, FIRST, "", "JPY", "fee", 1, 10),
    (Section.CLOSING, FIRST, "", "JPY", "funding", 2, -10_500),
    (Section.CLOSING, FIRST, "", "JPY", "suspense", 2, 100),
    (Section.CLOSING, FIRST, "", "JPY", "wallet", 7, 9735),
    (Section.CLOSING, FIRST, "", "USD", "funding", 1, -10_000),
    (Section.CLOSING, FIRST, "", "USD", "wallet", 1, 10_000),
    (Section.CLOSING, FIRST, QUICPAY, "JPY", "settlement", 1, 120),
    (Section.CLOSING, FIRST, VISANET, "JPY", "settlement", 5, 535),
    (Section.OPENING, SECOND, "", "JPY", "fee", 1, 10),
    (Section.OPENING, SECOND, "", "JPY", "funding", 2, -10_500),
    (Section.OPENING, SECOND, "", "JPY", "suspense", 2, 100),
    (Section.OPENING, SECOND, "", "JPY", "wallet", 7, 9735),
    (Section.OPENING, SECOND, "", "USD", "funding", 1, -10_000),
    (Section.OPENING, SECOND, "", "USD", "wallet", 1, 10_000),
    (Section.OPENING, SECOND, QUICPAY, "JPY", "settlement", 1, 120),
    (Section.OPENING, SECOND, VISANET, "JPY", "settlement", 5, 535),
    (Section.MOVEMENT, SECOND, "", "JPY", "fee", 1, 70),
    (Section.MOVEMENT, SECOND, "", "JPY", "funding", 1, -100),
    (Section.MOVEMENT, SECOND, "", "JPY", "receivable", 2, -250),
    (Section.MOVEMENT, SECOND, "", "JPY", "suspense", 1, -70),
    (Section.MOVEMENT, SECOND, "", "JPY", "wallet", 12, -2743),
    (Section.MOVEMENT, SECOND, "", "USD", "wallet", 1, -1950),
    (Section.MOVEMENT, SECOND, QUICPAY, "JPY", "settlement", 1, 250),
    (Section.MOVEMENT, SECOND, VISANET, "JPY", "settlement", 8, 2843),
    (Section.MOVEMENT, SECOND, VISANET, "USD", "settlement", 1, 1950),
    (Section.CLOSING, SECOND, "", "JPY", "fee", 2, 80),
    (Section.CLOSING, SECOND, "", "JPY", "funding", 3, -10_600),
    (Section.CLOSING, SECOND, "", "JPY", "receivable", 2, -250),
    (Section.CLOSING, SECOND, "", "JPY", "suspense", 3, 30),
    (Section.CLOSING, SECOND, "", "JPY", "wallet", 19, 6992),
    (Section.CLOSING, SECOND, "", "USD", "funding", 1, -10_000),
    (Section.CLOSING, SECOND, "", "USD", "wallet", 2, 8050),
    (Section.CLOSING, SECOND, QUICPAY, "JPY", "settlement", 2, 370),
    (Section.CLOSING, SECOND, VISANET, "JPY", "settlement", 13, 3378),
    (Section.CLOSING, SECOND, VISANET, "USD", "settlement", 1, 1950),
]  # fmt: skip


def test_the_story_line_by_line(told: Database) -> None:
    report = reconciled(told, *DAYS)
    found = [
        (line.section, line.day, line.network, line.currency, line.item, line.count, line.amount)
        for line in report.lines
    ]
    assert found == LINES
    assert report.reconciled, report.disagreements


def test_one_day_of_the_two(told: Database) -> None:
    """Days are sorted and taken once; what is open is that of the last of them and before."""
    report = reconciled(told, FIRST, FIRST)
    assert report.days == (FIRST,)
    assert report.reconciled
    of_the_day = [line for line in LINES if line[1] == FIRST and line[0] is not Section.CLOSING]
    found = {(line.section, line.day, line.network, line.currency, line.item, line.count,
              line.amount) for line in report.lines}  # fmt: skip
    assert found.issuperset(of_the_day)
    open_ = {line.item: line.amount for line in report.lines if line.section is Section.UNMATCHED}
    assert open_ == {"forced": 45, "suspense": 30, "pending over 7 days": 5}


def test_a_day_without_any_record(told: Database) -> None:
    report = reconciled(told, EVE, pending_days=0)
    assert {line.section for line in report.lines} == {
        Section.AGEING, Section.UNMATCHED, Section.OWING, Section.MOVEMENT, Section.CLOSING,
    }  # fmt: skip
    assert report.reconciled


def test_an_empty_ledger_is_reconciled(database: Database) -> None:
    report = reconciled(database, FIRST)
    assert (report.lines, report.checks, report.reconciled) == ((), (), True)


def test_days_that_are_none_are_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="no day to reconcile"):
        reconciled(database)
    with pytest.raises(ValueError, match="day is 20270230, expected a date as YYYYMMDD"):
        reconciled(database, 20270230)


# --- the records behind the lines ---

ITEMS = [
    # why, day, network, currency, account, transaction, suggested, RRN, authorized, amount
    ("refused", SECOND, VISANET, "JPY", 1, "", "", "rrn-N", 0, 0),
    ("forced", FIRST, VISANET, "JPY", 1, "", "", "rrn-J", 0, 45),
    ("suspense", FIRST, VISANET, "JPY", 1, "", "", "rrn-M", 0, 30),
    ("forced", SECOND, VISANET, "JPY", 1, "", "S", "rrn-S", 0, 33),
    ("forced", SECOND, VISANET, "JPY", 3, "", "", "rrn-V", 0, 650),
    ("under", SECOND, VISANET, "JPY", 1, "B", "", "rrn-B", 1500, -500),
    ("over", SECOND, VISANET, "JPY", 1, "C", "", "rrn-C", 500, 60),
    ("under", SECOND, VISANET, "USD", 2, "U", "", "rrn-U", 2000, -50),
    ("under", SECOND, VISANET, "JPY", 3, "G", "", "rrn-G", 500, -300),
    ("pending", 20261201, VISANET, "JPY", 1, "X", "", "rrn-X", 5, 5),
    ("pending", 20270108, VISANET, "JPY", 1, "Y", "", "rrn-Y", 6, 6),
    ("owing", SECOND, "", "JPY", 3, "", "", "", 0, 250),
]


def test_the_records_behind_it_name_account_authorization_and_rrn(told: Database) -> None:
    with told.reading() as connection:
        found = list(open_items(connection, DAYS, 7, limit=100))
        named = dict(
            connection.exec_driver_sql(
                "SELECT authorization_id, transaction_id FROM authorizations"
                " WHERE authorization_id = hold_id"
            ).all()
        ) | {0: ""}
    assert [
        (
            each.why,
            each.day,
            each.network,
            each.currency,
            each.account_id,
            named[each.authorization_id],
            named[each.suggested_id],
            each.rrn,
            each.authorized,
            each.amount,
        )
        for each in found
    ] == ITEMS


def test_each_list_has_a_limit(told: Database) -> None:
    with told.reading() as connection:
        found = list(open_items(connection, DAYS, 7, limit=1))
    assert [each.why for each in found] == ["refused", "forced", "under", "pending", "owing"]


# --- what does not agree ---

TAMPERING = [
    # what is done to the books, which check says so, expected, found
    ("UPDATE clearings SET amount = 501 WHERE manner = 'part'",
     "settlement entries sum to the clearings", 536, 535),
    ("UPDATE clearings SET day = 20270114 WHERE manner = 'part'",
     "settlement entries are as many as clearings", 4, 5),
    ("UPDATE entries SET balance = 536 WHERE account_id < 0 AND balance = 535",
     "settlement balances moved by the clearings", 535, 536),
    ("UPDATE entries SET amount = amount + 1 WHERE kind = 'fee' AND account_id < 0",
     "movement of all accounts sums to zero", 0, 1),
    ("UPDATE entries SET amount = amount + 1 WHERE kind = 'opening' AND account_id = 1",
     "closing balance of all accounts sums to zero", 0, 1),
    ("DELETE FROM holds WHERE amount = 700",
     "authorizations have their holds", 8, 7),
    ("UPDATE accounts SET posted = posted + 1 WHERE kind = 'fee'",
     "fee accounts have what their entries sum to", 80, 81),
    ("DELETE FROM accounts WHERE kind = 'receivable'",
     "receivable is what wallets owe", -250, 0),
    ("UPDATE accounts SET held = held + 1 WHERE account_id = 1",
     "held is what pending holds have left", 751, 752),
    ("UPDATE holds SET posted = posted + 1 WHERE amount = 1500",
     "holds know what was cleared", 3220, 3221),
    ("UPDATE accounts SET owed = 0 WHERE account_id = 3",
     "receivable is what wallets owe", 0, -250),
    ("UPDATE clearings SET returned = 30 WHERE manner = 'suspense'",
     "suspense is what waits there", 0, 30),
    ("UPDATE clearings SET fee = 11 WHERE fee = 10",
     "fees are those of the clearings", 81, 80),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "check", "expected", "found"), TAMPERING)
def test_what_was_tampered_with_is_not_reconciled(
    told: Database, statement: str, check: str, expected: int, found: int
) -> None:
    with told.transaction() as connection:
        connection.exec_driver_sql(statement)
    report = reconciled(told, FIRST)
    assert not report.reconciled
    assert (check, expected, found) in [
        (each.check, each.expected, each.found) for each in report.disagreements
    ]
