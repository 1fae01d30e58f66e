"""Account plans, from a CRM and from files: whether one is in force, how far its objectives are, what is to be done."""

from __future__ import annotations

import polars as pl

from kammodel.entities import KEY, AccountPlan, PlanMeasure, PlanObjective, Sourced
from kammodel.facts.frames import ORG, FactFrame, Sources
from kammodel.facts.team import in_group
from kammodel.given.words import is_one_of, words_of
from kammodel.identity import reference_key

FILE = "file"
"""Source of a plan that stands in plans.csv."""

_PLAN = ["plan_source", "plan_id"]


def plans(sources: Sources) -> pl.DataFrame:
    """group, plan_source, plan_id, starts_on, ends_on, `is_in_force`: its status is none of those of words.csv that
    say it is not (a draft, cancelled), and it covers the as-of day."""
    words, moment = words_of("not_in_force", sources.file("words")), sources.moment
    known = sources.of(AccountPlan).filter(moment.existed())
    of_crm = sources.counted(known).select(
        "group", "status", "starts_on", "ends_on", plan_source="source", plan_id=reference_key(pl.col("source_id"))
    )
    rows = in_group(sources, "plans")
    parts = [of_crm]
    if rows is not None:
        parts.append(
            rows.select("group", "status", "starts_on", "ends_on", plan_source=pl.lit(FILE), plan_id="plan_id")
        )
    covers = (pl.col("starts_on") <= moment.day) & (pl.col("ends_on") >= moment.day)
    allowed = ~is_one_of(pl.col("status"), words)
    told = pl.concat(parts).with_columns(is_in_force=(covers & allowed).fill_null(value=False))
    return told.select("group", *_PLAN, "starts_on", "ends_on", "is_in_force").sort("group", *_PLAN)


def _plans(sources: Sources) -> pl.DataFrame:
    """As `plans`; where plans.csv is there, it is known of every group whether it has one: a row without a plan."""
    told = sources.once(plans).select("group", "is_in_force")
    if sources.file("plans") is None:
        return told
    every = sources.grouping.groups.select("group", is_in_force=pl.lit(value=False))
    return pl.concat([told, every])


def _objectives(sources: Sources) -> pl.DataFrame:
    """Objectives of plans in force, those cancelled left out: group, `unit`, baseline (0 unless given), target,
    current, `is_numeric` (has a target), `path` (0..1: the share of its time that is over), each with a number on a
    row of its own. Quantities are as they are known today; a reading of readings.csv counts on its own day.

    `starts_on`, `due_on`: its own, else its plan's.
    """
    day = sources.moment.day
    rows = pl.concat([_crm_objectives(sources), _file_objectives(sources)])
    owned = sources.once(plans).filter("is_in_force").rename({"starts_on": "plan_starts_on", "ends_on": "plan_ends_on"})
    told = rows.join(owned, on=_PLAN).filter(~_is_cancelled(sources))
    starts, due = pl.coalesce("starts_on", "plan_starts_on"), pl.coalesce("due_on", "plan_ends_on")
    whole = (due - starts).dt.total_days() + 1
    over = (pl.lit(day) - starts).dt.total_days() + 1
    return told.select(
        "group",
        "unit",
        pl.col("baseline").fill_null(0.0),
        "target",
        "current",
        is_numeric=pl.col("target").is_not_null(),
        path=(over / whole).clip(0, 1),
    )


def _attainments(sources: Sources) -> pl.DataFrame:
    """group, unit, ratio: the sum of what was reached by the sum of what is to be, over the numeric objectives of one
    unit whose present value is known. Euros and meetings do not add up."""
    known = sources.frame("objectives").filter(pl.col("is_numeric") & pl.col("current").is_not_null())
    sums = known.group_by("group", "unit").agg(pl.col("current", "target").sum()).filter(pl.col("target") != 0)
    return sums.select("group", "unit", ratio=pl.col("current") / pl.col("target")).sort("group", "unit")


def _is_cancelled(sources: Sources) -> pl.Expr:
    return is_one_of(pl.col("status"), words_of("not_in_force", sources.file("words")))


