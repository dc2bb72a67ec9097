"""What operators ask: authorizations by time, clearings that wait, cards by masked PAN."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the indexes, and the table of answers that are kept for their repeats."""
    waits = sa.text("manner IN ('forced', 'suspense')")
    op.create_index(
        "authorizations_at",
        "authorizations",
        ["at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index(
        "clearings_waiting",
        "clearings",
        ["day", "account_id", "clearing_id"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_index("cards_masked_pan", "cards", ["masked_pan"])
    op.create_table(
        "kept_answers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("claimed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("kept_answers_claimed_at", "kept_answers", ["claimed_at"])


def downgrade() -> None:
    """Answers are forgotten: a write that is repeated after this may be refused as a conflict."""
    op.drop_table("kept_answers")
    op.drop_index("cards_masked_pan", "cards")
    op.drop_index("clearings_waiting", "clearings")
    op.drop_index("authorizations_at", "authorizations")
