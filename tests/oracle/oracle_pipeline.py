"""What may come: open deals of the next twelve months, and how they move."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from statistics import median
from typing import Any

from tests.oracle.acts import months_before
from tests.oracle.facts import Deal
from tests.oracle.known import Group, Knowledge, Null, half_even
from tests.oracle.oracle_value import Found, between, known_sum, rounded
from tests.oracle.oracle_winning import cycle


def pipeline(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    deals: list[Deal] = group.rows["deals"]
    is_open = [deal for deal in deals if deal.status == "open" and not deal.is_omitted]
    inside = [deal for deal in is_open if deal.expected_on is not None and deal.expected_on <= months_before(t, -12)]
    undated = bool(is_open) and all(deal.expected_on is None for deal in is_open)
    found["open_pipeline"] = Null("no_close_dates") if undated else known_sum([deal.amount for deal in inside])
    found["weighted_pipeline"] = Null("no_close_dates") if undated else weighted(inside)
    found["open_amount_missing_n"] = sum(deal.own is None for deal in inside)
    found["open_close_date_missing_n"] = sum(deal.expected_on is None for deal in is_open)
    found["open_probability_missing_n"] = sum(deal.probability is None for deal in inside)
    found["open_past_due_n"] = sum(deal.expected_on is not None and deal.expected_on < t for deal in is_open)
    recent = [deal for deal in deals if between(deal.created_on, t - dt.timedelta(days=90), t)]
    found["pipeline_created_90d"] = known_sum([deal.amount for deal in recent])
    found["pipeline_created_n_90d"] = len(recent)
    kinds = [deal.kind for deal in recent if deal.kind is not None]
    if kinds:
        found["pipeline_created_expansion_share"] = rounded(Fraction(kinds.count("expansion"), len(kinds)), 6)
    else:
        found["pipeline_created_expansion_share"] = Null("no_kinds") if recent else Null("nothing_created")
    created = [deal.created_on for deal in deals if deal.created_on is not None and deal.created_on <= t]
    found["days_since_new_opp"] = (t - max(created)).days if created else Null("no_deals")
    pushes = [push for deal in deals for push in pushed(known, deal)]
    found["push_count"] = len(pushes)
    found["slipped_opps"] = len(set(pushes))
    found["sales_velocity"] = velocity(known, deals, inside)
    quarter(known, group, found, is_open)


def weighted(inside: list[Deal]) -> Any:
    """Amounts times probabilities to a millionth, rounded once (reading 16)."""
    rated = [deal for deal in inside if deal.probability is not None and 0 <= deal.probability <= 1]
    missing = sorted({deal.amount.why for deal in rated if deal.amount.why})
    if missing:
        return Null(*missing)
    if inside and not any(deal.own is not None for deal in inside):
        return Null("amounts_unknown")
    if inside and not any(deal.own is not None for deal in rated):
        return Null("probabilities_unknown")
    shares = [
        deal.amount.value * Fraction(round(Fraction(str(deal.probability)) * 10**6), 10**6)
        for deal in rated
        if deal.own is not None
    ]
    return half_even(sum(shares, Fraction(0)))


def pushed(known: Knowledge, deal: Deal) -> list[tuple[str, str]]:
    """The key of the deal, as often as its expected close was moved past the end of its quarter."""
    found = []
    before: dt.date | None = None
    for number, step in enumerate(deal.history):
        was = step["prev_close_on"] if number == 0 else before
        now = step["close_on"]
        is_open = step["status"] == "open"
        if is_open and was and now and (now.year, (now.month - 1) // 3) > (was.year, (was.month - 1) // 3):
            day = known.day(step["changed_at"])
            if between(day, months_before(known.t, 12), known.t):
                found.append(deal.key)
        before = now
    return found


def velocity(known: Knowledge, deals: list[Deal], inside: list[Deal]) -> Any:
    """Open deals x average won size x win rate / median cycle (kam.md §4), renewals out."""
    year = months_before(known.t, 12)
    n = sum(deal.kind != "renewal" for deal in inside)
    closed = [
        d for d in deals if d.kind != "renewal" and d.status in {"won", "lost"} and between(d.closed_on, year, known.t)
    ]
    won = [deal for deal in closed if deal.status == "won"]
    sized = [deal for deal in won if deal.own is not None and deal.own > 0]
    cycles = [days for deal in won if (days := cycle(deal)) is not None]
    whys = ["few_open"] * (n < 5) + ["few_closed"] * (len(closed) < 10)
    if whys:
        return Null(*whys)
    whys = (
        [deal.amount.why for deal in sized if deal.amount.why] + ["no_won"] * (not sized) + ["no_cycles"] * (not cycles)
    )
    if whys:
        return Null(*whys)
    size = Fraction(sum(deal.amount.value for deal in sized), len(sized))
    return half_even(n * size * Fraction(len(won), len(closed)) / Fraction(median(map(Fraction, cycles))))


def quarter(known: Knowledge, group: Group, found: Found, is_open: list[Deal]) -> None:
    """The calendar quarter of t."""
    t = known.t
    first = dt.date(t.year, (t.month - 1) // 3 * 3 + 1, 1)
    last = months_before(first, -3) - dt.timedelta(days=1)
    found["revenue_quarter"] = known_sum([e.amount for e in group.rows["events"] if e.day and first <= e.day <= t])
    within = [deal for deal in is_open if deal.expected_on is not None and first <= deal.expected_on <= last]
    undated = bool(is_open) and all(deal.expected_on is None for deal in is_open)
    found["open_pipeline_quarter"] = Null("no_close_dates") if undated else known_sum([deal.amount for deal in within])
