"""Percentiles, thresholds, sizes, shrunk ratios and peer groups, by hand."""

from __future__ import annotations

import polars as pl
import pytest

from kammodel.tiering import scaling
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


def test_thresholds_are_straight_lines_and_level_outside() -> None:
    """The middle of 0 and 100 has 25 points, that of 100 and 300 75."""
    pairs = [[0, 0], [100, 50], [300, 100]]
    assert ranked([-5, 0, 50, 200, 300, 999, None], scaling.by_thresholds(pl.col("x"), pairs)) == [
        0.0,
        0.0,
        25.0,
        75.0,
        100.0,
        100.0,
        None,
    ]


def test_thresholds_that_fall() -> None:
    assert ranked([1, 3, 9], scaling.by_thresholds(pl.col("x"), [[1, 100], [5, 0]])) == [100.0, 50.0, 0.0]


def test_sizes_are_compared_by_their_logarithm() -> None:
    """ln 1, 10, 100, 1000 stand evenly, and a loss below nothing."""
    assert ranked([0, 9, 99, 999, None], scaling.log_minmax(pl.col("x"), 0)) == pytest.approx(
        [0, 100 / 3, 200 / 3, 100, None]
    )
    assert ranked([-99, 0, 99], scaling.log_minmax(pl.col("x"), 0)) == pytest.approx([0, 50, 100])


def test_the_ends_are_cut_off() -> None:
    """Of 21 values the quantiles at 5 and 95 % are the second and the last but one."""
    found = ranked([*map(float, range(20)), 1e12], scaling.log_minmax(pl.col("x"), 5))
    assert found[:2] == [0.0, 0.0]
    assert found[-2:] == [100.0, 100.0]
    assert 0 < (found[2] or 0) < 50


def test_one_size_stands_in_the_middle() -> None:
    assert ranked([7, 7, None], scaling.log_minmax(pl.col("x"), 5)) == [50.0, 50.0, None]


def test_a_ratio_of_few_cases_is_drawn_to_that_of_all() -> None:
    """100 of 110 were reached in all: one of one is (1 + 10 * 10/11) / 11; 9 of 9 (9 + 100/11) / 19; 90 of 100."""
    frame = pl.DataFrame({"rate": [1.0, 1.0, 0.9, None], "n": [1, 9, 100, 5]})
    found = frame.select(scaling.shrunk(pl.col("rate"), pl.col("n"), 10)).to_series().to_list()
    assert found == pytest.approx([(1 + 100 / 11) / 11, (9 + 100 / 11) / 19, (90 + 100 / 11) / 110, None])


def test_a_ratio_whose_cases_nobody_counts_is_as_it_is() -> None:
    frame = pl.DataFrame({"rate": [0.5, None], "n": [None, None]}, schema={"rate": pl.Float64, "n": pl.Int64})
    assert frame.select(scaling.shrunk(pl.col("rate"), pl.col("n"), 10)).to_series().to_list() == [0.5, None]


def test_peers_too_few_are_pooled_with_all() -> None:
    """Three of `a` are enough for two, one of `b` is ranked among all four, and so is who has no key."""
    frame = pl.DataFrame({"key": ["a", "a", "a", "b", None], "x": [1.0, 2.0, 3.0, 2.5, 9.0]})
    peers = frame.with_columns(scaling.peer_groups(pl.col("key"), pl.col("x") > 0, 2))
    assert peers["peer"].to_list() == ["a", "a", "a", None, None]
    found = peers.select(scaling.within_peers(percentile, pl.col("x"))).to_series().to_list()
    assert found == pytest.approx([100 / 6, 50.0, 500 / 6, 50.0, 90.0])
