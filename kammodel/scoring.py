"""Scores every account group as of a day: from the store's frames to snapshots and to the values we publish."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from kammodel import facts, kpis
from kammodel.digest import digest
from kammodel.entities import KEY
from kammodel.errors import KamError
from kammodel.identity import AccountGroups, account_groups, reference_key
from kammodel.inputs import Inputs, read_inputs
from kammodel.publish.fields import CustomField
from kammodel.published import published
from kammodel.snapshot import kpis_json, reasons_json
from kammodel.store.snapshots import SNAPSHOT
from kammodel.tiering import Explanation, Policy, Scores, criteria_json, explain, policy_hash, reason_text, score
from kammodel.tiering.criteria import Language
from kammodel.touches import touches

__all__ = [
    "Inputs",
    "Known",
    "ScoredDay",
    "ScoringConfig",
    "config_hash",
    "explain_group",
    "find_group",
    "known_kpis",
    "read_inputs",
    "score_day",
    "snapshot_frame",
    "wanted_values",
]

_ORG = list(KEY[:2])


@dataclass(frozen=True)
class ScoringConfig:
    """What decides a score beside the data. `system_of_record`: a CRM's name; None is the first by alphabet."""

    as_of: dt.date
    timezone: str
    reporting_currency: str
    system_of_record: str | None
    language: Language
    policy: Policy
    release: str


@dataclass(frozen=True)
class ScoredDay:
    """One day scored, group by group.

    `kpis`, `groups`, `reasons`: one row per group in order of `group` (see kpis.compute, identity, tiering).
    `members`: the live accounts; `accounts`: every id that stands for one. `previous`: what was in force
    before the day. `counts`: what was left out or could not be known, by name.
    """

    config: ScoringConfig
    kpis: pl.DataFrame
    groups: pl.DataFrame
    members: pl.DataFrame
    accounts: pl.DataFrame
    scores: Scores
    reasons: pl.DataFrame
    previous: pl.DataFrame | None
    counts: Mapping[str, int]
    inputs_fingerprint: str


@dataclass(frozen=True)
class Known:
    """The KPIs of a day, before anything is judged. `counts`: what was left out, or could not be known."""

    grouping: AccountGroups
    kpis: pl.DataFrame
    cut: facts.Cut
    counts: dict[str, int]


def known_kpis(inputs: Inputs, config: ScoringConfig) -> Known:
    """Every KPI of every group as of the end of a day.

    Accounts and their hierarchy are today's; deals and touches are those known at the cut.
    """
    grouping = account_groups(inputs.accounts, config.system_of_record)
    moment = facts.cut(config.as_of, config.timezone, inputs.synced_at)
    deals = facts.deals(
        opportunities=inputs.opportunities,
        stage_events=inputs.stage_events,
        accounts=inputs.accounts,
        rates=inputs.rates,
        groups=grouping,
        moment=moment,
        reporting_currency=config.reporting_currency,
    )
    contact = touches(inputs.activities, inputs.links, grouping, moment)
    frames: dict[kpis.Frame, pl.DataFrame] = {
        "deals": deals.deals,
        "purchase_days": deals.purchase_days,
        "touches": contact.touches,
        "contacts": contact.contacts,
    }
    figures = kpis.compute(kpis.KPIS, kpis.Facts(frames, _read_flags(grouping, inputs)), config.as_of)
    counts = {**grouping.counts, **deals.counts, **contact.counts, **_totals(figures)}
    return Known(grouping, figures, moment, counts)


