"""KPIs of groups, of key account managers and of all: the same rule over the same rows, put together by another key."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kammodel.kpis import DERIVED, GROUPS, Facts, Figure, Kpi, Level, Windows, compute, kpi
from kammodel.kpis.sums import count
from kammodel.snapshot import plain_figures
from tests.unit.kam_world import World, on

DAY = dt.date(2026, 6, 30)


@kpi(unit="count", window="all", of="rows", levels=("group", "kam", "portfolio"))
def total(_: Windows) -> pl.Expr:
    """Sum of n."""
    return pl.col("n").sum()


@kpi(unit="days", window="all", of="rows", scale=1, levels=("group", "kam", "portfolio"))
def middle(_: Windows) -> Figure:
    """Median of n."""
    return Figure(pl.col("n").median(), pl.lit("never"))


@kpi(unit="ratio", window="all", of="kpis", scale=6, levels=("group", "kam", "portfolio"))
def double(_: Windows) -> Figure:
    """Twice the total."""
    return Figure(2 * pl.col("total"), pl.col("total__why"))


@kpi(unit="count", window="all", of="groups", levels=("kam", "portfolio"))
def large(_: Windows) -> pl.Expr:
    """Groups with a total of 5 or more."""
    return count(pl.col("total") >= 5)


@kpi(unit="count", window="now", of="aims", levels=("group", "kam", "portfolio"))
def aim(_: Windows) -> pl.Expr:
    """Sum of aims of the level."""
    return pl.col("n").sum()


ALL = (total, middle, double, large, aim)
ROWS = pl.DataFrame({"group": [0, 0, 1, 2, 2], "n": [1, 3, 5, 7, 100]}, schema={"group": pl.UInt32, "n": pl.Int64})
AIMS = pl.DataFrame(
    [("group", 1, None, 4), ("kam", None, "ana", 8), ("kam", None, "stranger", 16), ("portfolio", None, None, 32)],
    schema={"level": pl.String, "group": pl.UInt32, "kam": pl.String, "n": pl.Int64},
    orient="row",
)


def facts(*, read: tuple[bool, ...] = (True, True, True, True)) -> Facts:
    """Groups 0 and 1 are Ana's, 2 is nobody's, 3 is Luis' and has no rows."""
    groups = pl.DataFrame(
        {"group": [0, 1, 2, 3], "kam": ["ana", "ana", None, "luis"], "rows__read": read},
        schema={"group": pl.UInt32, "kam": pl.String, "rows__read": pl.Boolean},
    )
    return Facts({"rows": ROWS, "aims": AIMS}, groups)


def at(level: Level, known: Facts, *kpis: Kpi) -> list[tuple[object, ...]]:
    own = compute(kpis, known, DAY)
    if level == "group":
        return own.rows()
    above = Facts({**known.frames, GROUPS: own.join(known.groups.select("group", "kam"), on="group")}, known.groups)
    return compute(kpis, above, DAY, level).rows()


def test_a_group_without_rows_takes_part() -> None:
    assert at("group", facts(), total, middle) == [
        (0, 4, None, 2.0, None),
        (1, 5, None, 5.0, None),
        (2, 107, None, 53.5, None),
        (3, 0, None, None, "never"),
    ]


def test_a_manager_is_more_than_the_sum_of_groups() -> None:
    """The median is that of all rows; a group that is nobody's is in no row."""
    assert at("kam", facts(), total, middle, double) == [
        ("ana", 9, None, 3.0, None, 18.0, None),
        ("luis", 0, None, None, "never", 0.0, None),
    ]


def test_the_portfolio_is_one_row() -> None:
    assert at("portfolio", facts(), total, middle, large) == [("all", 116, None, 5.0, None, 2, None)]


def test_figures_of_groups_are_put_together() -> None:
    assert at("kam", facts(), total, large) == [("ana", 9, None, 1, None), ("luis", 0, None, 0, None)]


def test_a_kpi_is_of_its_levels_only() -> None:
    assert "large" not in compute(ALL, facts(), DAY).columns


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("group", [(0, 4, None), (1, None, "not_read"), (2, 107, None), (3, 0, None)]),
        ("kam", [("ana", None, "not_read"), ("luis", 0, None)]),
        ("portfolio", [("all", None, "not_read")]),
    ],
)
def test_what_was_not_read_of_one_group_is_unknown_of_all_that_it_is_part_of(
    level: Level, expected: list[tuple[object, ...]]
) -> None:
    """Unknown is not zero."""
    assert at(level, facts(read=(True, False, True, True)), total) == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("group", [(0, 0, None), (1, 4, None), (2, 0, None), (3, 0, None)]),
        ("kam", [("ana", 8, None), ("luis", 0, None)]),
        ("portfolio", [("all", 32, None)]),
    ],
)
def test_rows_that_say_their_level_are_of_that_one_alone(level: Level, expected: list[tuple[object, ...]]) -> None:
    assert at(level, facts(), aim) == expected


def test_one_that_follows_from_others_stands_after_them() -> None:
    assert {double.of, large.of} == {DERIVED, GROUPS}
    assert compute((total, double), facts(), DAY)["double"].to_list() == [8.0, 10.0, 214.0, 0.0]


def test_shards_of_groups_put_together_are_all_groups() -> None:
    """Frames of groups look at the groups' own rows only."""
    known = facts()
    parts = []
    for groups in (known.groups.head(1), known.groups.tail(3)):
        own = {name: frame.join(groups, on="group", how="semi") for name, frame in known.frames.items()}
        parts.append(compute((total, middle), Facts(own, groups), DAY))
    assert_frame_equal(pl.concat(parts), compute((total, middle), known, DAY))


def test_the_portfolio_of_an_empty_book_is_there() -> None:
    world = World()
    told = plain_figures(world.known().portfolio)
    assert (told["revenue_ttm"], told["nrr_ttm__why"], told["groups_with_revenue_n"]) == (0.0, "no_cohort", 0)
    assert world.known().by_kam.is_empty()


def test_managers_are_owners_of_root_accounts() -> None:
    world = World()
    world.account("a", owner_id="ana")
    world.account("b", owner_id="luis", parent_id="a")
    world.account("c")
    for account in "abc":
        world.deal(account, 1, close_on=on("2026-01-01"))
    found = world.known()
    assert found.by_kam.select("kam", "revenue_ttm").rows() == [("salesforce:org:ana", 20_000)]
    assert found.portfolio["revenue_ttm"].item() == 30_000
    assert found.counts["groups_without_kam"] == 1
