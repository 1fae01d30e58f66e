"""Account groups that show signs of trouble: what their KPIs say today, and no forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl

from flows.report.html.cadence import contacts
from flows.report.html.charts import Part, Stack, stacks_svg
from flows.report.html.plot import Plot
from flows.report.written import Written
from kammodel.scoring import ScoredDay

WATCHED = ("strategic", "key", "growth")
SIGNALS = ("falling", "silent", "late", "cases", "ending")
"""Revenue below that of the year before; a contact overdue for the tier; two of its own purchase gaps gone by; an open
case of high priority; a contract that ends within 90 days and is not renewed."""

LATE_FROM = 2.0
"""cadence_recency above which a group is late: two cycles of its own (kam.md §5, the rule fallback)."""

MOST_ROWS = 20
_SHOWN = {
    "falling": "revenue_yoy_growth",
    "late": "cadence_recency",
    "cases": "open_cases_high",
    "ending": "days_to_renewal",
}
_COUNTED = {"ending": "renewals_due_n_90d"}
State = Literal["yes", "no", "unknown"]


@dataclass(frozen=True)
class Sign:
    """What one signal says of a group. `why`: null where it is known."""

    state: State
    told: str
    why: str | None


@dataclass(frozen=True)
class Endangered:
    """A group with its signals in order of SIGNALS. `name` is text from a CRM."""

    group_id: str
    name: str
    tier: str
    score: str
    signs: tuple[Sign, ...]


def signals(day: ScoredDay) -> pl.DataFrame:
    """group, group_id, tier, score, each of SIGNALS (null: not known), `signs` (how many), of groups in WATCHED tiers;
    those with most signals first, then by tier, revenue and id."""
    own = day.scores.frame.filter(pl.col("tier_effective").is_in(WATCHED))
    own = own.select("group", "group_id", "score", tier="tier_effective").join(day.kpis, on="group")
    own = own.join(contacts(day).select("group", "since", "is_never", silent="is_behind"), on="group", how="left")
    told = own.with_columns(
        falling=pl.col("revenue_yoy_growth") < 0,
        late=pl.col("cadence_recency") > LATE_FROM,
        cases=pl.col("open_cases_high") > 0,
        ending=pl.col("renewals_due_n_90d") > 0,
        place=pl.col("tier").replace_strict(dict(zip(WATCHED, range(3), strict=True)), return_dtype=pl.Int64),
    ).with_columns(signs=pl.sum_horizontal(pl.col(name).cast(pl.Int64) for name in SIGNALS))
    order = ["signs", "place", "revenue_ttm", "group_id"]
    return told.sort(order, descending=[True, False, True, False], nulls_last=True)


def at_risk(found: pl.DataFrame, written: Written) -> Plot:
    """How many groups show each signal, by tier."""
    say = written.say
    plot = Plot("signals", say("r_signals"), say("r_no_watched"))
    if found.is_empty():
        return plot
    stacks = []
    for name in SIGNALS:
        own = found.filter(pl.col(name))
        parts = tuple(_part(tier, own.filter(pl.col("tier") == tier).height, written) for tier in WATCHED)
        whole, unknown = say.number(own.height), found[name].null_count()
        told = f"{whole} · {say('r_unknown_n', n=say.number(unknown))}" if unknown else whole
        stacks.append(Stack(say(f"r_sign_{name}"), told, tuple(part for part in parts if part.size)))
    several = found.filter(pl.col("signs") > 1).height
    says = say("r_risk_says", n=say.number(several), total=say.number(found.height))
    plot = replace(plot, says=says, tiers=WATCHED, note=say("r_risk_note"))
    return replace(plot, drawn=stacks_svg(tuple(stacks), plot.titles))


def endangered(found: pl.DataFrame, names: dict[int, str | None], written: Written) -> tuple[Endangered, ...]:
    """The first MOST_ROWS groups with a signal."""
    rows = found.filter(pl.col("signs") > 0).head(MOST_ROWS)
    return tuple(
        Endangered(
            row["group_id"],
            names.get(row["group"]) or row["group_id"],
            row["tier"],
            written.say("x_out") if row["score"] is None else written.say.number(row["score"], 1),
            tuple(_sign(name, row, written) for name in SIGNALS),
        )
        for row in rows.iter_rows(named=True)
    )


def _part(tier: str, n: int, written: Written) -> Part:
    told = written.say.number(n)
    return Part(tier, float(n), told, f"{written.say.tier(tier)}: {told}")


def _sign(name: str, row: dict[str, Any], written: Written) -> Sign:
    if name == "silent":
        return _silence(row, written)
    kpi, counted = _SHOWN[name], _COUNTED.get(name, _SHOWN[name])
    if row[name] is None:
        return Sign("unknown", written.say("r_unknown"), written.why(row.get(f"{counted}__why")))
    figure = written.figure(row, kpi)
    return Sign("yes" if row[name] else "no", written.say("r_none") if figure.why else figure.told, None)


def _silence(row: dict[str, Any], written: Written) -> Sign:
    say = written.say
    if row["silent"] is None:
        return Sign("unknown", say("r_unknown"), written.why(row["days_since_last_touch__why"]))
    told = say("r_never_one") if row["is_never"] else say("days", n=say.number(row["since"]))
    return Sign("yes" if row["silent"] else "no", told, None)
