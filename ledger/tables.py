"""The schema, one text for every engine. Rules of this file:

1. `account_id` is in every primary and unique key, so that the tables can be sharded by it. Other
   indexes only find rows; nothing depends on them for correctness. Where rows are many, the key
   begins with their time: what is new lies together, however many accounts and years there are
   (decision 0018).
2. Ids come from the program (`ids.py`). No sequences, triggers, cascades, or floating point.
3. No foreign keys: rows are written only under the lock of their account, which is never deleted;
   what they would check, the audit checks, and not once more for each row written.
4. Columns stand in the order of the fields in `rows.py` (a test holds it).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

metadata = MetaData()

# Of clearings that a person may still match (`posting.Manner`); named alike by those who look.
IS_WAITING = "manner IN ('forced', 'suspense')"

# Rows lie in the order of their key, where an engine lets us choose: one page less to write.
_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
# A row that changes finds room on its page, so that its indexes need not change with it.
_ROOM_TO_CHANGE: dict[str, Any] = {"postgresql_with": {"fillfactor": 50}}
# Compared byte by byte: faster, and `a <= key < b` finds what begins with `a`.
_TEXT = String().with_variant(String(collation="C"), "postgresql")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _small(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, _TEXT, nullable=False)


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
    _number("value"),
    _number("owed"),
    _number("early_at"),
    _number("version"),
    _number("last_id"),
    **_CLUSTERED,
    **_ROOM_TO_CHANGE,
)

authorizations = Table(
    "authorizations",
    metadata,
    _number("account_id"),
    _text("network"),
    _text("request_key"),
    _number("authorization_id"),
    _number("hold_id"),
    _text("fingerprint"),
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
    _small("day"),
    _number("at"),
    _text("details"),
    _small("reversed"),
    _small("sent_on"),
    PrimaryKeyConstraint("sent_on", "account_id", "network", "request_key"),
    Index(
        "authorizations_transaction",
        "transaction_id",
        "account_id",
        **_where("transaction_id <> ''"),
    ),
    # Rows lie in the order of their times: on PostgreSQL the least index finds a span of time.
    Index(
        "authorizations_at",
        "at",
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    ),
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
    _number("money"),
    _small("parts"),
    _small("estimated"),
    _number("instrument_id"),
    _small("day"),
    _number("counted"),
    _number("points"),
    _number("expires_at"),
    PrimaryKeyConstraint("authorization_id", "account_id"),
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
    **_CLUSTERED,
    **_ROOM_TO_CHANGE,
)

reversals = Table(
    "reversals",
    metadata,
    _number("account_id"),
    _text("network"),
    _text("request_key"),
    _number("reversal_id"),
    _number("authorization_id"),
    _small("early"),
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
    PrimaryKeyConstraint("account_id", "network", "request_key"),
    Index("reversals_early", "account_id", **_where("early = 1")),
)

clearings = Table(
    "clearings",
    metadata,
    _number("account_id"),
    _text("network"),
    _text("request_key"),
    _number("clearing_id"),
    _number("authorization_id"),
    _number("hold_id"),
    _number("suggested_id"),
    _text("fingerprint"),
    _text("transaction_id"),
    _text("rrn"),
    _text("manner"),
    _small("credit"),
    _text("outcome"),
    _number("amount"),
    _number("value"),
    _number("returned"),
    _number("fee"),
    _number("points"),
    _text("currency"),
    _text("approval_code"),
    _number("available"),
    _number("posted"),
    _text("explanation"),
    _small("day"),
    _number("at"),
    _text("details"),
    _number("fee_value"),
    PrimaryKeyConstraint("account_id", "network", "request_key"),
    Index("clearings_waiting", "day", "account_id", "clearing_id", **_where(IS_WAITING)),
)

entries = Table(
    "entries",
    metadata,
    _number("account_id"),
    _number("version"),
    _number("posting_id"),
    _text("kind"),
    _number("amount"),
    _number("value"),
    _number("balance"),
    _text("currency"),
    _small("day"),
    _number("at"),
    PrimaryKeyConstraint("account_id", "version"),
    **_CLUSTERED,
)

events = Table(
    "events",
    metadata,
    _number("account_id"),
    _number("event_id"),
    _number("sequence"),
    _text("data"),
    PrimaryKeyConstraint("account_id", "event_id"),
    # What has no sequence yet is met in the order of its ids, however much of it there is.
    Index("events_sequence", "account_id", "sequence", "event_id"),
)

positions = Table(
    "positions",
    metadata,
    _number("account_id"),
    _text("reader"),
    _number("sequence"),
    PrimaryKeyConstraint("account_id", "reader"),
    **_CLUSTERED,
)

points = Table(
    "points",
    metadata,
    _number("account_id"),
    _number("hold_id"),
    _number("pending"),
    _number("confirmed"),
    PrimaryKeyConstraint("account_id", "hold_id"),
    **_CLUSTERED,
)

requests = Table(
    "requests",
    metadata,
    _number("account_id"),
    _text("rrn"),
    _text("network"),
    _number("wallet_id"),
    _number("authorization_id"),
    _text("request_key"),
    PrimaryKeyConstraint("account_id", "rrn", "network", "wallet_id", "authorization_id"),
    **_CLUSTERED,
)
