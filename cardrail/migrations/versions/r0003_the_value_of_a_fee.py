"""The part of a clearing's fee that was *Value*, apart from that of its amount."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Part them. Of a credit's fee it was not kept: should it come back, it is *Money*."""
    op.add_column(
        "clearings", sa.Column("fee_value", sa.BigInteger, nullable=False, server_default="0")
    )
    op.execute(
        "UPDATE clearings SET fee_value = value - amount, value = amount"
        " WHERE credit = 0 AND value > amount"
    )
    with op.batch_alter_table("clearings") as clearings:
        clearings.alter_column("fee_value", server_default=None)


def downgrade() -> None:
    """Together again, but for credits."""
    op.execute("UPDATE clearings SET value = value + fee_value WHERE credit = 0")
    op.drop_column("clearings", "fee_value")