def score_day(inputs: Inputs, config: ScoringConfig, previous: pl.DataFrame | None = None) -> ScoredDay:
    """Scores all account groups as of the end of a day. No clock: the same inputs give the same bytes.

    `previous`: the snapshots in force *before* the as-of day (`latest_snapshots(until=as_of - 1 day)`); rows of
    the day itself or later are ignored, so that a second run of a day compares with the same tiers as the first.
    """
    before = _before(previous, config.as_of)
    known = known_kpis(inputs, config)
    groups = known.grouping.groups
    scores = score(known.kpis, groups, config.policy, config.as_of, before)
    return ScoredDay(
        config=config,
        kpis=known.kpis,
        groups=groups,
        members=known.grouping.members,
        accounts=known.grouping.accounts,
        scores=scores,
        reasons=reason_text(scores, known.kpis, groups, config.language, before),
        previous=before,
        counts={
            **known.counts,
            "population": scores.population_n,
            "criteria_unavailable": len(scores.unavailable),
        },
        inputs_fingerprint=inputs.fingerprint(known.cut.at),
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
    told = day.scores.frame.join(criteria_json(day.scores), on="group").join(kpis_json(day.kpis), on="group")
    told = told.join(reasons_json(day.scores, day.reasons, day.config.language), on="group")
    return told.with_columns(
        run_id=pl.lit(run_id),
        as_of=pl.lit(day.config.as_of),
        recorded_at=pl.lit(recorded_at),
        config_hash=pl.lit(config_hash(day.config)),
        release=pl.lit(day.config.release),
        inputs_fingerprint=pl.lit(day.inputs_fingerprint),
        provisional=pl.col("provisional").fill_null(value=False),
    ).select(pl.col(name).cast(dtype) for name, dtype in SNAPSHOT.items())


def wanted_values(day: ScoredDay, source: str, instance: str, fields: Sequence[CustomField]) -> pl.DataFrame:
    """source_id and the canonical text of each of our fields (less scored_on) for the live accounts of a CRM.

    A member has its group's values. Null clears: outside the population there is no tier (a tier set by hand
    stands), and Reason says why; what is not known is never 0.
    """
    own = day.members.filter(pl.col("source") == source, pl.col("source_instance") == instance)
    return published(own, day.scores.frame, day.kpis, day.reasons, fields)


def find_group(day: ScoredDay, sought: str) -> str:
    """The group_id that a person means: a group_id, an account's id in any CRM (a Salesforce id of 15 or 18
    characters, a merged one too), or the exact name of a group or account, capitals aside if need be.

    KamError where nothing or more than one group fits.
    """
    text = sought.strip()
    if not day.groups.filter(pl.col("group_id") == text).is_empty():
        return text
    by_id = reference_key(pl.col("source_id")) == reference_key(pl.lit(text))
    names = pl.concat([frame.select("group", "name") for frame in (day.members, day.groups)])
    name = pl.col("name").str.strip_chars()
    for found in (
        day.accounts.filter(by_id),
        names.filter(name == text),
        names.filter(name.str.to_lowercase() == text.lower()),
    ):
        ids = day.groups.join(found, on="group", how="semi")["group_id"].to_list()
        if len(ids) == 1:
            return str(ids[0])
        if ids:
            shown = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            raise KamError(f"{len(ids)} account groups are called {text!r}: say which by its id: {shown}")
    raise KamError(f"no account or group {text!r}: give an account's id, a group's id or an exact name")


def explain_group(day: ScoredDay, sought: str) -> Explanation:
    """The full explanation of the group that `find_group` finds."""
    return explain(
        find_group(day, sought),
        day.scores,
        day.kpis,
        day.groups,
        language=day.config.language,
        previous=day.previous,
    )


def _before(previous: pl.DataFrame | None, as_of: dt.date) -> pl.DataFrame | None:
    if previous is None or "as_of" not in previous.columns:
        return previous
    return previous.filter(pl.col("as_of") < as_of)


def _read_flags(grouping: AccountGroups, inputs: Inputs) -> pl.DataFrame:
    """group, deals_read, touches_read: whether every CRM that the group's figures come from was read."""
    orgs = grouping.members.select(_ORG).unique()
    flags = [(*org, inputs.deals_read(*org), inputs.touches_read(*org)) for org in orgs.iter_rows()]
    schema = {**dict.fromkeys(_ORG, pl.String), "deals_read": pl.Boolean, "touches_read": pl.Boolean}
    counted = grouping.members.filter("is_counted").join(pl.DataFrame(flags, schema=schema, orient="row"), on=_ORG)
    return counted.group_by("group").agg(pl.col("deals_read", "touches_read").all()).sort("group")


def _totals(figures: pl.DataFrame) -> dict[str, int]:
    summed = [name for name in figures.columns if name.endswith("_missing_n")] + ["cycle_left_out_n"]
    totals = figures.select(pl.col(name).sum() for name in (*summed, "touches_without_person_90d"))
    migrated = figures.filter(pl.col("customer_tenure_months__why") == "migration_date").height
    return {
        **{name: int(value) for name, value in totals.row(0, named=True).items()},
        "tenure_by_migration_date": migrated,
    }
