"""Whom we know at an account: executives, the parts people play, and how many of us and of them keep it alive."""

from __future__ import annotations

import polars as pl

from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, kpi
from kammodel.kpis.sums import count


def _known(column: str) -> pl.Expr:
    return pl.col(column).is_not_null()


@kpi(unit="flag", window="180d", of="kpis")
def single_threaded(_: Windows) -> Figure:
    """1 where at most one person took part in calls and meetings of the last 180 days: one resignation from silence.

    How many did is active_contacts_180d.
    """
    one = (pl.col("active_contacts_180d") <= 1).cast(pl.Int64)
    return Figure(one, pl.col("active_contacts_180d__why"))


@kpi(unit="count", window="now", of="people")
def contacts_known(_: Windows) -> pl.Expr:
    """Persons on file who work at the group's accounts, or are related to them."""
    return count(_known("person"))


@kpi(unit="count", window="now", of="people")
def execs_known(_: Windows) -> pl.Expr:
    """Executives on file: by title (reading 26), or noted as economic buyer or executive sponsor."""
    return count(pl.col("is_executive"))


@kpi(unit="count", window="180d", of="executives")
def execs_touched_180d(t: Windows) -> pl.Expr:
    """Executives on file with whom there was a touch in the last 180 days."""
    return count(t.days("last_on", 180))


@kpi(unit="ratio", window="180d", of="kpis", scale=6)
def exec_coverage(_: Windows) -> Figure:
    """`execs_touched_180d / execs_known`; null with `no_executives` where none is on file, which says nothing."""
    none = pl.when(pl.col("execs_known") == 0).then(pl.lit("no_executives"))
    covered = pl.when(pl.col("execs_known") > 0).then(pl.col("execs_touched_180d") / pl.col("execs_known"))
    return Figure(covered, pl.coalesce("execs_touched_180d__why", "execs_known__why", none))


@kpi(unit="days", window="all", of="executives")
def days_since_last_exec(t: Windows) -> Figure:
    """Days since the last touch with an executive; null with `never`, or with `no_executives` on file."""
    last = pl.when(t.until("last_on")).then(pl.col("last_on")).max()
    none = pl.when(count(_known("person")) == 0).then(pl.lit("no_executives")).otherwise(pl.lit("never"))
    return Figure(t.days_since(last), none)


@kpi(unit="count", window="90d", of="executive_touches")
def exec_touches_90d(t: Windows) -> pl.Expr:
    """Touches of the last 90 days in which an executive took part, once per day, kind and set of persons."""
    return count(t.days("day", 90))


@kpi(unit="count", window="180d", of="executive_touches")
def exec_meetings_180d(t: Windows) -> pl.Expr:
    """Meetings of the last 180 days in which an executive took part."""
    return count((pl.col("kind") == "meeting") & t.days("day", 180))


@kpi(unit="ratio", window="now", of="role_holders", scale=6)
def contact_role_coverage(_: Windows) -> Figure:
    """Share of the required buying roles that somebody on file fills: economic buyer, champion, user, technical,
    unless words.csv requires others. Noted in the CRM, or inferred from a title.

    Null with `no_contacts` where nobody is on file.
    """
    filled = count(_known("role"))
    required = pl.col("required_n").max()
    return Figure(pl.when(required > 0).then(filled / required), pl.lit("no_contacts"))


@kpi(unit="ratio", window="now", of="role_holders", scale=6)
def roles_inferred_share(_: Windows) -> Figure:
    """Share of the filled roles that only a title speaks for; null with `no_roles` where none is filled."""
    filled = count(_known("role"))
    return Figure(pl.when(filled > 0).then(count(~pl.col("is_noted")) / filled), pl.lit("no_roles"))


@kpi(unit="ratio", window="90d", of="owned_touches", scale=6)
def kam_share_of_touches_90d(t: Windows) -> Figure:
    """Share of the touches of the last 90 days in which the key account manager took part: who is assigned as `kam`,
    else the owner of the root account. Null with `no_touches`, or `no_kam`."""
    recent = t.days("day", 90)
    known = count(recent & _known("is_kam"))
    why = pl.when(count(recent) > 0).then(pl.lit("no_kam")).otherwise(pl.lit("no_touches"))
    return Figure(pl.when(known > 0).then(count(recent & pl.col("is_kam")) / known), why)


@kpi(unit="count", window="12m", of="assignments")
def owner_changes_12m(t: Windows) -> Figure:
    """How often another person became key account manager in (t - 12 months, t], by assignments.csv; null with
    `no_history` where it does not name the group: a CRM holds the present owner only."""
    there = count(_known("starts_on")) > 0
    return Figure(pl.when(there).then(count(pl.col("is_change") & t.months("starts_on", 12))), pl.lit("no_history"))


@kpi(unit="count", window="90d", of="functions")
def internal_functions_90d(t: Windows) -> Figure:
    """Distinct functions of ours (team.csv) that touched the group in the last 90 days; null with `not_given` where no
    function of anybody who did is known."""
    recent = pl.when(t.days("day", 90)).then(pl.col("function")).drop_nulls().n_unique()
    return Figure(pl.when(recent > 0).then(recent), pl.lit("not_given"))


@kpi(unit="points", window="now", of="ratings")
def relationship_level(_: Windows) -> Figure:
    """The stage of the relationship as ratings.csv confirms it: 1 exploratory, 2 basic, 3 cooperative,
    4 interdependent, 5 integrated; null with `not_given` (kam.md §1b)."""
    return Figure(pl.col("relationship_level").max(), pl.lit("not_given"))


@kpi(unit="points", window="now", of="ratings", scale=1)
def esg_score(_: Windows) -> Figure:
    """Sustainability rating of ratings.csv, 0..100, shown beside the tier; null with `not_given`."""
    return Figure(pl.col("esg_score").max(), pl.lit("not_given"))
