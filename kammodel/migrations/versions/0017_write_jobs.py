"""Jobs that write what they were given though nobody waits any more: whichever machine the next run is on ends them."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "write_job",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", "job_id"),
    )


def downgrade() -> None:
    op.drop_table("write_job")
