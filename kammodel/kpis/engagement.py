"""How much we talk: calls, e-mails and meetings that were done with a person of the account (readings 20-23)."""

from __future__ import annotations

import polars as pl

from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, kpi
from kammodel.kpis.sums import count


def _touch() -> pl.Expr:
    return pl.col("has_person")


def _of_kind(kind: str) -> pl.Expr:
    return pl.col("has_person") & (pl.col("kind") == kind)


def _meeting() -> pl.Expr:
    return _of_kind("meeting")


@kpi(unit="count", window="90d", of="touches")
def touches_90d(t: Windows) -> pl.Expr:
    """Touches of the last 90 days, today's included, each once per day, kind, owner and set of persons."""
    return count(_touch() & t.days("day", 90))


@kpi(unit="count", window="30d", of="touches")
def touches_30d(t: Windows) -> pl.Expr:
    """As touches_90d, of the last 30 days."""
    return count(_touch() & t.days("day", 30))


@kpi(unit="count", window="180d", of="touches")
def touches_180d(t: Windows) -> pl.Expr:
    """As touches_90d, of the last 180 days."""
    return count(_touch() & t.days("day", 180))


@kpi(unit="count", window="30d", of="touches")
def calls_30d(t: Windows) -> pl.Expr:
    """Calls among the touches of the last 30 days."""
    return count(_of_kind("call") & t.days("day", 30))


@kpi(unit="count", window="90d", of="touches")
def calls_90d(t: Windows) -> pl.Expr:
    """Calls among the touches of the last 90 days."""
    return count(_of_kind("call") & t.days("day", 90))


@kpi(unit="count", window="30d", of="touches")
def emails_30d(t: Windows) -> pl.Expr:
    """E-mails among the touches of the last 30 days."""
    return count(_of_kind("email") & t.days("day", 30))


@kpi(unit="count", window="90d", of="touches")
def emails_90d(t: Windows) -> pl.Expr:
    """E-mails among the touches of the last 90 days."""
    return count(_of_kind("email") & t.days("day", 90))


@kpi(unit="count", window="30d", of="touches")
def meetings_30d(t: Windows) -> pl.Expr:
    """Meetings among the touches of the last 30 days."""
    return count(_of_kind("meeting") & t.days("day", 30))


@kpi(unit="count", window="90d", of="touches")
def meetings_90d(t: Windows) -> pl.Expr:
    """Meetings among the touches of the last 90 days."""
    return count(_meeting() & t.days("day", 90))


@kpi(unit="count", window="180d", of="touches")
def meetings_180d(t: Windows) -> pl.Expr:
    """Meetings among the touches of the last 180 days."""
    return count(_meeting() & t.days("day", 180))


@kpi(unit="count", window="90d", of="touches")
def touches_without_person_90d(t: Windows) -> pl.Expr:
    """Calls, e-mails and meetings of the last 90 days that name no contact: no touches, shown beside them."""
    return count(~_touch() & t.days("day", 90))


@kpi(unit="days", window="all", of="touches")
def days_since_last_touch(t: Windows) -> Figure:
    """Days since the last touch up to t; null with `never`, not a large number (reading 23)."""
    last = pl.when(_touch() & t.until("day")).then(pl.col("day")).max()
    return Figure(t.days_since(last), pl.lit("never"))


@kpi(unit="days", window="all", of="touches")
def days_since_last_meeting(t: Windows) -> Figure:
    """Days since the last meeting up to t; null with `never`."""
    last = pl.when(_meeting() & t.until("day")).then(pl.col("day")).max()
    return Figure(t.days_since(last), pl.lit("never"))


@kpi(unit="count", window="180d", of="contacts")
def active_contacts_180d(t: Windows) -> pl.Expr:
    """Distinct persons in calls and meetings of the last 180 days. An e-mail is one-way: it does not count."""
    return count(t.days("last_on", 180))


@kpi(unit="ratio", window="90d", of="directions", scale=6)
def inbound_ratio_90d(t: Windows) -> Figure:
    """Share of the calls and e-mails of the last 90 days that came from the customer, of those whose direction is
    known. Null with `no_direction` where it is of none; how many it is of is direction_known_share_90d."""
    recent = t.days("day", 90)
    known = count(recent & pl.col("direction").is_not_null())
    inbound = count(recent & (pl.col("direction") == "in"))
    return Figure(pl.when(known > 0).then(inbound / known), pl.lit("no_direction"))


@kpi(unit="ratio", window="90d", of="directions", scale=6)
def direction_known_share_90d(t: Windows) -> Figure:
    """Share of the calls and e-mails of the last 90 days whose direction is known; null with `no_touches`."""
    n = count(t.days("day", 90))
    known = count(t.days("day", 90) & pl.col("direction").is_not_null())
    return Figure(pl.when(n > 0).then(known / n), pl.lit("no_touches"))
