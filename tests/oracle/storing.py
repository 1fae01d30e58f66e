"""Brings a book into a store as a program would have seen it: what was there at the first sync, then each change."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import polars as pl

from kammodel.entities import Bookmark, Sourced, polars_schema
from kammodel.given import Given
from kammodel.store import Store
from kammodel.store.control import save_bookmark
from tests.oracle.world import Book, Row, plain
from tests.unit.kam_world import ALL_STREAMS, crm, given_of

Batch = tuple[type[Sourced], str, bool]
"""Entity, CRM, and whether a deletion was noticed without a change stamp."""
OURS = ("source", "source_instance", "synced_at", "content_changed_at")


def stored(store: Store, book: Book) -> Given:
    """Fills the store; gives the files, as they were read."""
    batches: dict[dt.datetime, dict[Batch, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for entity, rows in book.rows.items():
        for (source, _), states in rows.items():
            for number, state in enumerate(book.seen(states)):
                at = max(state["effective"], book.first_sync)
                # Noticed at the first sync, a deletion is just a row that is gone.
                unstamped = number > 0 and state["updated_at"] != state["effective"]
                batches[at][entity, source, unstamped].append(plain(state))
    with store.transaction() as tx:
        for at in sorted(batches):
            for (entity, source, unstamped), found in batches[at].items():
                org = {"source": source, "instance": crm(source)["source_instance"], "at": at}
                if unstamped:
                    gone = [{name: row.get(name) for name in ("source_id", "merged_into_id")} for row in found]
                    tx.mark_gone(entity, pl.DataFrame(gone, schema=dict.fromkeys(gone[0], pl.String)), **org)
                else:
                    tx.upsert(entity, _frame(entity, found), **org)
        for source, streams in ALL_STREAMS.items():
            for stream in streams:
                mark: dict[str, Any] = {**crm(source), "stream": stream, "fingerprint": "", "watermark": book.last_sync}
                save_bookmark(tx, Bookmark(**mark))
    return given_of(book.files)


def _frame(entity: type[Sourced], rows: list[Row]) -> pl.DataFrame:
    schema = {name: dtype for name, dtype in polars_schema(entity).items() if name not in OURS}
    full = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(full, schema=schema, orient="row")
