"""RFM codes, by hand (reading 27)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from kammodel.tiering.policy import load_policy
from kammodel.tiering.rfm import break_points, rfm


def codes(days: Sequence[int | None], purchases: Sequence[int | None], revenue: Sequence[int | None]) -> dict[int, str]:
    facts = pl.DataFrame(
        {
            "group": range(len(days)),
            "days_since_last_purchase": days,
            "purchases_24m": purchases,
            "revenue_24m": revenue,
        },
        schema={
            "group": pl.UInt32,
            "days_since_last_purchase": pl.Int64,
            "purchases_24m": pl.Int64,
            "revenue_24m": pl.Int64,
        },
    )
    return dict(rfm(facts, load_policy()).iter_rows())


def test_break_points_are_type_7_quantiles_rounded_down() -> None:
    """1..101: positions 20, 40, 60, 80 fall on values. 1..100: 20.8, 40.6, 60.4, 80.2."""
    assert break_points(pl.Series(range(1, 102)), 5) == [21, 41, 61, 81]
    assert break_points(pl.Series(range(1, 101)), 5) == [20, 40, 60, 80]


def test_break_points_of_negative_money_round_down_too() -> None:
    """-3 and 0: the halfway point -1.5 is above -2 and not above -1."""
    assert break_points(pl.Series([-3, 0]), 2) == [-2]


def test_from_one_hundred_groups_five_bins_recency_reversed() -> None:
    found = codes(range(1, 101), range(1, 101), range(1, 101))
    assert (found[0], found[19], found[20], found[99]) == ("511", "511", "422", "155")


def test_equal_values_score_equal() -> None:
    """Ninety single purchases: the breaks at 20, 40, 60 and 80 % are all 1, and nothing lies below."""
    found = codes([10] * 100, [1] * 90 + [2] * 10, [5] * 100)
    assert found[0] == "511"
    assert found[99] == "551"


def test_from_thirty_groups_three_bins() -> None:
    found = codes(range(1, 31), range(1, 31), range(1, 31))
    assert (found[0], found[9], found[10], found[29]) == ("311", "311", "222", "133")


@pytest.mark.parametrize(
    ("days", "code"),
    [(0, "5--"), (60, "5--"), (61, "4--"), (180, "4--"), (181, "3--"), (365, "3--"), (366, "2--"), (731, "1--")],
)
def test_below_thirty_groups_only_recency_by_days(days: int, code: str) -> None:
    assert codes([days], [1], [100]) == {0: code}


def test_without_a_purchase_in_the_window_no_code() -> None:
    assert codes([10, None, 900], [1, None, 0], [1, None, 0]) == {0: "5--"}


def test_unknown_revenue_leaves_its_place_open() -> None:
    found = codes([10] * 100, [1] * 100, [None] + [7] * 99)
    assert found[0] == "51-"


def test_a_measure_nobody_has_is_open_for_all() -> None:
    assert codes([10] * 30, [1] * 30, [None] * 30)[0] == "31-"


def test_nobody_bought() -> None:
    assert codes([], [], []) == {}
