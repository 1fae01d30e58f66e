"""Which figures stand on rows of which nobody knows what they were: by the row's kind, its group, and its history."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.kam_world import World, at, on

BEFORE, AFTER = at("2026-03-01T12:00"), at("2026-08-01T12:00")


def world(**doubtful: Any) -> World:
    """Two customers with a deal, a call and a case each, all known, but for what is said of the first one's."""
    made = World()
    for name in ("a", "b"):
        stamp = {"created_at": BEFORE, "updated_at": BEFORE}
        own = doubtful if name == "a" else {}
        made.account(name, type="customer", **stamp | own.get("account", {}))
        made.person(f"{name}-p", name)
        made.persons[-1] |= stamp | own.get("person", {})
        made.deal(name, 100, close_on=on("2026-03-01"), source_id=f"{name}-d", **stamp | own.get("deal", {}))
        made.touch(name, "2026-03-02", person_ids=f"{name}-p", **stamp | own.get("touch", {}))
        made.case(f"{name}-c", name)
        made.cases[-1] |= {"opened_at": BEFORE, **stamp} | own.get("case", {})
    return made


def told(made: World, root: str = "a") -> set[str]:
    known = made.known()
    groups = known.grouping.groups.join(known.reconstructed, on="group")
    rows = {row["group_id"].rpartition(":")[2]: row["reconstructed"] for row in groups.iter_rows(named=True)}
    listed = json.loads(rows[root])
    assert listed == sorted(listed)
    return set(listed)


LATER = {"updated_at": AFTER}


def test_what_is_known_is_not_reconstructed() -> None:
    assert told(world()) == told(world(), "b") == set()


@pytest.mark.parametrize(
    ("doubtful", "entered", "untouched"),
    [
        ("deal", {"revenue_ttm", "weighted_pipeline", "revenue_share", "case_intensity"}, {"open_cases"}),
        ("case", {"open_cases", "case_intensity"}, {"revenue_ttm", "weighted_pipeline"}),
        ("touch", {"touches_90d", "days_since_last_touch"}, {"revenue_ttm", "open_cases"}),
        ("person", {"touches_90d"}, {"revenue_ttm"}),
    ],
)
def test_figures_that_a_row_enters(doubtful: str, entered: set[str], untouched: set[str]) -> None:
    """Those over the frames it is part of, and what follows from them; of its own group alone."""
    made = world(**{doubtful: LATER})
    assert entered <= told(made)
    assert not untouched & told(made)
    assert told(made, "b") == set()


def test_history_of_the_crm_knows() -> None:
    """A deal that was changed later is known by its history, whatever became of it; one without any is not."""
    made = world(deal=LATER)
    assert "revenue_ttm" in told(made)
    made.event("a-d", "2026-03-01T12:00", "won", 50, close_on=on("2026-03-01"), created_at=BEFORE, updated_at=BEFORE)
    made.event("a-d", "2026-08-01T12:00", "won", 100, close_on=on("2026-03-01"), created_at=AFTER, updated_at=AFTER)
    assert told(made) == set()
    assert made.kpi("revenue_ttm", "a") == 50 * 10_000


def test_what_was_deleted_enters_nothing() -> None:
    assert told(world(deal={**LATER, "deleted": True})) == set()
