"""What is in which tier, and what moved between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl

from flows.report.html.charts import Cell, Grid, Part, Stack, grid_svg, stacks_svg
from flows.report.html.plot import Plot
from flows.report.written import Written
from kammodel.publish.fields import TIERS
from kammodel.scoring import ScoredDay

NONE = "none"
"""Stands for no tier."""

RANKED = TIERS[: TIERS.index("provisional")]
_WHOLES = ("revenue_ttm", "weighted_pipeline")


def tier_of() -> pl.Expr:
    """The tier in force, NONE without one."""
    return pl.col("tier_effective").fill_null(NONE)


def tier_name(code: str, written: Written) -> str:
    return written.say("r_no_tier") if code == NONE else written.say.tier(code)


def shares(day: ScoredDay, portfolio: dict[str, Any], written: Written) -> Plot:
    """Whose the groups, the revenue and the weighted pipeline are, by tier; of money, groups above 0 have a share."""
    say = written.say
    plot = Plot("shares", say("r_shares"), say("r_no_groups"))
    if day.scores.frame.is_empty():
        return plot
    known = day.scores.frame.select("group", tier=tier_of()).join(day.kpis.select("group", *_WHOLES), on="group")
    sizes = {"groups": _sums(known.with_columns(groups=pl.lit(1)), "groups")}
    sizes |= {name: _sums(known, name) if portfolio[name] is not None else {} for name in _WHOLES}
    stacks = [_stack(say("r_groups"), say.number(known.height), sizes["groups"], written)]
    for name in _WHOLES:
        figure = written.figure(portfolio, name)
        told = figure.told if figure.why is None else f"{figure.told}: {figure.why}"
        stacks.append(_stack(figure.label, told, sizes[name], written))
    parts = {name: _share(sizes[name], ("strategic", "key"), written) for name in sizes}
    says = say("r_shares_says", groups=parts["groups"], revenue=parts["revenue_ttm"], open=parts["weighted_pipeline"])
    shown = tuple(tier for tier in (*TIERS, NONE) if sizes["groups"].get(tier))
    plot = replace(plot, says=says, tiers=shown)
    return replace(plot, drawn=stacks_svg(tuple(stacks), plot.titles))


def migration(day: ScoredDay, before: pl.DataFrame | None, before_day: dt.date | None, written: Written) -> Plot:
    """How many groups went from which tier to which. `before`: group_id and tier in force at `before_day`."""
    say = written.say
    plot = Plot("migration", say("r_migration"), say("r_no_before"))
    if before is None or before_day is None:
        return plot
    pairs = moved_pairs(day.scores.frame, before)
    names = tuple(tier for tier in (*TIERS, NONE) if tier != NONE or any(NONE in pair for pair in pairs))
    cells = tuple(tuple(_cell(was, now, pairs.get((was, now), 0), written) for now in names) for was in names)
    grid = Grid(
        rows=tuple(tier_name(tier, written) for tier in names),
        columns=tuple(tier_name(tier, written) for tier in names),
        cells=cells,
        rows_name=say("r_tier_before", day=written.day(before_day)),
        columns_name=say("r_tier_now"),
    )
    by = dict.fromkeys(("up", "down", "same", "other"), 0)
    for (was, now), n in pairs.items():
        by[tone_of(was, now)] += n
    told = {tone: say.number(n) for tone, n in by.items()}
    plot = replace(plot, says=say("r_migration_says", day=written.day(before_day), **told))
    return replace(plot, drawn=grid_svg(grid, plot.titles, left=106.0))


def moved_pairs(scores: pl.DataFrame, before: pl.DataFrame) -> dict[tuple[str, str], int]:
    """How many groups had which tier and have which now; those that had none and have none are left out."""
    both = scores.select("group_id", now=tier_of()).join(before, on="group_id", how="left")
    counted = both.group_by(was=pl.col("tier").fill_null(NONE), now=pl.col("now")).len().sort("was", "now")
    return {(was, now): n for was, now, n in counted.iter_rows() if (was, now) != (NONE, NONE)}


def tone_of(was: str, now: str) -> str:
    """up, down or same among the ranked tiers; `other` into or out of them: Provisional is no rank."""
    if was == now:
        return "same"
    if was not in RANKED or now not in RANKED:
        return "other"
    return "up" if RANKED.index(now) < RANKED.index(was) else "down"


def _cell(was: str, now: str, n: int, written: Written) -> Cell:
    tone, say = tone_of(was, now), written.say
    sign = {"up": "▲ ", "down": "▼ "}.get(tone, "")
    says = say("r_from_to", was=tier_name(was, written), now=tier_name(now, written), n=say.number(n))
    return Cell(n, f"{sign}{say.number(n)}" if n else "·", tone, says)


def _sums(known: pl.DataFrame, name: str) -> dict[str, int]:
    """By tier, the sum of what is above 0; exact."""
    column = pl.col(name).cast(pl.Int128)
    return dict(known.filter(column > 0).group_by("tier").agg(column.sum()).iter_rows())


def _share(sizes: dict[str, int], tiers: tuple[str, ...], written: Written) -> str:
    whole = sum(sizes.values())
    return written.share(sum(sizes.get(tier, 0) for tier in tiers) / whole) if whole else written.say("r_unknown")


def _stack(name: str, whole: str, sizes: dict[str, int], written: Written) -> Stack:
    total = sum(sizes.values())
    parts = []
    for tier in (*TIERS, NONE):
        if sizes.get(tier):
            told = written.share(sizes[tier] / total)
            parts.append(Part(tier, sizes[tier] / total, told, f"{tier_name(tier, written)}: {told}"))
    return Stack(name, whole, tuple(parts))