_OBJECTIVE = {
    "plan_source": pl.String,
    "plan_id": pl.String,
    "status": pl.String,
    "unit": pl.String,
    "baseline": pl.Float64,
    "target": pl.Float64,
    "current": pl.Float64,
    "starts_on": pl.Date,
    "due_on": pl.Date,
}


def _crm_objectives(sources: Sources) -> pl.DataFrame:
    """Each measure of an objective counts as one; an objective without any is one of quality."""
    existed = sources.moment.existed()
    measures = sources.of(PlanMeasure).filter(existed)
    unit = pl.when(pl.col("unit") == "money").then(pl.col("currency").fill_null("money")).otherwise("unit")
    measures = measures.select(*ORG, "objective_id", told_unit=unit, target="target_value", current="current_value")
    known = sources.of(PlanObjective).filter(existed)
    joined = known.join(measures, left_on=[*ORG, "source_id"], right_on=[*ORG, "objective_id"], how="left")
    return joined.select(
        plan_source="source",
        plan_id=reference_key(pl.col("plan_id")),
        status="status",
        unit="told_unit",
        baseline=pl.lit(None, pl.Float64),
        target="target",
        current="current",
        starts_on="starts_on",
        due_on="ends_on",
    )


def _file_objectives(sources: Sources) -> pl.DataFrame:
    rows = sources.file("objectives")
    if rows is None:
        return pl.DataFrame(schema=_OBJECTIVE)
    readings = sources.file("readings")
    latest = pl.DataFrame(schema={"objective_id": pl.String, "read": pl.Float64})
    if readings is not None:
        until = readings.filter(pl.col("measured_on") <= sources.moment.day).sort("measured_on")
        latest = until.group_by("objective_id").agg(read=pl.col("value").last())
    told = _of_plan(sources, rows).join(latest, on="objective_id", how="left")
    return told.with_columns(current=pl.coalesce("read", "current")).select(*_OBJECTIVE)


def _of_plan(sources: Sources, rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `plan_source` of the plan that rows of a file name: one of plans.csv, else one of a CRM."""
    known = sources.once(plans).select(*_PLAN).unique()
    order = known.sort(pl.col("plan_source") != FILE, "plan_source").unique(
        "plan_id", keep="first", maintain_order=True
    )
    return rows.with_columns(plan_id=reference_key(pl.col("plan_id"))).join(order, on="plan_id", how="inner")


def _actions(sources: Sources) -> pl.DataFrame:
    """Actions of plans in force by actions.csv, those cancelled left out: group, due_on, `is_done` (by the as-of day),
    function."""
    rows, objectives = sources.file("actions"), sources.file("objectives")
    if rows is None:
        return pl.DataFrame(
            schema={"group": pl.UInt32, "due_on": pl.Date, "is_done": pl.Boolean, "function": pl.String}
        )
    if objectives is not None:
        by_objective = objectives.select("objective_id", of_objective="plan_id")
        rows = rows.join(by_objective, on="objective_id", how="left")
        rows = rows.with_columns(plan_id=pl.coalesce("plan_id", "of_objective"))
    owned = sources.once(plans).filter("is_in_force").select("group", *_PLAN)
    told = _of_plan(sources, rows).join(owned, on=_PLAN).filter(pl.col("status").ne_missing(pl.lit("cancelled")))
    done = pl.col("done_on") <= sources.moment.day
    return told.select("group", "due_on", "function", is_done=done.fill_null(value=False))


_ENTITIES: dict[type[Sourced], tuple[str, ...]] = {
    AccountPlan: (*KEY, "created_at", "deleted", "account_id", "status", "starts_on", "ends_on"),
    PlanObjective: (*KEY, "created_at", "deleted", "plan_id", "status", "starts_on", "ends_on"),
    PlanMeasure: (*KEY, "created_at", "deleted", "objective_id", "unit", "target_value", "current_value", "currency"),
}

PLANS = FactFrame("plans", reads=(), entities=_ENTITIES, build=_plans)
OBJECTIVES = FactFrame("objectives", reads=(), entities=_ENTITIES, build=_objectives)
ACTIONS = FactFrame("actions", reads=(), entities=_ENTITIES, build=_actions)
ATTAINMENTS = FactFrame("attainments", reads=(), entities=_ENTITIES, build=_attainments)
