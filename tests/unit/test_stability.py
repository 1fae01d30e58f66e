"""Tiers that hold: buffers, confirmations, quarters, seats of a fixed count, and what a run remembers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl
import pytest

from kammodel.tiering.memory import Calendar, calendar, remembered
from kammodel.tiering.policy import load_policy
from kammodel.tiering.stability import buffers
from kammodel.tiering.tiers import compute_tiers
from tests.unit.test_tiers import members, policy_with

DAY = dt.date(2026, 6, 30)
MOVING = Calendar(DAY, DAY, is_first=False)
MONTHLY = Calendar(DAY, DAY, is_retier=False, is_first=False)
NIGHTLY = Calendar(DAY, DAY, is_evaluation=False, is_retier=False, is_first=False)


def stood(scores: Sequence[float], standing: str | None, pending: str | None = None, n: int = 0) -> pl.DataFrame:
    """Twenty-one members: the first has scores[0] and what stood; the others stand nowhere."""
    frame = members(list(scores))
    first = pl.col("group") == 0
    return frame.with_columns(
        before_standing=pl.when(first).then(pl.lit(standing, pl.String)),
        before_pending=pl.when(first).then(pl.lit(pending, pl.String)),
        before_pending_n=pl.when(first).then(pl.lit(n, pl.Int64)),
    )


def at_place(place: int) -> list[float]:
    """Scores of a hundred members, of whom the first stands at a place from the bottom: percentile place - 0.5."""
    others = [float(rank) for rank in range(1, 101) if rank != place]
    return [float(place), *others]


def first_of(frame: pl.DataFrame, when: Calendar) -> tuple[str, str, str | None, int]:
    found = compute_tiers(frame, load_policy(), when).filter(pl.col("group") == 0)
    tier, rule, pending, n = found.select("tier_computed", "computed_rule", "pending", "pending_n").row(0)
    return tier, rule, pending, n


def test_a_tier_is_entered_at_most_half_its_width_beyond_its_border() -> None:
    """Strategic is 5 wide: nobody has the percentile 100 that a buffer of 5 would ask for."""
    assert buffers(load_policy().cut, load_policy()) == {4: 2.5, 3: 5.0, 2: 5.0, 1: 5.0}


@pytest.mark.parametrize(
    ("place", "tier", "told"),
    [
        (83, "growth", ("growth", "buffer", None, 0)),
        (86, "growth", ("growth", "unconfirmed", "key", 1)),
        (98, "key", ("key", "unconfirmed", "strategic", 1)),
        (97, "key", ("key", "buffer", None, 0)),
        (78, "key", ("key", "buffer", None, 0)),
        (75, "key", ("key", "unconfirmed", "growth", 1)),
        (84, "key", ("key", "cut", None, 0)),
    ],
)
def test_a_border_is_crossed_and_not_touched(place: int, tier: str, told: tuple[str, str, str | None, int]) -> None:
    """Key begins at 80, and at 85 for who stands in Growth; it is left at 75. Once is not twice."""
    assert first_of(stood(at_place(place), tier), MOVING) == told


def test_the_second_confirmation_moves() -> None:
    assert first_of(stood(at_place(86), "growth", "key", 1), MOVING) == ("key", "cut", None, 0)


def test_confirmations_are_of_one_direction_and_in_a_row() -> None:
    """It wanted down; a month inside the buffer begins the count anew."""
    assert first_of(stood(at_place(86), "growth", "standard", 1), MOVING) == ("growth", "unconfirmed", "key", 1)
    assert first_of(stood(at_place(83), "growth", "key", 1), MOVING) == ("growth", "buffer", None, 0)


def test_between_quarters_a_confirmed_move_waits() -> None:
    assert first_of(stood(at_place(86), "growth", "key", 1), MONTHLY) == ("growth", "between_retiers", "key", 2)


def test_between_months_nothing_is_counted() -> None:
    assert first_of(stood(at_place(86), "growth", "key", 1), NIGHTLY) == ("growth", "unconfirmed", "key", 1)
    assert first_of(stood(at_place(83), "growth", "key", 1), NIGHTLY) == ("growth", "buffer", "key", 1)


@pytest.mark.parametrize(("place", "tier", "reached"), [(99, "growth", "strategic"), (30, "key", "standard")])
def test_two_tiers_at_once_do_not_wait(place: int, tier: str, reached: str) -> None:
    assert first_of(stood(at_place(place), tier), NIGHTLY)[:2] == (reached, "cut")


def test_a_newcomer_is_placed_at_once() -> None:
    assert first_of(stood(at_place(86), None), NIGHTLY)[:2] == ("key", "cut")


def test_the_share_floor_acts_at_once_and_stands_beside() -> None:
    """The day the share is gone, the tier is what the score gave."""
    frame = stood(at_place(20), "standard").with_columns(revenue_share=pl.when(pl.col("group") == 0).then(0.2))
    found = compute_tiers(frame, load_policy(), NIGHTLY).filter(pl.col("group") == 0)
    assert found.select("tier_computed", "computed_rule", "standing").row(0) == ("key", "share_floor", "standard")


def test_few_groups_hold_by_points() -> None:
    """Below 20 groups the score itself: Key from 65, from 70 for who stands in Growth."""
    assert first_of(stood([69.0, 10.0], "growth"), MOVING)[:2] == ("growth", "buffer")
    assert first_of(stood([70.0, 10.0], "growth", "key", 1), MOVING)[:2] == ("key", "threshold")


FIXED = policy_with(fixed={"strategic": 4, "key": 6, "growth": 10}, stability={"buffer": 10.0})


def seats(standing: Sequence[int], when: Calendar = MOVING) -> list[int]:
    """Members 0..29 by score, best first; those of `standing` sit in Strategic. Who does then."""
    frame = members([float(30 - place) for place in range(30)]).with_columns(
        before_standing=pl.when(pl.col("group").is_in(list(standing)))
        .then(pl.lit("strategic"))
        .otherwise(pl.lit("key"))
    )
    found = compute_tiers(frame, FIXED, when)
    return sorted(found.filter(pl.col("tier_computed") == "strategic")["group"].to_list())


def test_fixed_counts_take_the_sure_then_the_sitting_then_the_best_of_the_rest() -> None:
    """Four seats, a band of two: places 1 and 2 are sure, who sits stays to place 6, the best of the rest fill up."""
    assert seats([]) == [0, 1, 2, 3]
    assert seats([4, 5]) == [0, 1, 4, 5]
    assert seats([5, 6]) == [0, 1, 2, 5]
    assert seats([0, 1, 2, 3, 4, 5]) == [0, 1, 2, 3]


def test_between_quarters_who_sits_stays() -> None:
    """Unless two tiers off: place 13 is cut Growth. Nobody takes the free seat."""
    assert seats([2, 7, 8, 9], NIGHTLY) == [2, 7, 8, 9]
    assert seats([2, 8, 9, 12], NIGHTLY) == [2, 8, 9]


def test_fixed_counts_without_a_past_are_the_order() -> None:
    found = compute_tiers(members([float(30 - place) for place in range(30)]), FIXED)
    counted = dict(found["tier_computed"].value_counts().iter_rows())
    assert counted == {"strategic": 4, "key": 6, "growth": 10, "standard": 10}
    assert set(found["computed_rule"]) == {"fixed_count"}


def test_a_tier_whose_cap_is_reached_has_a_fixed_count() -> None:
    """Of sixty groups the three best claim two seats: the first is sure, who sits keeps the other, though third."""
    frame = members([float(60 - place) for place in range(60)]).with_columns(
        before_standing=pl.when(pl.col("group") == 2).then(pl.lit("strategic")).otherwise(pl.lit("key"))
    )
    two = policy_with(caps={"strategic": 2}, stability={"retier": "always", "confirmations": 1})
    found = compute_tiers(frame, two, MOVING)
    assert sorted(found.filter(pl.col("tier_computed") == "strategic")["group"].to_list()) == [0, 2]
    assert found.filter(pl.col("group") == 1)["computed_rule"].item() == "hard_cap"


def snapshot(day: dt.date, criteria: str = "{}", *, changed: bool = False) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "group_id": ["g0"],
            "as_of": [day],
            "tier_computed": ["key"],
            "criteria": [criteria],
            "rules_changed": [changed],
        }
    )


@pytest.mark.parametrize(
    ("day", "is_evaluation", "is_retier"),
    [
        (dt.date(2026, 5, 29), False, False),
        (dt.date(2026, 6, 1), True, False),
        (dt.date(2026, 7, 14), True, True),
        (dt.date(2027, 5, 20), True, True),
    ],
)
def test_the_first_score_of_a_month_counts_and_of_a_quarter_moves(
    day: dt.date, is_evaluation: object, is_retier: object
) -> None:
    when = calendar(remembered(snapshot(dt.date(2026, 5, 20))), day, load_policy())
    assert (when.is_evaluation, when.is_retier) == (is_evaluation, is_retier)


def test_a_month_counts_from_its_monthly_score_and_not_from_the_last_night() -> None:
    text = '{"evaluated_on":"2026-05-01","retiered_on":"2026-04-01","standing":"growth"}'
    before = remembered(snapshot(dt.date(2026, 5, 31), text))
    when = calendar(before, dt.date(2026, 6, 1), load_policy())
    assert (when.evaluated_on, when.retiered_on) == (dt.date(2026, 6, 1), dt.date(2026, 4, 1))
    assert before["before_standing"].to_list() == ["growth"]


def test_a_snapshot_that_remembers_nothing_stands_by_its_tier() -> None:
    assert remembered(snapshot(DAY))["before_standing"].to_list() == ["key"]


def test_other_rules_place_freely() -> None:
    when = calendar(remembered(snapshot(DAY, changed=True)), dt.date(2026, 7, 1), load_policy())
    assert (when.is_evaluation, when.is_retier, when.is_first) == (True, True, False)
