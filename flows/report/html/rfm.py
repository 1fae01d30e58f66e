"""Who buys how often, and how lately."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from flows.report.html.charts import Bar, Cell, Grid, bars_svg, grid_svg
from flows.report.html.plot import Plot
from flows.report.written import Written
from kammodel.scoring import ScoredDay


def rfm_grid(day: ScoredDay, written: Written) -> Plot:
    """Account groups by the R and the F of their RFM; with too few of them for an F, by R alone (reading 27)."""
    say, rule = written.say, day.config.policy.rfm
    buyers = day.scores.frame.select("rfm").drop_nulls()
    plot = Plot("rfm", say("r_rfm"), say("r_no_buyers"))
    if buyers.is_empty():
        return plot
    counts = counted(buyers)
    if buyers.height < rule.small_bins_from:
        return _by_recency(plot, counts, len(rule.recency_days) + 1, written)
    bins = rule.bins if buyers.height >= rule.bins_from else rule.small_bins
    places = range(1, bins + 1)
    grid = Grid(
        rows=tuple(f"R {r}" for r in reversed(places)),
        columns=tuple(f"F {f}" for f in places),
        cells=tuple(tuple(_cell(r, f, counts, written) for f in places) for r in reversed(places)),
        rows_name=say("r_axis_recency"),
        columns_name=say("r_axis_frequency", most=bins),
    )
    often = _often(bins)
    best = sum(n for (r, f), n in counts.items() if f in often and r in often)
    quiet = sum(n for (r, f), n in counts.items() if f in often and r in {bins + 1 - f for f in often})
    says = say("r_rfm_says", best=say.number(best), quiet=say.number(quiet), n=say.number(buyers.height))
    plot = replace(plot, says=says, note=say("r_rfm_note", most=bins))
    return replace(plot, drawn=grid_svg(grid, plot.titles, left=62.0))


def counted(buyers: pl.DataFrame) -> dict[tuple[int, int | None], int]:
    """How many groups have which R and F."""
    parts = [
        pl.col("rfm").str.slice(place, 1).cast(pl.Int64, strict=False).alias(name) for place, name in enumerate("rf")
    ]
    rows = buyers.select(parts).drop_nulls("r").group_by("r", "f").len().sort("r", "f")
    return {(r, f): n for r, f, n in rows.iter_rows()}


def _often(bins: int) -> set[int]:
    """The two highest of five bins, the highest of three."""
    return set(range(bins + 1 - bins // 2, bins + 1))


def _cell(r: int, f: int, counts: dict[tuple[int, int | None], int], written: Written) -> Cell:
    n, say = counts.get((r, f), 0), written.say
    return Cell(n, say.number(n) if n else "·", "accent", f"R {r}, F {f}: {say.number(n)}")


def _by_recency(plot: Plot, counts: dict[tuple[int, int | None], int], best: int, written: Written) -> Plot:
    say, total = written.say, sum(counts.values())
    by = {r: sum(n for (at, _), n in counts.items() if at == r) for r in range(best, 0, -1)}
    bars = tuple(Bar(f"R {r}", float(n), say.number(n)) for r, n in by.items())
    plot = replace(plot, says=say("r_rfm_few", n=say.number(total)))
    return replace(plot, drawn=bars_svg(bars, float(max(by.values())), plot.titles))
