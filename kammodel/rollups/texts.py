"""Rollups in words and as JSON: what each is, and what a snapshot keeps of it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kammodel.entities import KEY
from kammodel.identity.decisions import account_name
from kammodel.rollups.columns import columns_of
from kammodel.rollups.computing import Rolled
from kammodel.rollups.declaring import AnyOf, Condition, Filter, Rollup, Test, Window
from kammodel.rollups.values import SCALES
from kammodel.snapshot import plain_money

_TESTS: Mapping[Test, str] = {
    "is": "is",
    "is_not": "is not",
    "in": "in",
    "not_in": "not in",
    "less_than": "<",
    "at_most": "<=",
    "more_than": ">",
    "at_least": ">=",
    "contains": "contains",
    "is_null": "is empty",
    "is_not_null": "is not empty",
}


def rule(rollup: Rollup) -> str:
    """What it is, in one sentence."""
    what = rollup.operation.replace("_", " ")
    if rollup.operation == "percentile":
        what = f"percentile {rollup.percent / 100:g}"
    parts = [f"{what} of {rollup.column}" if rollup.column else what]
    if rollup.matches:
        parts.append(f"with {_filter(rollup, rollup.matches)},")
    first = "" if rollup.top_n is None else f"the first {rollup.top_n} "
    parts.append(f"over {first}{rollup.over}")
    if rollup.filter:
        parts.append(f"where {_filter(rollup, rollup.filter)}")
    if rollup.order:
        order = ", ".join(f"{o.column} descending" if o.descending else o.column for o in rollup.order)
        parts.append(f"by {order}")
    return f"{' '.join(parts)}."


def window_text(window: Window | None) -> str:
    """`close_on, last 90 days`; `all` without a window."""
    if window is None:
        return "all"
    if window.kind == "to_date":
        return f"{window.column}, {window.unit} to date"
    return f"{window.column}, {window.kind} {window.n} {window.unit}"


def _filter(rollup: Rollup, conditions: Filter) -> str:
    return " and ".join(
        f"({' or '.join(_test(rollup, one) for one in part.conditions)})"
        if isinstance(part, AnyOf)
        else _test(rollup, part)
        for part in conditions
    )


def _test(rollup: Rollup, test: Condition) -> str:
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    shown = ", ".join(_value(rollup, test.column, value) for value in values if value is not None)
    return f"{test.column} {_TESTS[test.test]} {shown}".rstrip()


def _value(rollup: Rollup, column: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return f"{value / 10 ** SCALES.get(columns_of(rollup.over)[column].kind, 0):g}"


def rollups_json(rolled: Rolled) -> pl.DataFrame:
    """`group` and, of each rollup, its name with the JSON text of its value and `<name>__why` with that of its reason;
    null where there is none. Of a rollup of accounts, an object by `source:instance:id` of the account."""
    told = rolled.groups.select("group", *(text for rollup in rolled.of("group") for text in _texts(rollup)))
    if not rolled.of("account"):
        return told
    names = [name for rollup in rolled.of("account") for name in (rollup.name, f"{rollup.name}__why")]
    each = rolled.accounts.select(
        "group", *(text for rollup in rolled.of("account") for text in _texts(rollup)), account=account_name(*KEY)
    ).sort("group", "account")
    key = pl.concat_str([pl.lit('"'), pl.col("account"), pl.lit('":')])
    members = [pl.concat_str([key, pl.col(name)]).drop_nulls().str.join(",").alias(name) for name in names]
    by_group = each.group_by("group").agg(members)
    objects = [
        pl.when(pl.col(name) != "").then(pl.concat_str([pl.lit("{"), pl.col(name), pl.lit("}")])).alias(name)
        for name in names
    ]
    return told.join(by_group.with_columns(objects), on="group", how="left")


def _texts(rollup: Rollup) -> list[pl.Expr]:
    value, why = pl.col(rollup.name), f"{rollup.name}__why"
    if rollup.unit == "money":
        text = plain_money(value)
    elif rollup.unit in {"text", "date"}:
        text = _quoted(value.cast(pl.String))
    else:
        text = value.cast(pl.String)
    return [text.alias(rollup.name), _quoted(pl.col(why)).alias(why)]


def _quoted(text: pl.Expr) -> pl.Expr:
    """A JSON string; null stays null."""
    encoded = pl.struct(x=text).struct.json_encode()
    return pl.when(text.is_not_null()).then(encoded.str.slice(5).str.head(-1))
