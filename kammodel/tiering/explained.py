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
    """`weight` as in the policy; `contribution` in points of the score, `above_middle` against its peers. `change`
    since the last run = `own_change` (its own figures, peers held where they were) + `peers_change` + `rest_change`
    (criteria that began or ceased to count); these are null where they cannot be told apart."""

    key: str
    label: str
    axis: Axis
    weight: float
    value: float | None
    contribution: float | None
    above_middle: float | None
    change: float | None
    own_change: float | None
    peers_change: float | None
    rest_change: float | None
    measures: tuple[MeasureExplained, ...]


class OverrideExplained(Part):
    """A tier typed by a person. `tier` and `reason` are text from the CRM: escape them at the exit. `until`: as typed;
    `ends_on`: that day, else so long after `since`, when it was first seen, as the policy lets it hold."""

    tier: str
    reason: str | None
    until: dt.date | None
    since: dt.date | None
    ends_on: dt.date | None
    state: Literal["valid", "expired", "unknown"]


class ChangeExplained(Part):
    """The smallest single change that takes it to the next tier, tried by scoring everybody with it. `before`, `after`:
    plain units. `reaches`: it does; else `held_by` is what keeps it out, and `waits` whether time alone lets it in."""

    kpi: str
    label: str
    unit: Unit
    before: float
    after: float
    reaches: bool
    waits: bool
    held_by: str | None
    held_by_label: str | None


class NextTier(Part):
    """The way up, peers unchanged. Null points: no score reaches it, or it is there and waits. `revenue_needed`: that
    alone would give the points. `change`: null where no single figure would, or nobody can change one."""

    tier: str
    label: str
    points_missing: float | None
    score_needed: float | None
    is_full: bool
    revenue_needed: float | None
    change: ChangeExplained | None


class RuleChanged(Part):
    """A value of the rules, by its name in the policy file, before and now as JSON; null where it was not there."""

    name: str
    before: str | None
    now: str | None


class SinceLastRun(Part):
    """What was in force before this run. `rules_changed`: it was made under other rules, so that what moved says
    nothing of the customer; `rule_changes`: which, where that is known."""

    tier: str | None
    tier_label: str | None
    score: float | None
    score_change: float | None
    rules_changed: bool = False
    rule_changes: tuple[RuleChanged, ...] = ()


class RollupExplained(Part):
    """A rollup of rollups.toml, of the group or of one of its accounts (`account`: source, instance and id; null: the
    group). Plain units; `value` may be a text from a CRM: escape it at the exit. `why`: the code where it is null."""

    name: str
    label: str
    unit: str
    account: str | None
    value: float | int | str | None
    why: str | None


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
    tier_by_cut: str | None
    """The tier by today's cut, before what stands, caps and floor."""
    tier_since: dt.date | None
    """Since when the tier stands that the score gave; null: longer than is known."""
    tier_confidence: float | None
    """0..1: how often it is the same under other weights."""
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
    abc: str | None
    peer_group: str | None
    """Whom its measures are ranked among; null: all."""
    override: OverrideExplained | None
    criteria: tuple[CriterionExplained, ...]
    inputs_missing: tuple[str, ...]
    """KPIs that this group lacks."""
    criteria_unavailable: tuple[str, ...]
    """Criteria that no group of the organisation has input for; they weigh nothing."""
    since_last_run: SinceLastRun | None
    next_tier: NextTier | None
    warnings: tuple[str, ...]
    reconstructed: tuple[str, ...] = ()
    """KPIs that rows entered of which nobody knows what they were on the day."""
    rollups: tuple[RollupExplained, ...] = ()
