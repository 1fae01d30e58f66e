"""The KPIs of a day: of every account group, key account manager and the portfolio, before anything is judged."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from kammodel import kpis
from kammodel.entities import KEY, Account
from kammodel.facts import FRAMES, FactFrame, Sources
from kammodel.facts.cut import Cut
from kammodel.facts.ratings import described
from kammodel.facts.team import unknown_in_files
from kammodel.identity import AccountGroups, account_groups
from kammodel.inputs import SHARD_ROWS, Inputs
from kammodel.kpis import Facts
from kammodel.reconstruction import reconstructed_kpis
from kammodel.rollups.computing import Rolled, roll_up
from kammodel.rollups.frames import made_of
from kammodel.tiering import Policy
from kammodel.tiering.criteria import Language

_ORG = list(KEY[:2])


@dataclass(frozen=True)
class ScoringConfig:
    """What decides a score beside the data. `system_of_record`: a CRM's name; None is the first by alphabet.

    `shard_rows`: how many rows are held in memory together; it changes no figure.
    """

    as_of: dt.date
    timezone: str
    reporting_currency: str
    system_of_record: str | None
    language: Language
    policy: Policy
    release: str
    shard_rows: int = SHARD_ROWS


@dataclass(frozen=True)
class Known:
    """The KPIs of a day, before anything is judged. `counts`: what was left out, or could not be known.

    `kpis`: by `group`. `by_kam`: by `kam`, `source:instance:user id` of whom assignments.csv gives the group to at the
    cut, else of the owner of its root account; groups that are nobody's are in no row. `portfolio`: one row, for all
    groups, scored or not. `unknown_accounts`: by file of KAM_INPUTS_DIR, the accounts it names that nobody knows.
    `reconstructed`: see `reconstructed_kpis`.
    """

    grouping: AccountGroups
    kpis: pl.DataFrame
    facts: Facts
    cut: Cut
    counts: dict[str, int]
    unknown_accounts: Mapping[str, Sequence[str]]
    reconstructed: pl.DataFrame
    inputs_fingerprint: str
    rolled: Rolled = field(default_factory=Rolled)

    @cached_property
    def by_kam(self) -> pl.DataFrame:
        return kpis.compute(kpis.KPIS, self.facts, self.cut.day, "kam")

    @cached_property
    def portfolio(self) -> pl.DataFrame:
        return kpis.compute(kpis.KPIS, self.facts, self.cut.day, "portfolio")


def known_at_once(inputs: Inputs, config: ScoringConfig, moment: Cut, previous: pl.DataFrame | None) -> Known:
    """As `known_kpis`, with every row in memory."""
    inputs = inputs.held().as_known(moment)
    grouping = grouped(inputs, config)
    sources = inputs.sources(grouping, moment, config.reporting_currency)
    grouping = replace(grouping, groups=described(grouping.groups, sources))
    sources = replace(sources, grouping=grouping)
    facts = known_facts(inputs, sources)
    figures = kpis.compute(kpis.KPIS, facts, config.as_of)
    rollups = inputs.given.rollups
    made = {rollup.name: made_of(rollup) for rollup in rollups}
    return Known(
        grouping=grouping,
        kpis=figures,
        facts=with_groups(facts, figures, grouping, previous, config.policy),
        cut=moment,
        counts={**counts_before(grouping, facts.groups, sources), **counts_of_frames(sources), **totals(figures)},
        unknown_accounts=sources.once(unknown_in_files),
        reconstructed=reconstructed_kpis(inputs, grouping, moment, kpis.KPIS, made),
        inputs_fingerprint=inputs.fingerprint(moment.at),
        rolled=roll_up(rollups, inputs, sources) if rollups else Rolled(),
    )


def grouped(inputs: Inputs, config: ScoringConfig) -> AccountGroups:
    """The account groups of inputs as known at the cut."""
    return account_groups(inputs.of(Account), config.system_of_record, inputs.given.frames.get("matches"))


def known_facts(inputs: Inputs, sources: Sources, wanted: Sequence[kpis.Kpi] = kpis.KPIS) -> Facts:
    """The frames that some wanted KPI looks at; whose each group is, and which frames were read for it."""
    used = {k.of for k in wanted}
    frames = {frame.name: sources.frame(frame.name) for frame in FRAMES if frame.name in used}
    return Facts(frames, groups_read(inputs, sources.grouping))


def counts_of_frames(sources: Sources, frames: Sequence[FactFrame] = FRAMES) -> Counter[str]:
    """What the frames left out, or could not know."""
    counts = Counter[str]()
    for frame in frames:
        if frame.counts:
            counts.update(frame.counts(sources))
    return counts


def counts_before(grouping: AccountGroups, groups: pl.DataFrame, sources: Sources) -> dict[str, int]:
    """What was left out of groups and files."""
    return {
        **grouping.counts,
        "groups_without_kam": groups["kam"].null_count(),
        "accounts_unknown_in_files": sum(map(len, sources.once(unknown_in_files).values())),
    }


def totals(figures: pl.DataFrame) -> dict[str, int]:
    """Over all groups, what KPIs could not know."""
    summed = [name for name in figures.columns if name.endswith("_missing_n")] + ["cycle_left_out_n"]
    found = figures.select(pl.col(name).sum() for name in (*summed, "touches_without_person_90d"))
    migrated = figures.filter(pl.col("customer_tenure_months__why") == "migration_date").height
    return {
        **{name: int(value) for name, value in found.row(0, named=True).items()},
        "tenure_by_migration_date": migrated,
    }


def with_groups(
    facts: Facts, figures: pl.DataFrame, grouping: AccountGroups, previous: pl.DataFrame | None, policy: Policy
) -> Facts:
    """Adds the KPIs of groups, for those of KAMs and the portfolio, with their load."""
    loaded = _with_load(figures, grouping.groups, previous, policy)
    return replace(facts, frames={**facts.frames, kpis.GROUPS: loaded})


def _with_load(
    figures: pl.DataFrame, groups: pl.DataFrame, previous: pl.DataFrame | None, policy: Policy
) -> pl.DataFrame:
    """Adds `manager` (the `kam`), `kam_hours` (those of the policy where team.csv tells none) and `load_hours`: what
    the tier in force before this day asks for in a month; null where there was none."""
    own = pl.col("kam_hours").fill_null(policy.capacity.hours_per_kam)
    known = groups.select("group", "group_id", own, manager="kam")
    hours = policy.capacity.hours.model_dump()
    if previous is None:
        load = known.with_columns(load_hours=pl.lit(None, pl.Float64))
    else:
        tier = pl.col("tier_effective")
        asked = tier.replace_strict(hours | {"provisional": hours["growth"]}, default=None, return_dtype=pl.Float64)
        load = known.join(previous.select("group_id", load_hours=asked), on="group_id", how="left")
    # The columns of the figures are hundreds: put beside them, nothing is copied.
    beside = figures.select("group").join(load.drop("group_id"), on="group", how="left", maintain_order="left")
    return figures.hstack(beside.drop("group"))


def groups_read(inputs: Inputs, grouping: AccountGroups) -> pl.DataFrame:
    """group, kam, and `<frame>__read`: whether every CRM that the group's rows come from was read."""
    frames = [frame for frame in FRAMES if frame.reads]
    flags = [f"{frame.name}__read" for frame in frames]
    orgs = [
        (*org, *(inputs.knows(frame, *org) for frame in frames))
        for org in grouping.members.select(_ORG).unique().iter_rows()
    ]
    schema = {**dict.fromkeys(_ORG, pl.String), **dict.fromkeys(flags, pl.Boolean)}
    counted = grouping.members.filter("is_counted").join(pl.DataFrame(orgs, schema=schema, orient="row"), on=_ORG)
    read = counted.group_by("group").agg(pl.col(flags).all())
    return read.join(grouping.groups.select("group", "kam"), on="group", how="left").sort("group")
