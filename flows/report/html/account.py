"""The section of one account group: its trend, what its score is made of, what changed, and what would lift it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import polars as pl

from flows.pipeline.reporting import AccountFacts
from flows.report.digest import NAMED
from flows.report.html.charts import Bar, Point, Trend, bars_svg, trend_svg
from flows.report.html.plot import Plot
from flows.report.html.tiers import NONE, tier_name
from flows.report.next_step import next_step
from flows.report.rolled import rollup_rows
from flows.report.written import Figure, Written
from kammodel.tiering.explained import CriterionExplained, Explanation

FIGURES = (
    *("revenue_ttm", "revenue_prior_ttm", "revenue_yoy_growth", "revenue_share", "nrr_ttm", "weighted_pipeline"),
    *("open_pipeline", "win_rate_shown", "stalled_opps", "customer_tenure_months", "cadence_recency"),
    *("days_since_last_purchase", "days_since_last_touch", "days_since_last_meeting", "touches_90d"),
    *("active_contacts_180d", "exec_coverage", "single_threaded", "open_cases", "open_cases_high", "escalations_90d"),
    *("nps", "days_to_renewal", "renewals_due_90d", "share_of_wallet", "whitespace_value", "plan_current"),
    "data_quality_score",
)
"""KPIs of a section: those a key account manager sees first (kam.md §4), and what stands around them."""

MOST_MEMBERS = 40
_MOST_TICKS = 5
_STEP = 10


@dataclass(frozen=True)
class Link:
    """An account of the group. `page`: an http address, or null."""

    name: str
    crm: str
    source_id: str
    page: str | None


@dataclass(frozen=True)
class AccountPage:
    """`name`, `reason`, `manager` and the notes hold text from a CRM: the template escapes all of it."""

    anchor: str
    name: str
    group_id: str
    tier: str
    tier_label: str
    score: str
    is_ranked: bool
    reason: str
    facts: tuple[tuple[str, str], ...]
    trend: Plot
    criteria: Plot
    changed: tuple[str, ...]
    moved: tuple[tuple[str, str, str, str], ...]
    next_step: tuple[str, ...]
    figures: tuple[Figure, ...]
    rebuilt: frozenset[str]
    rollups: tuple[tuple[str, str, str, str], ...]
    members: tuple[Link, ...]
    members_more: int
    notes: tuple[str, ...]


def account_page(found: AccountFacts, place: int, written: Written) -> AccountPage:
    """The section of the group in a place of the list, counted from 1."""
    one, say = found.explanation, written.say
    return AccountPage(
        anchor=f"a{place}",
        name=one.name or one.group_id,
        group_id=one.group_id,
        tier=one.tier or NONE,
        tier_label=one.tier_label or say("r_no_tier"),
        score=say.number(one.score, 1) if one.score is not None else say("x_out"),
        is_ranked=one.score is not None,
        reason=one.reason,
        facts=tuple(_facts(found, written)),
        trend=_trend(found.history, place, written),
        criteria=_criteria(one, place, written),
        changed=tuple(_changed(one, written)),
        moved=tuple(_moved(one, written)),
        next_step=tuple(next_step(one, written)),
        figures=tuple(written.figure(found.kpis, name) for name in FIGURES),
        rebuilt=frozenset(one.reconstructed),
        rollups=tuple(rollup_rows(one.rollups, say)),
        members=tuple(_link(member.source, member.source_id, member.name, member.page) for member in found.members)[
            :MOST_MEMBERS
        ],
        members_more=max(len(found.members) - MOST_MEMBERS, 0),
        notes=tuple(_notes(one, written)),
    )


def _link(crm: str, source_id: str, name: str | None, page: str | None) -> Link:
    # An address is made by the connector from its own host; another scheme than these would run in the reader's page.
    is_web = page is not None and page.startswith(("https://", "http://"))
    return Link(name or source_id, NAMED.get(crm, crm), source_id, page if is_web else None)


def _facts(found: AccountFacts, written: Written) -> list[tuple[str, str]]:
    one, say = found.explanation, written.say
    told = [(say("r_manager"), found.manager or say("r_nobody"))]
    if one.score_percentile is not None:
        told.append(
            (
                say("r_rank"),
                say("r_rank_told", percentile=say.number(one.score_percentile), n=say.number(one.population_n)),
            )
        )
    named = ((say("x_quadrant"), one.quadrant_label), (say("x_rfm"), one.rfm), ("ABC", one.abc))
    told += [(name, value or say("r_unknown")) for name, value in named]
    told.append((say("x_coverage"), written.share(one.coverage) if one.coverage is not None else say("r_unknown")))
    if one.tier_rule_label:
        told.append((say("r_rule"), one.tier_rule_label))
    if one.tier_since is not None:
        told.append((say("r_since"), written.day(one.tier_since)))
    if one.tier_confidence is not None:
        told.append((say("r_confidence"), say("r_confidence_told", share=written.share(one.tier_confidence))))
    return told


def _trend(history: pl.DataFrame, place: int, written: Written) -> Plot:
    """The score of every day on record, in the colour of the tier of that day."""
    say = written.say
    plot = Plot(f"trend{place}", say("r_trend"), say("r_trend_one"))
    known = history.drop_nulls("score")
    if known.height < 2:
        return plot
    first, last = known.row(0, named=True), known.row(-1, named=True)
    says = say(
        "r_trend_says",
        first=say.number(first["score"], 1),
        first_day=written.day(first["as_of"]),
        last=say.number(last["score"], 1),
        low=say.number(known["score"].min(), 1),  # type: ignore[arg-type]
        high=say.number(known["score"].max(), 1),  # type: ignore[arg-type]
    )
    days, (low, high) = history["as_of"].to_list(), _ends(known["score"].to_list())
    trend = Trend(
        points=tuple(_point(day, score, tier, written) for day, score, tier in history.iter_rows()),
        day_names=tuple((day, written.month(day)) for day in _few(days)),
        value_names=tuple(
            (float(at), say.number(at)) for at in range(low, high + 1, _STEP if high - low < 50 else 2 * _STEP)
        ),
        low=float(low),
        high=float(high),
    )
    plot = replace(plot, says=says)
    return replace(plot, drawn=trend_svg(trend, plot.titles))


def _ends(scores: list[float]) -> tuple[int, int]:
    """Whole tens around the scores with some air, within 0..100."""
    low, high = int((min(scores) - 4) // _STEP * _STEP), int(-(-(max(scores) + 4) // _STEP) * _STEP)
    return max(low, 0), min(high, 100)


def _point(day: dt.date, score: float | None, tier: str | None, written: Written) -> Point:
    told = written.say.number(score, 1) if score is not None else written.say("r_unknown")
    return Point(day, score, tier or NONE, f"{written.day(day)}: {tier_name(tier or NONE, written)}, {told}")


def _few(days: list[dt.date]) -> list[dt.date]:
    """The days at the ends and some between, no two of them close."""
    span = (days[-1] - days[0]).days / _MOST_TICKS
    kept = [days[0]]
    for day in days[1:-1]:
        if (day - kept[-1]).days >= span and (days[-1] - day).days >= span:
            kept.append(day)
    return [*kept, days[-1]]


def _criteria(one: Explanation, place: int, written: Written) -> Plot:
    """The points of the score that each criterion brings; they sum to it."""
    say = written.say
    plot = Plot(f"criteria{place}", say("r_criteria"), one.out_reason or say("r_no_points"))
    weighed = [c for c in one.criteria if c.weight and c.key not in one.criteria_unavailable]
    known = [c for c in weighed if c.contribution is not None]
    if not known:
        return plot
    ordered = sorted(weighed, key=lambda c: (c.contribution is None, -(c.contribution or 0.0)))
    best = ordered[0]
    says = say(
        "r_criteria_says", best=best.label, points=say.number(best.contribution, 1), score=say.number(one.score, 1)
    )
    plot = replace(plot, says=says, note=say("r_criteria_note"))
    most = max(c.contribution or 0.0 for c in known)
    return replace(plot, drawn=bars_svg(tuple(_criterion(c, written) for c in ordered), most, plot.titles))


def _criterion(one: CriterionExplained, written: Written) -> Bar:
    say = written.say
    if one.contribution is None:
        whys = dict.fromkeys(measure.why for measure in one.measures if measure.why)
        return Bar(one.label, None, f"{say('r_unknown')}: {next(iter(whys), say('r_no_reason'))}")
    beside = "" if one.above_middle is None else f" ({written.signed(one.above_middle)})"
    return Bar(one.label, one.contribution, f"{say.number(one.contribution, 1)}{beside}")


def _changed(one: Explanation, written: Written) -> list[str]:
    before, say = one.since_last_run, written.say
    if before is None:
        return [say("r_first")]
    change = written.signed(before.score_change)
    lines = [
        say("x_before", tier=before.tier_label or say("r_no_tier"), score=say.number(before.score, 1), change=change)
    ]
    if before.rules_changed:
        lines.append(say("x_rules_changed_unknown"))
    return lines


def _moved(one: Explanation, written: Written) -> list[tuple[str, str, str, str]]:
    """Criterion, change, by its own doing, by its peers', of criteria that moved."""
    moved = [c for c in one.criteria if c.change]
    return [
        (c.label, written.signed(c.change), written.signed(c.own_change), written.signed(c.peers_change))
        for c in sorted(moved, key=lambda c: -abs(c.change or 0.0))
    ]


def _notes(one: Explanation, written: Written) -> list[str]:
    say, notes = written.say, []
    if one.override is not None:
        until = say("x_until", day=one.override.until.isoformat()) if one.override.until else ""
        state, why = say(f"x_{one.override.state}"), one.override.reason or ""
        notes.append(say("x_override", tier=one.override.tier, until=until, state=state, reason=why))
    return [*notes, *(say("x_warning", text=warning) for warning in one.warnings)]
