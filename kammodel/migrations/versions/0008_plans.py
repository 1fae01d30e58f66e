"""Plans with a hash, a reason for each cell, approval and undo; leases."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PLAN: tuple[tuple[str, TypeEngine[Any], Any], ...] = (
    ("kind", sa.String(), "publish"),
    ("undoes", sa.String(), None),
    ("made_by", sa.String(), None),
    ("hash", sa.String(), ""),
    ("expires_at", sa.BigInteger(), None),
    ("write_calls", sa.Integer(), "0"),
    ("measures", sa.JSON(), "{}"),
    ("tripped", sa.JSON(), "[]"),
    ("approved_by", sa.String(), None),
    ("approved_at", sa.BigInteger(), None),
)
_CELL = ("reason", "kind")


def upgrade() -> None:
    _add("publish_plan", _PLAN)
    _add("planned_cell", [(name, sa.String(), None) for name in _CELL])
    _add("written_cell", [("is_undone", sa.Boolean(), sa.false()), ("undone", sa.String(), None)])
    # What was counted apart, is one of the outcomes with a code.
    op.execute("UPDATE planned_cell SET outcome='rejected', kind='gone' WHERE outcome='gone'")
    op.execute("UPDATE planned_cell SET outcome='held', code='EDITED' WHERE outcome='edited'")
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _add(table: str, columns: Sequence[tuple[str, TypeEngine[Any], Any]]) -> None:
    """Adds columns; those that may not be null get a value for the rows that are there, and none for later ones."""
    for name, kind, value in columns:
        op.add_column(table, sa.Column(name, kind, nullable=value is None, server_default=value))
    filled = [(name, kind) for name, kind, value in columns if value is not None]
    if filled:
        with op.batch_alter_table(table) as batch:
            for name, kind in filled:
                batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)


def downgrade() -> None:
    op.drop_table("lease")
    op.execute("UPDATE planned_cell SET outcome='gone' WHERE outcome='rejected' AND kind='gone'")
    op.execute("UPDATE planned_cell SET outcome='edited' WHERE outcome='held' AND code='EDITED'")
    op.execute("UPDATE planned_cell SET outcome=NULL WHERE outcome='waiting'")
    with op.batch_alter_table("written_cell") as table:
        table.drop_column("undone")
        table.drop_column("is_undone")
    with op.batch_alter_table("planned_cell") as table:
        for name in _CELL:
            table.drop_column(name)
    with op.batch_alter_table("publish_plan") as table:
        for name, _, _ in _PLAN:
            table.drop_column(name)
