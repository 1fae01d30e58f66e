"""ABC classes, by hand."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kammodel.tiering.abc import abc_classes
from kammodel.tiering.policy import load_policy


def classes(revenue: Sequence[int | None]) -> str:
    facts = pl.DataFrame(
        {"group": range(len(revenue)), "revenue_ttm": revenue}, schema_overrides={"revenue_ttm": pl.Int64}
    )
    return "".join(name or "-" for name in abc_classes(facts, load_policy())["abc"])


def test_the_account_that_crosses_the_line_stays_in_the_upper_class() -> None:
    """Before them stand 0, 50, 79, 95 of 100."""
    assert classes([50, 29, 16, 5]) == "AAAC"


def test_exactly_at_the_line_is_below_it() -> None:
    """80 of 100 stand before the second, 95 before the third."""
    assert classes([80, 15, 5]) == "ABC"


def test_equal_totals_share_the_class_of_the_first_of_them() -> None:
    """Reading 28: 60, 70, 80 and 90 stand before the tens."""
    assert classes([60, 10, 10, 10, 10]) == "AAAAA"


def test_losses_are_c_and_count_for_nothing_and_the_unknown_has_no_class() -> None:
    assert classes([100, 0, -500, None]) == "ACC-"


def test_totals_beyond_a_64_bit_sum() -> None:
    assert classes([2**62, 2**62, 2**62, 1]) == "AAAC"


def test_nobody_brings_anything() -> None:
    assert classes([0, None]) == "C-"
