"""How far the figures can be trusted: what is not known and why, what was left out, what could not be read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from flows.report.html.charts import Bar, bars_svg
from flows.report.html.plot import Plot
from flows.report.written import Written
from kammodel.scoring import ScoredDay
from kammodel.tiering.criteria import CRITERIA, Measure

FIGURES = (
    "data_quality_score",
    "account_fields_filled",
    "accounts_with_owner",
    "deals_with_amount",
    "open_deals_on_time",
)
COUNTS = (
    "groups_without_kam",
    "opportunities_orphaned",
    "activities_orphaned",
    "touches_without_person_90d",
    "amounts_without_rate",
    "amount_missing_n",
    "open_amount_missing_n",
    "open_close_date_missing_n",
    "open_probability_missing_n",
    "closed_on_unknown_day",
    "tenure_by_migration_date",
    "opportunities_reconstructed",
    "matches_ambiguous",
    "rings",
    "accounts_unknown_in_files",
)
"""What a scoring run counts and a person may want to put right."""

MOST_REASONS = 12
_BANDS = (1.0, 0.8)


@dataclass(frozen=True)
class Missing:
    """A measure that groups lack, the reason in words, and of how many groups."""

    label: str
    why: str
    told: str


def known_measures(day: ScoredDay, written: Written) -> Plot:
    """Of how many ranked groups each measure of the score is known; those that fewest have first."""
    say = written.say
    plot = Plot("known", say("r_known"), say("r_no_groups"))
    ranked, own = _ranked(day), _measures(day)
    if ranked.is_empty() or not own:
        return plot
    n = ranked.height
    counts = sorted(((ranked[one.kpi].count(), place, one) for place, one in enumerate(own)), key=lambda told: told[:2])
    bars = tuple(_bar(one, known, n, written) for known, _, one in counts)
    least = counts[0]
    says = say("r_known_says", label=least[2].label(say.language), known=say.number(least[0]), n=say.number(n))
    plot = replace(plot, says=says)
    return replace(plot, drawn=bars_svg(bars, float(n), plot.titles))


def coverage(day: ScoredDay, written: Written) -> Plot:
    """How many ranked groups have data for how much of the criteria's weight."""
    say = written.say
    plot = Plot("coverage", say("r_coverage"), say("r_no_groups"))
    shares = day.scores.frame.filter("in_population")["coverage"].drop_nulls()
    if shares.is_empty():
        return plot
    enough = day.config.policy.provisional.coverage
    limits = sorted({*_BANDS, enough}, reverse=True)
    bars, above = [], None
    for limit in (*limits, 0.0):
        inside = shares.filter((shares >= limit) & (True if above is None else shares < above))
        name = _band(limit, above, written)
        bars.append(
            Bar(name, float(inside.len()), say.number(inside.len()), tone="accent" if limit >= enough else "warn")
        )
        above = limit
    few = shares.filter(shares < enough).len()
    says = say("r_coverage_says", n=say.number(few), total=say.number(shares.len()), enough=written.share(enough))
    plot = replace(plot, says=says)
    return replace(plot, drawn=bars_svg(tuple(bars), float(shares.len()), plot.titles))


def reasons(day: ScoredDay, written: Written) -> tuple[Missing, ...]:
    """Why measures of ranked groups are not known; what most groups lack first."""
    ranked = _ranked(day)
    found = []
    for one in _measures(day):
        if f"{one.kpi}__why" not in ranked.columns:
            continue
        lacking = ranked.filter(pl.col(one.kpi).is_null())
        for code, n in lacking.group_by(why=f"{one.kpi}__why").len().sort("why").iter_rows():
            found.append((n, one.label(written.say.language), written.why(code)))
    found.sort(key=lambda told: (-told[0], told[1:]))
    return tuple(Missing(label, why, written.say.number(n)) for n, label, why in found[:MOST_REASONS])


def counts(day: ScoredDay, written: Written) -> tuple[tuple[str, str], ...]:
    """What was counted and is not 0, in words."""
    told = ((name, day.counts.get(name, 0)) for name in COUNTS)
    return tuple((written.say(f"r_n_{name}"), written.say.number(n)) for name, n in told if n)


def _band(limit: float, above: float | None, written: Written) -> str:
    if above is None:
        return written.share(limit)
    key = "r_band" if limit else "r_band_below"
    return written.say(key, low=written.share(limit), high=written.share(above))


def _measures(day: ScoredDay) -> list[Measure]:
    """Those of criteria that count in this organisation."""
    return [measure for one in CRITERIA if one.key in day.scores.weights for measure in one.measures]


def _ranked(day: ScoredDay) -> pl.DataFrame:
    """The measures of the groups that are ranked, with the reasons where there is none."""
    members = day.scores.frame.filter("in_population").select("group")
    whys = day.kpis.select("group", pl.col("^.*__why$"))
    return members.join(day.scores.measures, on="group").join(whys, on="group", how="left")


def _bar(measure: Measure, known: int, n: int, written: Written) -> Bar:
    say = written.say
    told = say("r_of", n=say.number(known), total=say.number(n))
    return Bar(measure.label(say.language), float(known), told, tone="accent" if known else "warn")
