"""Where a comparison of all ids has come to, so that one that was stopped goes on from there."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sweep", sa.Column("compared_after", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sweep") as table:
        table.drop_column("compared_after")
