"""Quotas of owners."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("source", "source_instance", "source_id")),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("owner_id", "name", "metric", "currency")),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("starts_on", "ends_on")),
        sa.Column("target_value", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )


def downgrade() -> None:
    op.drop_table("target")
