"""What plans did to tiers, on either database."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities import PlannedCell, PublishPlan, ScoreSnapshot
from kammodel.store import Store
from kammodel.store.digests import last_applied_day, plans_with_changes, scored_groups, tier_cells

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
DAY, NEXT = dt.date(2026, 6, 30), dt.date(2026, 7, 1)


def save(store: Store, number: int, outcome: str | None, *, day: dt.date = DAY, field: str = "tier") -> None:
    """Plan `p<number>`, with one cell to write."""
    plan_id = f"p{number}"
    plan = PublishPlan(
        plan_id=plan_id, number=number, source="hubspot", source_instance="portal", planned_at=AT, as_of=day
    )
    cell = PlannedCell(
        plan_id=plan_id, source_id="1", field=field, before=None, after="key", decision="write", outcome=outcome
    )
    with store.transaction() as tx:
        tx.session.add(plan)
        tx.session.flush()
        tx.session.add(cell)
        tx.session.flush()


def snapshot(group: str, day: dt.date, tier: str, reasons: str) -> ScoreSnapshot:
    return ScoreSnapshot(
        run_id="r",
        as_of=day,
        recorded_at=AT,
        group_id=group,
        config_hash="c",
        release="1",
        inputs_fingerprint="i",
        score=50.5,
        coverage=0.9,
        tier_effective=tier,
        kpis="{}",
        criteria="{}",
        reasons=reasons,
    )


def test_plans_count_once_they_wrote_a_tier(store: Store) -> None:
    """Those that are asked for, and with a number all newer ones."""
    save(store, 1, "written")
    save(store, 2, "rejected")
    save(store, 3, "written", field="score")
    save(store, 4, "written", day=NEXT)
    with store.transaction() as tx:
        assert plans_with_changes(tx, ["p1", "p2", "p3"], None).rows() == [("p1", 1, DAY)]
        assert plans_with_changes(tx, [], 1).rows() == [("p4", 4, NEXT)]
        assert plans_with_changes(tx, ["p1"], 0)["plan_id"].to_list() == ["p1", "p4"]
        assert plans_with_changes(tx, [], None).is_empty()


def test_the_last_applied_day_is_that_of_a_plan_of_which_something_was_written(store: Store) -> None:
    with store.transaction() as tx:
        assert last_applied_day(tx) is None
    save(store, 1, "written")
    save(store, 2, None, day=NEXT)
    with store.transaction() as tx:
        assert last_applied_day(tx) == DAY


def test_the_cells_of_a_day_say_which_plan_is_its_newest(store: Store) -> None:
    save(store, 1, "written")
    save(store, 2, None)
    save(store, 3, "written", day=NEXT)
    with store.transaction() as tx:
        cells = tier_cells(tx, DAY)
    told = cells.select("plan_id", "number", "is_latest", "source", "source_id", "after", "decision", "outcome")
    assert told.rows() == [
        ("p1", 1, 0, "hubspot", "1", "key", "write", "written"),
        ("p2", 2, 1, "hubspot", "1", "key", "write", None),
    ]


def test_a_group_is_told_as_it_was_in_force_that_day(store: Store) -> None:
    """The last one recorded of the latest day up to it; the reason out of its JSON."""
    with store.transaction() as tx:
        for one in (
            snapshot("a", DAY, "growth", '{"reason":"before"}'),
            snapshot("a", DAY, "key", '{"reason":"a \\"b\\""}'),
            snapshot("a", NEXT, "strategic", '{"reason":"after"}'),
            snapshot("b", DAY, "key", '{"reason":null}'),
            snapshot("c", DAY, "key", "{}"),
        ):
            tx.session.add(one)
            tx.session.flush()
        found = scored_groups(tx, pl.Series(["a", "b"]), DAY)
    assert found.rows() == [("a", "key", 50.5, 0.9, 'a "b"'), ("b", "key", 50.5, 0.9, None)]
