"""Mid-rank percentiles, by hand."""

from __future__ import annotations

import polars as pl
import pytest

from kammodel.tiering.scaling import percentile, percentile_less_is_better


def ranked(values: list[float | None], expression: pl.Expr) -> list[float | None]:
    return pl.DataFrame({"x": values}, schema={"x": pl.Float64}).select(expression).to_series().to_list()


def test_ties_share_their_average_rank() -> None:
    """Ranks 1, 2.5, 2.5, 4 of 4."""
    assert ranked([10, 20, 20, 40], percentile(pl.col("x"))) == [12.5, 50.0, 50.0, 87.5]


def test_one_alone_stands_in_the_middle() -> None:
    assert ranked([7], percentile(pl.col("x"))) == [50.0]


def test_a_null_stays_null_and_is_not_counted() -> None:
    assert ranked([1, None, 3], percentile(pl.col("x"))) == [25.0, None, 75.0]


def test_an_outlier_does_not_stretch_the_scale() -> None:
    assert ranked([1, 2, 1e12], percentile(pl.col("x")))[:2] == pytest.approx([100 / 6, 50.0])


def test_less_is_better_turns_the_scale_round() -> None:
    assert ranked([10, 20, 20, 40], percentile_less_is_better(pl.col("x"))) == [87.5, 50.0, 50.0, 12.5]


@pytest.mark.parametrize(("n", "rank"), [(20, 19.5), (30, 29), (50, 48), (1700, 1615.5)])
def test_a_whole_percentile_is_met_exactly(n: int, rank: float) -> None:
    """100 (rank - 0.5) / n is 95 to the last bit, so that `>= 95` holds; half ranks are pairs."""
    values: list[float | None] = [float(place) for place in range(1, n + 1)]
    low = int(rank)
    if rank != low:
        values[low] = values[low - 1]
    assert ranked(values, percentile(pl.col("x")))[low - 1] == 95.0
