"""Computes KPIs: one pass over each frame of facts, then what follows from other KPIs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import groupby

import polars as pl

from kammodel.kpis.kpi import DERIVED, GROUPS, Figure, Frame, Kpi, Level, Windows
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
            found.append(pass_.over(own, frame).collect().drop(by))
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
            wide = pl.concat([wide, pass_.over(own, rows).collect().drop(by)], how="horizontal")
            continue
        lazy = wide.lazy()
        for kpi in own:
            lazy = lazy.with_columns(kpi.columns(pass_.windows))
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

    def over(self, kpis: Sequence[Kpi], frame: pl.DataFrame) -> pl.LazyFrame:
        """The key, in order, and KPIs over one frame. Every key takes part with a row of nulls, so that nothing
        there is a 0."""
        plan, kept = _planned(tuple(kpis), self.windows)
        if "level" in frame.columns:
            frame = frame.filter(level=self.by)
        rows = pl.concat([self._keyed(frame), self.keys.lazy()], how="diagonal").with_columns(plan.conditions)
        if self.by == "portfolio":
            found = rows.select(pl.lit(WHOLE).alias(self.by), *plan.parts)
        else:
            found = rows.group_by(self.by).agg(plan.parts).sort(self.by)
        found = found.select(self.by, *plan.figures)
        not_read = None
        if self._flag(kpis) in self.groups.columns:
            found = found.join(self._read(kpis), on=self.by, how="left", maintain_order="left")
            not_read = ~pl.col(self._flag(kpis))
        return found.select(self.by, *(c for k in kept for c in k.columns(self.windows, not_read=not_read)))

    def _keyed(self, frame: pl.DataFrame) -> pl.LazyFrame:
        """The rows with the key; those of groups that are nobody's are no KAM's."""
        if self.by == "portfolio" or (self.by == "group" and self.by in frame.columns):
            return frame.lazy()
        if self.by in frame.columns:
            return frame.lazy().join(self.keys.lazy(), on=self.by, how="semi")
        return frame.lazy().join(self.groups.lazy().select("group", self.by).drop_nulls(), on="group")

    def _flag(self, kpis: Sequence[Kpi]) -> str:
        return f"{kpis[0].of}__read"

    def _read(self, kpis: Sequence[Kpi]) -> pl.LazyFrame:
        flag = pl.col(self._flag(kpis)).all()
        if self.by == "portfolio":
            return self.groups.lazy().select(pl.lit(WHOLE).alias(self.by), flag)
        return self.groups.lazy().group_by(self.by).agg(flag)


@lru_cache(maxsize=512)
def _planned(kpis: tuple[Kpi, ...], windows: Windows) -> tuple[Plan, list[Kpi]]:
    """How KPIs over one frame are computed, the same on each shard of a day; and the KPIs as what then stands in the
    columns of their names."""
    figures, kept = dict[str, pl.Expr](), list[Kpi]()
    for kpi in kpis:
        figure = kpi.figure(windows)
        figures[kpi.name] = figure.value
        if figure.why is not None:
            figures[f"{kpi.name}__why"] = figure.why
        kept.append(replace(kpi, figure=_stored(kpi.name, has_why=figure.why is not None)))
    return planned(figures), kept


def _stored(name: str, *, has_why: bool) -> Callable[[Windows], Figure]:
    return lambda _: Figure(pl.col(name), pl.col(f"{name}__why") if has_why else None)
