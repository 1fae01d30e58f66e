"""When cases were first answered, by when they had to be closed, whether they were, and how often they came again."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = {
    "first_response_at": sa.BigInteger,
    "sla_due_at": sa.BigInteger,
    "is_sla_met": sa.Boolean,
    "reopened_n": sa.BigInteger,
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("support_case", sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("support_case") as table:
        for name in _COLUMNS:
            table.drop_column(name)
