"""Scores every account group as of a day: from the store's frames to snapshots and to the values we publish."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from kammodel.digest import digest
from kammodel.facts.cut import cut
from kammodel.finding import find_group
from kammodel.inputs import Inputs, read_inputs
from kammodel.known import Known, ScoringConfig, known_at_once, known_facts
from kammodel.publish.fields import CustomField
from kammodel.published import published
from kammodel.rollups.computing import Rolled
from kammodel.rollups.explaining import explained
from kammodel.rollups.fields import field_values
from kammodel.rollups.texts import rollups_json
from kammodel.sharded import known_by_shards
from kammodel.sharding import shards_needed, stamps_known
from kammodel.snapshot import kpis_json, reasons_json
from kammodel.store.snapshots import SNAPSHOT
from kammodel.tiering import Explanation, Scores, criteria_json, explain, policy_hash, reason_text, score

__all__ = [
    "Inputs",
    "Known",
    "ScoredDay",
    "ScoringConfig",
    "config_hash",
    "day_fingerprint",
    "end_of_day",
    "explain_group",
    "find_group",
    "known_facts",
    "known_kpis",
    "read_inputs",
    "score_day",
    "score_known",
    "snapshot_frame",
    "wanted_values",
]


@dataclass(frozen=True)
class ScoredDay:
    """One day scored, group by group.

    `kpis`, `groups`, `reasons`: one row per group in order of `group` (see kpis.compute, identity, tiering).
    `portfolio`: one row of KPIs, see `Known`; None where it was not asked for.
    `members`: the live accounts; `accounts`: every id that stands for one; `matches`: those of two CRMs that are, or
    may be, one company. `previous`: what was in force before the day. `counts`: what was left out or could not be
    known, by name; `unknown_accounts`: by file, the accounts it names that nobody knows. `rolled`: the rollups of
    rollups.toml.
    """

    config: ScoringConfig
    kpis: pl.DataFrame
    portfolio: pl.DataFrame | None
    groups: pl.DataFrame
    members: pl.DataFrame
    accounts: pl.DataFrame
    matches: pl.DataFrame
    scores: Scores
    reasons: pl.DataFrame
    previous: pl.DataFrame | None
    counts: Mapping[str, int]
    unknown_accounts: Mapping[str, Sequence[str]]
    reconstructed: pl.DataFrame
    inputs_fingerprint: str
    rolled: Rolled = field(default_factory=Rolled)


def known_kpis(inputs: Inputs, config: ScoringConfig, previous: pl.DataFrame | None = None) -> Known:
    """Every KPI of every group as of the end of a day.

    Accounts, their hierarchy and the facts are those known at the cut. `previous`: the snapshots in force before, for
    what depends on the tier of a group. With more than `config.shard_rows` rows, shard by shard: to the same figures.
    """
    moment = cut(config.as_of, config.timezone, inputs.synced_at)
    shards = shards_needed(inputs, config.shard_rows)
    if shards > 1:
        return known_by_shards(inputs, config, moment, shards, previous)
    return known_at_once(inputs, config, moment, previous)


def end_of_day(config: ScoringConfig) -> dt.datetime:
    """The latest instant that can be the cut of the as-of day."""
    return cut(config.as_of, config.timezone, None).at


def day_fingerprint(inputs: Inputs, config: ScoringConfig) -> str:
    """The `inputs_fingerprint` that the day will have, without computing it."""
    moment = cut(config.as_of, config.timezone, inputs.synced_at)
    if inputs.copies is None:
        return inputs.as_known(moment).fingerprint(moment.at)
    return inputs.small().as_known(moment).fingerprint(moment.at, stamps_known(inputs, moment))


def score_day(
    inputs: Inputs, config: ScoringConfig, previous: pl.DataFrame | None = None, *, with_portfolio: bool = False
) -> ScoredDay:
    """Scores all account groups as of the end of a day. No clock: the same inputs give the same bytes.

    `previous`: the snapshots in force *before* the as-of day (`latest_snapshots(until=as_of - 1 day)`); rows of
    the day itself or later are ignored, so that a second run of a day compares with the same tiers as the first.
    """
    return score_known(
        known_kpis(inputs, config, before_day(previous, config)), config, previous, with_portfolio=with_portfolio
    )


def score_known(
    known: Known, config: ScoringConfig, previous: pl.DataFrame | None = None, *, with_portfolio: bool = False
) -> ScoredDay:
    """As `score_day`, of KPIs that are known."""
    before = before_day(previous, config)
    groups = known.grouping.groups
    scores = score(known.kpis, groups, config.policy, config.as_of, before)
    return ScoredDay(
        config=config,
        kpis=known.kpis,
        portfolio=known.portfolio if with_portfolio else None,
        groups=groups,
        members=known.grouping.members,
        accounts=known.grouping.accounts,
        matches=known.grouping.matches,
        scores=scores,
        reasons=reason_text(scores, known.kpis, groups, config.language, before),
        previous=before,
        counts={
            **known.counts,
            "population": scores.population_n,
            "criteria_unavailable": len(scores.unavailable),
        },
        unknown_accounts=known.unknown_accounts,
        reconstructed=known.reconstructed,
        inputs_fingerprint=known.inputs_fingerprint,
        rolled=known.rolled,
    )


def config_hash(config: ScoringConfig) -> str:
    """Sixteen hexadecimal digits of what decides a score beside data and day."""
    return digest(
        [
            policy_hash(config.policy),
            config.timezone,
            config.reporting_currency,
            config.system_of_record,
            config.language,
        ]
    )


def snapshot_frame(day: ScoredDay, run_id: str, recorded_at: dt.datetime) -> pl.DataFrame:
    """One row per group, ready for `append_snapshots`; but for run and time, the same bytes for the same day."""
    told = day.scores.frame.join(criteria_json(day.scores), on="group").join(_kpis_json(day), on="group")
    told = told.join(reasons_json(day.scores, day.reasons, day.config.language), on="group")
    told = told.join(day.reconstructed, on="group")
    return told.with_columns(
        run_id=pl.lit(run_id),
        as_of=pl.lit(day.config.as_of),
        recorded_at=pl.lit(recorded_at),
        config_hash=pl.lit(config_hash(day.config)),
        release=pl.lit(day.config.release),
        inputs_fingerprint=pl.lit(day.inputs_fingerprint),
        provisional=pl.col("provisional").fill_null(value=False),
    ).select(pl.col(name).cast(dtype) for name, dtype in SNAPSHOT.items())


def _kpis_json(day: ScoredDay) -> pl.DataFrame:
    return kpis_json(day.kpis, rollups_json(day.rolled) if day.rolled.rollups else None)


def wanted_values(
    day: ScoredDay, source: str, instance: str, fields: Sequence[CustomField], *, keeps_leavers: bool = False
) -> pl.DataFrame:
    """source_id and the canonical text of each of our fields (less those that the plan fills in) for the live accounts
    of a CRM.

    A member has its group's values. Null clears: outside the population there is no tier (a tier set by hand
    stands), and Reason says why; what is not known is never 0. `keeps_leavers`: nothing is wanted of accounts outside
    the population, so that what stands there stays.
    """
    own = day.members.filter(pl.col("source") == source, pl.col("source_instance") == instance)
    if keeps_leavers:
        own = own.join(day.scores.frame.filter("in_population"), on="group", how="semi", maintain_order="left")
    rolled = field_values(day.rolled)
    return published(own, day.scores.frame, day.kpis, day.reasons, fields, rolled=rolled)


def explain_group(day: ScoredDay, sought: str) -> Explanation:
    """The full explanation of the group that `find_group` finds."""
    group_id = find_group(day, sought)
    found = explain(group_id, day.scores, day.kpis, day.groups, language=day.config.language, previous=day.previous)
    own = day.groups.filter(pl.col("group_id") == group_id).join(day.reconstructed, on="group")
    reconstructed = tuple(json.loads(own["reconstructed"].item()))
    rollups = explained(day.rolled, own["group"].item(), day.config.language)
    return found.model_copy(update={"reconstructed": reconstructed, "rollups": rollups})


def before_day(previous: pl.DataFrame | None, config: ScoringConfig) -> pl.DataFrame | None:
    """Of snapshots those of before the as-of day."""
    if previous is None or "as_of" not in previous.columns:
        return previous
    return previous.filter(pl.col("as_of") < config.as_of)
