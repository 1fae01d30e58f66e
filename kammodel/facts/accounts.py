"""Accounts as records that people keep: what is filled in, and what is missing."""

from __future__ import annotations

import polars as pl

from kammodel.entities import KEY, Account, User
from kammodel.facts.frames import ORG, FactFrame, Sources

REQUIRED = ("name", "type", "industry", "country", "owner_id")
"""Fields without which an account can be neither placed among its peers nor looked after."""


def _records(sources: Sources) -> pl.DataFrame:
    """group, `filled_n` of `required_n` fields of REQUIRED, `has_owner` (one who is still active, or of whom it is not
    known): the counted accounts of each group, as they are today."""
    members = sources.grouping.members.filter("is_counted").select("group", *KEY)
    told = members.join(sources.of(Account).select(*KEY, *REQUIRED), on=KEY)
    gone = sources.of(User).filter(~pl.col("is_active").fill_null(value=True))
    gone = gone.select(*ORG, owner_id="source_id", is_gone=pl.lit(value=True))
    joined = told.join(gone, on=[*ORG, "owner_id"], how="left")
    filled = [(pl.col(name).str.strip_chars() != "").fill_null(value=False).cast(pl.Int64) for name in REQUIRED]
    return joined.select(
        "group",
        filled_n=pl.sum_horizontal(filled),
        required_n=pl.lit(len(REQUIRED), pl.Int64),
        has_owner=pl.col("owner_id").is_not_null() & pl.col("is_gone").is_null(),
    ).sort("group")


RECORDS = FactFrame(
    "records", reads=(), entities={Account: (*KEY, *REQUIRED), User: (*KEY, "is_active")}, build=_records
)
