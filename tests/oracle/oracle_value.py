"""What a customer brings in, and what became of last year's."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from statistics import median
from typing import Any

from tests.oracle.acts import months_before
from tests.oracle.known import Amount, Group, Knowledge, Null, half_even
from tests.oracle.revenue import Event

Found = dict[str, Any]


def between(day: dt.date | None, after: dt.date, until: dt.date) -> bool:
    return day is not None and after < day <= until


def known_sum(amounts: list[Amount]) -> Any:
    """Readings 7 and 9."""
    missing = sorted({amount.why for amount in amounts if amount.why})
    if missing:
        return Null(*missing)
    known = [amount.value for amount in amounts if amount.value is not None]
    if amounts and not known:
        return Null("amounts_unknown")
    return sum(known)


def ratio(above: Any, below: Any, scale: int, none: str) -> Any:
    """A quotient rounded half to even; null where there is nothing below."""
    for part in (above, below):
        if isinstance(part, Null):
            return part
    return Null(none) if below == 0 else rounded(Fraction(above) / Fraction(below), scale)


def rounded(value: Fraction, scale: int) -> Fraction:
    return Fraction(half_even(value * 10**scale), 10**scale)


def nulls(*values: Any) -> Null | None:
    """One reason of those that are null, whichever."""
    whys = [why for value in values if isinstance(value, Null) for why in value.whys]
    return Null(*whys) if whys else None


def value(known: Knowledge, group: Group, found: Found) -> None:
    t = known.t
    events: list[Event] = group.rows["events"]
    year, two = months_before(t, 12), months_before(t, 24)
    this = [event for event in events if between(event.day, year, t)]
    before = [event for event in events if between(event.day, two, year)]
    ttm = found["revenue_ttm"] = known_sum([event.amount for event in this])
    prior = found["revenue_prior_ttm"] = known_sum([event.amount for event in before])
    found["revenue_24m"] = known_sum([event.amount for event in this + before])
    found["amount_missing_n"] = sum(event.own is None for event in this)
    days = [event.day for event in events if event.own is not None and event.day is not None and event.day <= t]
    first = min(days, default=None)
    since: Any = Null("no_revenue", "amounts_unknown") if first is None else (t - first).days
    found["days_since_first_revenue"] = since
    short = first is not None and first > year
    found["revenue_history_short"] = since if first is None else int(short)
    if first is None:
        found["revenue_annualised"] = nulls(since, ttm)
    elif not short:
        found["revenue_annualised"] = nulls(ttm, Null("full_year"))
    else:
        found["revenue_annualised"] = nulls(ttm) or half_even(Fraction(ttm * 365, since + 1))
    unknown = nulls(ttm, prior)
    is_young = first is None or first > two
    found["revenue_yoy_delta"] = unknown or ttm - prior
    found["revenue_yoy_growth"] = unknown or (
        Null("new") if prior <= 0 else Null("short_history") if is_young else rounded(Fraction(ttm, prior) - 1, 6)
    )
    retention(found, ttm, prior, is_young=is_young)
    sizes(known, group, found)


def retention(found: Found, ttm: Any, prior: Any, *, is_young: bool) -> None:
    unknown = nulls(ttm, prior)
    names = (
        "cohort_revenue",
        "expansion_revenue",
        "contraction_revenue",
        "churned_revenue",
        "new_revenue",
        "bridge_revenue",
    )
    rates = ("nrr_ttm", "grr_ttm", "logo_retention_ttm")
    if unknown:
        found |= dict.fromkeys((*names, *rates), unknown)
        return
    cohort = prior > 0
    found["cohort_revenue"] = prior if cohort else 0
    found["expansion_revenue"] = max(ttm - prior, 0) if cohort else 0
    found["contraction_revenue"] = max(prior - ttm, 0) if cohort and ttm > 0 else 0
    found["churned_revenue"] = prior - ttm if cohort and ttm <= 0 else 0
    found["new_revenue"] = 0 if cohort else ttm
    found["bridge_revenue"] = ttm
    if not cohort or is_young:
        why = Null("no_cohort") if not cohort else Null("short_history")
        found |= dict.fromkeys(rates, why)
        return
    found["nrr_ttm"] = rounded(Fraction(ttm, prior), 6)
    found["grr_ttm"] = rounded(Fraction(min(ttm, prior), prior), 6)
    found["logo_retention_ttm"] = Fraction(int(ttm > 0))


def sizes(known: Knowledge, group: Group, found: Found) -> None:
    year = months_before(known.t, 12)
    won = [
        deal
        for deal in group.rows["deals"]
        if deal.status == "won" and between(deal.closed_on, year, known.t) and deal.kind != "renewal"
    ]
    is_unknown = any(deal.own is None for deal in won)
    won = [deal for deal in won if deal.own is not None and deal.own > 0]
    missing = sorted({deal.amount.why for deal in won if deal.amount.why})
    amounts = [deal.amount.value for deal in won]
    if missing or not won:
        why = Null(*missing) if missing else Null("amounts_unknown" if is_unknown else "no_won")
        found["avg_deal_size"] = found["median_deal_size"] = why
        return
    found["avg_deal_size"] = half_even(Fraction(sum(amounts), len(amounts)))
    found["median_deal_size"] = half_even(median(map(Fraction, amounts)))


def over_all(known: Knowledge, all_found: dict[str, Found]) -> None:
    """What looks at every group: the share of revenue (reading 12)."""
    missing = [
        why
        for found in all_found.values()
        if isinstance(found["revenue_ttm"], Null)
        for why in found["revenue_ttm"].whys
    ]
    missing = [why for why in missing if why != "amounts_unknown"]
    base = sum(
        f["revenue_ttm"] for f in all_found.values() if not isinstance(f["revenue_ttm"], Null) and f["revenue_ttm"] > 0
    )
    for found in all_found.values():
        ttm = found["revenue_ttm"]
        if isinstance(ttm, Null):
            found["revenue_share"] = Null(*ttm.whys, *missing)
        elif missing:
            found["revenue_share"] = Null(*missing, *([] if ttm > 0 else ["no_revenue"]))
        else:
            found["revenue_share"] = Null("no_revenue") if ttm <= 0 else rounded(Fraction(ttm, base), 9)
