"""The smallest change that reaches the next tier, and what moved a score: the group itself or its peers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from kammodel.snapshot import kpis_json
from kammodel.tiering import explain, load_policy, score
from kammodel.tiering.explained import CriterionExplained, Explanation
from kammodel.tiering.levers import smallest_change, value_for
from kammodel.tiering.movement import Moved, moved
from kammodel.tiering.policy import Policy
from kammodel.tiering.simulation import handed_on
from tests.unit.test_explanation import AT_ONCE, DAY, World, two
from tests.unit.test_tiers import policy_with

LATER = DAY + dt.timedelta(days=31)


ALIKE: dict[str, Any] = dict.fromkeys(("weighted_pipeline", "revenue_yoy_growth", "cadence_recency"))
"""Where all have the same, a little more passes everybody: such figures are left out."""


def forty(**first: Any) -> World:
    """Revenue of 1 to 40, all else equal, no ratings; the 20th has `first`."""
    rows = [({**ALIKE, "revenue_ttm": (place + 1) * 1_0000}, {"strategic_value": None}) for place in range(40)]
    rows[19] = ({**rows[19][0], **first}, rows[19][1])
    return World(*rows)


def explained(world: World, group: str, policy: Policy | None = None) -> Explanation:
    return explain(group, world.scores(policy), world.kpis, world.groups, previous=world.previous)


def test_the_smallest_change_is_tried() -> None:
    """The 20th lacks 1.2 points. A revenue of 21 is that of the 21st: both then have percentile 50, where Growth
    begins. With the 21st left where it is, it would take 22."""
    world = forty()
    up = explained(world, "g19").next_tier
    assert up is not None
    assert up.change is not None
    told = up.change.model_dump(include={"kpi", "before", "after", "reaches", "held_by"})
    assert told == {"kpi": "revenue_ttm", "before": 20.0, "after": 21.0, "reaches": True, "held_by": None}
    assert up.revenue_needed == 21.0
    assert value_for("revenue_ttm", 19, world.scores()) == 22_0000


def test_it_does_and_a_unit_less_does_not() -> None:
    assert explained(forty(revenue_ttm=21_0000), "g19").tier == "growth"
    assert explained(forty(revenue_ttm=20_9999), "g19").tier == "standard"


def test_a_rating_may_be_the_smallest_change() -> None:
    """(30 * 25 + 15 * 20 + 15 * 25 + 10 * 37.5) / 70 = 25.7 of 26.0: 2.2 instead of 2 gives 0.4 more."""
    near = two({**ALIKE}, other={**ALIKE})
    policy = policy_with(small_population={"growth": 26.0})
    found = smallest_change(1, near.scores(policy), near.kpis, near.groups, None)
    assert found is not None
    assert (found.measure.kpi, found.before, found.after, found.reaches) == ("strategic_value", 2.0, 2.2, True)
    raised = near.groups.with_columns(
        strategic_value=pl.when(pl.col("group") == 1).then(found.after - 0.1).otherwise("strategic_value")
    )
    assert score(near.kpis, raised, policy, DAY).frame["tier_computed"][1] == "standard"


def test_no_single_figure_does_it() -> None:
    """25.6 of 45 points, and each figure is a third or less of them."""
    world = two()
    assert value_for("revenue_ttm", 1, world.scores()) is None
    up = explained(world, "g1").next_tier
    assert up is not None
    assert (up.revenue_needed, up.change) == (None, None)


def standing(world: World) -> World:
    """As if the same had been scored a month before."""
    world.previous = handed_on(score(world.kpis, world.groups, load_policy(), DAY - dt.timedelta(days=30)))
    return world


def test_a_change_that_has_to_be_confirmed_says_so() -> None:
    """Beyond the border by the buffer, but for the first month only."""
    world = standing(forty())
    found = smallest_change(19, world.scores(load_policy()), world.kpis, world.groups, world.previous)
    assert found is not None
    assert (found.reaches, found.waits, found.held_by) == (False, True, "unconfirmed")


def test_a_seat_in_a_full_tier_is_taken_from_who_sits() -> None:
    """Forty groups, one seat in Strategic: with the revenue of the 40th the 39th has its score, and the smaller id."""
    policy = AT_ONCE.model_copy(update={"caps": policy_with(caps={"strategic": 1}).caps})
    up = explained(forty(), "g38", policy).next_tier
    assert up is not None
    assert up.is_full
    assert up.change is not None
    assert (up.change.kpi, up.change.after, up.change.reaches) == ("revenue_ttm", 40.0, True)


@pytest.mark.parametrize("method", ["thresholds", "log_minmax"])
def test_other_scales_are_turned_round_too(method: str) -> None:
    """Whatever the scale: what is said to reach it does, a step less does not."""
    policy = AT_ONCE.model_copy(
        update={
            "scaling": policy_with(
                scaling={
                    "by_criterion": {"volume": method},
                    "thresholds": {"revenue_ttm": [[0.0, 0.0], [40.0, 100.0]]},
                }
            ).scaling
        }
    )
    value = value_for("revenue_ttm", 19, forty().scores(policy))
    assert value is not None
    whole = int(value)
    reached = [explained(forty(revenue_ttm=v), "g19", policy).tier for v in (whole, whole - 1_0000)]
    assert reached == ["growth", "standard"]


def day_before(world: World) -> pl.DataFrame:
    """What the store would give of the world, scored a month before."""
    found = score(world.kpis, world.groups, AT_ONCE, DAY)
    texts = kpis_json(world.kpis)
    return (
        handed_on(found)
        .join(found.frame.select("group_id", "group").join(texts, on="group"), on="group_id")
        .drop("group")
    )


def later(before: World, now: World, group: str = "g0") -> Mapping[str, Moved]:
    previous = day_before(before)
    found = score(now.kpis, now.groups, AT_ONCE, LATER, previous)
    return moved(group, found, previous)


def test_what_the_group_did_itself_is_its_own() -> None:
    """It fell to the other's revenue: from 75 to 50, 25 * 30 / 90, and the other's rise is of its own doing."""
    found = later(two(), two({"revenue_ttm": 1_000_0000}))
    assert found["volume"] == Moved(own=-8.3, peers=0.0, rest=0.0)
    assert found["loyalty"] == Moved(0.0, 0.0, 0.0)


def test_what_the_peers_did_is_theirs() -> None:
    """The other overtook it: from 75 to 25 without a change of its own."""
    found = later(two(), two(other={"revenue_ttm": 9_000_0000}))
    assert found["volume"] == Moved(own=0.0, peers=-16.7, rest=0.0)


def test_both_at_once_sum_to_the_change() -> None:
    """Its own rise would have changed nothing among the peers of then: it led. They passed it."""
    before, now = two(), two({"revenue_ttm": 3_000_0000}, {"strategic_value": 6.0}, {"revenue_ttm": 9_000_0000})
    found = later(before, now)
    assert (found["volume"].own, found["volume"].peers) == (0.0, -16.7)
    assert found["strategic"] == Moved(own=-3.3, peers=0.0, rest=0.0)


def test_a_criterion_that_ceased_to_count_is_neither() -> None:
    """Without its rating the other criteria weigh more, though no figure of theirs moved."""
    found = later(two(), two(group={"strategic_value": None}))
    assert found["strategic"] == Moved(0.0, 0.0, -13.3)
    assert (found["volume"].own, found["volume"].peers) == (0.0, 0.0)
    assert found["volume"].rest > 0


def test_the_explanation_tells_them_apart() -> None:
    before, now = two(), two(other={"revenue_ttm": 9_000_0000})
    now.previous = day_before(before)
    found = explain(
        "g0", score(now.kpis, now.groups, AT_ONCE, LATER, now.previous), now.kpis, now.groups, previous=now.previous
    )
    volume: CriterionExplained = found.criteria[0]
    assert (volume.change, volume.own_change, volume.peers_change, volume.rest_change) == (-16.7, 0.0, -16.7, 0.0)


def test_other_rules_are_not_told_apart() -> None:
    now = two()
    previous = day_before(two()).with_columns(rules_changed=pl.lit(value=True))
    assert moved("g0", score(now.kpis, now.groups, AT_ONCE, LATER, previous), previous) == {}
    assert moved("g0", now.scores(), None) == {}
