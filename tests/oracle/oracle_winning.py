"""How deals end, and how steadily a customer buys."""

from __future__ import annotations

import datetime as dt
import math
from fractions import Fraction
from itertools import pairwise
from statistics import median

from tests.oracle.acts import months_before
from tests.oracle.facts import Deal
from tests.oracle.known import Group, Knowledge, Null
from tests.oracle.oracle_value import Found, between, rounded
from tests.oracle.revenue import Event


def winning(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    year, two = months_before(t, 12), months_before(t, 24)
    deals: list[Deal] = group.rows["deals"]
    won = [deal for deal in deals if deal.status == "won" and between(deal.closed_on, year, t)]
    lost = [deal for deal in deals if deal.status == "lost" and between(deal.closed_on, year, t)]
    n = len(won) + len(lost)
    found["won_n"], found["lost_n"] = len(won), len(lost)
    few = Null("nothing_closed") if not n else Null("few_closed") if n < 10 else None
    found["win_rate_count"] = few or rounded(Fraction(len(won), n), 6)
    low, high = wilson(len(won), n) if n else (Null("nothing_closed"),) * 2
    found["win_rate_low"], found["win_rate_high"] = low, high
    cohort = [deal for deal in deals if between(deal.created_on, two, year)]
    found["created_n"] = len(cohort)
    found["win_rate_created"] = created_rate(known, deals, cohort)
    cycles = [days for deal in won if (days := cycle(deal)) is not None]
    found["cycle_left_out_n"] = len(won) - len(cycles)
    if cycles:
        found["sales_cycle_days"] = rounded(Fraction(median(map(Fraction, cycles))), 1)
    else:
        found["sales_cycle_days"] = Null("no_cycles") if won else Null("no_won")


def cycle(deal: Deal) -> int | None:
    """Whole days from creation to close; none unless above 0 (reading 13)."""
    if deal.created_on is None or deal.closed_on is None:
        return None
    days = (deal.closed_on - deal.created_on).days
    return days if days > 0 else None


def wilson(won: int, n: int) -> tuple[float, float]:
    """The 95 % interval of kam.md §3d step 6."""
    z = 1.959963984540054
    p = won / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def created_rate(known: Knowledge, deals: list[Deal], cohort: list[Deal]) -> Fraction | Null:
    if len(cohort) < 10:
        return Null("few_created") if cohort else Null("nothing_created")
    taken = sorted(days for deal in deals if deal.status == "won" and (days := cycle(deal)) is not None)
    # The youngest that may be in it was created on the last day of the window.
    youngest = (known.t - months_before(known.t, 12)).days
    if taken and taken[math.ceil(Fraction(95 * len(taken), 100)) - 1] > youngest:
        return Null("long_cycle")
    return rounded(Fraction(sum(deal.status == "won" for deal in cohort), len(cohort)), 6)


def shown(of_level: dict[str, Found], by_group: dict[str, Found]) -> None:
    """The rate to show: that of few deals is pulled towards that of all groups (reading 18)."""
    won = sum(found["won_n"] for found in by_group.values())
    every = won + sum(found["lost_n"] for found in by_group.values())
    for found in of_level.values():
        n = found["won_n"] + found["lost_n"]
        if not n:
            found["win_rate_shown"] = Null("nothing_closed")
        elif n >= 10:
            found["win_rate_shown"] = rounded(Fraction(found["won_n"], n), 6)
        else:
            found["win_rate_shown"] = rounded((found["won_n"] + 10 * Fraction(won, every)) / (n + 10), 6)


def loyalty(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    events: list[Event] = group.rows["events"]
    for name, begin in (("purchases_24m", months_before(t, 24)), ("purchases_ever", dt.date.min)):
        within = [event for event in events if between(event.day, begin, t)]
        unknown = bool(within) and all(event.own is None for event in within)
        found[name] = Null("amounts_unknown") if unknown else sum(event.is_purchase for event in within)
    days = sorted({event.day for event in events if event.is_purchase and between(event.day, dt.date.min, t)})
    none = Null("no_purchase", "amounts_unknown") if isinstance(found["purchases_ever"], Null) else Null("no_purchase")
    found["days_since_first_purchase"] = (t - days[0]).days if days else none
    found["days_since_last_purchase"] = (t - days[-1]).days if days else none
    found["customer_tenure_months"] = tenure(t, days[0]) if days else none
    quarters = [(months_before(t, 3 * k + 3), months_before(t, 3 * k)) for k in range(8)]
    found["active_quarters_8"] = sum(any(between(day, *quarter) for day in days) for quarter in quarters)
    gaps = [(b - a).days for a, b in pairwise(days)]
    if len(days) < 3:
        found["purchase_gap_days"] = Null("few_purchase_days")
        found["cadence_recency"] = Null("few_purchase_days") if days else none
    else:
        gap = Fraction(median(map(Fraction, gaps)))
        found["purchase_gap_days"] = rounded(gap, 1)
        found["cadence_recency"] = rounded((t - days[-1]).days / gap, 6)


def tenure(t: dt.date, first: dt.date) -> int:
    """Completed calendar months, counted back from t (reading 6)."""
    months = 0
    while months_before(t, months + 1) >= first:
        months += 1
    return months


def migrated(all_found: dict[str, Found]) -> None:
    """A day that more than 20 % of all first purchases share, and five groups at least (reading 14)."""
    days = [found["days_since_first_purchase"] for found in all_found.values()]
    days = [day for day in days if not isinstance(day, Null)]
    for found in all_found.values():
        own = found["days_since_first_purchase"]
        if not isinstance(own, Null) and days.count(own) >= 5 and days.count(own) * 5 > len(days):
            found["customer_tenure_months"] = Null("migration_date")
