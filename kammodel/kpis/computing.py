"""Computes KPIs: one pass over each frame of facts, then what follows from other KPIs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

import polars as pl

from kammodel.kpis.kpi import DERIVED, GROUPS, Frame, Kpi, Level, Windows, reason
from kammodel.kpis.sharing import Plan, planned

WHOLE = "all"
"""The key of the one row of the portfolio."""

_OF_ALL = ("won_n", "lost_n")
"""KPIs whose sum over all account groups, whoever looks after them, stands beside each row as `<name>__all`."""


@dataclass(frozen=True)
class Facts:
    """The frames by name, each with `group`, or with `kam`; rows that say their `level` are of that one only.
    `groups`: one row per group: `group`, `kam` (null: nobody's), and `<frame>__read` of each frame that may not
    have been read."""

    frames: Mapping[Frame, pl.DataFrame]
    groups: pl.DataFrame


def compute(kpis: Sequence[Kpi], facts: Facts, day: dt.date, by: Level = "group") -> pl.DataFrame:
    """The key (`group`, `kam` or `portfolio`) and each KPI of that level with its reason, in order of the key.

    A KPI over a frame that was not read for a group is null with `not_read`, and so is that of a KAM or portfolio
    that the group is part of: unknown is not zero. Above the level of groups, `facts.frames` holds GROUPS too.
    """
    own = [k for k in kpis if by in k.levels]
    return derived(own, aggregated(own, facts, day, by), facts, day, by)


def aggregated(kpis: Sequence[Kpi], facts: Facts, day: dt.date, by: Level = "group") -> pl.DataFrame:
    """The key and the KPIs over frames of facts. Those of groups may be computed for some of the groups at a time."""
    pass_ = _Pass(facts.groups, Windows(day), by)
    found = [pass_.keys]
    for name, frame in facts.frames.items():
        own = [k for k in kpis if k.of == name]
        if own and name != GROUPS:
            found.append(pass_.over(own, frame))
    return pl.concat(found, how="horizontal")


def derived(kpis: Sequence[Kpi], wide: pl.DataFrame, facts: Facts, day: dt.date, by: Level = "group") -> pl.DataFrame:
    """Adds to `aggregated` what follows from other KPIs, in the order in which it is declared. All groups at once:
    some of it compares them."""
    pass_ = _Pass(facts.groups, Windows(day), by)
    groups = wide if by == "group" else facts.frames[GROUPS]
    totals = [pl.lit(groups[name].sum(), pl.Int64).alias(f"{name}__all") for name in _OF_ALL if name in groups.columns]
    wide = wide.with_columns(totals)
    for name, run in groupby((k for k in kpis if k.of in {GROUPS, DERIVED}), key=lambda k: k.of):
        own = list(run)
        if name == GROUPS:
            rows = wide if by == "group" else groups
            wide = pl.concat([wide, pass_.over(own, rows)], how="horizontal")
            continue
        lazy = wide.lazy()
        for columns in _in_turn(tuple(own), pass_.windows):
            lazy = lazy.with_columns(columns)
        wide = lazy.collect()
    names = [column for k in kpis for column in (k.name, f"{k.name}__why")]
    return wide.select(by, *names)


@dataclass(frozen=True)
class _Pass:
    """Passes over frames that are put together by the same key."""

    groups: pl.DataFrame
    windows: Windows
    by: Level

    @cached_property
    def keys(self) -> pl.DataFrame:
        """Every key, in order."""
        if self.by == "portfolio":
            return pl.DataFrame({self.by: [WHOLE]})
        return self.groups.select(self.by).drop_nulls().unique().sort(self.by)

    @cached_property
    def read(self) -> pl.DataFrame:
        """`<frame>__read` of every key, in order."""
        flags = pl.col("^.*__read$").all()
        if self.by == "portfolio":
            return self.groups.select(flags)
        return self.groups.drop_nulls(self.by).group_by(self.by).agg(flags).sort(self.by)

    def over(self, kpis: Sequence[Kpi], frame: pl.DataFrame) -> pl.DataFrame:
        """KPIs over one frame, in order of the key. Every key takes part with a row of nulls, so that nothing there is
        a 0."""
        plan, values = _planned(tuple(kpis), self.windows)
        if "level" in frame.columns:
            frame = frame.filter(level=self.by)
        rows = pl.concat([self.keys.lazy(), self._keyed(frame)], how="diagonal").with_columns(plan.conditions)
        if self.by == "portfolio":
            found = rows.select(plan.parts)
        else:
            found = rows.group_by(self.by, maintain_order=True).agg(plan.parts)
        figures, flag = found.select(plan.figures).collect(), f"{kpis[0].of}__read"
        is_read = self.read[flag] if flag in self.read.columns else None
        return _with_reasons(figures.select(values), figures, None if is_read is None or is_read.all() else is_read)

    def _keyed(self, frame: pl.DataFrame) -> pl.LazyFrame:
        """The rows with the key; those of groups that are nobody's are no KAM's."""
        if self.by == "portfolio" or (self.by == "group" and self.by in frame.columns):
            return frame.lazy()
        if self.by in frame.columns:
            return frame.lazy().join(self.keys.lazy(), on=self.by, how="semi")
        return frame.lazy().join(self.groups.lazy().select("group", self.by).drop_nulls(), on="group")


@lru_cache(maxsize=512)
def _planned(kpis: tuple[Kpi, ...], windows: Windows) -> tuple[Plan, list[pl.Expr]]:
    """How KPIs over one frame are computed, the same on each shard of a day; and the values, out of the figures."""
    figures, values = dict[str, pl.Expr](), list[pl.Expr]()
    for kpi in kpis:
        figure = kpi.figure(windows)
        figures[kpi.name] = figure.value
        if figure.why is not None:
            figures[f"{kpi.name}__why"] = figure.why
        values.append(kpi.typed(pl.col(kpi.name)).alias(kpi.name))
    return planned(figures), values


def _with_reasons(values: pl.DataFrame, figures: pl.DataFrame, is_read: pl.Series | None) -> pl.DataFrame:
    """Each KPI with `<name>__why`. `is_read`: whether the rows of a key are known; None where they are of all."""
    if is_read is not None:
        values = values.select(pl.when(is_read).then(pl.all()))
    # Most count something and are never null: for those nobody looks for a reason.
    lacking = [name for name in values.columns if values[name].null_count()]
    told = figures.select(
        reason(
            pl.lit(values[name]),
            pl.col(name),
            pl.col(f"{name}__why") if f"{name}__why" in figures.columns else None,
            None if is_read is None else pl.lit(is_read),
        ).alias(f"{name}__why")
        for name in lacking
    )
    none = [pl.lit(None, pl.String).alias(f"{name}__why") for name in values.columns if name not in lacking]
    order = [column for name in values.columns for column in (name, f"{name}__why")]
    return values.hstack(told).with_columns(none).select(order)


@lru_cache(maxsize=512)
def _in_turn(kpis: tuple[Kpi, ...], windows: Windows) -> list[list[pl.Expr]]:
    """The columns of KPIs that follow from others: each list of them from those of the lists before it."""
    turns, turn_of = list[list[pl.Expr]](), dict[str, int]()
    for kpi in kpis:
        columns = kpi.columns(windows)
        roots = {root for column in columns for root in column.meta.root_names()}
        turn = max((turn_of[root] + 1 for root in roots & turn_of.keys()), default=0)
        turn_of |= dict.fromkeys((kpi.name, f"{kpi.name}__why"), turn)
        turns += [[]] if turn == len(turns) else []
        turns[turn] += columns
    return turns
