"""What open deals may be worth and whether they stand still, by what became of all deals of their stages."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kammodel.entities import Activity, Sourced
from kammodel.facts.activities import worked
from kammodel.facts.deals import STREAMS
from kammodel.facts.frames import DEAL, ORG, FactFrame, Sources
from kammodel.facts.stages import ENTITIES, STAGE
from kammodel.facts.touches import ACTIVITY_COLUMNS
from kammodel.facts.touches import STREAMS as TOUCH_STREAMS
from kammodel.facts.windows import Windows

WEIGHT = 10
"""Closed deals that the rate of all stages counts for in that of one (reading 18 does so with win rates)."""

LEAST_DAYS = 30
"""Below this, no deal stands still (kam.md §4 stalled_opps)."""

_DEAL = [*ORG, "opportunity_id"]


def _open_deals(sources: Sources) -> pl.DataFrame:
    """`open_stages` with `rate`: the share of the deals closed in (t - 12 months, t] that were won of those that
    had been in the stage, pulled towards that of all stages: `(won + 10 p0) / (n + 10)`, to a millionth.

    Null where no deal with a history closed in that time, or where the deal's stage is not known.
    """
    windows = Windows(sources.moment.day)
    closed = sources.frame("stage_visits").filter(windows.months("closed_on", 12), pl.col("is_won").is_not_null())
    won, all_closed = pl.col("is_won").sum(), pl.len()
    overall = closed.select(pl.col("is_won").mean()).item()
    rates = closed.group_by(STAGE).agg(won=won, n=all_closed)
    shrunk = ((pl.col("won") + WEIGHT * pl.lit(overall, pl.Float64)) / (pl.col("n") + WEIGHT)).round(6)
    told = sources.frame("open_stages").join(rates.select(STAGE, rate=shrunk), on=STAGE, how="left")
    unseen = pl.when(pl.col(STAGE).is_not_null()).then(pl.lit(overall, pl.Float64).round(6))
    return told.with_columns(pl.coalesce("rate", unseen)).sort(_DEAL)


def _idle_deals(sources: Sources) -> pl.DataFrame:
    """group, `idle_days`, `limit`: per open deal the days since it was last worked on, and after how many it stands
    still.

    Worked on: entered a stage, or an activity about it was done; else it was created. The limit is twice the median of
    days that deals stayed in its stage before they left it in (t - 12 months, t], at least 30.
    """
    windows = Windows(sources.moment.day)
    left = sources.frame("stage_visits").filter(windows.months("left_on", 12))
    usual = left.group_by(STAGE).agg(usual=pl.col("days").median())
    told = sources.frame("worked_deals").join(usual, on=STAGE, how="left")
    limit = pl.max_horizontal(2 * pl.col("usual"), pl.lit(float(LEAST_DAYS)))
    last = pl.max_horizontal("moved_on", "active_on", "created_on")
    return told.sort(_DEAL).select("group", idle_days=windows.days_since(last), limit=limit)


def _worked_deals(sources: Sources) -> pl.DataFrame:
    """`open_stages` with `active_on`: the day of the last activity about the deal that was done by the cut."""
    deals = sources.frame("open_stages")
    about = sources.once(worked).join(deals.select(DEAL), on=DEAL, how="semi")
    last = about.group_by(DEAL).agg(active_on=pl.col("day").max())
    return deals.join(last, on=DEAL, how="left", maintain_order="left")


_WITH_ACTIVITIES = tuple(deals | touches for deals in STREAMS for touches in TOUCH_STREAMS)
_ENTITIES: Mapping[type[Sourced], tuple[str, ...]] = {
    **ENTITIES,
    Activity: ACTIVITY_COLUMNS,
}

OPEN_DEALS = FactFrame(
    "open_deals", reads=STREAMS, entities=ENTITIES, build=_open_deals, across=("stage_visits", "open_stages")
)
WORKED_DEALS = FactFrame("worked_deals", reads=_WITH_ACTIVITIES, entities=_ENTITIES, build=_worked_deals)
IDLE_DEALS = FactFrame(
    "idle_deals", reads=_WITH_ACTIVITIES, entities=_ENTITIES, build=_idle_deals, across=("stage_visits", "worked_deals")
)
