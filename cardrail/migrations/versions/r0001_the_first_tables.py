"""The first tables: the ledger's and the gateway's cards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
_ROOM_TO_CHANGE: dict[str, Any] = {"postgresql_with": {"fillfactor": 50}}
_TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False)


def _words(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _index(name: str, table: str, columns: list[str], where: str = "") -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    """Make them."""
    _accounts()
    _authorizations()
    _holds()
    _reversals()
    _clearings()
    _entries()
    _events()
    _points()
    _requests()
    _cards()


def downgrade() -> None:
    """There is nothing to go back to."""
    raise NotImplementedError("before revision 0001 there are no tables, and no money in them")


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
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


def _authorizations() -> None:
    op.create_table(
        "authorizations",
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
        sa.PrimaryKeyConstraint("account_id", "network", "request_key"),
    )
    columns = ["account_id", "transaction_id"]
    _index("authorizations_transaction", "authorizations", columns, "transaction_id <> ''")


def _holds() -> None:
    op.create_table(
        "holds",
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
        sa.PrimaryKeyConstraint("account_id", "authorization_id"),
        **_CLUSTERED,
    )
    _index("holds_expiry", "holds", ["expires_at"], "state = 'pending'")
    op.create_table(
        "spending",
        _number("account_id"),
        _number("instrument_id"),
        _small("day"),
        _number("amount"),
        _number("count"),
        sa.PrimaryKeyConstraint("account_id", "instrument_id", "day"),
        **_CLUSTERED,
        **_ROOM_TO_CHANGE,
    )


def _reversals() -> None:
    op.create_table(
        "reversals",
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
        sa.PrimaryKeyConstraint("account_id", "network", "request_key"),
    )
    _index("reversals_early", "reversals", ["account_id"], "early = 1")


def _clearings() -> None:
    op.create_table(
        "clearings",
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
        sa.PrimaryKeyConstraint("account_id", "network", "request_key"),
    )


def _entries() -> None:
    op.create_table(
        "entries",
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
        sa.PrimaryKeyConstraint("account_id", "version"),
        **_CLUSTERED,
    )


def _events() -> None:
    op.create_table(
        "events",
        _number("account_id"),
        _number("event_id"),
        _number("sequence"),
        _text("data"),
        sa.PrimaryKeyConstraint("account_id", "event_id"),
    )
    _index("events_sequence", "events", ["account_id", "sequence", "event_id"])
    op.create_table(
        "positions",
        _number("account_id"),
        _text("reader"),
        _number("sequence"),
        sa.PrimaryKeyConstraint("account_id", "reader"),
        **_CLUSTERED,
    )


def _points() -> None:
    op.create_table(
        "points",
        _number("account_id"),
        _number("hold_id"),
        _number("pending"),
        _number("confirmed"),
        sa.PrimaryKeyConstraint("account_id", "hold_id"),
        **_CLUSTERED,
    )


def _requests() -> None:
    op.create_table(
        "requests",
        _number("account_id"),
        _text("rrn"),
        _text("network"),
        _number("wallet_id"),
        _number("authorization_id"),
        _text("request_key"),
        sa.PrimaryKeyConstraint("account_id", "rrn", "network", "wallet_id", "authorization_id"),
        **_CLUSTERED,
    )


def _cards() -> None:
    op.create_table(
        "cards",
        sa.Column("account_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("card_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pan_index", sa.LargeBinary(32), nullable=False),
        sa.Column("pan_sealed", sa.LargeBinary(64), nullable=False),
        _words("masked_pan", 19),
        _words("expiry", 4),
        _words("state", 12),
        _words("kind", 12),
        _words("currency", 3),
        _words("blocked_categories", 1000),
        _words("blocked_channels", 100),
        sa.Column("amount_limit", sa.BigInteger),
        sa.Column("day_amount", sa.BigInteger),
        sa.Column("day_count", sa.Integer),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("account_id", "pan_index", name="cards_account_pan"),
    )
    _index("cards_pan_index", "cards", ["pan_index"])
    _index("cards_changed_at", "cards", ["changed_at"], "changed_at > 0")
