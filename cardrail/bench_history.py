"""Accounts and past authorizations in bulk, made by the database itself, for a ledger of years.

What is loaded balances: opening balances come from funding, and each past authorization is a hold
that has expired. They come day by day, and within a day in the order of their accounts; the last
day is that of what is measured.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from cardrail.bench_commands import AT, DAY
from ledger.database import Database
from ledger.house import AccountKind, Placement
from ledger.tables import accounts, entries

_DAYS = (*range(1217, 1232), *range(101, 116))  # as in DE 7; the last one is that of DAY
_BALANCE = 10**9
_POSTING = 1  # of all opening balances
_AT_ONCE = 1_000_000
_SERIES = {
    "postgresql": "generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS series(n)",
    "sqlite": (
        "(WITH RECURSIVE series(n) AS (SELECT :first UNION ALL"
        " SELECT n + 1 FROM series WHERE n < :last) SELECT n FROM series)"
    ),
}


def load_accounts(database: Database, accounts: int) -> None:
    """Open wallets 1..`accounts` that are not there."""
    with database.transaction() as connection:
        first = (connection.scalar(text("SELECT max(account_id) FROM accounts")) or 0) + 1
    for start in range(first, accounts + 1, _AT_ONCE):
        with database.transaction() as connection:
            _open(connection, start, min(start + _AT_ONCE - 1, accounts))
    _settle(database)


def load_past(database: Database, *, accounts: int, authorizations: int) -> None:
    """Give wallets 1..`accounts` their past."""
    for start in range(1, authorizations + 1, _AT_ONCE):
        with database.transaction() as connection:
            last = min(start + _AT_ONCE - 1, authorizations)
            _authorize(connection, (start, last), accounts, authorizations)
    _settle(database)


def _open(connection: Connection, first: int, last: int) -> None:
    columns = {"account_id": "n", "kind": "'wallet'", "currency": "'JPY'", "version": "1"}
    _insert(connection, accounts.name, columns | {"posted": f"{_BALANCE}"}, first, last)
    opening = {
        "account_id": "n",
        "version": "1",
        "posting_id": f"{_POSTING}",
        "kind": "'opening'",
        "amount": f"{_BALANCE}",
        "balance": f"{_BALANCE}",
        "currency": "'JPY'",
        "day": f"{DAY}",
        "at": f"{AT}",
    }
    _insert(connection, entries.name, opening, first, last)
    _fund(connection, -_BALANCE * (last - first + 1))


def _fund(connection: Connection, amount: int) -> None:
    """The other side of the openings."""
    funding = Placement().house_account(AccountKind.FUNDING, "", "JPY", 1)
    of_funding = accounts.c.account_id == funding
    connection.execute(
        accounts.update()
        .where(of_funding)
        .values(posted=accounts.c.posted + amount, version=accounts.c.version + 1)
    )
    row = connection.execute(accounts.select().where(of_funding)).one()
    connection.execute(
        entries.insert().values(
            account_id=funding,
            version=row.version,
            posting_id=_POSTING,
            kind="opening",
            amount=amount,
            value=0,
            balance=row.posted,
            currency="JPY",
            day=DAY,
            at=AT,
        )
    )


def _authorize(
    connection: Connection, span: tuple[int, int], accounts: int, authorizations: int
) -> None:
    """Numbers `span` of so many authorizations, each account's in turn."""
    account, number = f"(1 + (n - 1) % {accounts})", "CAST(n AS text)"
    days = "".join(f"{day:04d}" for day in _DAYS)
    day = f"substr('{days}', CAST(1 + 4 * ((n - 1) * {len(_DAYS)} / {authorizations}) AS int), 4)"
    padded = f"substr('00000000000000' || {number}, length({number}) + 1)"
    authorization = {
        "account_id": account,
        "network": "'visanet'",
        "request_key": f"{day} || {padded} || '|past'",
        "sent_on": f"CAST({day} AS int)",
        "authorization_id": "n",
        "hold_id": "n",
        "fingerprint": "'000000:500:392:M00000000000001'",
        "transaction_id": f"'3' || {padded}",
        "rrn": number,
        "verb": "'authorize'",
        "purpose": "'purchase'",
        "outcome": "'APPROVED'",
        "requested": "500",
        "amount": "500",
        "currency": "'JPY'",
        "approval_code": "'123456'",
        "explanation": "'held JPY 500 of JPY 1,000,000,000 available'",
        "at": f"{AT}",
        "details": """'{"merchant":"KONBINI SHIBUYA 1","country":"392"}'""",
    }
    _insert(connection, "authorizations", authorization, *span)
    expired = {
        "account_id": account,
        "authorization_id": "n",
        "state": "'expired'",
        "currency": "'JPY'",
        "amount": "500",
        "expires_at": f"{AT}",
    }
    _insert(connection, "holds", expired, *span)


def _insert(
    connection: Connection, name: str, given: dict[str, str], first: int, last: int
) -> None:
    """One row for each number; what is not given is 0 or blank."""
    table = accounts.metadata.tables[name]
    values = [
        given.get(column.name, "0" if column.type.python_type is int else "''")
        for column in table.columns
    ]
    names = ", ".join(column.name for column in table.columns)
    series = _SERIES[connection.dialect.name]
    statement = f"INSERT INTO {name} ({names}) SELECT {', '.join(values)} FROM {series}"  # noqa: S608 - names of our own tables
    connection.execute(text(statement), {"first": first, "last": last})


def _settle(database: Database) -> None:
    """What a server does by itself in a quiet hour: statistics, a checkpoint, and a warm memory."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            quiet = connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
                quiet.exec_driver_sql(statement)
            with suppress(DBAPIError):  # not every server has the extension, or gives it to us
                for statement in _WARM:
                    quiet.exec_driver_sql(statement)


# The rows of the past are not read again; every index is, and every account.
_WARM = (
    "CREATE EXTENSION IF NOT EXISTS pg_prewarm",
    "SELECT sum(pg_prewarm(indexrelid)) FROM pg_stat_user_indexes",
    "SELECT pg_prewarm('accounts')",
)
