"""What `explain` hands to the terminal and to programs: one group's tier with everything that made it."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict

from kammodel.tiering.criteria import Axis, Language, Unit


class Part(BaseModel):
    """Written once, by `explain`."""

    model_config = ConfigDict(frozen=True)


class MeasureExplained(Part):
    """A measure as known on the day: plain units (money in the reporting currency); `why` where it is null."""

    kpi: str
    label: str
    unit: Unit
    value: float | None
    percentile: float | None
    less_is_better: bool
    why: str | None


class CriterionExplained(Part):
    """`weight` as in the policy; `contribution` in points of the score, `above_middle` against its peers."""

    key: str
    label: str
    axis: Axis
    weight: float
    value: float | None
    contribution: float | None
    above_middle: float | None
    change: float | None
    measures: tuple[MeasureExplained, ...]


class OverrideExplained(Part):
    """A tier typed by a person. `tier` and `reason` are text from the CRM: escape them at the exit."""

    tier: str
    reason: str | None
    until: dt.date | None
    state: Literal["valid", "expired", "unknown"]


class NextTier(Part):
    """The way up, peers unchanged. Null points: no score reaches it. `revenue_needed`: that alone would do, about."""

    tier: str
    label: str
    points_missing: float | None
    score_needed: float | None
    is_full: bool
    revenue_needed: float | None


class SinceLastRun(Part):
    """What was in force before this run."""

    tier: str | None
    tier_label: str | None
    score: float | None
    score_change: float | None


class Explanation(Part):
    """Everything that made a tier. `name` and the override's texts come from a CRM: escape them at the exit."""

    group_id: str
    name: str | None
    as_of: dt.date
    language: Language
    policy_hash: str
    reason: str
    in_population: bool
    out_reason: str | None
    tier: str | None
    tier_label: str | None
    tier_rule: str | None
    tier_rule_label: str | None
    tier_computed: str | None
    score: float | None
    score_percentile: float | None
    population_n: int
    coverage: float | None
    provisional: bool
    provisional_why: tuple[str, ...]
    is_concentrated: bool
    quadrant: str | None
    quadrant_label: str | None
    attractiveness: float | None
    strength: float | None
    rfm: str | None
    override: OverrideExplained | None
    criteria: tuple[CriterionExplained, ...]
    inputs_missing: tuple[str, ...]
    """KPIs that this group lacks."""
    criteria_unavailable: tuple[str, ...]
    """Criteria that no group of the organisation has input for; they weigh nothing."""
    since_last_run: SinceLastRun | None
    next_tier: NextTier | None
    warnings: tuple[str, ...]
