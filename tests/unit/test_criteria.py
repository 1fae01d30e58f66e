"""Measures, criteria and the weighted mean, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from kammodel.tiering import aggregation, criteria
from kammodel.tiering.cadence import cadence_attainment
from kammodel.tiering.policy import load_policy

Column = Sequence[float | int | None]


def scored(columns: Mapping[str, Column], in_population: Sequence[bool] | None = None) -> pl.DataFrame:
    n = len(next(iter(columns.values())))
    facts = pl.DataFrame({**columns, "in_population": in_population or [True] * n}, strict=False)
    facts = facts.with_columns(criteria.inputs(facts))
    facts = facts.with_columns(criteria.measure_scores(pl.col("in_population")))
    return facts.with_columns(criteria.criterion_scores())


def test_declared_criteria_and_default_weights_name_each_other() -> None:
    assert set(load_policy().weights) == set(criteria.KEYS)


def test_a_measure_belongs_to_one_criterion() -> None:
    kpis = [measure.kpi for measure in criteria.measures()]
    assert len(kpis) == len(set(kpis))


def test_volume_is_the_percentile_of_revenue() -> None:
    assert scored({"revenue_ttm": [100, 300, 200]})["s_volume"].to_list() == pytest.approx([100 / 6, 500 / 6, 50])


def test_growth_beyond_one_hundred_per_cent_counts_as_one_hundred() -> None:
    """1.0 and 9.0 tie on ranks 3 and 4 of 4."""
    growth = scored({"revenue_yoy_growth": [0.0, 1.0, 9.0, -0.5]})
    assert growth["s_potential"].to_list() == [37.5, 75.0, 75.0, 12.5]


def test_tenure_beyond_ten_years_counts_as_ten() -> None:
    assert scored({"customer_tenure_months": [120, 400]})["s_loyalty"].to_list() == [50.0, 50.0]


def test_a_shorter_silence_against_the_own_cadence_is_better() -> None:
    assert scored({"cadence_recency": [0.5, 3.0]})["s_loyalty"].to_list() == [75.0, 25.0]


def test_a_criterion_is_the_plain_mean_of_what_a_group_has() -> None:
    """Reading 29: tenure 25, 75; quarters 75, 25; the third group has quarters only."""
    frame = scored({"customer_tenure_months": [10, 20, None], "active_quarters_8": [8, 1, 4]})
    assert frame["s_loyalty"].to_list() == pytest.approx([(25 + 500 / 6) / 2, (75 + 100 / 6) / 2, 50.0])


def test_a_pipeline_of_zero_is_a_rank_and_null_is_none() -> None:
    """Reading 35."""
    assert scored({"weighted_pipeline": [0, None, 10]})["s_potential"].to_list() == [25.0, None, 75.0]


def test_a_rating_is_absolute() -> None:
    """kam.md §3d step 3, input 0-10 x 10: the only rated group keeps its 9."""
    assert scored({"strategic_value": [9.0, None]})["s_strategic"].to_list() == [90.0, None]


def test_a_rating_out_of_range_is_not_guessed() -> None:
    assert scored({"strategic_value": [12.0, -1.0, 10.0]})["s_strategic"].to_list() == [None, None, 100.0]


def test_not_a_number_is_not_a_rank() -> None:
    assert scored({"revenue_yoy_growth": [float("nan"), 0.1, 0.2]})["s_potential"].to_list() == [None, 25, 75]


def test_groups_outside_the_population_are_no_peers() -> None:
    frame = scored({"revenue_ttm": [100, 200, 300]}, in_population=[True, True, False])
    assert frame["s_volume"].to_list() == [25.0, 75.0, None]


def test_the_gap_in_the_wallet_counts_where_nothing_is_known_of_products() -> None:
    """kam.md §3d step 3, whitespace or wallet gap: two have the one, two the other, the second has both."""
    frame = scored({"whitespace_value": [10, 20, None], "wallet_gap": [None, 100, 50]})
    assert frame["s_potential"].to_list() == [25.0, 75.0, 25.0]


def test_executives_reached_are_weighed_by_how_many_there_are() -> None:
    """116 of 201 were reached in all, 0.577: one of one becomes (1 + 5.77) / 11 = 0.62, 95 of 100 0.92."""
    columns: dict[str, Column] = {"exec_coverage": [1.0, 0.95, 0.2], "execs_known": [1, 100, 100]}
    facts = pl.DataFrame(columns, strict=False).with_columns(in_population=pl.lit(value=True))
    facts = facts.with_columns(criteria.inputs(facts))
    raw, drawn = (
        facts.with_columns(criteria.measure_scores(pl.col("in_population"), by))["p_exec_coverage"].to_list()
        for by in (None, load_policy().scaling)
    )
    assert raw == pytest.approx([500 / 6, 50.0, 100 / 6])
    assert drawn == pytest.approx([50.0, 500 / 6, 100 / 6])


def test_a_kpi_that_is_not_computed_is_a_measure_nobody_has() -> None:
    frame = scored({"revenue_ttm": [1, 2]})
    assert frame["s_service_need"].to_list() == [None, None]


def test_input_of_any_group_of_the_organisation_counts() -> None:
    """Reading 30: a rated prospect makes `strategic` a criterion of the organisation."""
    facts = scored({"revenue_ttm": [1, None], "strategic_value": [None, 5.0]}, in_population=[True, False])
    assert criteria.keys_with_input(facts) == ("volume", "strategic")


def cadence(tier: str | None, meetings: int | None, touches: int | None) -> float | None:
    facts = pl.DataFrame(
        {
            "previous_tier": [tier],
            "meetings_90d": [meetings],
            "meetings_180d": [meetings],
            "touches_90d": [touches],
            "touches_180d": [touches],
        },
        schema_overrides={"previous_tier": pl.String},
    )
    attained: float | None = facts.select(cadence_attainment(load_policy())).item()
    return attained


@pytest.mark.parametrize(
    ("tier", "meetings", "touches", "attained"),
    [
        ("strategic", 3, 9, 3 * 14 / 90),
        ("strategic", 7, 9, 1.0),
        ("key", 2, 9, 2 / 3),
        ("growth", 0, 1, 1.0),
        ("growth", 0, 0, 0.0),
        ("standard", 5, 5, None),
        (None, 0, 2, 1.0),
        ("provisional", 0, 2, 1.0),
        ("growth", None, None, None),
    ],
)
def test_cadence_of_the_tier_in_force(
    tier: str | None, meetings: int | None, touches: int | None, attained: float | None
) -> None:
    """Reading 31: without a tier in force the Growth cadence, one touch in 90 days."""
    assert cadence(tier, meetings, touches) == (None if attained is None else pytest.approx(attained))


def weighed(rows: Sequence[Mapping[str, float | None]], weights: Mapping[str, float]) -> pl.DataFrame:
    frame = pl.DataFrame(
        {f"s_{key}": [row.get(key) for row in rows] for key in weights},
        schema={f"s_{key}": pl.Float64 for key in weights},
    )
    parts = [aggregation.score(weights), aggregation.coverage(weights), *aggregation.contributions(weights)]
    return frame.with_columns(parts)


def test_score_leaves_out_what_is_missing_and_says_so() -> None:
    """(30 * 90 + 10 * 50) / 40 = 80; coverage 40 of 60."""
    row = weighed([{"volume": 90, "potential": None, "loyalty": 50}], {"volume": 30, "potential": 20, "loyalty": 10})
    assert (row["score"][0], row["coverage"][0]) == (80.0, 0.6667)
    assert (row["c_volume"][0], row["c_potential"][0], row["c_loyalty"][0]) == (67.5, None, 12.5)


def test_without_any_input_there_is_no_score() -> None:
    row = weighed([{}], {"volume": 30})
    assert (row["score"][0], row["coverage"][0], row["c_volume"][0]) == (None, 0.0, None)


def test_without_any_criterion_in_use_there_is_no_score() -> None:
    row = pl.DataFrame({"group": [1]}).with_columns(
        aggregation.score({}), aggregation.coverage({}), *aggregation.contributions({})
    )
    assert row.row(0) == (1, None, 0.0)


def test_missing_tenths_go_to_those_that_lost_most() -> None:
    """75.83: 25.0, 16.67, 13.33, 12.5, 8.33 round down to 75.7; potential lost most and gets the tenth."""
    weights = {"volume": 30, "potential": 20, "strategic": 15, "loyalty": 15, "relationship": 10}
    row = weighed([{**dict.fromkeys(weights, 75), "strategic": 80}], weights)
    assert row["score"][0] == 75.8
    assert [row[f"c_{key}"][0] for key in weights] == [25.0, 16.7, 13.3, 12.5, 8.3]


def test_equal_losses_are_served_in_order() -> None:
    """Three times 16.666 is 50.0: two tenths are missing, the first two get them."""
    weights = {"volume": 1, "potential": 1, "loyalty": 1}
    row = weighed([dict.fromkeys(weights, 50)], weights)
    assert [row[f"c_{key}"][0] for key in weights] == [16.7, 16.7, 16.6]


def test_half_a_tenth_rounds_up() -> None:
    assert weighed([{"volume": 72.45}], {"volume": 1})["score"][0] == 72.5


def test_a_geometric_mean_lets_nothing_be_bought_off() -> None:
    """The root of 81 times 16 is 36, where the mean is 48.5; a 0 counts as 1: the root of 81 is 9."""
    frame = pl.DataFrame({"s_volume": [81.0, 81.0, 0.0], "s_loyalty": [16.0, 0.0, None]})
    weights = {"volume": 1.0, "loyalty": 1.0}
    made = frame.with_columns(aggregation.score(weights, "geometric"), *aggregation.contributions(weights, "geometric"))
    assert made["score"].to_list() == [36.0, 9.0, 1.0]
    assert (made["c_volume"] + made["c_loyalty"].fill_null(0)).round(1).to_list() == [36.0, 9.0, 1.0]
    above = made.select(aggregation.above_middle(key, weights, "geometric").alias(key) for key in weights)
    assert above.select(pl.sum_horizontal(pl.all())).to_series().to_list()[:2] == pytest.approx([-14.0, -41.0])


def test_against_the_middle_of_the_peers_parts_sum_to_score_less_fifty() -> None:
    weights = {"volume": 30, "loyalty": 10}
    frame = pl.DataFrame({"s_volume": [90.0], "s_loyalty": [30.0]})
    above = frame.select(aggregation.above_middle(key, weights).alias(key) for key in weights).row(0)
    assert above == (30.0, -5.0)
