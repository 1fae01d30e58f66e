"""What holds of the store whatever the rows: what went in comes out, twice is once, and counts add up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kammodel.entities import Opportunity, content_columns, polars_schema
from kammodel.store import Store, UpsertCount

SEEN = settings(
    max_examples=max(10, settings.default.max_examples // 6),  # type: ignore[union-attr]
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""One store serves all examples: each works in an instance of its own. A transaction costs what 100 numbers do."""

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STORES_OWN = {"source", "source_instance", "synced_at", "content_changed_at"}
SCHEMA = {n: t for n, t in polars_schema(Opportunity).items() if n not in STORES_OWN}
INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    pl.String: st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    pl.Int64: INT64,
    pl.Float64: st.floats(allow_nan=False, allow_infinity=False),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(),
    pl.Datetime: st.datetimes(timezones=st.just(dt.UTC)),
}


def column(name: str, dtype: pl.DataType) -> st.SearchStrategy[Any]:
    if name == "source_id":
        return st.sampled_from(["1", "2", "3", "4"])
    values = VALUES[dtype.base_type()]
    return values if name == "deleted" else st.one_of(st.none(), values)


ROWS = st.lists(st.fixed_dictionaries({n: column(n, t) for n, t in SCHEMA.items()}), max_size=5)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("store") / "kam.db"
    with Store(f"sqlite:///{path}") as opened:
        yield opened


class Portal:
    """A fresh corner of the store."""

    made = 0

    def __init__(self, store: Store) -> None:
        Portal.made += 1
        self.store, self.instance = store, f"portal {Portal.made}"

    def put(self, rows: Rows, at: dt.datetime = AT) -> UpsertCount:
        frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
        with self.store.transaction() as tx:
            return tx.upsert(Opportunity, frame, source="s", instance=self.instance, at=at)

    def rows(self) -> dict[str, dict[str, Any]]:
        with self.store.transaction() as tx:
            schema = polars_schema(Opportunity)
            sql = f"SELECT {','.join(schema)} FROM opportunity WHERE source_instance=:i"
            return {row["source_id"]: row for row in tx.frame(sql, schema, i=self.instance).to_dicts()}


def last(rows: Rows) -> dict[str, dict[str, Any]]:
    return {row["source_id"]: row for row in rows}


@SEEN
@given(ROWS)
def test_what_goes_in_comes_out(store: Store, rows: Rows) -> None:
    """Every type, nulls and the ends of every range, bit by bit."""
    portal = Portal(store)
    portal.put(rows)
    assert {i: {n: row[n] for n in SCHEMA} for i, row in portal.rows().items()} == last(rows)


@SEEN
@given(ROWS, ROWS)
def test_counts_add_up_and_only_changes_are_stamped(store: Store, first: Rows, second: Rows) -> None:
    """Inserted, changed and unchanged are told apart by content, as a comparison in Python does it."""
    portal, later = Portal(store), AT + dt.timedelta(hours=1)
    portal.put(first)
    count = portal.put(second, later)
    before, after = last(first), last(second)
    content = content_columns(Opportunity)
    same = {i for i in before.keys() & after.keys() if all(before[i][c] == after[i][c] for c in content)}
    assert count.inserted == len(after.keys() - before.keys())
    assert count.changed == len((before.keys() & after.keys()) - same)
    assert set(count.unchanged_rows["source_id"]) == same
    for source_id, row in portal.rows().items():
        is_old = source_id in same or source_id not in after
        assert row["content_changed_at"] == row["synced_at"] == (AT if is_old else later)


@SEEN
@given(ROWS)
def test_delivery_more_than_once_is_delivery_once(store: Store, rows: Rows) -> None:
    """Again in whole or row by row: nothing changes, no stamp moves."""
    portal, later = Portal(store), AT + dt.timedelta(hours=1)
    portal.put(rows)
    before = portal.rows()
    count = portal.put(list(last(rows).values()), later)
    assert (count.inserted, count.changed) == (0, 0)
    for row in last(rows).values():
        assert portal.put([row], later).unchanged == 1
    assert portal.rows() == before
