"""Explains one account group's tier in full."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from kammodel.entities.types import MONEY_SCALE
from kammodel.errors import KamError
from kammodel.tiering import aggregation, texts
from kammodel.tiering.criteria import ATTAINMENT, CRITERIA, Criterion, Language, Measure
from kammodel.tiering.explained import (
    ChangeExplained,
    CriterionExplained,
    Explanation,
    MeasureExplained,
    NextTier,
    OverrideExplained,
    SinceLastRun,
)
from kammodel.tiering.levers import Change, smallest_change, value_for
from kammodel.tiering.movement import Moved, moved
from kammodel.tiering.policy import Policy, policy_hash
from kammodel.tiering.reason import moves, reason_text
from kammodel.tiering.robustness import tier_confidence
from kammodel.tiering.scorecard import Scores
from kammodel.tiering.tiers import LEVEL

Row = dict[str, Any]


def explain(
    group_id: str,
    scores: Scores,
    kpis: pl.DataFrame,
    groups: pl.DataFrame,
    *,
    language: Language = "en",
    previous: pl.DataFrame | None = None,
) -> Explanation:
    """Explains one group; frames as for `score` and `reason_text`. KamError where there is no such group."""
    row = _row(group_id, scores, kpis, groups, previous)
    own = pl.col("group") == row["group"]
    only = Scores(**{**vars(scores), "frame": scores.frame.filter(own)})
    reason = reason_text(only, kpis.filter(own), groups.filter(own), language, previous)
    apart = moved(group_id, scores, previous)
    criteria = tuple(_criterion(one, row, scores, language, apart.get(one.key)) for one in CRITERIA)
    sure = tier_confidence(scores).filter(own)["tier_confidence"] if row["in_population"] else None
    lever = smallest_change(row["group"], scores, kpis, groups, previous)
    as_stored = {name: row[name] for name in Explanation.model_fields if name in row}
    worded: Row = {
        "as_of": scores.as_of,
        "language": language,
        "policy_hash": policy_hash(scores.policy),
        "population_n": scores.population_n,
        "criteria_unavailable": scores.unavailable,
        "reason": reason["reason"].item(),
        "tier": row["tier_effective"],
        "tier_label": _label("tier", row["tier_effective"], language),
        "tier_rule_label": _label("rule", row["tier_rule"], language),
        "quadrant_label": _label("quadrant", row["quadrant"], language),
        "is_concentrated": bool(row["is_concentrated"]),
        "provisional_why": tuple(code for code in (row["provisional_why"] or "").split(";") if code),
        "override": _override(row),
        "criteria": criteria,
        "inputs_missing": tuple(m.kpi for c in criteria if c.weight for m in c.measures if m.value is None),
        "since_last_run": _since(row, language) if previous is not None else None,
        "next_tier": _next_tier(row, scores, lever, language),
        "warnings": tuple(_warnings(row, scores.as_of, scores.policy, language)),
        "tier_confidence": None if sure is None else sure.item(),
        "peer_group": row["peer"],
    }
    return Explanation(**{**as_stored, **worded})


def _row(group_id: str, scores: Scores, kpis: pl.DataFrame, groups: pl.DataFrame, previous: pl.DataFrame | None) -> Row:
    """All that is known of the group; what was before it under `before_*`."""
    frame = scores.frame.filter(pl.col("group_id") == group_id)
    if frame.is_empty():
        raise KamError(f"no account group {group_id!r}; its id is that of its ultimate parent account")
    weights, mean = scores.weights, scores.policy.aggregation.mean
    measures = scores.measures.select("group", "peer", pl.selectors.starts_with("p_"), ATTAINMENT)
    before = pl.DataFrame(schema={"group_id": pl.String, "before_criteria": pl.String})
    if previous is not None:
        before = previous.filter(pl.col("group_id") == group_id).select(
            "group_id", pl.exclude("group_id").name.prefix("before_")
        )
    return (
        frame.join(groups.drop("group_id"), on="group", how="left")
        .join(kpis.drop([n for n in kpis.columns if n in groups.columns and n != "group"]), on="group", how="left")
        .join(measures, on="group", how="left")
        .join(before, on="group_id", how="left")
        .with_columns(aggregation.above_middle(key, weights, mean).round(1).alias(f"a_{key}") for key in weights)
        .with_columns(moves(pl.col("before_criteria").cast(pl.String), weights))
        .row(0, named=True)
    )


def _criterion(
    criterion: Criterion, row: Row, scores: Scores, language: Language, apart: Moved | None
) -> CriterionExplained:
    key = criterion.key
    return CriterionExplained(
        key=key,
        label=criterion.label(language),
        axis=criterion.axis,
        weight=scores.policy.weights.get(key, 0.0),
        value=row[f"s_{key}"],
        contribution=row[f"c_{key}"],
        above_middle=row.get(f"a_{key}"),
        change=row.get(f"d_{key}"),
        own_change=apart and apart.own,
        peers_change=apart and apart.peers,
        rest_change=apart and apart.rest,
        measures=tuple(_measure(measure, row, language) for measure in criterion.measures),
    )


def _measure(measure: Measure, row: Row, language: Language) -> MeasureExplained:
    value, percentile = row.get(measure.kpi), row[f"p_{measure.kpi}"]
    if value is not None and measure.unit == "money":
        value /= MONEY_SCALE
    return MeasureExplained(
        kpi=measure.kpi,
        label=measure.label(language),
        unit=measure.unit,
        value=value,
        percentile=None if percentile is None else round(percentile, 2),
        less_is_better=measure.less_is_better,
        why=_why(measure.kpi, row, language) if value is None else None,
    )


def _why(kpi: str, row: Row, language: Language) -> str | None:
    """The KPI's own reason code in words where we have them; unknown codes stand as they are."""
    code = row.get(f"{kpi}__why")
    if kpi == "strategic_value":
        code = "not_rated"
    elif kpi == ATTAINMENT:
        code = row.get("touches_90d__why") or row.get("meetings_90d__why") or "no_cadence"
    elif kpi not in row:
        code = "not_computed"
    return _label("why", code, language) or code


