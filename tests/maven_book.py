"""The public data set maven_crm as entity frames; it lies beside the project and is not part of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from kammodel.entities import Account, Opportunity, Sourced, polars_schema
from kammodel.scoring import Inputs

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "maven_crm"
MISSING = "the data set ../shared/data/maven_crm is not here"
LAST_DAY = dt.date(2017, 12, 31)

_STAMP = dt.datetime(2018, 1, 1, tzinfo=dt.UTC)
_STATUS = {"Won": "won", "Lost": "lost", "Engaging": "open", "Prospecting": "open"}


def maven_inputs(source: str = "salesforce") -> Inputs:
    """85 accounts and 8,800 opportunities; no activities, so that their streams were never read."""
    stamp = pl.lit(_STAMP)
    accounts = pl.read_csv(FOLDER / "accounts.csv").select(
        source_id="account", name="account", parent_id="subsidiary_of", type=pl.lit("customer")
    )
    rows = pl.read_csv(FOLDER / "sales_pipeline.csv", infer_schema=False)
    opportunities = rows.select(
        source_id="opportunity_id",
        account_id="account",
        name="product",
        status=pl.col("deal_stage").replace_strict(_STATUS),
        amount=pl.col("close_value").cast(pl.Int64) * 10_000,
        close_on=pl.col("close_date").str.to_date(),
        created_at=pl.col("engage_date").str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC"),
        updated_at=stamp,
    )
    return Inputs(
        {Account: _entity(Account, accounts, source), Opportunity: _entity(Opportunity, opportunities, source)},
        read=frozenset({(source, "maven", "opportunities")}),
        synced_at=_STAMP,
    )


def _entity(entity: type[Sourced], frame: pl.DataFrame, source: str) -> pl.DataFrame:
    named = frame.with_columns(
        source=pl.lit(source),
        source_instance=pl.lit("maven"),
        deleted=pl.lit(value=False),
        content_changed_at=pl.lit(_STAMP),
    )
    return named.select(
        (pl.col(name) if name in named.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in polars_schema(entity).items()
    )
