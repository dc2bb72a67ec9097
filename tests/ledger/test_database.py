from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from ledger.database import Database, find_rows, insert_rows, is_operating_error, update_rows
from ledger.tables import accounts, metadata


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://host/ledger"])
def test_only_a_sqlite_file_is_opened(url: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:///FILE"):
        Database.open(url)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    with made.transaction() as connection:
        metadata.create_all(connection)
    return made


def test_commits_wait_for_the_disk(database: Database) -> None:
    with database.transaction() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


def row(account_id: int) -> tuple[object, ...]:
    return (account_id, "wallet", "", "JPY", 0, 0, 0, 0)


def test_sets_of_rows(database: Database) -> None:
    with database.transaction() as connection:
        insert_rows(connection, accounts, [row(number) for number in range(3000)])
        insert_rows(connection, accounts, [])
        update_rows(connection, accounts, ("posted", "held"), [(5, 6, 1), (7, 8, 2)])
        update_rows(connection, accounts, ("posted",), [])
        keys = [(number,) for number in range(0, 6000, 2)]
        assert len(find_rows(connection, accounts, ("account_id",), keys)) == 1500
        assert find_rows(connection, accounts, ("account_id",), []) == []
        both = find_rows(connection, accounts, ("account_id", "posted"), [(1, 5), (2, 5), (9, 0)])
        assert [(each[0], each[4], each[5]) for each in both] == [(1, 5, 6), (9, 0, 0)]
    database.close()


def test_readers_see_the_last_commit_while_a_writer_is_busy(database: Database) -> None:
    with database.transaction() as writing:
        insert_rows(writing, accounts, [row(1)])
        with database.reading() as reading:
            assert find_rows(reading, accounts, ("account_id",), [(1,)]) == []
    with database.reading() as reading:
        assert len(find_rows(reading, accounts, ("account_id",), [(1,)])) == 1
    database.close()


def test_an_exception_undoes_the_transaction(database: Database) -> None:
    def interrupted() -> None:
        with database.transaction() as connection:
            insert_rows(connection, accounts, [row(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    with database.reading() as reading:
        assert find_rows(reading, accounts, ("account_id",), [(1,)]) == []
    database.close()


@pytest.mark.parametrize(
    ("error", "operating"),
    [
        (sqlite3.OperationalError("database is locked"), True),
        (sqlite3.DatabaseError("file is not a database"), True),
        (OperationalError("", None, Exception()), True),
        (OSError(), True),
        (sqlite3.IntegrityError(), False),
        (sqlite3.ProgrammingError(), False),
        (IntegrityError("", None, Exception()), False),
        (ValueError(), False),
    ],
)
def test_whose_fault_an_error_is(error: Exception, *, operating: bool) -> None:
    assert is_operating_error(error) is operating
