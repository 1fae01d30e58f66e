"""What each operation makes of the rows that were taken.

Everything that can be is one expression of the one aggregation over all rows (`within`). What hangs on an order, on
places or on frequencies is made of the taken rows by themselves (`apart`): sorting within each of 200,000 groups takes
a hundred times as long as sorting once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from kammodel.conversion import OUT_OF_RANGE, rounded_quotient
from kammodel.kpis.sums import AMOUNTS_UNKNOWN
from kammodel.rollups.declaring import Kind, Operation, Rollup
from kammodel.rollups.typed import MILLIONTHS

NO_ROWS, VALUES_UNKNOWN = "no_rows", "values_unknown"
_HUNDREDTHS = 10_000
"""Of a percent, in the whole."""


@dataclass(frozen=True)
class Taking:
    """The columns of one rollup. Of rows: `taken`, `value` (null in those that are not taken), `hit` (taken, and any,
    all and none ask for it), `why` (what makes the figure unknown), `rank` (the place in the order). Of an aggregation:
    `rows`, `known` (how many are taken, and have a value), `made` and again `why`."""

    rollup: Rollup
    kind: Kind | None
    place: int
    rank: str

    def name(self, column: str) -> str:
        return f"@{column}_{self.place}"

    def col(self, column: str) -> pl.Expr:
        return pl.col(self.name(column))

    @property
    def finer(self) -> int:
        """What lies between whole numbers is told in millionths; money and numbers are wholes of small parts."""
        return MILLIONTHS if self.kind == "whole" else 1


def within(taking: Taking) -> list[pl.Expr]:
    """`rows`, `known`, `why` and, where one expression can make it, `made`."""
    made = _WITHIN.get(taking.rollup.operation)
    found = [
        taking.col("taken").sum().alias(taking.name("rows")),
        taking.col("value").count().alias(taking.name("known")),
    ]
    found.append(taking.col("why").min())
    return found if made is None else [*found, made(taking).alias(taking.name("made"))]


def apart(taking: Taking, rows: pl.DataFrame, key: str) -> pl.DataFrame | None:
    """The key and `made`, of keys with a value; None where `within` makes it."""
    make = _APART.get(taking.rollup.operation)
    if make is None:
        return None
    own = rows.filter(taking.col("value").is_not_null()).select(
        key, pl.col(taking.rank).alias("rank"), value=taking.col("value")
    )
    return make(taking, own, key).select(key, pl.col("made").alias(taking.name("made")))


def finished(taking: Taking) -> tuple[pl.Expr, pl.Expr]:
    """The value in its unit, and the reason for a null one."""
    why = pl.coalesce(taking.col("why"), _lacking(taking))
    value = pl.when(why.is_null()).then(_told(taking))
    typed = _typed(value, taking)
    lost = value.is_not_null() & typed.is_null()
    return typed, pl.when(lost).then(pl.lit(OUT_OF_RANGE)).otherwise(why)


def _lacking(taking: Taking) -> pl.Expr:
    """No row is 0 of what is counted or added; rows without any value are unknown (reading 9)."""
    operation, none = taking.rollup.operation, taking.col("rows") == 0
    if operation in {"count", "count_distinct", "any", "none"}:
        return pl.lit(None, pl.String)
    no_rows = pl.when(none).then(pl.lit(NO_ROWS))
    if operation == "all":
        return no_rows
    unknown = pl.lit(AMOUNTS_UNKNOWN if taking.kind == "money" else VALUES_UNKNOWN)
    no_values = pl.when(~none & (taking.col("known") == 0)).then(unknown)
    return no_values if operation == "sum" else pl.coalesce(no_rows, no_values)


def _told(taking: Taking) -> pl.Expr:
    operation, made = taking.rollup.operation, taking.col("made")
    if operation == "count":
        return taking.col("known" if taking.rollup.column else "rows")
    if operation == "all":
        return made == taking.col("rows")
    if operation in {"any", "none"}:
        return made > 0 if operation == "any" else made == 0
    if operation == "sum":
        return made.fill_null(0)
    if operation == "avg":
        n = taking.col("known").cast(pl.Int128)
        return rounded_quotient(made * taking.finer, pl.when(n > 0).then(n).otherwise(1))
    return made.fill_null(0) if operation == "count_distinct" else made


def _typed(value: pl.Expr, taking: Taking) -> pl.Expr:
    unit = taking.rollup.unit
    if unit in {"number", "ratio"}:
        return (value.cast(pl.Float64) / MILLIONTHS).round(6)
    return value if unit in {"text", "date"} else value.cast(pl.Int64, strict=False)


def _total(taking: Taking) -> pl.Expr:
    return taking.col("value").cast(pl.Int128).sum()


def _hits(taking: Taking) -> pl.Expr:
    return taking.col("hit").sum()


_WITHIN: Mapping[Operation, Callable[[Taking], pl.Expr]] = {
    "sum": _total,
    "avg": _total,
    "min": lambda taking: taking.col("value").min(),
    "max": lambda taking: taking.col("value").max(),
    "any": _hits,
    "all": _hits,
    "none": _hits,
}


def _distinct(_: Taking, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.select(key, "value").unique().group_by(key).agg(made=pl.len())


def _percentile(taking: Taking, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Between the two values around the place (n - 1)·p, in proportion: type 7 of Hyndman and Fan, exactly."""
    percent = taking.rollup.percent if taking.rollup.operation == "percentile" else _HUNDREDTHS // 2
    ordered = rows.select(key, "value").sort(key, "value")
    sizes = ordered.group_by(key, maintain_order=True).agg(n=pl.len().cast(pl.Int64))
    placed = sizes.with_columns(first=pl.col("n").cum_sum() - pl.col("n"), place=(pl.col("n") - 1) * percent)
    below, part = pl.col("place") // _HUNDREDTHS, (pl.col("place") % _HUNDREDTHS).cast(pl.Int128)
    above = pl.min_horizontal(below + 1, pl.col("n") - 1)
    places = placed.select(low=pl.col("first") + below, high=pl.col("first") + above)
    found = placed.with_columns(
        ordered["value"].gather(places[name]).cast(pl.Int128).alias(name) for name in places.columns
    )
    between = (pl.col("low") * _HUNDREDTHS + (pl.col("high") - pl.col("low")) * part) * taking.finer
    return found.select(key, made=rounded_quotient(between, pl.lit(_HUNDREDTHS, pl.Int128)))


