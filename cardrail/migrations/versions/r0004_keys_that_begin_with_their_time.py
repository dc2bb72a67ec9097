"""Keys that begin with their time, so that what is new lies together."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
_DAYS = [100 * month + day for month in range(1, 13) for day in range(1, 32)]


def upgrade() -> None:
    """Tell of each authorization the month and day that its request key begins with."""
    op.add_column(
        "authorizations", sa.Column("sent_on", sa.Integer, nullable=False, server_default="0")
    )
    days = ", ".join(f"('{day:04}', {day})" for day in _DAYS)
    op.execute(
        f"WITH days(name, day) AS (VALUES {days})"  # noqa: S608 - numbers
        " UPDATE authorizations SET sent_on = days.day FROM days"
        " WHERE substr(request_key, 1, 4) = days.name"
    )
    with op.batch_alter_table("authorizations") as authorizations:
        authorizations.alter_column("sent_on", server_default=None)
    _key("authorizations", ["sent_on", "account_id", "network", "request_key"])
    _key("holds", ["authorization_id", "account_id"], **_CLUSTERED)
    _index_transactions(["transaction_id", "account_id"])


def downgrade() -> None:
    """The account first, as before."""
    _index_transactions(["account_id", "transaction_id"])
    _key("holds", ["account_id", "authorization_id"], **_CLUSTERED)
    _key("authorizations", ["account_id", "network", "request_key"])
    op.drop_column("authorizations", "sent_on")


def _key(name: str, columns: list[str], **options: Any) -> None:  # noqa: ANN401 - the dialect's own
    """Another primary key: SQLite makes the table anew for it."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.drop_constraint(f"{name}_pkey", name, type_="primary")
        op.create_primary_key(f"{name}_pkey", name, columns)
        return
    table = sa.Table(name, sa.MetaData(), autoload_with=bind, **options)
    for column in table.columns:
        column.primary_key = False
    table.append_constraint(sa.PrimaryKeyConstraint(*columns))
    with op.batch_alter_table(name, copy_from=table, recreate="always"):
        pass


def _index_transactions(columns: list[str]) -> None:
    name, has_one = "authorizations_transaction", sa.text("transaction_id <> ''")
    op.drop_index(name, "authorizations")
    op.create_index(name, "authorizations", columns, sqlite_where=has_one, postgresql_where=has_one)
