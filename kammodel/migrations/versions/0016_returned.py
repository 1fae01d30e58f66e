"""Values that undos gave back to people, as the ledger knows them: plans are forgotten in time."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_RETURNED = (
    "UPDATE written_cell SET is_returned=TRUE WHERE is_undone AND EXISTS (SELECT 1 FROM planned_cell c WHERE "
    "c.plan_id=written_cell.plan_id AND c.source_id=written_cell.source_id AND c.field=written_cell.field "
    "AND c.reason='returned')"
)


def upgrade() -> None:
    op.add_column("written_cell", sa.Column("is_returned", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(_RETURNED)
    with op.batch_alter_table("written_cell") as table:
        table.alter_column("is_returned", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("written_cell") as table:
        table.drop_column("is_returned")
