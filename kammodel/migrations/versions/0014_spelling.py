"""How a CRM spelled what stood in a cell, so that an undo gives it back as it was."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COLUMNS = ("before_spelled", "after_spelled")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("planned_cell", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("planned_cell") as table:
        for name in _COLUMNS:
            table.drop_column(name)
