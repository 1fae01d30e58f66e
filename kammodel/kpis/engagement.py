"""How much we talk: calls, e-mails and meetings that were done with a person of the account (readings 20-23)."""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import Figure, Windows, kpi
from kammodel.kpis.sums import count


def _touch() -> pl.Expr:
    return pl.col("has_person")


def _meeting() -> pl.Expr:
    return pl.col("has_person") & (pl.col("kind") == "meeting")


@kpi(unit="count", window="90d", of="touches")
def touches_90d(t: Windows) -> pl.Expr:
    """Touches of the last 90 days, today's included, each once per day, kind, owner and set of persons."""
    return count(_touch() & t.days("day", 90))


@kpi(unit="count", window="180d", of="touches")
def touches_180d(t: Windows) -> pl.Expr:
    """As touches_90d, of the last 180 days."""
    return count(_touch() & t.days("day", 180))


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
