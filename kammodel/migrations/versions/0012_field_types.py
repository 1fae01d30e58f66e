"""The types that the mapped fields of a stream had, beside its bookmark."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of what was read before, nobody noted them: the next slice does.
    op.add_column("bookmark", sa.Column("types", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("bookmark") as batch:
        batch.alter_column("types", existing_type=sa.JSON(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    op.drop_column("bookmark", "types")
