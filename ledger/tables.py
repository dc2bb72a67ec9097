"""The schema, one text for every engine. Rules of this file:

1. `account_id` begins every primary, unique and foreign key, so that the tables can be sharded
   by it. Other indexes only find rows; nothing depends on them for correctness.
2. Ids come from the program (`ids.py`). No sequences, triggers, cascades, or floating point.
3. Columns stand in the order of the fields in `rows.py` (a test holds it).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# Rows lie in the order of their key, where an engine lets us choose: one page less to write.
_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _small(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False)


def _of_account() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["account_id"], ["accounts.account_id"])


def _where(condition: str) -> dict[str, Any]:
    """A partial index, for the engines that are asked to make one."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


accounts = Table(
    "accounts",
    metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    _text("kind"),
    _text("network"),
    _text("currency"),
    _number("posted"),
    _number("held"),
    _number("credit_line"),
    _number("version"),
    **_CLUSTERED,
)

authorizations = Table(
    "authorizations",
    metadata,
    _number("account_id"),
    _number("authorization_id"),
    _number("hold_id"),
    _text("network"),
    _text("request_key"),
    _text("fingerprint"),
    _text("trace"),
    _text("transaction_id"),
    _text("rrn"),
    _text("verb"),
    _text("purpose"),
    _number("instrument_id"),
    _text("outcome"),
    _number("requested"),
    _number("amount"),
    _text("currency"),
    _text("approval_code"),
    _number("available"),
    _number("posted"),
    _text("explanation"),
    _number("at"),
    _text("details"),
    _small("reversed"),
    PrimaryKeyConstraint("account_id", "authorization_id"),
    UniqueConstraint("account_id", "network", "request_key"),
    _of_account(),
    Index("authorizations_trace", "account_id", "trace"),
    Index("authorizations_transaction", "account_id", "transaction_id"),
)

holds = Table(
    "holds",
    metadata,
    _number("account_id"),
    _number("authorization_id"),
    _text("state"),
    _text("currency"),
    _number("amount"),
    _number("remaining"),
    _number("posted"),
    _small("parts"),
    _small("estimated"),
    _number("instrument_id"),
    _small("day"),
    _number("counted"),
    _number("expires_at"),
    PrimaryKeyConstraint("account_id", "authorization_id"),
    ForeignKeyConstraint(
        ["account_id", "authorization_id"],
        ["authorizations.account_id", "authorizations.authorization_id"],
    ),
    Index("holds_expiry", "expires_at", **_where("state = 'pending'")),
    **_CLUSTERED,
)

spending = Table(
    "spending",
    metadata,
    _number("account_id"),
    _number("instrument_id"),
    _small("day"),
    _number("amount"),
    _number("count"),
    PrimaryKeyConstraint("account_id", "instrument_id", "day"),
    _of_account(),
    **_CLUSTERED,
)

reversals = Table(
    "reversals",
    metadata,
    _number("account_id"),
    _number("reversal_id"),
    _number("authorization_id"),
    _small("early"),
    _text("network"),
    _text("request_key"),
    _text("fingerprint"),
    _text("trace"),
    _text("transaction_id"),
    _text("rrn"),
    _text("outcome"),
    _number("amount"),
    _text("currency"),
    _number("available"),
    _number("posted"),
    _text("explanation"),
    _number("at"),
    _text("details"),
    PrimaryKeyConstraint("account_id", "reversal_id"),
    UniqueConstraint("account_id", "network", "request_key"),
    _of_account(),
    Index("reversals_trace", "account_id", "trace"),
    Index("reversals_transaction", "account_id", "transaction_id"),
)

clearings = Table(
    "clearings",
    metadata,
    _number("account_id"),
    _number("clearing_id"),
    _number("authorization_id"),
    _number("hold_id"),
    _text("network"),
    _text("request_key"),
    _text("fingerprint"),
    _text("rrn"),
    _text("manner"),
    _small("credit"),
    _text("outcome"),
    _number("amount"),
    _number("fee"),
    _number("points"),
    _text("currency"),
    _text("approval_code"),
    _number("available"),
    _number("posted"),
    _text("explanation"),
    _number("at"),
    _text("details"),
    PrimaryKeyConstraint("account_id", "clearing_id"),
    UniqueConstraint("account_id", "network", "request_key"),
    _of_account(),
)

postings = Table(
    "postings",
    metadata,
    _number("account_id"),
    _number("posting_id"),
    _number("clearing_id"),
    _text("kind"),
    _number("at"),
    PrimaryKeyConstraint("account_id", "posting_id"),
    _of_account(),
)

entries = Table(
    "entries",
    metadata,
    _number("account_id"),
    _number("version"),
    _number("posting_id"),
    _number("amount"),
    _number("balance"),
    _text("currency"),
    _number("at"),
    PrimaryKeyConstraint("account_id", "version"),
    _of_account(),
    **_CLUSTERED,
)

events = Table(
    "events",
    metadata,
    _number("account_id"),
    _number("event_id"),
    _text("type"),
    _number("wallet_id"),
    _number("subject_id"),
    _number("at"),
    _text("data"),
    PrimaryKeyConstraint("account_id", "event_id"),
    **_CLUSTERED,
)
