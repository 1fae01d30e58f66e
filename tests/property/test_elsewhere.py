"""Shards that several processes compute, each from the store as it read it, give what one process does."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kammodel.elsewhere import DayElsewhere, Piece, known_elsewhere
from kammodel.given import Given
from kammodel.inputs import Inputs
from kammodel.scoring import known_kpis, read_inputs
from kammodel.store import Store
from tests.oracle.storing import stored
from tests.oracle.world import Book, random_book
from tests.property.test_sharding import assert_same
from tests.seed import SEED
from tests.unit.test_rollups_published import ROLLUPS

SHARDS = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    from tests.postgres import fresh_store

    file = f"sqlite:///{tmp_path / 'kam.db'}"
    url = file if request.param == "sqlite" else fresh_store(str(request.getfixturevalue("postgres")))
    with Store(url) as opened:
        yield opened


def filled(store: Store, book: Book) -> Given:
    """A store with the book, and its files with rollups beside them."""
    return replace(stored(store, book), rollups=tuple(ROLLUPS))


def backwards(rows: Inputs) -> Inputs:
    """The same read in another order: its ids have other numbers."""
    from kammodel.numbering import Numbers, number

    numbers = Numbers()
    entities = {
        entity: numbers.added(entity, frame.drop(c for c in frame.columns if c.endswith(number(""))).reverse())
        for entity, frame in reversed(rows.entities.items())
    }
    return replace(rows, entities=entities, numbers=numbers)


def pieces(store: Store, given: Given, book: Book) -> Iterator[Piece]:
    """Each shard by a reader of its own, sent as bytes."""
    for shard in range(SHARDS):
        read = read_inputs(store, given)
        day = DayElsewhere(backwards(read) if shard else read, book.config, SHARDS)
        first = day.piece(shard)
        yield pickle.loads(pickle.dumps(day.piece(shard)))  # noqa: S301
        assert_frame_equal(figures(first), figures(day.piece(shard)))


def figures(piece: Piece) -> pl.DataFrame:
    return pl.read_ipc(piece.frames["figures"]).sort("group")


def test_pieces_make_up_the_whole(store: Store) -> None:
    """Books of merges, two CRMs, edits after the day, orphans and files; rollups beside the KPIs."""
    book = random_book(SEED * 19, 4)
    given = filled(store, book)
    whole = known_kpis(read_inputs(store, given), book.config)
    small = read_inputs(store, given, shard_rows=None)
    assert small.large_rows == 0 < read_inputs(store, given).large_rows
    known = known_elsewhere(small, book.config, pieces(store, given, book), SHARDS, None)
    assert known is not None
    assert_same(known, whole)
    assert known.kpis.schema == whole.kpis.schema
    assert known.kpis["group"].dtype == pl.UInt32


def test_pieces_of_a_store_that_changed_meanwhile_are_not_put_together(tmp_path: Path) -> None:
    """A row that came in between two readers, or before the last one, is noticed."""
    book = random_book(SEED * 23, 2)
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as store:
        given = filled(store, book)
        before = list(pieces(store, given, book))
        small = read_inputs(store, given, shard_rows=None)
        with store.transaction() as tx:
            for table in ("account", "opportunity"):
                tx.run(f"UPDATE {table} SET content_changed_at=content_changed_at+:more", [{"more": 1}])
        after = list(pieces(store, given, book))
        later = read_inputs(store, given, shard_rows=None)
    mixed = [*before[:-1], after[-1]]
    assert known_elsewhere(small, book.config, before, SHARDS, None) is not None
    assert known_elsewhere(small, book.config, mixed, SHARDS, None) is None
    assert known_elsewhere(later, book.config, before, SHARDS, None) is None
