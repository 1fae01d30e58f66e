"""Rows read batch by batch are the rows that were written, to the bit, on either database."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kammodel.entities import KEY, LineItem, polars_schema
from kammodel.store import Store
from tests.unit.kam_world import STAMP, frame_of

COLUMNS = [name for name in polars_schema(LineItem) if name != "synced_at"]
TEXTS = ('"quoted"', "two\nlines", "a,b;c", "", None, "Ñandú 東京", "back\\slash", "'", "null")
NUMBERS = (0.1, 1 / 3, 1e300, -0.0, None, 123456789.123456789, 5e-324, 2.0, 1.0)


def saved(store: Store, source: str) -> None:
    rows = [
        {"source_id": f"{place}", "product_id": text, "quantity": number, "amount": -(2**62) + place}
        for place, (text, number) in enumerate(zip(TEXTS, NUMBERS, strict=True))
    ]
    frame = frame_of(LineItem, rows).drop("source", "source_instance", "synced_at", "content_changed_at")
    with store.transaction() as tx:
        tx.upsert(LineItem, frame, source=source, instance="org", at=STAMP)


@pytest.mark.parametrize("sources", [("salesforce",), ("salesforce", "hubspot")])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_batches_are_the_rows(store: Store, sources: tuple[str, ...], size: int) -> None:
    for source in sources:
        saved(store, source)
    batches = list(store.batches(LineItem, COLUMNS, size))
    assert max(batch.height for batch in batches) <= size
    assert_frame_equal(pl.concat(batches).sort(KEY), store.read(LineItem, COLUMNS).sort(KEY))
    assert store.count(LineItem) == len(TEXTS) * len(sources)


def test_no_rows_are_no_batches(store: Store) -> None:
    assert list(store.batches(LineItem, COLUMNS, 10)) == []


def test_who_stops_in_the_middle_leaves_the_store_free(store: Store) -> None:
    saved(store, "salesforce")
    batches = store.batches(LineItem, COLUMNS, 1)
    next(batches)
    batches.close()
    saved(store, "hubspot")
    assert store.count(LineItem) == 2 * len(TEXTS)
