"""When the links between records were last looked at; what persons are in purchases."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("buying_roles", sa.String, nullable=True))
    op.add_column("sweep", sa.Column("linked_at", sa.BigInteger, nullable=True))
    op.add_column("sweep", sa.Column("linked_after", sa.String, nullable=True))
    # Links are looked up by the record that they belong to.
    op.create_index("ix_account_person_person_id", "account_person", ["person_id"])
    op.create_index("ix_opportunity_person_opportunity_id", "opportunity_person", ["opportunity_id"])


def downgrade() -> None:
    op.drop_index("ix_opportunity_person_opportunity_id", "opportunity_person")
    op.drop_index("ix_account_person_person_id", "account_person")
    op.drop_column("sweep", "linked_after")
    op.drop_column("sweep", "linked_at")
    op.drop_column("person", "buying_roles")
