"""How deals go through their stages, and which of them stand still."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any

from kammodel.entities import Activity
from tests.oracle.acts import months_before
from tests.oracle.facts import Deal
from tests.oracle.known import Group, Key, Knowledge, Null, half_even
from tests.oracle.oracle_value import Found, between, rounded
from tests.oracle.people import done_on

Stage = tuple[str, str]
"""source, stage_id."""


@dataclass
class Visit:
    """A stage that a deal was in, by its first entry."""

    stage: Stage
    status: str
    entered_on: dt.date
    left_on: Any = None
    is_passed: bool | None = None
    decided_on: dt.date | None = None


@dataclass
class Stages:
    """What became of all deals of a stage. `rates`: to a millionth, `whole` that of all stages; `limits`: days
    after which one stands still."""

    rates: dict[Stage, Fraction]
    whole: Fraction | None
    limits: dict[Stage, Fraction]
    active: dict[Key, dt.date]


def visits(known: Knowledge, deal: Deal) -> list[Visit]:
    """In order of first entry. A stage that is later is further; won is further than all, lost than none."""
    found: list[Visit] = []
    for step in deal.history:
        stage = (step["source"], step["stage_id"])
        if step["stage_id"] is not None and stage not in [visit.stage for visit in found]:
            day = known.day(step["changed_at"])
            found.append(Visit(stage, step["status"], day))
    for number, visit in enumerate(found):
        later = found[number + 1 :]
        if later:
            visit.left_on = later[0].entered_on
        if any(other.status != "lost" for other in later):
            visit.is_passed, visit.decided_on = True, later[0].entered_on
        elif deal.status == "lost":
            visit.is_passed, visit.decided_on = False, deal.closed_on
    return found


def gather(known: Knowledge) -> Stages:
    """Gives each group its `visits`, deal by deal; tells what became of the deals of each stage."""
    year = months_before(known.t, 12)
    ended: dict[Stage, list[bool]] = defaultdict(list)
    every: list[bool] = []
    stays: dict[Stage, list[int]] = defaultdict(list)
    for group in known.groups:
        for deal in group.rows["deals"]:
            own = visits(known, deal)
            group.rows["visits"].append((deal, own))
            open_ones = [visit for visit in own if visit.status == "open"]
            for visit in open_ones:
                if between(visit.left_on, year, known.t):
                    stays[visit.stage].append((visit.left_on - visit.entered_on).days)
            if deal.status in {"won", "lost"} and between(deal.closed_on, year, known.t) and open_ones:
                for visit in open_ones:
                    every.append(deal.status == "won")
                    ended[visit.stage].append(deal.status == "won")
    whole = Fraction(sum(every), len(every)) if every else None
    rates = {
        stage: rounded((sum(told) + 10 * whole) / (len(told) + 10), 6)
        for stage, told in ended.items()
        if whole is not None
    }
    limits = {stage: 2 * Fraction(median(map(Fraction, days))) for stage, days in stays.items()}
    return Stages(rates, None if whole is None else rounded(whole, 6), limits, _activities(known))


def _activities(known: Knowledge) -> dict[Key, dt.date]:
    """The day of the last activity about each deal that was done."""
    found: dict[Key, dt.date] = {}
    for row in known.rows(Activity):
        day = done_on(known, row)
        if day is not None and row["kind"] != "mass_email" and row["opportunity_id"] is not None:
            key = (row["source"], row["opportunity_id"])
            found[key] = max(found.get(key, day), day)
    return found


def stages(known: Knowledge, group: Group, found: Found, all_stages: Stages) -> None:
    t, year = known.t, months_before(known.t, 12)
    own = [visit for _, told in group.rows["visits"] for visit in told if visit.status == "open"]
    decided = [visit for visit in own if visit.is_passed is not None and between(visit.decided_on, year, t)]
    passed = Fraction(sum(bool(visit.is_passed) for visit in decided), len(decided)) if decided else None
    none = Null("no_stage_history")
    found["stage_conversion"] = none if passed is None else rounded(passed, 6)
    days = [Fraction((v.left_on - v.entered_on).days) for v in own if v.left_on and between(v.left_on, year, t)]
    found["stage_velocity_days"] = rounded(Fraction(median(days)), 1) if days else none
    is_open = [(deal, told) for deal, told in group.rows["visits"] if deal.status == "open" and not deal.is_omitted]
    ages = [age for deal, told in is_open if (age := age_of(known, deal, told)) is not None]
    why = none if is_open else Null("no_open_deals")
    found["stage_age_days"] = rounded(Fraction(median(map(Fraction, ages))), 1) if ages else why
    found["stalled_opps"] = sum(is_stalled(known, deal, told, all_stages) for deal, told in is_open)
    found["weighted_pipeline_calibrated"] = calibrated(known, is_open, all_stages)


def age_of(known: Knowledge, deal: Deal, told: list[Visit]) -> int | None:
    entered = [visit.entered_on for visit in told if visit.stage == (deal.key[0], deal.stage)]
    return (known.t - entered[0]).days if entered else None


def is_stalled(known: Knowledge, deal: Deal, told: list[Visit], all_stages: Stages) -> bool:
    """For more than twice the median of days in its stage, at least 30: no stage entered, nothing done about it."""
    days = [visit.entered_on for visit in told]
    if deal.key in all_stages.active:
        days.append(all_stages.active[deal.key])
    if deal.created_on is not None:
        days.append(deal.created_on)
    limit = max(all_stages.limits.get((deal.key[0], deal.stage or ""), Fraction(0)), Fraction(30))
    return bool(days) and (known.t - max(days)).days > limit


def calibrated(known: Knowledge, is_open: list[Any], all_stages: Stages) -> Any:
    deals = [deal for deal, _ in is_open]
    if deals and all(deal.expected_on is None for deal in deals):
        return Null("no_close_dates")
    inside = [d for d in deals if d.expected_on is not None and d.expected_on <= months_before(known.t, -12)]
    rated = [(d, all_stages.rates.get((d.key[0], d.stage), all_stages.whole)) for d in inside if d.stage is not None]
    usable = [(deal, rate) for deal, rate in rated if rate is not None]
    whys = sorted({deal.amount.why for deal, _ in usable if deal.amount.why})
    if whys:
        return Null(*whys)
    if inside and not any(deal.own is not None for deal in inside):
        return Null("amounts_unknown")
    if inside and not any(deal.own is not None for deal, _ in usable):
        return Null("no_stage_history")
    return half_even(sum((deal.amount.value * rate for deal, rate in usable if deal.own is not None), Fraction(0)))