def _label(name: str, code: str | None, language: Language) -> str | None:
    return None if code is None else texts.section(name, language).get(code)


def _override(row: Row) -> OverrideExplained | None:
    if row["override"] is None:
        return None
    return OverrideExplained(
        tier=row["tier_override"],
        reason=row.get("tier_override_reason"),
        until=row["tier_override_until"],
        since=row["override_since"],
        ends_on=row["override_ends_on"],
        state=row["override"],
    )


def _since(row: Row, language: Language) -> SinceLastRun:
    tier, before, now = row.get("before_tier_effective"), row.get("before_score"), row["score"]
    both = before is not None and now is not None
    return SinceLastRun(
        tier=tier,
        tier_label=_label("tier", tier, language),
        score=before,
        score_change=round(now - before, 1) if both else None,
        rules_changed=bool(row.get("before_rules_changed")),
    )


def _next_tier(row: Row, scores: Scores, lever: Change | None, language: Language) -> NextTier | None:
    tier, missing = row["next_tier"], row["points_missing"]
    if tier is None:
        return None
    known = scores.standing_borders if row["stands"] else scores.borders
    border = next(border for border in known if border.tier == tier)
    is_revenue = lever is not None and lever.measure.kpi == "revenue_ttm"
    revenue = lever.after if lever and is_revenue else value_for("revenue_ttm", row["group"], scores)
    return NextTier(
        tier=tier,
        label=texts.section("tier", language)[tier],
        points_missing=missing,
        score_needed=border.score,
        is_full=border.is_full,
        revenue_needed=None if revenue is None else revenue / MONEY_SCALE,
        change=None if lever is None else _change(lever, language),
    )


def _change(lever: Change, language: Language) -> ChangeExplained:
    scale = MONEY_SCALE if lever.measure.unit == "money" else 1
    return ChangeExplained(
        kpi=lever.measure.kpi,
        label=lever.measure.label(language),
        unit=lever.measure.unit,
        before=lever.before / scale,
        after=lever.after / scale,
        reaches=lever.reaches,
        waits=lever.waits,
        held_by=lever.held_by,
        held_by_label=_label("rule", lever.held_by, language),
    )


def _warnings(row: Row, as_of: dt.date, policy: Policy, language: Language) -> list[str]:
    """kam.md §3d step 10: an override that lies two tiers off, or ends within 30 days."""
    words, found, rule = texts.section("warning", language), [], policy.override
    if row["override"] == "valid":
        computed, until = row["tier_computed"], row["override_ends_on"]
        levels = abs(LEVEL[row["tier_override"]] - LEVEL[computed]) if computed else 0
        if levels >= rule.warn_tiers:
            found.append(words["far"].format(levels=levels))
        if until and (until - as_of).days <= rule.warn_days:
            found.append(words["expiring"].format(days=(until - as_of).days))
    if row["near_quadrant_border"]:
        found.append(words["near_border"])
    return found
