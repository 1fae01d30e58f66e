"""What holds of tiers whatever the figures: everybody gets one, more is never worse, parts sum, caps hold."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kammodel.tiering import Policy, Scores, load_policy, reason_text, score
from kammodel.tiering.criteria import KEYS, measures
from kammodel.tiering.policy import TIERS
from kammodel.tiering.simulation import handed_on
from kammodel.tiering.tiers import LEVEL, compute_tiers

DAY = dt.date(2026, 6, 30)
SEEN = settings(
    max_examples=max(8, settings.default.max_examples // 12),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""A sample of the profile's examples: a world costs 50 times what a number does."""

Row = dict[str, Any]
COUNT = (None, 0, 1, 2, 3, 5)
DAYS = (None, 0, 89, 90, 150, 400, 1000)
RATIO = (None, -3.0, -0.1, 0.0, 0.1, 1 / 3, 2.5)
MONEY = (None, -5, 0, 1, 9_999, 10_000, 123_456_789, 10**13)
KPIS: dict[str, tuple[Any, ...]] = {
    "revenue_ttm": MONEY,
    "revenue_24m": MONEY,
    "revenue_share": (None, 0.0, 0.05, 0.1, 0.4),
    "revenue_yoy_growth": RATIO,
    "open_pipeline": MONEY,
    "weighted_pipeline": MONEY,
    "customer_tenure_months": DAYS,
    "purchases_24m": (1, 1, 2, 3, 0, None),
    "purchases_ever": COUNT,
    "days_since_first_purchase": DAYS,
    "days_since_last_purchase": DAYS,
    "active_quarters_8": COUNT,
    "cadence_recency": RATIO,
    "touches_90d": COUNT,
    "touches_180d": COUNT,
    "meetings_90d": COUNT,
    "meetings_180d": COUNT,
    "active_contacts_180d": COUNT,
    "case_intensity": RATIO,
    "exec_coverage": (None, 0.0, 0.5, 1.0),
    "execs_known": COUNT,
    "wallet_gap": MONEY,
}
GROUPS: dict[str, tuple[Any, ...]] = {
    "name": ("", "[red]", "=1+1"),
    "type": (None, "customer", "customer", "customer", "prospect", "partner"),
    "strategic_value": (None, 0.0, 3.0, 5.0, 10.0),
    "tier_override": (None, None, None, *TIERS, "gold"),
    "tier_override_until": (None, DAY, dt.date(2026, 6, 29)),
    "industry": (None, "steel", "paper"),
    "employees": (None, 10, 60, 5000),
    "kam": (None, "ann", "bea"),
    "is_nominated": (None, False, True),
    "before": (None, *TIERS, "provisional"),
}
FLOATS = (
    "revenue_share",
    "revenue_yoy_growth",
    "cadence_recency",
    "case_intensity",
    "exec_coverage",
    "strategic_value",
)
TYPES: dict[str, Any] = {
    **dict.fromkeys(KPIS, pl.Int64),
    **dict.fromkeys(GROUPS, pl.String),
    **dict.fromkeys(FLOATS, pl.Float64),
    "tier_override_until": pl.Date,
    "employees": pl.Int64,
    "is_nominated": pl.Boolean,
}


def seeded(n: int, seed: int) -> list[Row]:
    """A world of n groups, drawn at once: value by value, large worlds cost seconds."""
    random = Random(seed)
    return [{name: random.choice(values) for name, values in {**KPIS, **GROUPS}.items()} for _ in range(n)]


SMALL = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in {**KPIS, **GROUPS}.items()}),
    min_size=1,
    max_size=3,
)
ROWS = st.one_of(SMALL, st.builds(seeded, st.integers(1, 60), st.integers(0, 10**6)))
PLAIN = load_policy().model_dump()
MONEY_MEASURES = ("revenue_ttm", "weighted_pipeline", "whitespace_value", "wallet_gap")
ANCHORS = {name: [[0.0, 0.0], [1000.0, 50.0], [1e6, 100.0]] for name in MONEY_MEASURES}
POLICIES = st.builds(
    lambda weights, caps, method, mean, peers, fixed, limit: Policy.model_validate(
        {
            **PLAIN,
            "weights": dict(zip(KEYS, weights, strict=True)),
            "caps": caps,
            "scaling": {
                **PLAIN["scaling"],
                "method": method,
                "peer_group": peers,
                "peers_from": 4,
                "thresholds": {**PLAIN["scaling"]["thresholds"], **ANCHORS},
            },
            "aggregation": {"mean": mean},
            "fixed": dict(zip(("strategic", "key", "growth"), (caps["strategic"], caps["key"], 9), strict=True))
            if fixed
            else {},
            "capacity": {**PLAIN["capacity"], "limit": limit, "hours_per_kam": 60.0},
        }
    ),
    st.lists(st.integers(0, 40).map(float), min_size=len(KEYS), max_size=len(KEYS)).filter(any),
    st.fixed_dictionaries({"strategic": st.integers(0, 3), "key": st.integers(0, 5)}),
    st.sampled_from(["percentile", "thresholds", "log_minmax"]),
    st.sampled_from(["arithmetic", "geometric"]),
    st.sampled_from(["all", "industry", "size"]),
    st.booleans(),
    st.sampled_from(["none", "kam", "all"]),
)


