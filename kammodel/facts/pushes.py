"""How often the expected close of deals was put off, by their history."""

from __future__ import annotations

import polars as pl

from kammodel.entities import OpportunityStageEvent
from kammodel.facts.deals import DEALS, STREAMS
from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.stages import deal_events, numbered


def _pushes(sources: Sources) -> pl.DataFrame:
    """group, `deal`, `day`: each time that the close date of an open deal moved past the end of its quarter.

    From one history row of a deal to the next; where there is none before, what the CRM says it was before. Not the
    row that closes the deal: its date is no expectation.
    """
    moment = sources.moment
    told = sources.once(deal_events)
    same = pl.col("deal") == pl.col("deal").shift(1)
    before = pl.coalesce(pl.when(same).then(pl.col("close_on").shift(1)), "prev_close_on")
    moved = _quarter(pl.col("close_on")) > _quarter(before)
    pushed = told.filter((pl.col("status") == "open") & moved)
    groups = sources.once(numbered)["group"]
    return pushed.select(
        groups.gather(pushed["deal"]).alias("group"), "deal", day=moment.local_day(pl.col("changed_at"))
    )


def _quarter(day: pl.Expr) -> pl.Expr:
    return day.dt.year() * 4 + day.dt.quarter().cast(pl.Int32)


PUSHES = FactFrame(
    "pushes",
    reads=STREAMS,
    entities={**DEALS.entities, OpportunityStageEvent: (*DEALS.entities[OpportunityStageEvent], "prev_close_on")},
    build=_pushes,
)
