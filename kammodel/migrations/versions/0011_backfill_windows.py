"""Windows of a CRM's past that are read by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "backfill_window",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("source", "source_instance", "stream")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("since", "until")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("fingerprint", "columns")),
        sa.Column("read_until", sa.BigInteger(), nullable=False),
        sa.Column("resume_point", sa.String(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("rows_read", "rows_rejected")),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "stream", "since", "until"),
    )


def downgrade() -> None:
    op.drop_table("backfill_window")
