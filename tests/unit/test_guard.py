"""The guard: what trips it, what does not, and in which words."""

import polars as pl
import pytest

from kammodel.publish.guard import tripped, wanted_measures
from kammodel.publish.plan import Comparison
from kammodel.publish.rules import load_rules

LIMITS = load_rules().limits
NAMES = ["source_id", "field", "before", "after", "decision", "reason"]
NO_CELLS = pl.DataFrame(schema=dict.fromkeys(NAMES, pl.String))
EQUAL = pl.DataFrame(schema=dict.fromkeys(["source_id", "field", "value"], pl.String))


def comparison(*cells: tuple[str, str | None, str | None]) -> Comparison:
    """Cells to write: field, before, after; each of an account of its own."""
    rows = [(str(n), *cell, "write", "ours") for n, cell in enumerate(cells)]
    return Comparison(pl.DataFrame(rows, schema=NO_CELLS.schema, orient="row"), EQUAL, EQUAL)


def wanted(accounts: int, **columns: str | None) -> pl.DataFrame:
    return pl.DataFrame({"source_id": [str(n) for n in range(accounts)]}).with_columns(
        pl.lit(value, pl.String).alias(name) for name, value in columns.items()
    )


def of_measures(now: dict[str, float], last: dict[str, float]) -> list[str]:
    return tripped(comparison(), wanted(0), now, last, LIMITS)


def test_a_usual_night_trips_nothing() -> None:
    """A few tiers move, a few cells are cleared, rows come and go."""
    cells = [("tier", "key", "growth")] * 20 + [("rfm", "545", None)] * 5
    last = {"rows.opportunity": 1000.0, "nulls.opportunity.amount": 0.05, "rejects.opportunity": 3.0}
    now = {"rows.opportunity": 990.0, "nulls.opportunity.amount": 0.06, "rejects.opportunity": 5.0}
    assert tripped(comparison(*cells), wanted(100, tier="key", rfm="545"), now, last, LIMITS) == []


def test_too_many_tiers_move() -> None:
    """Counted against the accounts that had one; a first tier is no change of tier."""
    cells = [("tier", "key", "growth")] * 26
    assert tripped(comparison(*cells), wanted(100, tier="key"), {}, {}, LIMITS) == [
        "26 of 100 accounts with a tier would change it (limit: 25%)"
    ]
    assert tripped(comparison(*[("tier", None, "key")] * 100), wanted(100, tier="key"), {}, {}, LIMITS) == []


def test_too_many_cells_are_emptied() -> None:
    """Counted against the cells that are filled now."""
    cells = [("revenue_ttm", "100", None)] * 20
    assert tripped(comparison(*cells), wanted(100, tier="key", revenue_ttm=None), {}, {}, LIMITS) == [
        "20 of 120 filled cells would be cleared (limit: 10%)"
    ]


def test_rows_are_gone() -> None:
    """Half of them, or all of a few: a table of rates has five rows."""
    now = {"rows.opportunity": 500.0, "rows.exchange_rate": 0.0, "rows.case": 4.0}
    last = {"rows.opportunity": 1000.0, "rows.exchange_rate": 5.0, "rows.case": 9.0}
    assert of_measures(now, last) == [
        "opportunity: 500 rows where there were 1,000 (limit: 20% fewer)",
        "exchange rate: 0 rows where there were 5 (limit: 20% fewer)",
    ]


def test_values_are_gone() -> None:
    """A column that is hidden from us is one without values; so is a figure that it entered."""
    now = {"rows.opportunity": 1000.0, "rows.account": 100.0, "nulls.opportunity.amount": 1.0}
    now |= {"nulls.field.revenue_ttm": 0.6}
    last = {"nulls.opportunity.amount": 0.1, "nulls.field.revenue_ttm": 0.3}
    assert of_measures(now, last) == [
        "opportunity amount: without a value in 100% of the rows, 10% before (limit: 20% more)",
        "field revenue_ttm: without a value in 60% of the rows, 30% before (limit: 20% more)",
    ]


def test_rows_are_set_aside() -> None:
    """Since the last plan that was written: what was looked at then counts no more."""
    assert of_measures({"rows.opportunity": 1000.0, "rejects.opportunity": 60.0}, {"rejects.opportunity": 55.0}) == []
    assert of_measures({"rows.opportunity": 940.0, "rejects.opportunity": 60.0}, {}) == [
        "60 of 1,000 rows of opportunity were set aside since the last plan that was written (limit: 2%)"
    ]


@pytest.mark.parametrize("few", [1, 9])
def test_few_trip_nothing(few: int) -> None:
    """Fewer than ten accounts, cells or rows are what a person does in a morning."""
    cells = [("tier", "key", None)] * few
    assert tripped(comparison(*cells), wanted(20, tier=None), {}, {}, LIMITS) == []


def test_the_first_plan_has_nothing_to_be_compared_with() -> None:
    """All that is there is news, and none of it is lost."""
    assert of_measures({"rows.opportunity": 10.0, "nulls.opportunity.amount": 1.0}, {}) == []


def test_fields_are_measured_by_their_share_of_nulls() -> None:
    assert wanted_measures(pl.DataFrame({"source_id": ["a", "b"], "tier": ["key", None]})) == {"nulls.field.tier": 0.5}
    assert wanted_measures(wanted(0, tier="key")) == {}
