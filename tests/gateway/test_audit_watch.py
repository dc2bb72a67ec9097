"""The audit that goes on by itself: what it tells, and what it does while the ledger is away."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import text

from gateway.audit_watch import AuditWatch
from ledger.audit import AuditReport
from tests.ledger.books import Books


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(f"sqlite:///{tmp_path}/ledger.db")


def test_it_audits_at_once_and_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, twice = [], Event()

    def told(*_asked: object) -> AuditReport:
        seen.append(True)
        if len(seen) == 2:
            twice.set()
        return AuditReport({}, {}, ())

    monkeypatch.setattr("gateway.audit_watch.audit", told)
    watch = AuditWatch(books.database, seconds=0.001)
    watch.start()
    assert twice.wait(60)
    watch.stop()
    assert watch.latest is not None
    assert watch.latest.clean
    books.close()


def test_it_tells_when_the_books_do_not_balance(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    with books.database.transaction() as connection:
        connection.execute(text("UPDATE accounts SET held = 1 WHERE account_id = 1"))
    watch = AuditWatch(books.database, seconds=60)
    assert watch._look() >= 0
    assert watch.latest is not None
    assert not watch.latest.clean
    assert "the books do not balance: 1" in caplog.text
    books.close()


def test_the_last_result_stays_while_the_ledger_is_away(
    books: Books, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = AuditWatch(books.database, seconds=60)
    before = watch.audit_now()

    def fail(_connection: object) -> AuditReport:
        raise OSError("gone")

    monkeypatch.setattr("gateway.audit_watch.audit", fail)
    assert watch._look() == 0
    assert watch.latest is before
    assert "the ledger could not be audited: OSError" in caplog.text

    def mistake(_connection: object) -> AuditReport:
        raise ArithmeticError

    monkeypatch.setattr("gateway.audit_watch.audit", mistake)
    with pytest.raises(ArithmeticError):
        watch._look()
    books.close()
