"""What each account's custom fields should hold: its group's tier and figures as canonical texts."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kammodel.entities import KEY
from kammodel.publish.fields import CustomField, canonical
from kammodel.rollups.fields import column_of
from kammodel.snapshot import plain_money

NOT_COMPUTED = ("scored_on", "stamp")
"""Our fields that the plan fills in itself."""


def published(
    members: pl.DataFrame,
    scores: pl.DataFrame,
    kpis: pl.DataFrame,
    reasons: pl.DataFrame,
    fields: Sequence[CustomField],
    *,
    rolled: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """source_id and one canonical text column per field, in order of source_id; null clears the field. `rolled`: what
    the fields of rollups hold, see rollups.fields.

    Percentages are in percent points, money in plain units. A number too long for its field is null: the CRM
    would refuse it, and with it the account's other values.
    """
    told = (
        members.select(*KEY, "group")
        .join(scores, on="group", how="left")
        .join(kpis, on="group", how="left")
        .join(reasons, on="group", how="left")
    )
    told = told if rolled is None else told.join(rolled, on=KEY, how="left")
    wanted = [f for f in fields if f.ours and f.key not in NOT_COMPUTED]
    texts = [canonical(f, _held(f, _value(f))).alias(f.key) for f in wanted]
    return told.select("source_id", *texts).sort("source_id")


def _value(field: CustomField) -> pl.Expr:
    values = {
        "tier": pl.col("tier_effective"),
        "score": pl.col("score"),
        "reason": pl.col("reason"),
        "quadrant": pl.col("quadrant"),
        "rfm": pl.col("rfm"),
        "revenue_ttm": plain_money(pl.col("revenue_ttm")),
        "revenue_growth": _percent(pl.col("revenue_yoy_growth"), field),
        "weighted_pipeline": plain_money(pl.col("weighted_pipeline")),
        "win_rate": _percent(pl.col("win_rate_shown"), field),
        "days_since_touch": pl.col("days_since_last_touch"),
        "open_cases": pl.col("open_cases"),
        "coverage": _percent(pl.col("coverage"), field),
    }
    return values.get(field.key, pl.col(column_of(field)))


def _percent(ratio: pl.Expr, field: CustomField) -> pl.Expr:
    return (ratio * 100).round(field.scale)


def _held(field: CustomField, value: pl.Expr) -> pl.Expr:
    if field.kind == "text":
        # As far as the CRM holds it: else it would differ from what stands there for ever.
        return value.cast(pl.String).str.slice(0, field.length)
    if not field.is_number:
        return value
    limit = 10.0 ** (field.precision - field.scale)
    return pl.when(value.cast(pl.Float64).abs() < limit).then(value)
