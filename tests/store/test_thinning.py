"""Thinning: months keep their last day, and what people saw stays."""

import datetime as dt
from typing import Any

import polars as pl

from kammodel.entities import PublishPlan
from kammodel.store import Store
from kammodel.store.plans import CELLS, record_cells, save_plan
from kammodel.store.snapshots import SNAPSHOT, append_snapshots, latest_snapshots
from kammodel.store.thinning import PUBLISHED, thin_snapshots, tiers_written

AT = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
ENDED = dict.fromkeys(("source_id", "field", "outcome", "kind", "code", "message"), pl.String)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{text}")


def keep(store: Store, group: str, *days: str, score: float = 50.0) -> None:
    fixed = {"run_id": "r", "recorded_at": AT, "config_hash": "c", "release": "0.1", "inputs_fingerprint": "i"}
    texts = dict.fromkeys(("kpis", "criteria", "reasons"), "{}")
    rows = [
        {**dict.fromkeys(SNAPSHOT), **fixed, **texts, "as_of": day(d), "group_id": group, "score": score}
        | {"provisional": False, "in_population": True}
        for d in days
    ]
    with store.transaction() as tx:
        append_snapshots(tx, pl.DataFrame(rows, schema=SNAPSHOT, orient="row"))


def thin(store: Store, before: str, *published: tuple[str, str]) -> int:
    rows = [(group, day(d)) for group, d in published]
    with store.transaction() as tx:
        return thin_snapshots(tx, day(before), pl.DataFrame(rows, schema=PUBLISHED, orient="row"))


def days(store: Store, group: str) -> list[str]:
    with store.transaction() as tx:
        found = tx.frame("SELECT as_of FROM score_snapshot WHERE group_id=:g ORDER BY 1", {"as_of": pl.Date()}, g=group)
    return found["as_of"].dt.strftime("%m-%d").to_list()


def test_the_last_day_of_each_month_stays(store: Store) -> None:
    """Of each group its own; days from the border on are not looked at, and a second time nothing is left to do."""
    keep(store, "g", "03-30", "03-31", "04-01", "04-29", "04-30", "05-01", "05-02", "05-03")
    keep(store, "h", "03-05", "03-04")
    assert thin(store, "05-02") == 5
    assert (days(store, "g"), days(store, "h")) == (["03-31", "04-30", "05-02", "05-03"], ["03-05"])
    assert thin(store, "05-02") == 0


def test_what_is_in_force_stays(store: Store) -> None:
    """Also that of a group that has long been gone."""
    keep(store, "gone", "01-02", "01-03")
    keep(store, "g", "05-30", "05-31")
    thin(store, "06-30")
    with store.transaction() as tx:
        assert latest_snapshots(tx)["as_of"].to_list() == [day("05-31"), day("01-03")]


def test_a_day_whose_tier_was_published_stays(store: Store) -> None:
    """For the group that it was published of."""
    keep(store, "g", "03-10", "03-11", "03-12")
    keep(store, "h", "03-10", "03-11", "03-12")
    assert thin(store, "06-30", ("g", "03-10"), ("g", "03-10"), ("h", "03-12")) == 3
    assert (days(store, "g"), days(store, "h")) == (["03-10", "03-12"], ["03-12"])


def test_all_records_of_a_day_go_or_stay(store: Store) -> None:
    """What was said of it before is part of its history."""
    for score in (1.0, 2.0):
        keep(store, "g", "03-10", "03-31", score=score)
    assert thin(store, "06-30") == 2
    assert days(store, "g") == ["03-31", "03-31"]


def test_nothing_stored_is_nothing_to_thin(store: Store) -> None:
    assert thin(store, "06-30") == 0


def test_tiers_that_were_written(store: Store) -> None:
    """Not other fields, nor what was only planned or refused; each account and day once."""
    plan: dict[str, Any] = {"source": "hubspot", "source_instance": "portal", "planned_at": AT}
    cells = [("1", "tier", "written"), ("1", "rfm", "written"), ("2", "tier", None), ("3", "tier", "rejected")]
    for plan_id in ("a", "b"):
        rows = [
            {**dict.fromkeys(CELLS), "plan_id": plan_id, "source_id": i, "field": f, "decision": "write"}
            for i, f, _ in cells
        ]
        ended = [(i, f, o, None, None, None) for i, f, o in cells if o]
        with store.transaction() as tx:
            made = PublishPlan(**plan, plan_id=plan_id, as_of=day("03-10"))
            save_plan(tx, made, pl.DataFrame(rows, schema=CELLS, orient="row"))
            record_cells(tx, PublishPlan(**made.model_dump()), pl.DataFrame(ended, schema=ENDED, orient="row"), AT)
    with store.transaction() as tx:
        assert tiers_written(tx).rows() == [("hubspot", "portal", "1", day("03-10"))]
