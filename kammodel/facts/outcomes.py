"""What closed deals were worth, lost ones too."""

from __future__ import annotations

import polars as pl

from kammodel.conversion import rounded_quotient
from kammodel.entities import KEY, LineItem
from kammodel.facts.deals import DEALS, STREAMS
from kammodel.facts.frames import DEAL, ORG, FactFrame, Sources
from kammodel.facts.stages import deal_events, numbered

_THOUSANDTHS = 1_000
"""Parts that a quantity is counted in."""


def _outcomes(sources: Sources) -> pl.DataFrame:
    """group, status (won, lost), closed_on, `value` in the reporting currency at the close date, `value_why`.

    A won deal's value is its amount. A lost one's is its last non-zero amount while it was open; where the history
    tells of none, the amount that it still has; else the list price of its lines (reading 17). Null without a reason
    where none of these is known.
    """
    closed = sources.once(numbered).filter(pl.col("status").is_in(["won", "lost"]))
    lost = closed.filter(status="lost")
    told = closed.join(_last_open(lost, sources), on="deal", how="left").join(
        _list_prices(lost, sources), on=DEAL, how="left"
    )
    kept = pl.when(pl.col("own_amount") != 0).then("own_amount")
    value = (
        pl.when(pl.col("status") == "won").then("own_amount").otherwise(pl.coalesce("open_amount", kept, "list_price"))
    )
    priced = sources.converted(
        told.select(*ORG, "group", "status", "closed_on", "currency", own_amount=value, on="closed_on")
    )
    return priced.select("group", "status", "closed_on", value="amount", value_why="amount_why")


def _last_open(lost: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """`deal`, `open_amount`: that of its last history row as an open deal with an amount other than 0."""
    rows = sources.once(deal_events).filter(pl.col("status") == "open", pl.col("amount") != 0)
    own = rows.join(lost.select("deal"), on="deal", how="semi", maintain_order="left")
    return own.unique("deal", keep="last", maintain_order=True).select("deal", open_amount="amount")


def _list_prices(lost: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """DEAL, `list_price`: the sum of its lines at list price; null if one of them has none."""
    quantity = (pl.col("quantity").fill_null(1) * _THOUSANDTHS).round(0).cast(pl.Int128)
    lines = sources.of(LineItem).filter(sources.moment.existed()).join(lost.select(DEAL), on=DEAL, how="semi")
    summed = lines.group_by(DEAL).agg(
        total=(pl.col("list_price").cast(pl.Int128) * quantity).sum(), known=pl.col("list_price").is_not_null().all()
    )
    whole = rounded_quotient(pl.col("total"), pl.lit(_THOUSANDTHS, pl.Int128)).cast(pl.Int64, strict=False)
    return summed.select(DEAL, list_price=pl.when("known").then(whole))


OUTCOMES = FactFrame(
    "outcomes",
    reads=STREAMS,
    entities={
        **DEALS.entities,
        LineItem: (*KEY, "created_at", "deleted", "opportunity_id", "quantity", "list_price"),
    },
    build=_outcomes,
)
