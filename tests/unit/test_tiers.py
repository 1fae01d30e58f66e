"""Population, evidence, the cut with its caps and floor, overrides, quadrants and the way up, by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from kammodel.tiering.policy import Policy, load_policy
from kammodel.tiering.population import out_reason, provisional_why
from kammodel.tiering.quadrant import quadrant
from kammodel.tiering.reach import Border, borders
from kammodel.tiering.tiers import compute_tiers, effective_tier, override_state

DAY = dt.date(2026, 6, 30)


def policy_with(**sections: Mapping[str, object]) -> Policy:
    """The default policy with some keys of some sections changed."""
    plain = load_policy().model_dump()
    return Policy.model_validate({**plain, **{name: {**plain[name], **keys} for name, keys in sections.items()}})


def members(
    scores: Sequence[float | None],
    *,
    provisional: Sequence[int] = (),
    revenue: Mapping[int, int] | None = None,
    share: Mapping[int, float] | None = None,
) -> pl.DataFrame:
    """Member i scores scores[i]; `provisional` lists members, `revenue` and `share` give theirs."""
    places = range(len(scores))
    return pl.DataFrame(
        {
            "group": places,
            "group_id": [f"g{place:03d}" for place in places],
            "score": scores,
            "provisional": [place in provisional for place in places],
            "revenue_ttm": [(revenue or {}).get(place, 0) for place in places],
            "revenue_share": [(share or {}).get(place) for place in places],
        },
        schema_overrides={"group": pl.UInt32, "score": pl.Float64, "revenue_share": pl.Float64},
    )


def tiers(frame: pl.DataFrame, policy: Policy | None = None) -> list[tuple[str, str]]:
    """Tier and rule of each member, in order of members."""
    found = compute_tiers(frame, policy or load_policy()).sort("group")
    return list(found.select("tier_computed", "computed_rule").iter_rows())


def named(found: Sequence[tuple[str, str]]) -> list[str]:
    return [tier for tier, _ in found]


def test_twenty_groups_are_cut_by_rank() -> None:
    """Percentiles 97.5; 92.5, 87.5, 82.5; 77.5 to 52.5; the rest. Points do not matter."""
    found = tiers(members([float(20 - place) for place in range(20)]))
    assert found == [("strategic", "cut")] + [("key", "cut")] * 3 + [("growth", "cut")] * 6 + [("standard", "cut")] * 10


def test_exactly_on_the_border_is_in() -> None:
    """n = 30, rank 29: 100 * 28.5 / 30 = 95."""
    assert named(tiers(members([float(30 - place) for place in range(30)])))[:3] == ["strategic", "strategic", "key"]


def test_equal_scores_share_a_tier() -> None:
    """Two at the top of 20 share rank 19.5, percentile 95; three share rank 19, 92.5."""
    assert named(tiers(members([50.0, 50.0, *map(float, range(18))])))[:2] == ["strategic"] * 2
    assert named(tiers(members([50.0, 50.0, 50.0, *map(float, range(17))])))[:3] == ["key"] * 3


def test_below_twenty_groups_the_score_decides() -> None:
    found = tiers(members([80.0, 79.9, 65.0, 64.9, 45.0, 44.9]))
    assert found == [
        ("strategic", "threshold"),
        ("key", "threshold"),
        ("key", "threshold"),
        ("growth", "threshold"),
        ("growth", "threshold"),
        ("standard", "threshold"),
    ]


def test_a_provisional_group_stands_at_key_and_nobody_moves_up() -> None:
    found = tiers(members([float(20 - place) for place in range(20)], provisional=[0]))
    assert found[:5] == [("key", "provisional_cap"), *[("key", "cut")] * 3, ("growth", "cut")]


def test_a_provisional_group_keeps_holding_its_strategic_seat() -> None:
    """n = 40: the two best are cut Strategic, one seat: the provisional one holds it, the other overflows."""
    found = tiers(members([float(40 - p) for p in range(40)], provisional=[0]), policy_with(caps={"strategic": 1}))
    assert found[:3] == [("key", "provisional_cap"), ("key", "hard_cap"), ("key", "cut")]


def test_overflow_goes_one_tier_down_and_counts_there() -> None:
    """n = 40: two Strategic for one seat, then seven Key for two seats: the overflow and the best of the cut."""
    found = tiers(members([float(40 - p) for p in range(40)]), policy_with(caps={"strategic": 1, "key": 2}))
    assert found[:4] == [("strategic", "cut"), ("key", "hard_cap"), ("key", "cut"), ("growth", "hard_cap")]
    assert named(found).count("key") == 2
    assert named(found).count("growth") == 5 + 12


def test_seats_go_by_score_then_revenue_then_id() -> None:
    scores = [90.0, 90.0, 90.0, 95.0]
    found = tiers(members(scores, revenue={1: 5, 2: 5}), policy_with(caps={"strategic": 2}))
    assert named(found) == ["key", "strategic", "key", "strategic"]


def test_no_seats_at_all() -> None:
    found = tiers(members([90.0, 70.0]), policy_with(caps={"strategic": 0, "key": 0}))
    assert found == [("growth", "hard_cap"), ("growth", "hard_cap")]


@pytest.mark.parametrize(
    ("share", "tier"),
    [(0.10, "key"), (0.09999, "standard"), (None, "standard"), (0.1 - 1e-17, "key"), (0.09999999999999999, "key")],
)
def test_a_tenth_of_all_revenue_is_at_least_key(share: float | None, tier: str) -> None:
    """Exactly 10 % counts, also where the last bit of the quotient is missing."""
    frame = members([10.0, 5.0], share={} if share is None else {0: share})
    rule = "share_floor" if tier == "key" else "threshold"
    assert tiers(frame)[0] == (tier, rule)


def test_the_floor_may_exceed_a_cap() -> None:
    found = tiers(members([70.0, 10.0], share={1: 0.5}), policy_with(caps={"key": 1}))
    assert found == [("key", "threshold"), ("key", "share_floor")]


def test_the_floor_leaves_higher_tiers_alone() -> None:
    found = compute_tiers(members([90.0], share={0: 0.5}), load_policy())
    assert found.select("tier_computed", "computed_rule", "is_concentrated").row(0) == ("strategic", "threshold", True)


def test_without_a_score_the_lowest_tier() -> None:
    assert named(tiers(members([None, 90.0]))) == ["standard", "strategic"]


def test_an_empty_population() -> None:
    assert tiers(members([])) == []


@pytest.mark.parametrize(
    ("kind", "in_24m", "ever", "reason"),
    [
        ("customer", 1, 1, None),
        (None, 1, 1, None),
        ("prospect", 1, 1, None),
        ("partner", 9, 9, "partner"),
        ("competitor", 9, 9, "competitor"),
        ("internal", 9, 9, "internal"),
        ("customer", 0, 3, "no_purchase_24m"),
        ("customer", 0, None, "no_purchase_24m"),
        ("customer", 0, 0, "prospect"),
        ("customer", None, None, "purchases_unknown"),
    ],
)
def test_population(kind: str | None, in_24m: int | None, ever: int | None, reason: str | None) -> None:
    """Reading 33: one purchase in 24 months, and not a partner, competitor or internal."""
    facts = pl.DataFrame(
        {"type": [kind], "purchases_24m": [in_24m], "purchases_ever": [ever]},
        schema={"type": pl.String, "purchases_24m": pl.Int64, "purchases_ever": pl.Int64},
    )
    assert facts.select(out_reason()).item() == reason


@pytest.mark.parametrize(
    ("kind", "barred", "nominated", "contracted", "reason"),
    [
        ("customer", False, True, False, None),
        ("customer", False, False, True, None),
        ("customer", True, True, True, "do_not_score"),
        ("partner", False, True, True, "partner"),
    ],
)
def test_nominations_and_contracts_bring_in_and_a_person_keeps_out(
    kind: str, barred: object, nominated: object, contracted: object, reason: str | None
) -> None:
    """kam.md §3d step 2: no purchase in 24 months, but an active contract or a nomination."""
    facts = pl.DataFrame({"type": [kind], "purchases_24m": [0], "purchases_ever": [3]})
    flags = [pl.lit(bool(flag)) for flag in (barred, nominated, contracted)]
    assert facts.select(out_reason(*flags)).item() == reason


def test_an_active_contract_is_evidence_too() -> None:
    """kam.md §3d step 6: two purchases or an active contract."""
    facts = pl.DataFrame(
        {"in_population": [True], "score": [50.0], "purchases_ever": [1], "coverage": [1.0]}
    ).with_columns(days_since_first_purchase=pl.lit(400))
    found = facts.select(
        without=provisional_why(load_policy()), having=provisional_why(load_policy(), pl.lit(value=True))
    )
    assert found.row(0) == ("few_purchases", None)


@pytest.mark.parametrize(
    ("ever", "days", "coverage", "why"),
    [
        (2, 90, 0.66, None),
        (1, 90, 0.66, "few_purchases"),
        (2, 89, 0.66, "young"),
        (2, 90, 0.6599, "coverage"),
        (1, 0, 0.5, "few_purchases;young;coverage"),
        (None, None, 1.0, "few_purchases;young"),
    ],
)
def test_minimum_evidence(ever: int | None, days: int | None, coverage: float, why: str | None) -> None:
    """Reading 34: two purchases ever, 90 days since the first; and 0.66 of the weight."""
    facts = pl.DataFrame(
        {
            "in_population": [True],
            "score": [50.0],
            "purchases_ever": [ever],
            "days_since_first_purchase": [days],
            "coverage": [coverage],
        },
        schema_overrides={"purchases_ever": pl.Int64, "days_since_first_purchase": pl.Int64},
    )
    assert facts.select(provisional_why(load_policy())).item() == why


@pytest.mark.parametrize(
    ("tier", "until", "state"),
    [
        (None, None, None),
        ("key", None, "valid"),
        ("key", DAY, "valid"),
        ("key", dt.date(2026, 6, 29), "expired"),
        ("gold", None, "unknown"),
        ("provisional", None, "unknown"),
    ],
)
def test_override_holds_through_its_last_day(tier: str | None, until: dt.date | None, state: str | None) -> None:
    facts = pl.DataFrame(
        {"tier_override": [tier], "tier_override_until": [until]},
        schema={"tier_override": pl.String, "tier_override_until": pl.Date},
    )
    assert facts.select(override_state(DAY)).item() == state


@pytest.mark.parametrize(
    ("override", "why", "concentrated", "shown"),
    [
        (None, None, False, ("growth", "cut")),
        ("valid", None, False, ("strategic", "override")),
        ("expired", None, False, ("growth", "cut")),
        (None, "coverage", False, ("growth", "cut")),
        (None, "few_purchases", False, ("provisional", "minimum_evidence")),
        (None, "young;coverage", False, ("provisional", "minimum_evidence")),
        (None, "no_input", False, ("provisional", "minimum_evidence")),
        ("valid", "young", False, ("strategic", "override")),
        (None, "young", True, ("growth", "cut")),
    ],
)
def test_effective_tier(override: str | None, why: str | None, concentrated: object, shown: tuple[str, str]) -> None:
    """A person first; then too little history shows as provisional, unless a tenth of all revenue."""
    frame = pl.DataFrame(
        {
            "override": [override],
            "tier_override": ["strategic"],
            "provisional_why": [why],
            "is_concentrated": [concentrated],
            "tier_computed": ["growth"],
            "computed_rule": ["cut"],
        },
        schema_overrides={"override": pl.String, "provisional_why": pl.String},
    )
    assert frame.select(effective_tier()).row(0) == shown


@pytest.mark.parametrize(
    ("attractiveness", "strength", "before", "name", "near"),
    [
        (50.0, 50.0, None, "key", True),
        (70.0, 49.9, None, "development", True),
        (30.0, 60.0, None, "maintenance", False),
        (44.0, 45.0, None, "opportunistic", False),
        (None, 80.0, None, None, None),
        (45.1, 60.0, "key", "key", True),
        (45.0, 60.0, "key", "maintenance", False),
        (54.9, 60.0, "maintenance", "maintenance", True),
        (55.0, 60.0, "maintenance", "key", False),
    ],
)
def test_quadrant(
    attractiveness: float | None, strength: float, before: str | None, name: str | None, near: object
) -> None:
    """Reading 36: 50 is high; without an earlier quadrant the buffer only flags."""
    frame = pl.DataFrame(
        {"attractiveness": [attractiveness], "strength": [strength], "previous_quadrant": [before]},
        schema={"attractiveness": pl.Float64, "strength": pl.Float64, "previous_quadrant": pl.String},
    )
    assert frame.select(quadrant(load_policy())).row(0) == (name, near)


def way_up(frame: pl.DataFrame, policy: Policy | None = None) -> list[Border]:
    policy = policy or load_policy()
    return list(borders(frame.join(compute_tiers(frame, policy), on="group"), policy))


def test_way_up_counts_with_the_group_itself_moved() -> None:
    """Scores 1..20: at 20.0 it would share rank 19.5, percentile 95; at 17.0 rank 16.5, 80; at 11.0 50."""
    assert way_up(members([float(place) for place in range(1, 21)])) == [
        Border("strategic", 20.0, is_full=False),
        Border("key", 17.0, is_full=False),
        Border("growth", 11.0, is_full=False),
    ]


def test_way_up_by_thresholds() -> None:
    assert [border.score for border in way_up(members([50.0]))] == [80.0, 65.0, 45.0]


def test_way_up_to_a_full_tier_beats_the_last_in_it() -> None:
    up = way_up(members([90.0, 85.5, 70.0]), policy_with(caps={"strategic": 2}))
    assert up[0] == Border("strategic", 85.6, is_full=True)


def test_a_provisional_member_keeps_the_strategic_tier_full_from_below() -> None:
    """It holds the only Strategic seat, though without any Key seat it stands at Growth."""
    up = way_up(members([90.0, 50.0], provisional=[0]), policy_with(caps={"strategic": 1, "key": 0}))
    assert up[0] == Border("strategic", 90.1, is_full=True)


def test_no_way_up_above_one_hundred_points() -> None:
    up = way_up(members([100.0, 10.0]), policy_with(caps={"strategic": 1, "key": 0}))
    assert [border.score for border in up] == [None, None, 45.0]
