"""The rules of a score as text, and how two of them differ: a change of the policy is not one of the customer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from kammodel.scoring import ScoringConfig

_WORDS_ONLY = "language"
"""It changes how a tier is explained, and no tier."""

CHANGED = "rules_changed"
"""Column of earlier snapshots: whether they were made under other rules than now."""


@dataclass(frozen=True)
class RuleChange:
    """One value of the rules: `name` as in the policy file (`weights.volume`), before and now as JSON; null where it
    was not there."""

    name: str
    before: str | None
    now: str | None


def rules_text(config: ScoringConfig) -> str:
    """JSON with sorted keys of all that decides a score beside the data and the day."""
    rules = {
        "policy": config.policy.model_dump(mode="json"),
        "timezone": config.timezone,
        "reporting_currency": config.reporting_currency,
        "system_of_record": config.system_of_record,
        _WORDS_ONLY: config.language,
    }
    return json.dumps(rules, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def rule_changes(before: str, now: str) -> tuple[RuleChange, ...]:
    """The values in which two rules differ, in order of name; the language in which they are told aside."""
    was, then = (dict(_leaves(json.loads(text))) for text in (before, now))
    return tuple(
        RuleChange(name.removeprefix("policy."), was.get(name), then.get(name))
        for name in sorted(was.keys() | then.keys())
        if was.get(name) != then.get(name) and name != _WORDS_ONLY
    )


def with_rule_change(previous: pl.DataFrame, known: Mapping[str, str], config_hash: str, now: str) -> pl.DataFrame:
    """Adds CHANGED to snapshots in force before. `known`: the rules by hash; those of a hash that is not known,
    because nobody kept them, are others if the hash is."""
    others = [
        other
        for other in previous["config_hash"].unique()
        if other != config_hash and (other not in known or rule_changes(known[other], now))
    ]
    return previous.with_columns(pl.col("config_hash").is_in(others).alias(CHANGED))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, json.dumps(value, ensure_ascii=False)
