"""What we had forecast for past quarters, and what they brought."""

from __future__ import annotations

import polars as pl

from kammodel.facts.deals import DEALS, STREAMS
from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.windows import quarter_of


def _forecasts(sources: Sources) -> pl.DataFrame:
    """group, `quarter` (its first day), `forecast`, `actual`: the whole quarters before that of the as-of day for
    which a snapshot of ours has a forecast. `actual`: the sum of won deals by close date, null where one has no
    known amount.
    """
    moment, groups = sources.moment, sources.grouping.groups.select("group", "group_id")
    first, _ = quarter_of(moment.day)
    known = sources.forecasts.filter(pl.col("as_of") < first, pl.col("recorded_at") <= moment.at)
    told = known.join(groups, on="group_id").with_columns(quarter=pl.col("as_of").dt.truncate("1q"))
    won = sources.frame("deals").filter(status="won").drop_nulls("closed_on")
    brought = won.group_by("group", quarter=pl.col("closed_on").dt.truncate("1q")).agg(
        actual=pl.when(pl.col("amount").null_count() == 0).then(pl.col("amount").cast(pl.Int128).sum()), won_n=pl.len()
    )
    joined = told.join(brought, on=["group", "quarter"], how="left")
    actual = pl.when(pl.col("won_n").is_null()).then(0).otherwise("actual").cast(pl.Int64, strict=False)
    return joined.select("group", "quarter", "forecast", actual=actual).sort("group", "quarter")


FORECASTS = FactFrame("forecasts", reads=STREAMS, entities=DEALS.entities, build=_forecasts)
