"""A stamp that moves without news is remembered apart from when the content changed."""

import datetime as dt

import polars as pl

from kammodel.entities import Account
from kammodel.store import Store
from tests.store.test_upsert import only, put

STAMPS = [dt.datetime(2026, 3, day, tzinfo=dt.UTC) for day in range(1, 6)]


def stamp(store: Store) -> list[dt.datetime]:
    """What is held of an account, and of one that is not there."""
    with store.transaction() as tx:
        held = tx.live_stamps(Account, pl.Series(["1", "2"]), source="hubspot", instance="portal")
    assert held["source_id"].to_list() == ["1"]
    return held["updated_at"].to_list()


def test_the_newest_stamp_is_known_whatever_moved_it(store: Store) -> None:
    """The row keeps that of its content; what came with a newer one is known by that."""
    put(store, Account, {"source_id": "1", "name": "A", "updated_at": STAMPS[0]})
    assert stamp(store) == [STAMPS[0]]
    again = put(store, Account, {"source_id": "1", "name": "A", "updated_at": STAMPS[1]})
    assert again.unchanged_rows.rows() == [("1", STAMPS[1], STAMPS[0])]
    assert (stamp(store), only(store, Account, "1")["updated_at"]) == ([STAMPS[1]], STAMPS[0])
    assert put(store, Account, {"source_id": "1", "name": "A", "updated_at": STAMPS[1]}).unchanged_rows.rows() == [
        ("1", STAMPS[1], STAMPS[1])
    ]


def test_news_go_before_an_older_stamp(store: Store) -> None:
    """What a row was restamped with before says nothing once its content has changed."""
    put(store, Account, {"source_id": "1", "name": "A", "updated_at": STAMPS[0]})
    put(store, Account, {"source_id": "1", "name": "A", "updated_at": STAMPS[1]})
    put(store, Account, {"source_id": "1", "name": "B", "updated_at": STAMPS[3]})
    assert stamp(store) == [STAMPS[3]]
    put(store, Account, {"source_id": "1", "name": "B", "updated_at": STAMPS[4]})
    assert stamp(store) == [STAMPS[4]]


def test_what_is_deleted_is_not_held(store: Store) -> None:
    """Should it come back, it has to be read."""
    put(store, Account, {"source_id": "1", "updated_at": STAMPS[0], "deleted": True})
    with store.transaction() as tx:
        assert tx.live_stamps(Account, pl.Series(["1"]), source="hubspot", instance="portal").is_empty()
