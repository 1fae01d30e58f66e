"""Revenue events: what accounts brought in, each sale once, out of the best record that tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY, Order, Sourced
from kammodel.facts.cut import Cut
from kammodel.facts.deals import DEALS, STREAMS
from kammodel.facts.frames import DEAL, ORG, OWN, FactFrame, Sources
from kammodel.facts.team import in_group

_IN_FORCE = ("Activated", "Expired")
"""Status codes of orders that were placed; Draft and Canceled ones were not (Salesforce Order.StatusCode)."""

_INVOICED = ("invoice", "credit")
_FIRST, _ORDERED, _RECURRING, _BOOKED = range(4)
"""Precedence of kinds: invoices and credits, orders, months of a recurring schedule, bookings."""

EVENT = {
    "group": pl.UInt32,
    "day": pl.Date,
    "own_amount": pl.Int64,
    "amount": pl.Int64,
    "amount_why": pl.String,
    "kind": pl.String,
}


@dataclass(frozen=True)
class Revenue:
    """`events`: see `revenue`. `days`: group, day, `gap` in days to the purchase day before, of purchases."""

    events: pl.DataFrame
    days: pl.DataFrame
    counts: dict[str, int]


def revenue(sources: Sources) -> Revenue:
    """One row per revenue event: group, `day` (null: unknown), `own_amount` (null: unknown), `amount` in the reporting
    currency at the rate of the day, `amount_why`, `kind` (invoice, credit, order, recurring, booking).

    kam.md §2b: invoice > order > recurring schedule > won opportunity. Reading 10 makes the won deal the event; the
    others take its place where they are there:

    - A deal that an order names is that order: its amount, its day. Of a group whose orders name their deals, one that
      names none is a sale of its own.
    - Otherwise a better kind counts alone from its first event in the group on, since invoices, orders or a schedule
      that are kept at all are kept in full; before that day, the next kind that is there.
    - Invoices, credits (below 0) and the months of a schedule are those of the file revenue.csv.
    """
    booked = sources.frame("deals").filter(status="won").with_columns(kind=pl.lit("booking"), rank=pl.lit(_BOOKED))
    ordered, filed = _ordered(sources), _filed(sources)
    orders = sources.of(Order).filter(in_force(sources.moment))
    named = sources.counted_anywhere(orders).select(pl.col(DEAL).alias(OWN)).drop_nulls()
    unordered = booked.rename({"closed_on": "day"}).join(named, on=OWN, how="anti")
    columns = [*EVENT, "rank"]
    every = pl.concat([frame.select(columns) for frame in (filed, ordered, unordered)])
    events = _first_of_its_kind(every).select(EVENT.keys()).sort("group", "day", "kind", "own_amount")
    counts = {"orders": ordered.height, "deals_replaced_by_orders": booked.height - unordered.height}
    counts["revenue_events_superseded"] = every.height - events.height
    return Revenue(events, _purchase_days(events), counts)


def is_purchase() -> pl.Expr:
    """A revenue event with an amount above 0, in whatever currency (reading 10)."""
    return pl.col("own_amount") > 0


def _first_of_its_kind(every: pl.DataFrame) -> pl.DataFrame:
    """Without the events from whose day on a better kind tells of the group."""
    better = every.filter(pl.col("rank") < _BOOKED).group_by("group", "rank").agg(since=pl.col("day").min())
    if better.is_empty():
        return every
    ends = [
        better.filter(pl.col("rank") < rank).group_by("group").agg(pl.col("since").min(), rank=pl.lit(rank))
        for rank in (_ORDERED, _RECURRING, _BOOKED)
    ]
    limited = every.join(pl.concat(ends), on=["group", "rank"], how="left")
    return limited.filter(pl.col("since").is_null() | (pl.col("day") < pl.col("since")))


def in_force(moment: Cut) -> pl.Expr:
    """Orders that were placed by the cut."""
    activated = pl.col("activated_at").is_null() | (pl.col("activated_at") <= moment.at)
    placed = pl.col("status_code").is_in(_IN_FORCE) & activated & (pl.col("effective_on") <= moment.day)
    return moment.existed() & placed.fill_null(value=False)


def _ordered(sources: Sources) -> pl.DataFrame:
    """Orders by their first day: one dated ahead is no sale yet."""
    moment = sources.moment
    counted = sources.counted(sources.of(Order).filter(in_force(moment))).rename(
        {"amount": "own_amount", "effective_on": "on"}
    )
    priced = sources.converted(counted).with_columns(kind=pl.lit("order"), day="on")
    names_deals = pl.col(DEAL).is_not_null().any().over("group")
    return priced.with_columns(rank=pl.when(names_deals).then(_BOOKED).otherwise(_ORDERED))


def _filed(sources: Sources) -> pl.DataFrame:
    rows = in_group(sources, "revenue")
    if rows is None:
        return pl.DataFrame(schema={**EVENT, "rank": pl.Int32})
    told = rows.filter(pl.col("booked_on") <= sources.moment.day).select(
        *ORG, "group", "kind", "currency", on="booked_on", own_amount="amount"
    )
    currency = pl.col("currency").fill_null(sources.reporting_currency)
    priced = sources.converted(told.with_columns(currency=currency)).with_columns(day="on")
    ranks = pl.when(pl.col("kind").is_in(_INVOICED)).then(_FIRST).when(pl.col("kind") == "order").then(_ORDERED)
    return priced.with_columns(rank=ranks.otherwise(_RECURRING))


def _purchase_days(events: pl.DataFrame) -> pl.DataFrame:
    days = events.filter(is_purchase()).select("group", "day").drop_nulls("day").unique().sort("group", "day")
    same = pl.col("group") == pl.col("group").shift(1)
    return days.with_columns(gap=pl.when(same).then(pl.col("day").diff().dt.total_days()))


_ENTITIES: Mapping[type[Sourced], tuple[str, ...]] = {
    **DEALS.entities,
    Order: (
        *KEY,
        "created_at",
        "deleted",
        "account_id",
        "opportunity_id",
        "status_code",
        "effective_on",
        "amount",
        "currency",
        "activated_at",
    ),
}

REVENUE_EVENTS = FactFrame(
    "revenue_events",
    reads=STREAMS,
    entities=_ENTITIES,
    build=lambda sources: sources.once(revenue).events,
    counts=lambda sources: sources.once(revenue).counts,
)

PURCHASE_DAYS = FactFrame(
    "purchase_days", reads=STREAMS, entities=_ENTITIES, build=lambda sources: sources.once(revenue).days
)
