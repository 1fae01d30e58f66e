"""What counting windows of a stream on both sides showed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificate",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("source", "source_instance", "stream")),
        sa.Column("place", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("cut_by", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("window_low", "window_high", "before")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("crm_rows", "our_rows")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("wrong_rows", "explained")),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("counted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", "stream", "place"),
    )


def downgrade() -> None:
    op.drop_table("certificate")
