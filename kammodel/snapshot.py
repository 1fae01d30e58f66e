"""The JSON texts of a score snapshot: keys in order, exact figures, the same bytes for the same figures."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from kammodel.entities.types import MONEY_SCALE
from kammodel.kpis import KPIS
from kammodel.tiering import Scores
from kammodel.tiering.criteria import Language

_MONEY = frozenset(k.name for k in KPIS if k.unit == "money")


def kpis_json(kpis: pl.DataFrame, rolled: pl.DataFrame | None = None) -> pl.DataFrame:
    """`group`, `kpis`: every KPI that has a value, and `<name>__why` of every one that has none.

    Money is in plain units with four decimals, ratios are 0..1. `rolled`: what is told beside them, `group` and JSON
    texts by name.
    """
    members = {name: _member(name, kpis.schema[name]) for name in kpis.columns if name != "group"}
    if rolled is not None:
        own = {name: pl.lit(f'"{name}":') + pl.col(name) for name in rolled.columns if name != "group"}
        kpis, members = kpis.join(rolled, on="group", how="left", maintain_order="left"), members | own
    parts = [members[name] for name in sorted(members)]
    text = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return kpis.select("group", kpis=pl.concat_str([pl.lit("{"), text, pl.lit("}")]))


def plain_figures(portfolio: pl.DataFrame) -> dict[str, Any]:
    """The one row of the portfolio's KPIs as values of JSON, as `kpis_json` has those of a group."""
    told: dict[str, Any] = json.loads(kpis_json(portfolio.rename({"portfolio": "group"}))["kpis"].item())
    return told


def reasons_json(scores: Scores, reasons: pl.DataFrame, language: Language) -> pl.DataFrame:
    """`group`, `reasons`: the text of the Reason field, its language, and the codes behind it."""
    told = scores.frame.join(reasons, on="group").with_columns(language=pl.lit(language))
    codes = ("computed_rule", "language", "out_reason", "override", "provisional_why", "reason", "tier_rule")
    return told.select("group", reasons=pl.struct(codes).struct.json_encode())


def plain_money(money: pl.Expr) -> pl.Expr:
    """Int64 of 1/10,000 units as exact text with four decimals: `-12.5000`."""
    units, rest = money.abs() // MONEY_SCALE, money.abs() % MONEY_SCALE
    sign = pl.when(money < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str([sign, units.cast(pl.String), pl.lit("."), rest.cast(pl.String).str.zfill(4)])


def _member(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if name in _MONEY:
        value = plain_money(column)
    elif dtype == pl.String():
        value = pl.concat_str([pl.lit('"'), column, pl.lit('"')])
    else:
        value = column.cast(pl.String)
    return pl.concat_str([pl.lit(f'"{name}":'), value])
