"""How much of the revenue is with how few account groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from flows.report.html.charts import Curve, Mark, curve_svg
from flows.report.html.plot import Plot
from flows.report.written import Written
from kammodel.scoring import ScoredDay

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_TOP = 10
_WORTH_A_TOP = 3 * _TOP
"""Groups from which on the share of the ten largest is worth a mark of its own."""


def concentration(day: ScoredDay, portfolio: dict[str, Any], written: Written) -> Plot:
    """The curve of shares of revenue, the largest group first (kam.md §3b: the real curve, never an assumed 80/20)."""
    say = written.say
    plot = Plot("concentration", say("r_concentration"), "")
    if portfolio["revenue_hhi"] is None:
        why = written.why(portfolio["revenue_hhi__why"])
        return replace(plot, says=say("r_plot_unknown", why=why))
    shares = cumulative_shares(day.kpis)
    n, few = portfolio["groups_with_revenue_n"], portfolio["pareto_n80"]
    says = say(
        "r_concentration_says",
        few=say.number(few),
        n=say.number(n),
        even=say.number(portfolio["effective_customers"], 1),
        hhi=say.number(portfolio["revenue_hhi"], 4),
    )
    marks = [Mark(few / n, shares[few - 1], say("r_mark_80", n=say.number(few)))]
    if n >= _WORTH_A_TOP and few > 2 * _TOP:
        told = say("r_mark_top", n=_TOP, share=written.share(portfolio["top10_share"]))
        marks.append(Mark(_TOP / n, portfolio["top10_share"], told))
    curve = Curve(
        points=((0.0, 0.0), *((place / n, share) for place, share in enumerate(shares, start=1))),
        marks=tuple(marks),
        ticks=tuple((at, written.share(at)) for at in _TICKS),
        x_name=say("r_axis_groups"),
        y_name=say("r_axis_revenue"),
        even=say("r_even"),
    )
    plot = replace(plot, says=says, note=_without(portfolio, written))
    return replace(plot, drawn=curve_svg(curve, plot.titles))


def cumulative_shares(kpis: pl.DataFrame) -> list[float]:
    """The shares of revenue of the groups that have any, the largest first, each with those before it."""
    own = kpis.filter(pl.col("revenue_ttm") > 0)["revenue_share"]
    found: list[float] = own.sort(descending=True).cum_sum().to_list()
    return found


def _without(portfolio: dict[str, Any], written: Written) -> str:
    n = portfolio["groups_without_revenue_n"]
    return written.say("r_without_revenue", n=written.say.number(n)) if n else ""
