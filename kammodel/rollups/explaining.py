"""The rollups of one account group, as `kam explain` shows them."""

from __future__ import annotations

from typing import Any

import polars as pl

from kammodel.entities import KEY
from kammodel.entities.types import MONEY_SCALE
from kammodel.identity.decisions import account_name
from kammodel.rollups.computing import Rolled
from kammodel.rollups.declaring import Rollup
from kammodel.tiering.explained import RollupExplained


def explained(rolled: Rolled, group: int, language: str) -> tuple[RollupExplained, ...]:
    """In the order of the file; of a rollup of accounts, one for each account of the group, by name."""
    own = pl.col("group") == group
    alone = rolled.groups.filter(own).with_columns(account=pl.lit(None, pl.String))
    accounts = rolled.accounts.filter(own).with_columns(account=account_name(*KEY)).sort("account")
    frames = {"group": alone, "account": accounts}
    return tuple(
        _explained(rollup, row, language)
        for rollup in rolled.rollups
        for row in frames[rollup.level].iter_rows(named=True)
    )


def _explained(rollup: Rollup, row: dict[str, Any], language: str) -> RollupExplained:
    value = row[rollup.name]
    if rollup.unit == "money" and value is not None:
        value /= MONEY_SCALE
    return RollupExplained(
        name=rollup.name,
        label=rollup.label.in_(language),
        unit=rollup.unit,
        account=row["account"],
        value=str(value) if rollup.unit == "date" and value is not None else value,
        why=row[f"{rollup.name}__why"],
    )
