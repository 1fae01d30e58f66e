"""The tier policy: what sales operations decides, read from TOML with every mistake named."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kammodel.tiering.criteria import KEYS
from kammodel.tiering.policy_faults import UNKNOWN_WEIGHT, invalid

TIERS = ("strategic", "key", "growth", "standard")
"""From the highest to the lowest; codes of the Tier field."""

Percent = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Days = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """Nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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


class Quadrant(Section):
    """The border between low and high on both axes, and how far beyond it a group must go to change sides."""

    border: Percent
    buffer: Annotated[float, Field(ge=0, le=50)]


class Policy(Section):
    """Everything that turns KPIs into tiers. Weights are relative to their sum and may be 0."""

    weights: dict[str, Annotated[float, Field(ge=0)]]
    cut: Cut
    small_population: SmallPopulation
    caps: Caps
    floor: Floor
    provisional: Provisional
    cadence: Cadences
    rfm: Rfm
    quadrant: Quadrant

    @field_validator("weights")
    @classmethod
    def _usable(cls, weights: dict[str, float]) -> dict[str, float]:
        for key in weights:
            if key not in KEYS:
                raise PydanticCustomError(UNKNOWN_WEIGHT, "no criterion {key}", {"key": key, "known": list(KEYS)})
        if sum(weights.values()) <= 0:
            raise ValueError("at least one criterion must weigh more than 0")
        return weights


def load_policy(path: Path | None = None) -> Policy:
    """The default policy, with what the file at `path` says instead; PolicyInvalid names file, line and reason.

    A file says only what differs: a key that it leaves out keeps its default. Lists are replaced whole.
    """
    defaults = tomllib.loads(files(__package__).joinpath("policy.toml").read_text("utf-8"))
    if path is None:
        return Policy.model_validate(defaults)
    try:
        text = path.read_text("utf-8")
        own = tomllib.loads(text)
        return Policy.model_validate(_merged(defaults, own))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as unreadable:
        raise invalid(path, unreadable) from unreadable
    except ValidationError as fault:
        raise invalid(path, fault, text, Policy) from fault


def policy_hash(policy: Policy) -> str:
    """Sixteen hexadecimal digits that stay the same as long as the policy decides the same."""
    text = json.dumps(policy.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _merged(defaults: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    merged = dict(defaults)
    for key, value in own.items():
        default = defaults.get(key)
        both = isinstance(default, dict) and isinstance(value, dict)
        merged[key] = _merged(default, value) if both else value  # type: ignore[arg-type]
    return merged
