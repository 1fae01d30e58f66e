"""Plans by name or hash, what became of their cells, and who approved one."""

from __future__ import annotations

import datetime as dt

import polars as pl
from sqlmodel import col, or_, select

from kammodel.entities import PublishPlan
from kammodel.store.store import Transaction

SHORTEST = 6
"""Letters by which a hash, or an id, may be told."""


def plans_named(tx: Transaction, name: str) -> list[PublishPlan]:
    """The plans with an id or hash that begins like this, or that a run of the scheduler of this name made, the newest
    first; none for fewer than SHORTEST letters."""
    if len(name) < SHORTEST:
        return []
    begins = or_(
        col(PublishPlan.plan_id).startswith(name, autoescape=True),
        col(PublishPlan.hash).startswith(name, autoescape=True),
        col(PublishPlan.made_by) == name,
    )
    query = select(PublishPlan).where(begins).order_by(col(PublishPlan.number).desc())
    return [PublishPlan(**plan.model_dump()) for plan in tx.session.exec(query)]


def newest(tx: Transaction, source: str, instance: str) -> PublishPlan | None:
    """The newest plan of an org."""
    query = select(PublishPlan).where(PublishPlan.source == source, PublishPlan.source_instance == instance)
    found = tx.session.exec(query.order_by(col(PublishPlan.number).desc())).first()
    return None if found is None else PublishPlan(**found.model_dump())


def recent_plans(tx: Transaction, most: int) -> list[PublishPlan]:
    """The newest plans of all CRMs."""
    query = select(PublishPlan).order_by(col(PublishPlan.number).desc()).limit(most)
    return [PublishPlan(**plan.model_dump()) for plan in tx.session.exec(query)]


def last_written(tx: Transaction, source: str, instance: str) -> PublishPlan | None:
    """The newest plan of tiers that was written to its end: what the guard compares with."""
    query = select(PublishPlan).where(
        PublishPlan.source == source,
        PublishPlan.source_instance == instance,
        PublishPlan.kind == "publish",
        col(PublishPlan.applied_at).is_not(None),
    )
    return tx.session.exec(query.order_by(col(PublishPlan.number).desc())).first()


def approve(tx: Transaction, plan_id: str, by: str, at: dt.datetime) -> int:
    """Approves a plan, and what stands in it for review; returns how many cells that sets free."""
    plan = tx.session.get_one(PublishPlan, plan_id)
    plan.approved_by, plan.approved_at = by, at
    sql = (
        "UPDATE planned_cell SET decision='write', reason='approved', outcome=NULL, code=NULL "
        "WHERE plan_id=:plan AND decision='review'"
    )
    freed = tx.run(sql, [{"plan": plan_id}])
    if freed:
        plan.applied_at, plan.cells_held = None, plan.cells_held - freed
    tx.session.add(plan)
    tx.session.flush()
    return freed


def approval_of(tx: Transaction, plan: PublishPlan) -> PublishPlan | None:
    """An earlier plan of the same org that does the very same, and that somebody approved who may be held to it
    still: until that plan expires."""
    query = select(PublishPlan).where(
        PublishPlan.source == plan.source,
        PublishPlan.source_instance == plan.source_instance,
        PublishPlan.hash == plan.hash,
        PublishPlan.number < plan.number,
        col(PublishPlan.approved_at).is_not(None),
        col(PublishPlan.expires_at) >= plan.planned_at,
    )
    found = tx.session.exec(query.order_by(col(PublishPlan.number).desc())).first()
    return None if found is None else PublishPlan(**found.model_dump())


def to_review(tx: Transaction, plan_id: str) -> int:
    """How many cells of a plan a person may set free still: none once a newer plan has looked at the accounts."""
    sql = (
        "SELECT count(*) AS n FROM planned_cell c JOIN publish_plan p USING (plan_id) WHERE plan_id=:plan "
        "AND c.decision='review' AND p.number = (SELECT max(q.number) FROM publish_plan q WHERE q.source=p.source "
        "AND q.source_instance=p.source_instance)"
    )
    return int(tx.frame(sql, {"n": pl.Int64()}, plan=plan_id).item())


def review_by_field(tx: Transaction, plan_id: str) -> dict[str, int]:
    """How many cells of a plan wait for a person's review, by key of the field."""
    sql = "SELECT field, count(*) AS n FROM planned_cell WHERE plan_id=:plan AND decision='review' GROUP BY field"
    found = tx.frame(sql, {"field": pl.String(), "n": pl.Int64()}, plan=plan_id).sort("field")
    return dict(found.iter_rows())


def outcomes(tx: Transaction, plan_id: str) -> dict[str, int]:
    """How many cells of a plan ended how; `pending` are still to be written. With those that were equal, the sum is
    all that the plan looked at."""
    sql = "SELECT coalesce(outcome, 'pending') AS o, count(*) AS n FROM planned_cell WHERE plan_id=:plan GROUP BY 1"
    found = tx.frame(sql, {"o": pl.String(), "n": pl.Int64()}, plan=plan_id).sort("o")
    plan = tx.session.get_one(PublishPlan, plan_id)
    return {**dict(found.iter_rows()), "unchanged": plan.cells_equal}
