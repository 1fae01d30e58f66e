"""Hours that tiers ask for, and who goes down where there are too few."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from kammodel.tiering.capacity import demoted, load
from kammodel.tiering.tiers import effective_tier
from tests.unit.test_tiers import policy_with

DAY = dt.date(2026, 6, 30)
Row = Mapping[str, Any]
TYPES: Mapping[str, Any] = {
    "group": pl.UInt32,
    "kam": pl.String,
    "kam_hours": pl.Float64,
    "tier_since": pl.Date,
    "override": pl.String,
    "tier_override": pl.String,
    "provisional_why": pl.String,
}


def tiered(tiers: Sequence[str], *changes: tuple[int, Row], kam: str | None = "ann") -> pl.DataFrame:
    """Group i has tiers[i] and a score of 100 - i."""
    rows: list[dict[str, Any]] = [
        {
            "group": place,
            "group_id": f"g{place}",
            "score": 100.0 - place,
            "revenue_ttm": 0,
            "in_population": True,
            "tier_computed": tier,
            "computed_rule": "cut",
            "is_concentrated": False,
            "tier_since": None,
            "protected_from": DAY - dt.timedelta(days=181),
            "kam": kam,
            "kam_hours": None,
            "override": None,
            "tier_override": None,
            "provisional_why": None,
        }
        for place, tier in enumerate(tiers)
    ]
    for place, change in changes:
        rows[place].update(change)
    return pl.DataFrame(rows, schema_overrides=TYPES).with_columns(effective_tier())


def fitted(frame: pl.DataFrame, limit: str = "kam", **capacity: Any) -> list[str]:
    found = demoted(frame, policy_with(capacity={"limit": limit, **capacity}))
    return found.sort("group")["tier_computed"].to_list()


def test_hours_that_suffice_move_nobody() -> None:
    """Four Strategic at 28 and one Key at 8: exactly 120."""
    assert fitted(tiered(["strategic"] * 4 + ["key"])) == ["strategic"] * 4 + ["key"]


def test_the_lowest_score_goes_down_first_tier_by_tier() -> None:
    """5 x 28 + 2 = 142: the last Growth gives 2, the fifth Strategic 20, and 120 suffice."""
    assert fitted(tiered(["strategic"] * 5 + ["growth"])) == ["strategic"] * 4 + ["key", "standard"]


def test_who_goes_down_says_why() -> None:
    found = demoted(tiered(["strategic"] * 5), policy_with(capacity={"limit": "kam"}))
    assert found["computed_rule"].to_list() == ["cut"] * 4 + ["capacity"]


@pytest.mark.parametrize(
    "protection",
    [
        {"is_concentrated": True},
        {"tier_since": DAY},
        {"override": "valid", "tier_override": "strategic"},
    ],
)
def test_the_protected_stay(protection: Row) -> None:
    """The share floor, who came in less than two quarters ago, a tier set by hand: the next one goes."""
    assert fitted(tiered(["strategic"] * 5, (4, protection))) == ["strategic"] * 3 + ["key", "strategic"]


def test_two_quarters_end_the_protection() -> None:
    old = {"tier_since": DAY - dt.timedelta(days=181)}
    assert fitted(tiered(["strategic"] * 5, (4, old)))[4] == "key"


def test_each_manager_has_hours_of_their_own() -> None:
    """Bea's 64 hours of team.csv hold two Strategic accounts and a Key one, Ann's 120 four; nobody's have no limit."""
    bea = {"kam": "bea", "kam_hours": 64.0}
    frame = tiered(["strategic"] * 8, (1, bea), (2, bea), (3, bea), (7, {"kam": None}))
    assert fitted(frame) == ["strategic"] * 3 + ["key"] + ["strategic"] * 4


def test_all_together_where_nobody_owns_an_account() -> None:
    """So many managers as the policy says; without a number, no limit."""
    frame = tiered(["strategic"] * 5, kam=None)
    assert fitted(frame) == ["strategic"] * 5
    assert fitted(frame, kams=1) == ["strategic"] * 4 + ["key"]
    assert fitted(frame, limit="all", kams=2) == ["strategic"] * 5


def test_by_default_hours_are_only_counted() -> None:
    """A CRM's owner of an account need not be its manager."""
    assert fitted(tiered(["strategic"] * 9), limit="none") == ["strategic"] * 9


def test_load_and_the_managers_it_takes() -> None:
    """3 x 28 + 2 x 8 + 2 = 102 hours; a provisional group asks for those of Growth."""
    unproven = {"provisional_why": "young"}
    frame = tiered(["strategic", "strategic", "strategic", "key", "key", "standard"], (5, unproven))
    found = load(frame, policy_with())
    assert (found.hours, found.required_kams) == (102.0, 0.8)
    assert found.by_kam.row(0) == ("ann", 6, 102.0, 120.0, 0.85)
