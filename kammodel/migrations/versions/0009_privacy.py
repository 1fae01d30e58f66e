"""Who was forgotten, by keyed hashes; e-mail addresses of persons, hashed or, where that is switched on, plain."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ADDRESSES = ("email_hash", "email")


def upgrade() -> None:
    op.create_table(
        "suppression",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=True) for name in ("under", "address_hash")),
        sa.Column("forgotten_at", sa.BigInteger(), nullable=False),
        sa.Column("key_mark", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    for name in _ADDRESSES:
        op.add_column("person", sa.Column(name, sa.String(), nullable=True))


def downgrade() -> None:
    for name in _ADDRESSES:
        op.drop_column("person", name)
    op.drop_table("suppression")
