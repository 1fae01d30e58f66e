"""The tier policy: what sales operations decides, read from TOML with every mistake named."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from kammodel.tiering.criteria import CRITERIA, KEYS, Criterion
from kammodel.tiering.policy_faults import UNKNOWN_CRITERION, invalid
from kammodel.tiering.sections import (
    TIERS,
    Abc,
    Aggregation,
    Cadence,
    Cadences,
    Capacity,
    Caps,
    Cut,
    Fixed,
    Floor,
    Override,
    Provisional,
    Quadrant,
    Rfm,
    Robustness,
    Scaling,
    Section,
    SmallPopulation,
    Stability,
)

__all__ = ["TIERS", "Cadence", "Policy", "load_policy", "policy_hash"]


class Policy(Section):
    """Everything that turns KPIs into tiers. Weights are relative to their sum and may be 0."""

    weights: dict[str, Annotated[float, Field(ge=0)]]
    scaling: Scaling
    aggregation: Aggregation
    cut: Cut
    small_population: SmallPopulation
    fixed: Fixed
    caps: Caps
    floor: Floor
    provisional: Provisional
    stability: Stability
    capacity: Capacity
    override: Override
    cadence: Cadences
    rfm: Rfm
    abc: Abc
    quadrant: Quadrant
    robustness: Robustness

    @field_validator("weights")
    @classmethod
    def _usable(cls, weights: dict[str, float]) -> dict[str, float]:
        _known("weights", weights)
        if sum(weights.values()) <= 0:
            raise ValueError("at least one criterion must weigh more than 0")
        return weights

    @field_validator("scaling")
    @classmethod
    def _anchored(cls, scaling: Scaling) -> Scaling:
        _known("scaling.by_criterion", scaling.by_criterion)
        for criterion in CRITERIA:
            if scaling.method_of(criterion.key) == "thresholds":
                _check_anchors(criterion, scaling)
        return scaling

    @model_validator(mode="after")
    def _seated(self) -> Self:
        for tier in ("strategic", "key"):
            count, cap = getattr(self.fixed, tier), getattr(self.caps, tier)
            if count is not None and count > cap:
                raise ValueError(f"fixed.{tier} ({count}) must not lie above caps.{tier} ({cap})")
        return self


def _known(place: str, by_criterion: Mapping[str, object]) -> None:
    for key in by_criterion:
        if key not in KEYS:
            context = {"key": key, "known": list(KEYS), "place": place}
            raise PydanticCustomError(UNKNOWN_CRITERION, "no criterion {key}", context)


def _check_anchors(criterion: Criterion, scaling: Scaling) -> None:
    for measure in criterion.measures:
        if measure.points_per_unit is not None:
            continue
        pairs = scaling.thresholds.get(measure.kpi)
        if pairs is None:
            raise ValueError(f"{criterion.key} is scaled by thresholds: add thresholds.{measure.kpi}")
        if (pairs[-1][1] < pairs[0][1]) != measure.less_is_better:
            way = "fall" if measure.less_is_better else "rise"
            raise ValueError(f"thresholds.{measure.kpi}: points must {way} as the value rises")


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
