"""The ids of a CRM against those of the store: what vanished, what was never seen."""

import datetime as dt

import polars as pl

from kammodel.entities import Account, Activity
from kammodel.store import Store
from kammodel.store.comparing import compare_ids
from kammodel.store.control import save_rejects

AT = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
OF = {"source": "s", "instance": "i"}


def put(store: Store, entity: type, *ids: str, instance: str = "i") -> None:
    from kammodel.entities import polars_schema

    columns = {n: t for n, t in polars_schema(entity).items() if n not in {"source", "source_instance", "synced_at"}}
    columns.pop("content_changed_at")
    flags = {"deleted": False, "is_counted": True, "is_calendar": False}
    rows = [{n: flags.get(n) for n in columns} | {"source_id": i} for i in ids]
    with store.transaction() as tx:
        tx.upsert(entity, pl.DataFrame(rows, schema=columns), source="s", instance=instance, at=AT)


def test_what_vanished_and_what_is_missing(store: Store) -> None:
    """Portions are put together, an id that comes twice counts once, and another org's rows are not looked at."""
    put(store, Account, "a", "b", "c")
    put(store, Account, "x", instance="other")
    with store.transaction() as tx:
        gone = pl.DataFrame({"source_id": ["c"], "merged_into_id": [None]})
        tx.mark_gone(Account, gone, **OF, at=AT)
    found = compare_ids(store, Account, [pl.Series(["a", "d"]), pl.Series(["d", "c"])], **OF, stream="accounts")
    assert (sorted(found.vanished), sorted(found.missing), found.live) == (["b"], ["c", "d"], 2)


def test_streams_that_share_a_table(store: Store) -> None:
    """Of two streams with one entity only the ids of the one are looked at, told by what they begin with."""
    put(store, Activity, "00T1", "00T2", "00U1")
    found = compare_ids(store, Activity, [pl.Series(["00T1"])], **OF, stream="tasks", id_prefix="00T")
    assert (found.vanished.to_list(), found.missing.to_list(), found.live) == (["00T2"], [], 2)


def test_what_is_set_aside_is_not_missing(store: Store) -> None:
    """A row that could not be read is known: it would be asked for again and again."""
    rejects = pl.DataFrame({"source_id": ["r"], "field": ["f"], "reason": ["x"], "raw": ["{}"]})
    with store.transaction() as tx:
        save_rejects(tx, rejects, **OF, stream="accounts", entity="account", at=AT)
    found = compare_ids(store, Account, [pl.Series(["r"])], **OF, stream="accounts")
    assert found.missing.to_list() == []


def test_only_rows_in_the_ranges_that_were_looked_at_can_have_vanished(store: Store) -> None:
    """By the number that an id is, behind what it begins with: 9 comes before 10. What is missing is so in any case."""
    put(store, Activity, "call:9", "call:10", "call:99", "call:100", "note:50")
    of = OF | {"stream": "calls", "id_prefix": "call:"}
    existing = [pl.Series(["call:10", "call:98"])]
    found = compare_ids(store, Activity, existing, **of, within=lambda: [(0, 10), (50, 100)])
    assert (sorted(found.vanished), found.missing.to_list()) == (["call:9", "call:99"], ["call:98"])
    assert found.live == 4
    none = compare_ids(store, Activity, existing, **of, within=list)
    assert (none.vanished.to_list(), none.live) == ([], 4)
