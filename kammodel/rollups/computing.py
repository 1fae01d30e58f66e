"""Computes rollups: the rows of each entity once, and one aggregation over them for all figures of a level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import polars as pl

from kammodel.entities import KEY
from kammodel.facts.frames import ORG, Sources
from kammodel.inputs import Inputs
from kammodel.kpis import NOT_READ
from kammodel.rollups.aggregates import Taking, apart, finished, within
from kammodel.rollups.columns import columns_of
from kammodel.rollups.conditions import Lens
from kammodel.rollups.declaring import Order, Rollup, RollupLevel
from kammodel.rollups.frames import Rows, columns_filled_by, rows_of, streams, wanted_columns
from kammodel.rollups.operations import MATCHING

LEVEL_KEY: Mapping[RollupLevel, str] = {"group": "group", "account": "company"}
"""Rows of one company, in whichever CRM its accounts are, make one figure for each of them."""

UNRANKED, _BY_KEY = "@no_rank", "@by_key"
_ORDERED = tuple[tuple[Order, ...], bool]


@dataclass(frozen=True)
class Rolled:
    """The figures of a day. `groups`: one row per group, in order: `group` and, for each rollup of that level, its
    value and `<name>__why`. `accounts`: the same for each live account: KEY, `group`, and the rollups of accounts."""

    rollups: tuple[Rollup, ...] = ()
    groups: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"group": pl.UInt32}))
    accounts: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={**dict.fromkeys(KEY, pl.String), "group": pl.UInt32})
    )

    def of(self, level: RollupLevel) -> tuple[Rollup, ...]:
        """The rollups of a level."""
        return tuple(rollup for rollup in self.rollups if rollup.level == level)


def roll_up(rollups: Sequence[Rollup], inputs: Inputs, sources: Sources) -> Rolled:
    """Every rollup of every group and account, from inputs as known at the cut.

    From what the store holds, whatever order it came in: what only changed is not added to what was, so that there is
    nothing that could drift. A figure over a stream that was not read for an account is null with `not_read`.
    """
    members = sources.grouping.members
    rows = {over: rows_of(over, names, sources) for over, names in wanted_columns(rollups).items()}
    frames = {}
    for level, key in LEVEL_KEY.items():
        own = [rollup for rollup in rollups if rollup.level == level]
        found = members.select(key).unique().sort(key)
        for over, several in groupby(sorted(own, key=lambda r: r.over), key=lambda r: r.over):
            part = list(several)
            read = _read(part, inputs, members.filter("is_counted"), key)
            figures = _aggregated(part, rows[over], sources, found.select(key), key)
            found = found.join(_with_read(part, figures, read, key), on=key, how="left", maintain_order="left")
        frames[level] = found.select(key, *(name for r in own for name in (r.name, f"{r.name}__why")))
    accounts = members.select(*KEY, "group", "company").join(
        frames["account"], on="company", how="left", maintain_order="left"
    )
    return Rolled(tuple(rollups), frames["group"], accounts.drop("company"))


def _aggregated(rollups: Sequence[Rollup], rows: Rows, sources: Sources, keys: pl.DataFrame, key: str) -> pl.DataFrame:
    """The key and each figure with its reason; a key without rows takes part with a row that nothing takes."""
    lens = Lens(columns_of(rows.over), sources.moment)
    frame = rows.by(key)
    orders = {_order_of(rollup): f"@rank_{place}" for place, rollup in enumerate(rollups) if rollup.order}
    if orders:
        frame = frame.sort(KEY).with_row_index(_BY_KEY)
    for order, name in orders.items():
        frame = ranked(frame, order, name)
    takings = [_taking(rollup, lens, place, orders) for place, rollup in enumerate(rollups)]
    marked = frame.lazy().with_columns(pl.lit(0).alias(UNRANKED))
    for step in (_marks, _first_ones, _looked_at):
        marked = marked.with_columns(expr for taking in takings for expr in step(taking, lens, key))
    # Where several look at one thing, it is looked at once.
    own = marked.select(key, *orders.values(), UNRANKED, pl.col(r"^@(taken|value|hit|why)_\d+$")).collect()
    whole = pl.concat([own, keys], how="diagonal").lazy()
    found = whole.group_by(key).agg(expr for taking in takings for expr in within(taking)).collect()
    for taking in takings:
        made = apart(taking, own, key)
        found = found if made is None else found.join(made, on=key, how="left")
    pairs = [(taking.rollup.name, *finished(taking)) for taking in takings]
    return found.select(
        key, *(expr for name, value, why in pairs for expr in (value.alias(name), why.alias(f"{name}__why")))
    )


def _order_of(rollup: Rollup) -> _ORDERED:
    """The order of its rows; that of `last` the other way round, key and all."""
    if rollup.operation != "last":
        return rollup.order, False
    return tuple(Order(o.column, not o.descending) for o in rollup.order), True


def ranked(frame: pl.DataFrame, order: _ORDERED, name: str) -> pl.DataFrame:
    """Adds the place of each row by the order, by key where that is equal. What is null stands behind all others."""
    by, backwards = order
    columns, descending = [*(o.column for o in by), _BY_KEY], [*(o.descending for o in by), backwards]
    return frame.sort(columns, descending=descending, nulls_last=True).with_row_index(name)


def _taking(rollup: Rollup, lens: Lens, place: int, orders: Mapping[_ORDERED, str]) -> Taking:
    kind = lens.columns[rollup.column].kind if rollup.column else None
    return Taking(rollup, kind, place, orders.get(_order_of(rollup), UNRANKED))


def _marks(taking: Taking, lens: Lens, _: str) -> list[pl.Expr]:
    """`taken`, and what makes the figure unknown: a row of which nobody can tell whether it is, or where it stands."""
    rollup = taking.rollup
    taken = lens.taken(rollup.filter, rollup.window)
    unordered = pl.coalesce([*(lens.why(o.column) for o in rollup.order), pl.lit(None, pl.String)])
    why = pl.when(taken.doubtful).then(taken.why).when(taken.sure).then(unordered)
    return [taken.sure.alias(taking.name("taken")), why.alias(taking.name("why"))]


def _first_ones(taking: Taking, _: Lens, key: str) -> list[pl.Expr]:
    """The first rows only, before anything is made of them."""
    taken = taking.col("taken")
    if taking.rollup.top_n is None:
        return []
    place = taken.cast(pl.Int64).cum_sum().over(key, order_by=taking.rank)
    return [taken & (place <= taking.rollup.top_n)]


def _looked_at(taking: Taking, lens: Lens, _: str) -> list[pl.Expr]:
    """`value`, `hit`; and as `why` that a taken row cannot be told of."""
    rollup, taken = taking.rollup, taking.col("taken")
    asked = lens.taken(rollup.matches)
    hit = asked.sure if rollup.matches else _flag(rollup)
    value: pl.Expr = pl.lit(None, pl.Int64)
    own: pl.Expr = pl.when(asked.doubtful).then(asked.why)
    if rollup.column:
        value, own = pl.when(taken).then(lens.value(rollup.column)), pl.coalesce(own, lens.why(rollup.column))
    return [
        value.alias(taking.name("value")),
        (taken & hit.fill_null(value=False)).alias(taking.name("hit")),
        pl.coalesce(taking.col("why"), pl.when(taken).then(own)).alias(taking.name("why")),
    ]


def _flag(rollup: Rollup) -> pl.Expr:
    is_flag = rollup.operation in MATCHING and rollup.column
    return pl.col(rollup.column) if is_flag and rollup.column else pl.lit(value=False)


def _read(rollups: Sequence[Rollup], inputs: Inputs, counted: pl.DataFrame, key: str) -> pl.DataFrame:
    """The key, and of each rollup whether every CRM that counts there has told of its rows and columns."""
    orgs = [
        (*org, *(_knows(inputs, rollup, *org) for rollup in rollups))
        for org in counted.select(ORG).unique().iter_rows()
    ]
    flags = [f"{rollup.name}@read" for rollup in rollups]
    schema = {**dict.fromkeys(ORG, pl.String), **dict.fromkeys(flags, pl.Boolean)}
    known = pl.DataFrame(orgs, schema=schema, orient="row")
    return counted.select(key, *ORG).join(known, on=ORG).group_by(key).agg(pl.col(flags).all())


def _knows(inputs: Inputs, rollup: Rollup, source: str, instance: str) -> bool:
    """Whether one CRM has told of it: a column that no stream of an entity fills is not known to be empty."""
    there = {name for s, i, name in inputs.read if (s, i) == (source, instance)}
    return any(needed <= there and _told(inputs, rollup, source, instance, needed) for needed in streams(rollup))


def _told(inputs: Inputs, rollup: Rollup, source: str, instance: str, needed: frozenset[str]) -> bool:
    wanted, filled = set[str](), set[str]()
    for stream in needed:
        columns = columns_filled_by(rollup, stream) - {*KEY, "created_at"}
        wanted |= columns
        filled |= columns & inputs.columns.get((source, instance, stream), columns)
    return wanted <= filled


def _with_read(rollups: Sequence[Rollup], figures: pl.DataFrame, read: pl.DataFrame, key: str) -> pl.DataFrame:
    """Null, with `not_read`, where rows were not read."""
    joined = figures.join(read, on=key, how="left")
    columns = []
    for rollup in rollups:
        known, why = pl.col(f"{rollup.name}@read").fill_null(value=False), pl.col(f"{rollup.name}__why")
        columns.append(pl.when(known).then(rollup.name).alias(rollup.name))
        columns.append(pl.when(known).then(why).otherwise(pl.lit(NOT_READ)).alias(f"{rollup.name}__why"))
    return joined.select(key, *columns)
