"""Figures computed in three steps are the figures; what they have in common is computed once."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kammodel.kpis.sharing import Plan, planned

ROWS = pl.DataFrame(
    {
        "group": [1, 1, 1, 2, 2, 3],
        "kind": ["a", "b", "a", "b", None, None],
        "day": [3, 1, 5, 2, 9, None],
        "amount": [10, 20, 30, None, 7, None],
    }
)
A, RECENT, AMOUNT = pl.col("kind") == "a", pl.col("day") > 2, pl.col("amount")


def in_steps(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    parts = rows.with_columns(plan.conditions).group_by("group", maintain_order=True).agg(plan.parts)
    return parts.select("group", *plan.figures)


def at_once(figures: Mapping[str, pl.Expr], rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("group", maintain_order=True).agg(value.alias(name) for name, value in figures.items())


@pytest.mark.parametrize(
    "figure",
    [
        pl.when(A).then(AMOUNT).sum(),
        pl.when((A & RECENT).sum() > 0).then(pl.when(A).then(AMOUNT).sum() / A.sum()),
        pl.when(RECENT).then(AMOUNT).median().round(0),
        pl.coalesce(pl.when(RECENT.sum() == 0).then(pl.lit("none")), pl.when(A).then("kind").max()),
        AMOUNT.quantile(0.9, interpolation="linear") - AMOUNT.min(),
        pl.when(A).then("day").drop_nulls().n_unique(),
        (AMOUNT.mean() < AMOUNT).sum(),
        AMOUNT.top_k(2).sum() / AMOUNT.sum(),
        A.any() & ~RECENT.all(),
        pl.lit("never"),
    ],
    ids=["sum", "share", "median", "reason", "quantile", "distinct", "nested", "top", "any", "literal"],
)
def test_the_steps_lead_to_the_same(figure: pl.Expr) -> None:
    figures = {"figure": figure, "beside": (A & RECENT).sum()}
    assert_frame_equal(in_steps(planned(figures), ROWS), at_once(figures, ROWS), check_dtypes=True)


def test_an_aggregate_that_several_figures_name_is_made_once() -> None:
    n = A.sum()
    plan = planned({"n": n, "share": n / RECENT.sum(), "more": pl.when(n > 1).then(n)})
    assert [part.meta.output_name() for part in plan.parts] == ["=0", "=1"]


def test_a_condition_of_several_aggregates_is_looked_at_once() -> None:
    plan = planned({"n": A.sum(), "sum": pl.when(A).then(AMOUNT).sum()})
    assert [condition.meta.root_names() for condition in plan.conditions] == [["kind"]]
    assert plan.parts[0].meta.root_names() == ["?0"]


def test_a_figure_that_is_more_than_arithmetic_of_aggregates_stays_whole() -> None:
    figures = {"n": pl.when(A.sum() > 0).then(pl.len())}
    assert len(planned(figures).parts) == 1
    assert_frame_equal(in_steps(planned(figures), ROWS), at_once(figures, ROWS))