def frames(rows: list[Row]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    table = pl.DataFrame(rows, schema=TYPES).with_columns(
        group=pl.int_range(pl.len(), dtype=pl.UInt32), group_id=pl.format("g{}", pl.int_range(pl.len()))
    )
    previous = table.select("group_id", tier_effective="before", tier_computed="before", score=pl.lit(50.0))
    previous = previous.with_columns(criteria=pl.lit('{"c_volume":30.0,"c_loyalty":null}'))
    groups = table.select("group", "group_id", *(name for name in GROUPS if name != "before"))
    return table.select("group", *KPIS), groups, previous


def scored(rows: list[Row], policy: Policy | None = None) -> Scores:
    kpis, groups, previous = frames(rows)
    return score(kpis, groups, policy or load_policy(), DAY, previous)


def at_once(policy: Policy) -> Policy:
    """The same, but tiers move in every run, without waiting to be confirmed."""
    stability = policy.stability.model_copy(update={"retier": "always", "confirmations": 1})
    return policy.model_copy(update={"stability": stability})


def tenths(column: str) -> pl.Expr:
    return (pl.col(column) * 10).round().cast(pl.Int64)


@SEEN
@given(ROWS, POLICIES)
def test_every_group_of_the_population_gets_a_tier_and_bounded_figures(rows: list[Row], policy: Policy) -> None:
    frame = scored(rows, policy).frame
    inside, outside = frame.filter("in_population"), frame.filter(~pl.col("in_population"))
    assert set(inside["tier_computed"]) <= set(TIERS)
    assert set(inside["tier_effective"]) <= {*TIERS, "provisional"}
    assert inside["out_reason"].null_count() == inside.height
    assert outside["out_reason"].null_count() == 0
    assert outside["score"].null_count() == outside["tier_computed"].null_count() == outside.height
    for column in ("score", "attractiveness", "strength", *(f"s_{key}" for key in KEYS)):
        assert frame[column].drop_nulls().is_between(0, 100).all()
    assert inside["coverage"].is_between(0, 1).all()
    assert (inside["score"].is_null() == (inside["coverage"] == 0)).all()


@SEEN
@given(ROWS, POLICIES)
def test_contributions_sum_to_the_score_exactly(rows: list[Row], policy: Policy) -> None:
    frame = scored(rows, policy).frame.filter(pl.col("score").is_not_null())
    parts = frame.select(pl.sum_horizontal(tenths(f"c_{key}") for key in KEYS)).to_series()
    assert (parts == frame.select(tenths("score")).to_series()).all()


@SEEN
@given(ROWS, POLICIES)
def test_caps_hold_and_provisional_is_never_computed_strategic(rows: list[Row], policy: Policy) -> None:
    """The floor alone may exceed the cap of Key; a person may set what they like."""
    frame = scored(rows, policy).frame
    assert frame.filter(pl.col("tier_computed") == "strategic").height <= policy.caps.strategic
    by_score = frame.filter((pl.col("tier_computed") == "key") & (pl.col("computed_rule") != "share_floor"))
    assert by_score.height <= policy.caps.key
    assert frame.filter(pl.col("provisional") & (pl.col("tier_computed") == "strategic")).is_empty()
    floor = frame.filter("is_concentrated")
    assert set(floor["tier_computed"]) <= {"strategic", "key"}


@SEEN
@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_means_nothing(rows: list[Row], random: Any) -> None:
    kpis, groups, previous = frames(rows)
    places = list(range(len(rows)))
    shuffled = []
    for frame in (kpis, groups, previous):
        random.shuffle(places)
        shuffled.append(frame[places])
    first, second = (score(k, g, load_policy(), DAY, p) for k, g, p in ((kpis, groups, previous), tuple(shuffled)))
    assert first.frame.equals(second.frame)
    texts = [
        reason_text(first, kpis, groups, "es", previous),
        reason_text(second, shuffled[0], shuffled[1], "es", shuffled[2]),
    ]
    assert texts[0].equals(texts[1])


@SEEN
@given(ROWS, POLICIES, st.data())
def test_more_is_never_worse(rows: list[Row], policy: Policy, data: st.DataObject) -> None:
    """Bettering one known measure of one group lowers neither its score nor its computed tier."""
    kpis = [measure for measure in measures() if measure.kpi in TYPES]
    measure = data.draw(st.sampled_from(kpis))
    place = data.draw(st.integers(0, len(rows) - 1))
    if rows[place][measure.kpi] is None:
        return
    step = data.draw(st.integers(1, 10))
    worse, better = [dict(row) for row in rows], [dict(row) for row in rows]
    better[place][measure.kpi] += -step if measure.less_is_better else step
    if measure.kpi == "strategic_value":
        better[place][measure.kpi] = min(10.0, better[place][measure.kpi])
    before, after = (scored(world, policy).frame.row(place, named=True) for world in (worse, better))
    if before["score"] is not None:
        assert after["score"] >= before["score"]
        assert LEVEL[after["tier_computed"]] >= LEVEL[before["tier_computed"]]


@SEEN
@given(ROWS, POLICIES)
def test_what_is_said_to_be_missing_is_enough(rows: list[Row], policy: Policy) -> None:
    """At a border's score, all else equal, a group stands in that tier: checked on the score alone."""
    policy = at_once(policy)
    kpis, groups, previous = frames(rows)
    found = score(kpis, groups, policy, DAY, previous)
    stood = previous.select(
        "group_id", before_standing=pl.when(pl.col("tier_computed") != "provisional").then("tier_computed")
    )
    members = found.frame.filter("in_population").with_columns(
        provisional=pl.lit(value=False), revenue_ttm=pl.lit(0), revenue_share=pl.lit(0.0)
    )
    members = members.join(stood, on="group_id").drop("score_percentile", "pending_n")
    for place, row in enumerate(members.iter_rows(named=True)):
        if row["points_missing"] is None or row["provisional"]:
            continue
        raised = pl.when(pl.int_range(pl.len()) == place).then(row["score"] + row["points_missing"])
        moved = members.with_columns(score=raised.otherwise(pl.col("score")).round(1))
        tiers = compute_tiers(moved, policy, found.calendar)
        reached = tiers.filter(pl.col("group") == row["group"])["tier_computed"].item()
        assert LEVEL[reached] >= LEVEL[row["next_tier"]]


@SEEN
@given(ROWS, POLICIES, st.sampled_from(["en", "es"]))
def test_a_reason_for_everybody_that_fits_the_field(rows: list[Row], policy: Policy, language: Any) -> None:
    kpis, groups, previous = frames(rows)
    found = score(kpis, groups, policy, DAY, previous)
    for before in (previous, None):
        text = reason_text(found, kpis, groups, language, before)["reason"]
        assert text.null_count() == 0
        assert text.str.len_chars().is_between(1, 255).all()
        assert not text.str.contains("  |^ | $|[{}]").any()


@SEEN
@given(ROWS, POLICIES)
def test_what_is_scored_again_stays_where_it_is(rows: list[Row], policy: Policy) -> None:
    """The same figures a night and a quarter later: nobody moves for having stood there before.

    But the cadence asked for is that of the tier in force: it is weighed 0 here.
    """
    weights = {**policy.weights, "relationship": 0.0, "volume": policy.weights["volume"] + 1}
    policy = policy.model_copy(update={"weights": weights, "capacity": load_policy().capacity})
    kpis, groups, _ = frames(rows)
    groups = groups.with_columns(tier_override=pl.lit(None, pl.String))
    first = score(kpis, groups, policy, DAY)
    before = first
    for days in (1, 95):
        again = score(kpis, groups, policy, DAY + dt.timedelta(days=days), handed_on(before))
        for column in ("tier_computed", "tier_effective", "standing"):
            assert again.frame[column].to_list() == first.frame[column].to_list()
        before = again


@pytest.mark.exhaustive
def test_two_hundred_thousand_groups() -> None:
    """Scale, not speed: the caps hold and every text fits at 200,000 groups."""
    n = 200_000
    row = dict.fromkeys((*KPIS, *GROUPS)) | {"purchases_24m": 2, "purchases_ever": 3}
    kpis, groups, previous = frames([row])
    many = pl.int_range(n, dtype=pl.UInt32, eager=True)
    kpis = kpis.select(pl.all().repeat_by(n).explode()).with_columns(group=many, revenue_ttm=many.cast(pl.Int64))
    groups = groups.select(pl.all().repeat_by(n).explode()).with_columns(group=many, group_id=many.cast(pl.String))
    found = score(kpis, groups, load_policy(), DAY, previous)
    assert found.population_n == n
    text = reason_text(found, kpis, groups, "en")["reason"]
    assert text.str.len_chars().max() <= 255  # type: ignore[operator]
