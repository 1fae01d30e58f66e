"""Lets what is written in a block be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


@contextmanager
def journaled(org: Org) -> Iterator[Callable[[], None]]:
    """Gives what takes back all writes of the block. Not to be nested."""
    journal: list[tuple[Table, str, Row | None]] = []

    def take_back() -> None:
        done = list(journal)
        for table, record_id, before in reversed(done):
            if before is None:
                table.drop(record_id)
                continue
            table.put(before)
            if not table.deleted(before):
                org.deletions.get(table.name, {}).pop(record_id, None)

    for table in org.tables.values():
        table.journal = journal
    try:
        yield take_back
    finally:
        for table in org.tables.values():
            table.journal = None
