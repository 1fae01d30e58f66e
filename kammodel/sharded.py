"""The KPIs of a day whose rows are too many for memory: shard by shard, and what compares groups at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import polars as pl

from kammodel import kpis
from kammodel.entities import KEY
from kammodel.facts import FRAMES, REGISTRY, FactFrame
from kammodel.facts.cut import Cut
from kammodel.facts.ratings import described
from kammodel.facts.team import named, unknown_in_files
from kammodel.inputs import LARGE, Inputs
from kammodel.known import (
    Known,
    ScoringConfig,
    counts_before,
    counts_of_frames,
    grouped,
    groups_read,
    totals,
    with_groups,
)
from kammodel.kpis import Facts, Kpi, Windows
from kammodel.kpis.computing import aggregated, derived
from kammodel.reconstruction import groups_of, reconstructed_of
from kammodel.rollups.computing import Rolled, roll_up
from kammodel.rollups.frames import made_of
from kammodel.sharding import sharded
from kammodel.shards import Shards
from kammodel.spilling import Spill

_OWN = tuple(k for k in kpis.KPIS if "group" in k.levels)
_AT_ONCE = 8
_REASONS = {k.name: f"{k.name}__why" for k in _OWN}
_FIGURES, _ROLLED_GROUPS, _ROLLED_ACCOUNTS = "figures", "rolled groups", "rolled accounts"


def known_by_shards(
    inputs: Inputs, config: ScoringConfig, moment: Cut, number: int, previous: pl.DataFrame | None
) -> Known:
    """As `known_kpis`. Frames of a shard are given up once its figures are computed; those that KAMs, the portfolio or
    all groups together are looked at by are kept on disk, in the columns that are needed."""
    small = inputs.small().as_known(moment)
    grouping = grouped(small, config)
    day = ShardedDay(config, sharded(inputs, small, moment, grouping, number))
    for shard in range(number):
        day.keep(day.computed(shard))
    return day.known(previous)


@dataclass(frozen=True)
class Told:
    """What a shard says: `figures` of its groups; of what is looked at later, the frames by name; and what its frames
    left out."""

    figures: pl.DataFrame
    frames: Mapping[str, pl.DataFrame]
    counts: Mapping[str, int]


class _Frames(Mapping[str, pl.DataFrame]):
    """Frames by name, read when they are asked for."""

    def __init__(self, spill: Spill, stored: Sequence[str], held: Mapping[str, pl.DataFrame]) -> None:
        self._spill, self._stored, self._held = spill, stored, held

    def __getitem__(self, name: str) -> pl.DataFrame:
        found = self._held[name] if name in self._held else self._spill.frame(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([*self._held, *self._stored])

    def __len__(self) -> int:
        return len(self._held) + len(self._stored)


class ShardedDay:
    """What is computed of a day, piece by piece. `whole`: the sources of all groups, less LARGE entities."""

    def __init__(self, config: ScoringConfig, shards: Shards) -> None:
        self.config, self.shards, small = config, shards, shards.small
        rates = small.rates(config.reporting_currency, shards.currencies)
        whole = small.sources(shards.grouping, shards.moment, config.reporting_currency, rates)
        shards.grouping = replace(shards.grouping, groups=described(shards.grouping.groups, whole))
        self.whole = replace(whole, grouping=shards.grouping)
        self.groups = groups_read(small, shards.grouping)
        self.counts = Counter[str]()
        self.spill = Spill()
        # Packed columns come back each in memory of its own, which goes as they are put in order one by one.
        self.told = Spill(packed=True)

    def computed(self, shard: int) -> Told:
        """Computes a shard."""
        moment, inputs, grouping = self.shards.moment, self.shards.inputs(shard), self.shards.groups(shard)
        own = grouping.groups.select("group")
        sources = inputs.sources(grouping, moment, self.config.reporting_currency, self.whole.rates)
        sources = replace(sources, everywhere=self.shards.accounts)
        made = self.shards.made_apart(shard)
        if any("account" in rows.columns for rows in inputs.given.frames.values() if rows is not None):
            # Whom a file means is known of all accounts together: a name that two have is nobody's.
            made[named] = self.whole.once(named).join(own, on="group", how="semi")
        sources = sources.knowing(made)
        frames = {frame.name: sources.frame(frame.name) for frame in _sharded_frames()}
        groups = self.groups.join(own, on="group", how="semi", maintain_order="left")
        figures = aggregated(_over(frames), Facts(frames, groups), self.config.as_of)
        told = {
            name: frames[name] if columns is None else frames[name].select(c for c in columns if c in frames[name])
            for name, columns in _kept(Windows(self.config.as_of)).items()
        }
        if inputs.given.rollups:
            found = roll_up(inputs.given.rollups, inputs, sources)
            told |= {_ROLLED_GROUPS: found.groups, _ROLLED_ACCOUNTS: found.accounts}
        return Told(figures, told, counts_of_frames(sources, _sharded_frames()))

    def keep(self, told: Told) -> None:
        """Keeps on disk what a shard says, less the reasons of KPIs that all its groups have."""
        figures = told.figures
        silent = [why for name, why in _REASONS.items() if why in figures and not figures[name].null_count()]
        self.told.append(_FIGURES, figures.drop(silent))
        for name, frame in told.frames.items():
            self.spill.append(name, frame)
        self.counts.update(told.counts)

    def known(self, previous: pl.DataFrame | None) -> Known:
        """The KPIs of the day, once every shard is kept."""
        small, moment, grouping = self.shards.small, self.shards.moment, self.shards.grouping
        figures = self.figures()
        small_touched = {entity: groups_of(entity, rows, small, grouping) for entity, rows in small.in_doubt.items()}
        made = {rollup.name: made_of(rollup) for rollup in small.given.rollups}
        facts = Facts(self.frames(), self.groups)
        return Known(
            grouping=grouping,
            kpis=figures,
            facts=with_groups(facts, figures, grouping, previous, self.config.policy),
            cut=moment,
            counts={
                **counts_before(grouping, self.groups, self.whole),
                **self.counts,
                **self.shards.counts,
                **totals(figures),
            },
            unknown_accounts=self.whole.once(unknown_in_files),
            reconstructed=reconstructed_of({**small_touched, **self.shards.touched}, grouping, moment, kpis.KPIS, made),
            inputs_fingerprint=small.fingerprint(moment.at, self.shards.stamps),
            rolled=self.rolled(),
        )

    def figures(self) -> pl.DataFrame:
        """The KPIs of all groups, once every shard is computed."""
        found = self.told.frame(_FIGURES)
        self.told.drop(_FIGURES)
        if found is None:
            raise ValueError("no shard was computed")
        facts = Facts(self._held, self.groups)
        rest = aggregated(_over(self._held), facts, self.config.as_of)
        order = found["group"].arg_sort()
        # Some columns at a time: never twice as a whole.
        columns = [found.drop_in_place(name) for name in found.columns if name != "group"]
        while columns:
            rest = rest.hstack([columns.pop().gather(order) for _ in range(min(_AT_ONCE, len(columns)))])
        missing = [_REASONS[k.name] for k in _OWN if k.name in rest.columns and _REASONS[k.name] not in rest.columns]
        rest = rest.with_columns(pl.lit(None, pl.String).alias(why) for why in missing)
        return derived(_OWN, rest, facts, self.config.as_of)

    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The frames that KAMs and the portfolio are looked at by."""
        windows = Windows(self.config.as_of)
        above = {k.of for k in kpis.KPIS if k.levels != ("group",)}
        held = {name: frame for name, frame in self._held.items() if name in above}
        return _Frames(self.spill, [name for name in _kept(windows) if name in above], held)

    def rolled(self) -> Rolled:
        """The rollups of all groups and accounts."""
        groups, accounts = self.spill.frame(_ROLLED_GROUPS), self.spill.frame(_ROLLED_ACCOUNTS)
        if groups is None or accounts is None:
            return Rolled()
        rollups = tuple(self.shards.small.given.rollups)
        return Rolled(rollups, groups.sort("group"), accounts.sort(KEY))

    @cached_property
    def _held(self) -> dict[str, pl.DataFrame]:
        """The frames that no shard makes: those of few rows, and those that compare groups."""
        made: dict[object, pl.DataFrame] = {}
        for name in {name for frame in FRAMES for name in frame.across}:
            found = self.spill.frame(name)
            if found is not None:
                made[REGISTRY[name].build] = found
        sources = self.whole.knowing(made)
        return {frame.name: sources.frame(frame.name) for frame in FRAMES if frame not in _sharded_frames()}


@cache
def _sharded_frames() -> tuple[FactFrame, ...]:
    """The frames that are made of LARGE entities, shard by shard."""
    return tuple(frame for frame in FRAMES if not frame.across and frame.entities.keys() & set(LARGE))


def _over(frames: Mapping[str, pl.DataFrame]) -> list[Kpi]:
    return [k for k in _OWN if k.of in frames]


@cache
def _kept(windows: Windows) -> dict[str, tuple[str, ...] | None]:
    """The columns of frames of shards that are needed later: those that KPIs of KAMs and the portfolio look at, and all
    of the frames that others are made of."""
    sharded_names = {frame.name for frame in _sharded_frames()}
    kept: dict[str, tuple[str, ...] | None] = {}
    for kpi in kpis.KPIS:
        if kpi.levels == ("group",) or kpi.of not in sharded_names:
            continue
        figure = kpi.figure(windows)
        parts = [figure.value] if figure.why is None else [figure.value, figure.why]
        roots = (root for part in parts for root in part.meta.root_names())
        kept[kpi.of] = tuple(dict.fromkeys((*(kept.get(kpi.of) or ("group", "kam", "level")), *roots)))
    return kept | {name: None for frame in FRAMES for name in frame.across}
