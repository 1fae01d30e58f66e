"""What only several groups have: last year's customers and what became of them, few that bring much, hours for all."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

from tests.oracle.acts import months_before
from tests.oracle.known import Group, Knowledge, Null, Unrounded
from tests.oracle.oracle_team import manager_of
from tests.oracle.oracle_value import Found, rounded

BRIDGE = (
    "cohort_revenue",
    "expansion_revenue",
    "contraction_revenue",
    "churned_revenue",
    "new_revenue",
    "bridge_revenue",
)
RATES = ("nrr_ttm", "grr_ttm", "logo_retention_ttm")


def without_rate(*values: Any) -> list[str]:
    """Reasons for which a sum over groups would be too small without a word (reading 7)."""
    whys = [why for value in values if isinstance(value, Null) for why in value.whys]
    return [why for why in whys if why.startswith("no rate for ")]


def retention(known: Knowledge, groups: list[Found], found: Found) -> None:
    """Group by group, the year before against this one (kam.md §4). A group of which either is unknown is in none of
    it (reading 9); one whose rate is missing leaves all of it unknown (reading 7)."""
    pairs = [(own["revenue_prior_ttm"], own["revenue_ttm"]) for own in groups]
    known_pairs = [(before, now) for before, now in pairs if not isinstance(before, Null) and not isinstance(now, Null)]
    found["bridge_left_out_n"] = len(pairs) - len(known_pairs)
    blocked = [why for pair in pairs for why in without_rate(*pair)]
    if not blocked and not known_pairs:
        blocked = [why for pair in pairs for value in pair if isinstance(value, Null) for why in value.whys]
    if blocked:
        found |= dict.fromkeys((*BRIDGE, *RATES), Null(*blocked))
        return
    cohort = [(before, now) for before, now in known_pairs if before > 0]
    start = sum(before for before, _ in cohort)
    found["cohort_revenue"] = start
    found["expansion_revenue"] = sum(now - before for before, now in cohort if now > before)
    found["contraction_revenue"] = sum(before - now for before, now in cohort if 0 < now < before)
    found["churned_revenue"] = sum(before - now for before, now in cohort if now <= 0)
    found["new_revenue"] = sum(now for before, now in known_pairs if before <= 0)
    found["bridge_revenue"] = sum(now for _, now in known_pairs)
    # While the first revenue event of all of them is younger than 24 months, the year before was no whole one.
    days = [own["days_since_first_revenue"] for own in groups]
    first = known.t - dt.timedelta(days=max((n for n in days if not isinstance(n, Null)), default=0))
    if not cohort or first > months_before(known.t, 24):
        found |= dict.fromkeys(RATES, Null("short_history" if cohort else "no_cohort"))
        return
    found["nrr_ttm"] = rounded(Fraction(sum(now for _, now in cohort), start), 6)
    found["grr_ttm"] = rounded(Fraction(sum(min(pair) for pair in cohort), start), 6)
    found["logo_retention_ttm"] = rounded(Fraction(sum(now > 0 for _, now in cohort), len(cohort)), 6)


def counts(groups: list[Found], found: Found) -> None:
    revenues = [own["revenue_ttm"] for own in groups if not isinstance(own["revenue_ttm"], Null)]
    found["groups_with_revenue_n"] = sum(revenue > 0 for revenue in revenues)
    found["groups_without_revenue_n"] = sum(revenue <= 0 for revenue in revenues)
    plans = [own["plan_current"] for own in groups if not isinstance(own["plan_current"], Null)]
    found["plan_coverage"] = rounded(Fraction(sum(plans), len(plans)), 6) if plans else Null("no_plan")


def concentration(groups: list[Found], found: Found) -> None:
    """Shares of the positive revenues; a missing rate leaves them all unknown (readings 7 and 12)."""
    names = ("top1_share", "top5_share", "top10_share", "revenue_hhi", "effective_customers", "pareto_n80")
    revenues = [own["revenue_ttm"] for own in groups if not isinstance(own["revenue_ttm"], Null)]
    largest = sorted((revenue for revenue in revenues if revenue > 0), reverse=True)
    blocked = without_rate(*(own["revenue_ttm"] for own in groups))
    if blocked or not largest:
        found |= dict.fromkeys((*names, "major_customers_n"), Null(*blocked) if blocked else Null("no_revenue"))
        return
    base = sum(largest)
    for n in (1, 5, 10):
        found[f"top{n}_share"] = rounded(Fraction(sum(largest[:n]), base), 6)
    index = sum((Fraction(revenue, base) ** 2 for revenue in largest), Fraction(0))
    found["revenue_hhi"], found["effective_customers"] = Unrounded(index), Unrounded(1 / index)
    enough = [n for n in range(1, len(largest) + 1) if sum(largest[:n]) * 100 >= base * 80]
    found["pareto_n80"] = enough[0]
    found["major_customers_n"] = sum(revenue * 10 >= base for revenue in largest)


def capacity(known: Knowledge, groups: list[Group], found: Found) -> None:
    """Hours of those who look after the groups, and those that the tiers in force before ask for (kam.md §3d.9)."""
    policy = known.book.config.policy.capacity
    told = {("salesforce", line["user"]): line["hours_per_month"] for line in known.book.files.get("team", [])}
    managers = {manager for group in groups if (manager := manager_of(group)) is not None}
    hours = [policy.hours_per_kam if told.get(kam) is None else told[kam] for kam in managers]
    there = found["capacity_hours"] = rounded(sum(map(Fraction, hours), Fraction(0)), 1) if hours else Null("no_kam")
    asks = {
        "strategic": policy.hours.strategic,
        "key": policy.hours.key,
        "growth": policy.hours.growth,
        "standard": policy.hours.standard,
        "provisional": policy.hours.growth,
    }
    tiers = [known.book.tiers.get(group.group_id) for group in groups]
    loads = [Fraction(asks[tier]) for tier in tiers if tier is not None]
    load = found["kam_load_hours"] = rounded(sum(loads, Fraction(0)), 1) if loads else Null("no_tiers")
    if isinstance(load, Null) or isinstance(there, Null):
        found["capacity_use"] = load if isinstance(load, Null) else there
    else:
        found["capacity_use"] = rounded(load / there, 6) if there else Null("no_hours")
