"""A company that a web address finds in two CRMs: counted once, written to both; a decision parts it again."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from kammodel.given import NOTHING_GIVEN
from kammodel.publish.fields import OURS
from kammodel.scoring import ScoredDay, score_day, wanted_values
from tests.unit.kam_world import CONFIG, World, figure, on


def book() -> World:
    world = World()
    world.account("a", name="Acme SL", type="customer", domain="acme.com")
    world.account("1", source="hubspot", name="ACME", domain="www.acme.com")
    for day in ("2025-09-01", "2026-01-10", "2026-05-10"):
        world.deal("a", 1000, close_on=on(day))
        world.deal("1", 1000, source="hubspot", close_on=on(day))
    world.touch("a", "2026-06-10")
    world.touch("1", "2026-06-10", source="hubspot")
    return world


def forbidding() -> ScoredDay:
    """The day, with the pair forbidden in matches.csv."""
    rows = {"line": [2], "left": ["hubspot:1"], "right": ["salesforce:a"], "decision": ["forbid"], "note": [None]}
    given = replace(NOTHING_GIVEN, frames={**NOTHING_GIVEN.frames, "matches": pl.DataFrame(rows)})
    return score_day(replace(book().inputs(), given=given), CONFIG)


def test_its_figures_are_counted_once() -> None:
    day = book().day()
    assert day.groups["group_id"].to_list() == ["salesforce:org:a"]
    assert figure(day, "revenue_ttm", "a") == 30_000_000
    assert figure(day, "touches_90d", "a") == 1
    assert (day.counts["matches_joined"], day.counts["matches_ambiguous"]) == (1, 0)


def test_its_scores_are_written_to_both() -> None:
    day = book().day()
    in_salesforce = wanted_values(day, "salesforce", "org", OURS).drop("source_id")
    in_hubspot = wanted_values(day, "hubspot", "portal", OURS).drop("source_id")
    assert in_salesforce.equals(in_hubspot)
    assert in_salesforce["revenue_ttm"].to_list() != [None]


def test_a_forbidden_pair_is_two_groups_again() -> None:
    day = forbidding()
    assert day.groups["group_id"].to_list() == ["hubspot:portal:1", "salesforce:org:a"]
    assert figure(day, "revenue_ttm", "1") == figure(day, "revenue_ttm", "a") == 30_000_000
    assert day.matches["state"].to_list() == ["forbidden"]