def _first(_: Taking, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return rows.sort("rank").unique(key, keep="first", maintain_order=True).rename({"value": "made"})


def _most_frequent(_: Taking, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Of several the smallest."""
    counted = rows.group_by(key, "value").len().sort(key, "len", "value", descending=[False, True, False])
    return counted.unique(key, keep="first", maintain_order=True).rename({"value": "made"})


def _concat(taking: Taking, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """The values in order (without one, in their own), as many as fit; `+3` at the end says how many do not. A first
    one that is too long by itself is cut, with a sign of it."""
    rollup, text = taking.rollup, pl.col("text")
    told = rows.with_columns(text=_as_text(pl.col("value"), taking.kind)).sort("rank" if rollup.order else "text")
    told = told.unique([key, "text"], keep="first", maintain_order=True) if rollup.distinct else told
    size, n, number = (
        len(rollup.separator),
        pl.len().over(key).cast(pl.Int64),
        text.cum_count().over(key).cast(pl.Int64),
    )
    length = text.str.len_chars().cast(pl.Int64).cum_sum().over(key) + (number - 1) * size
    left = (n - number).cast(pl.String).str.len_chars().cast(pl.Int64)
    told = told.with_columns(n=n, number=number, length=length, short=length + size + 1 + left <= rollup.max_length)
    is_whole = pl.col("length").max().over(key) <= rollup.max_length
    cut = (pl.col("number") == 1) & ~pl.col("short")
    told = told.with_columns(is_whole=is_whole, text=pl.when(~is_whole & cut).then(_cut(rollup)).otherwise(text))
    kept = told.filter(pl.col("is_whole") | pl.col("short") | (pl.col("number") == 1))
    texts = kept.group_by(key, maintain_order=True).agg(
        text.str.join(rollup.separator), pl.col("is_whole", "n", "short").first(), shown=pl.len().cast(pl.Int64)
    )
    rest = pl.concat_str(text, pl.lit(f"{rollup.separator}+"), (pl.col("n") - pl.col("shown")).cast(pl.String))
    return texts.select(key, made=pl.when(pl.col("is_whole") | ~pl.col("short")).then(text).otherwise(rest))


def _cut(rollup: Rollup) -> pl.Expr:
    return pl.concat_str(pl.col("text").str.slice(0, rollup.max_length - 1), pl.lit("…"))


def _as_text(value: pl.Expr, kind: Kind | None) -> pl.Expr:
    return value.dt.strftime("%Y-%m-%d") if kind in {"date", "moment"} else value.cast(pl.String)


_APART: Mapping[Operation, Callable[[Taking, pl.DataFrame, str], pl.DataFrame]] = {
    "count_distinct": _distinct,
    "median": _percentile,
    "percentile": _percentile,
    "first": _first,
    "last": _first,
    "most_frequent": _most_frequent,
    "concat": _concat,
}
