"""Persons, cases, contracts, orders, products and plans; what deals were before; cases of activities."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENTITIES: dict[str, dict[str, Any]] = {
    "person": {
        "account_id": sa.String,
        "title": sa.String,
        "department": sa.String,
        "owner_id": sa.String,
        "reports_to_id": sa.String,
        "has_opted_out": sa.Boolean,
        "merged_into_id": sa.String,
    },
    "account_person": {
        "account_id": sa.String,
        "person_id": sa.String,
        "roles": sa.String,
        "is_direct": sa.Boolean,
        "is_active": sa.Boolean,
        "since_on": sa.Date,
        "until_on": sa.Date,
    },
    "opportunity_person": {
        "opportunity_id": sa.String,
        "person_id": sa.String,
        "role": sa.String,
        "is_primary": sa.Boolean,
    },
    "team_member": {
        "account_id": sa.String,
        "user_id": sa.String,
        "role": sa.String,
    },
    "support_case": {
        "account_id": sa.String,
        "person_id": sa.String,
        "kind": sa.String,
        "priority": sa.String,
        "status": sa.String,
        "is_closed": sa.Boolean,
        "is_escalated": sa.Boolean,
        "opened_at": sa.BigInteger,
        "closed_at": sa.BigInteger,
        "parent_id": sa.String,
    },
    "contract": {
        "account_id": sa.String,
        "owner_id": sa.String,
        "status": sa.String,
        "starts_on": sa.Date,
        "ends_on": sa.Date,
        "term_months": sa.BigInteger,
        "activated_at": sa.BigInteger,
    },
    "sales_order": {
        "account_id": sa.String,
        "contract_id": sa.String,
        "opportunity_id": sa.String,
        "kind": sa.String,
        "status": sa.String,
        "status_code": sa.String,
        "effective_on": sa.Date,
        "ends_on": sa.Date,
        "amount": sa.BigInteger,
        "currency": sa.String,
        "activated_at": sa.BigInteger,
    },
    "asset": {
        "account_id": sa.String,
        "product_id": sa.String,
        "status": sa.String,
        "quantity": sa.Float,
        "price": sa.BigInteger,
        "currency": sa.String,
        "purchased_on": sa.Date,
        "installed_on": sa.Date,
        "usage_ends_on": sa.Date,
    },
    "line_item": {
        "opportunity_id": sa.String,
        "product_id": sa.String,
        "quantity": sa.Float,
        "list_price": sa.BigInteger,
        "unit_price": sa.BigInteger,
        "discount_share": sa.Float,
        "amount": sa.BigInteger,
        "currency": sa.String,
        "service_on": sa.Date,
    },
    "product": {
        "name": sa.String,
        "code": sa.String,
        "family": sa.String,
        "is_active": sa.Boolean,
    },
    "opportunity_field_change": {
        "opportunity_id": sa.String,
        "field": sa.String,
        "changed_at": sa.BigInteger,
        "old_value": sa.String,
        "new_value": sa.String,
    },
    "account_plan": {
        "account_id": sa.String,
        "name": sa.String,
        "status": sa.String,
        "starts_on": sa.Date,
        "ends_on": sa.Date,
        "owner_id": sa.String,
    },
    "plan_objective": {
        "plan_id": sa.String,
        "name": sa.String,
        "status": sa.String,
        "starts_on": sa.Date,
        "ends_on": sa.Date,
        "owner_id": sa.String,
    },
    "plan_measure": {
        "objective_id": sa.String,
        "name": sa.String,
        "unit": sa.String,
        "target_value": sa.Float,
        "current_value": sa.Float,
        "currency": sa.String,
    },
}
"""Tables with their own columns, all of which may be null; the envelope is the same for each."""


def upgrade() -> None:
    for name, columns in ENTITIES.items():
        own = (sa.Column(column, kind(), nullable=True) for column, kind in columns.items())
        op.create_table(name, *_envelope(), *own, sa.PrimaryKeyConstraint("source", "source_instance", "source_id"))
    op.create_table(
        "sweep",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("source", "source_instance", "stream")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("loaded_at", "deletions_until", "compared_at")),
        sa.PrimaryKeyConstraint("source", "source_instance", "stream"),
    )
    op.add_column("activity", sa.Column("case_id", sa.String(), nullable=True))
    op.add_column("opportunity_stage_event", sa.Column("prev_amount", sa.BigInteger(), nullable=True))
    op.add_column("opportunity_stage_event", sa.Column("prev_close_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("opportunity_stage_event", "prev_close_on")
    op.drop_column("opportunity_stage_event", "prev_amount")
    op.drop_column("activity", "case_id")
    op.drop_table("sweep")
    for name in reversed(ENTITIES):
        op.drop_table(name)


def _envelope() -> tuple[sa.Column[Any], ...]:
    return (
        *(sa.Column(name, sa.String(), nullable=False) for name in ("source", "source_instance", "source_id")),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("created_at", "updated_at")),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("synced_at", "content_changed_at")),
    )
