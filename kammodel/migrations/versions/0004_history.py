"""What rows were before they changed; the rules of scores; which figures of a snapshot are reconstructed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entity_version",
        sa.Column("version_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("entity", "source", "source_instance")),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("version_id"),
    )
    op.create_index("ix_entity_version_entity_valid_until", "entity_version", ["entity", "valid_until"])
    op.create_table(
        "score_rules",
        sa.Column("config_hash", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("config_hash"),
    )
    # Of snapshots made before, nobody noted it.
    op.add_column("score_snapshot", sa.Column("reconstructed", sa.String(), nullable=True))
    op.create_index("ix_score_snapshot_group_id_as_of", "score_snapshot", ["group_id", "as_of"])


def downgrade() -> None:
    op.drop_index("ix_score_snapshot_group_id_as_of", "score_snapshot")
    op.drop_column("score_snapshot", "reconstructed")
    op.drop_table("score_rules")
    op.drop_index("ix_entity_version_entity_valid_until", "entity_version")
    op.drop_table("entity_version")
