"""The first schema: entities, control tables, snapshots, plans and ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("domain", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=True),
        sa.Column("industry", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("annual_revenue", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("merged_into_id", sa.String(), nullable=True),
        sa.Column("cross_reference", sa.String(), nullable=True),
        sa.Column("strategic_value", sa.Float(), nullable=True),
        sa.Column("tier_override", sa.String(), nullable=True),
        sa.Column("tier_override_reason", sa.String(), nullable=True),
        sa.Column("tier_override_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_table(
        "account_to_compare",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_table(
        "activity",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("direction", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("is_calendar", sa.Boolean(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("account_ids", sa.String(), nullable=True),
        sa.Column("opportunity_id", sa.String(), nullable=True),
        sa.Column("person_ids", sa.String(), nullable=True),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_table(
        "bookmark",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("columns", sa.String(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("read_until", sa.BigInteger(), nullable=True),
        sa.Column("slice_since", sa.BigInteger(), nullable=True),
        sa.Column("slice_until", sa.BigInteger(), nullable=True),
        sa.Column("resume_point", sa.String(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", "stream"),
    )
    op.create_table(
        "crm_user",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_table(
        "exchange_rate",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("home_currency", sa.String(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("numerator", sa.BigInteger(), nullable=True),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_table(
        "opportunity",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("pipeline_id", sa.String(), nullable=True),
        sa.Column("stage_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("is_omitted", sa.Boolean(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("close_on", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.String(), nullable=True),
        sa.Column("loss_reason", sa.String(), nullable=True),
        sa.Column("merged_into_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_index(op.f("ix_opportunity_account_id"), "opportunity", ["account_id"], unique=False)
    op.create_table(
        "opportunity_stage_event",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("opportunity_id", sa.String(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("stage_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("close_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_index(
        op.f("ix_opportunity_stage_event_opportunity_id"), "opportunity_stage_event", ["opportunity_id"], unique=False
    )
    op.create_table(
        "pipeline_stage",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("content_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("pipeline_id", sa.String(), nullable=True),
        sa.Column("pipeline_name", sa.String(), nullable=True),
        sa.Column("stage_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id"),
    )
    op.create_table(
        "planned_cell",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", "source_id", "field"),
    )
    op.create_table(
        "publish_plan",
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("cells_equal", sa.Integer(), nullable=False),
        sa.Column("cells_held", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id"),
    )
    op.create_table(
        "rejected_record",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("rejected_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "source_instance", "stream", "entity", "source_id"),
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "score_snapshot",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("config_hash", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("inputs_fingerprint", sa.String(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("coverage", sa.Float(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("in_population", sa.Boolean(), nullable=False),
        sa.Column("tier_computed", sa.String(), nullable=True),
        sa.Column("tier_effective", sa.String(), nullable=True),
        sa.Column("quadrant", sa.String(), nullable=True),
        sa.Column("rfm", sa.String(), nullable=True),
        sa.Column("kpis", sa.String(), nullable=False),
        sa.Column("criteria", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id"),
    )
    op.create_index(op.f("ix_score_snapshot_group_id"), "score_snapshot", ["group_id"], unique=False)
    op.create_index(op.f("ix_score_snapshot_run_id"), "score_snapshot", ["run_id"], unique=False)
    op.create_table(
        "written_cell",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_instance", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_instance", "source_id", "field"),
    )


def downgrade() -> None:
    op.drop_table("written_cell")
    op.drop_index(op.f("ix_score_snapshot_run_id"), table_name="score_snapshot")
    op.drop_index(op.f("ix_score_snapshot_group_id"), table_name="score_snapshot")
    op.drop_table("score_snapshot")
    op.drop_table("run")
    op.drop_table("rejected_record")
    op.drop_table("publish_plan")
    op.drop_table("planned_cell")
    op.drop_table("pipeline_stage")
    op.drop_index(op.f("ix_opportunity_stage_event_opportunity_id"), table_name="opportunity_stage_event")
    op.drop_table("opportunity_stage_event")
    op.drop_index(op.f("ix_opportunity_account_id"), table_name="opportunity")
    op.drop_table("opportunity")
    op.drop_table("exchange_rate")
    op.drop_table("crm_user")
    op.drop_table("bookmark")
    op.drop_table("activity")
    op.drop_table("account_to_compare")
    op.drop_table("account")
