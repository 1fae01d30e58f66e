"""The sections of a tier policy, each with what it may hold."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

TIERS = ("strategic", "key", "growth", "standard")
"""From the highest to the lowest; codes of the Tier field."""

Percent = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(gt=0)]
Hours = Annotated[float, Field(ge=0, le=744)]
Method = Literal["percentile", "thresholds", "log_minmax"]
PeerGroup = Literal["all", "industry", "country", "size"]
Mean = Literal["arithmetic", "geometric"]


class Section(BaseModel):
    """Nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Scaling(Section):
    """How measures become 0..100, and among whom. `thresholds`: by measure, pairs of a value and its points."""

    method: Method
    by_criterion: dict[str, Method]
    peer_group: PeerGroup
    peers_from: Count
    size_classes: list[Days]
    winsorized: Annotated[float, Field(ge=0, lt=50)]
    ratio_prior: Count
    thresholds: dict[str, list[Annotated[list[float], Field(min_length=2, max_length=2)]]]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if any(after <= before for before, after in pairwise(self.size_classes)):
            raise ValueError("size_classes must ascend")
        for measure, pairs in self.thresholds.items():
            values, points = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            if len(pairs) < 2 or any(after <= before for before, after in pairwise(values)):
                raise ValueError(f"thresholds.{measure}: two pairs [value, points] or more, with ascending values")
            if any(not 0 <= point <= 100 for point in points) or points not in (sorted(points), sorted(points)[::-1]):
                raise ValueError(f"thresholds.{measure}: points lie in 0..100 and go one way, up or down")
        return self

    def method_of(self, criterion: str) -> Method:
        return self.by_criterion.get(criterion, self.method)


class Aggregation(Section):
    """Which mean of the criteria the score is: a geometric one lets no strength buy off a weakness."""

    mean: Mean


class Cut(Section):
    """Where each tier begins, from the highest down; the lowest tier takes the rest."""

    strategic: Percent
    key: Percent
    growth: Percent

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for upper, lower in pairwise(TIERS[:-1]):
            if getattr(self, upper) <= getattr(self, lower):
                raise ValueError(
                    f"{upper} ({getattr(self, upper):g}) must lie above {lower} ({getattr(self, lower):g})"
                )
        return self


class SmallPopulation(Cut):
    """Score thresholds, for populations of fewer than `below` groups."""

    below: Count


class Fixed(Section):
    """So many groups in each tier, in place of the percentiles of Cut; all three, or none."""

    strategic: Count | None = None
    key: Count | None = None
    growth: Count | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [getattr(self, tier) is not None for tier in TIERS[:-1]]
        if any(given) and not all(given):
            raise ValueError("give strategic, key and growth, or none of them")
        return self

    @property
    def counts(self) -> tuple[int, int, int] | None:
        """Groups in Strategic, Key and Growth; None where percentiles decide."""
        if self.strategic is None or self.key is None or self.growth is None:
            return None
        return self.strategic, self.key, self.growth


class Caps(Section):
    """Most groups in a tier."""

    strategic: Count
    key: Count


class Floor(Section):
    """From this share of all revenue, 0..1, a group is at least Key."""

    revenue_share: Annotated[float, Field(gt=0, le=1)]


class Provisional(Section):
    """What a group needs in order not to be provisional: share of weight with input, purchases, days."""

    coverage: Share
    purchases: Count
    days_since_first_purchase: Count


class Stability(Section):
    """How often tiers move, how far beyond the border a group must lie, and in how many monthly scores in a row."""

    retier: Literal["quarter", "month", "always"]
    buffer: Annotated[float, Field(ge=0, le=50)]
    confirmations: Annotated[int, Field(ge=1, le=12)]


class TierHours(Section):
    """Hours that a group of the tier takes in a month."""

    strategic: Hours
    key: Hours
    growth: Hours
    standard: Hours

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for upper, lower in pairwise(TIERS):
            if getattr(self, upper) < getattr(self, lower):
                raise ValueError(f"{upper} must not ask for fewer hours than {lower}")
        return self


class Capacity(Section):
    """Whose hours limit the tiers: those of each key account manager, of all together, or nobody's."""

    limit: Literal["none", "kam", "all"]
    hours_per_kam: Annotated[float, Field(gt=0, le=744)]
    kams: Count | None = None
    protected_months: Count
    hours: TierHours


class Override(Section):
    """How long a tier set by hand holds without a date of its own, and when to warn of one."""

    months: Days
    warn_days: Count
    warn_tiers: Annotated[int, Field(ge=1, le=3)]


class Cadence(Section):
    """One meeting, and one touch of any kind, every so many days; null asks for none."""

    meeting_every_days: Days | None = None
    touch_every_days: Days | None = None


class Cadences(Section):
    """The cadence of each tier."""

    strategic: Cadence = Cadence()
    key: Cadence = Cadence()
    growth: Cadence = Cadence()
    standard: Cadence = Cadence()


class Rfm(Section):
    """Bins by number of groups, and the day limits of recency where groups are too few for bins."""

    bins: Annotated[int, Field(ge=2, le=9)]
    small_bins: Annotated[int, Field(ge=2, le=9)]
    bins_from: Count
    small_bins_from: Count
    recency_days: Annotated[list[Days], Field(min_length=1, max_length=8)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.small_bins_from > self.bins_from:
            raise ValueError("small_bins_from must not lie above bins_from")
        if any(after <= before for before, after in pairwise(self.recency_days)):
            raise ValueError("recency_days must ascend")
        return self


class Abc(Section):
    """Class A up to the percent `a` of all revenue, B up to `b`, the rest C."""

    a: Percent
    b: Percent

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.b < self.a:
            raise ValueError(f"b ({self.b:g}) must not lie below a ({self.a:g})")
        return self


class Quadrant(Section):
    """The border between low and high on both axes, and how far beyond it a group must go to change sides."""

    border: Percent
    buffer: Annotated[float, Field(ge=0, le=50)]


class Robustness(Section):
    """How often, and by what share, the weights are shaken to see whether a tier holds; `seed` fixes the draws."""

    draws: Annotated[int, Field(ge=1, le=2000)]
    jitter: Annotated[float, Field(gt=0, lt=1)]
    seed: int
