"""Keys that begin with their time, so that what is new lies together."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
_TRANSACTION, _HAS_ONE = "authorizations_transaction", sa.text("transaction_id <> ''")
_DAYS = [100 * month + day for month in range(1, 13) for day in range(1, 32)]


def upgrade() -> None:
    """Tell of each authorization the month and day that its request key begins with."""
    op.add_column(
        "authorizations", sa.Column("sent_on", sa.Integer, nullable=False, server_default="0")
    )
    _drop_keys()
    days = ", ".join(f"'{day:04}'" for day in _DAYS)
    op.execute(
        "UPDATE authorizations SET sent_on = CAST(substr(request_key, 1, 4) AS integer)"  # noqa: S608 - numbers
        f" WHERE substr(request_key, 1, 4) IN ({days})"
    )
    with op.batch_alter_table("authorizations") as authorizations:
        authorizations.alter_column("sent_on", server_default=None)
    _make_keys(
        ["sent_on", "account_id", "network", "request_key"],
        ["authorization_id", "account_id"],
        ["transaction_id", "account_id"],
    )


def downgrade() -> None:
    """The account first, as before."""
    _drop_keys()
    _make_keys(
        ["account_id", "network", "request_key"],
        ["account_id", "authorization_id"],
        ["account_id", "transaction_id"],
    )
    op.drop_column("authorizations", "sent_on")


def _drop_keys() -> None:
    """Before the rows change: to keep indexes up to date costs several times making them."""
    op.drop_index(_TRANSACTION, "authorizations")
    if _is_server():
        for name in ("authorizations", "holds"):
            op.drop_constraint(f"{name}_pkey", name, type_="primary")


def _make_keys(authorizations: list[str], holds: list[str], transactions: list[str]) -> None:
    _key("authorizations", authorizations)
    _key("holds", holds, **_CLUSTERED)
    op.create_index(
        _TRANSACTION,
        "authorizations",
        transactions,
        sqlite_where=_HAS_ONE,
        postgresql_where=_HAS_ONE,
    )


def _key(name: str, columns: list[str], **options: Any) -> None:  # noqa: ANN401 - the dialect's own
    """A primary key, for which SQLite makes the table anew."""
    if _is_server():
        op.create_primary_key(f"{name}_pkey", name, columns)
        return
    table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind(), **options)
    for column in table.columns:
        column.primary_key = False
    table.append_constraint(sa.PrimaryKeyConstraint(*columns))
    with op.batch_alter_table(name, copy_from=table, recreate="always"):
        pass


def _is_server() -> bool:
    return op.get_bind().dialect.name == "postgresql"
