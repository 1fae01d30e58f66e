"""Change stamps of rows that came again with the content that they had."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEY = ("entity", "source", "source_instance", "source_id")


def upgrade() -> None:
    op.create_table(
        "restamp",
        *(sa.Column(name, sa.String(), nullable=False) for name in _KEY),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY),
    )


def downgrade() -> None:
    op.drop_table("restamp")
