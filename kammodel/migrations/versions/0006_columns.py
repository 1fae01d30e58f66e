"""What CRMs and mapping files tell of accounts, forecasts and contracts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS: dict[str, dict[str, Any]] = {
    "account": {
        "region": sa.String,
        "lifecycle_stage": sa.String,
        "is_target": sa.Boolean,
        "icp_tier": sa.String,
    },
    "opportunity": {
        "forecast_category": sa.String,
        "lead_source": sa.String,
    },
    "contract": {
        "amount": sa.BigInteger,
        "currency": sa.String,
        "is_auto_renewed": sa.Boolean,
        "notice_days": sa.BigInteger,
        "renewed_by_id": sa.String,
    },
}
"""New columns by table; of rows read before, nobody noted them."""


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for name in columns:
            op.drop_column(table, name)
