"""Where the bookmark of a slice lives: with the live schedule, or with a window that is read by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from connectors.contract import Identity, Slice, Stream
from flows.pipeline.leasing import Held
from flows.pipeline.progress import Clock
from kammodel.entities import BackfillWindow, Bookmark, Sourced
from kammodel.store import Store, Transaction
from kammodel.store.backfills import WindowKey, drop_window, load_window, save_window, stored_since
from kammodel.store.control import load_bookmark, load_sweep, save_bookmark, save_sweep


class Marks(Protocol):
    """The bookmark of one stream, of which `slice_*` and `resume_point` tell of a slice under way."""

    def load(self) -> Bookmark | None: ...

    def save(self, tx: Transaction, mark: Bookmark) -> None:
        """In the transaction of the rows that it speaks of."""
        ...

    def close(self, mark: Bookmark, span: Slice) -> None:
        """The slice was read to its end, and its count is proven."""
        ...

    def forsake(self, mark: Bookmark) -> None:
        """What is missing of the slice lies before the place reached: the next run begins it anew."""
        ...

    def outdated(self, tx: Transaction, entity: type[Sourced], ids: pl.Series) -> pl.Series:
        """Those of the ids of which the store may know more than the page at hand, and that are left alone."""
        ...


@dataclass(frozen=True)
class LiveMarks:
    """The bookmark that pulls move. `settle`: how far the watermark stays behind what was read. `lease`: the right to
    move it, renewed whenever that is done; None for who only looks."""

    store: Store
    identity: Identity
    stream: Stream
    settle: dt.timedelta
    lease: Held | None = None

    def load(self) -> Bookmark | None:
        with self.store.transaction() as tx:
            found = load_bookmark(tx, self.identity.source, self.identity.instance, self.stream.name)
            return None if found is None else Bookmark(**found.model_dump())

    def save(self, tx: Transaction, mark: Bookmark) -> None:
        if self.lease is not None:
            # In the transaction of the rows: nothing of a run that was overtaken is kept.
            self.lease.renew(tx)
        # A new object, because the session would keep this one and change it behind our back.
        save_bookmark(tx, Bookmark(**mark.model_dump()))

    def change(self, mark: Bookmark, **changes: dt.datetime | str | None) -> None:
        with self.store.transaction() as tx:
            self._change(tx, mark, **changes)

    def close(self, mark: Bookmark, span: Slice) -> None:
        # What became visible late in the last minutes is looked for again: the watermark stays behind.
        until, is_first = span.until - self.settle, mark.read_until is None
        ended = {"slice_since": None, "slice_until": None, "resume_point": None}
        with self.store.transaction() as tx:
            self._change(tx, mark, watermark=until, read_until=span.until, **ended)
            if span.since is None and self.stream.incremental:
                self._was_loaded(tx, until, is_first=is_first)

    def _change(self, tx: Transaction, mark: Bookmark, **changes: dt.datetime | str | None) -> None:
        for name, value in changes.items():
            setattr(mark, name, value)
        self.save(tx, mark)

    def _was_loaded(self, tx: Transaction, at: dt.datetime, *, is_first: bool) -> None:
        """Remembers that everything was read that there was at an instant; at first there is nothing to compare. With
        the bookmark: without one of the two, sweeps of the stream would never be due."""
        sweep = load_sweep(tx, self.identity.source, self.identity.instance, self.stream.name)
        sweep.loaded_at = at
        sweep.deletions_until = sweep.deletions_until or at
        sweep.compared_at = at if is_first else sweep.compared_at
        save_sweep(tx, sweep)

    def forsake(self, mark: Bookmark) -> None:
        self.change(mark, slice_since=None, slice_until=None, resume_point=None)

    def outdated(self, tx: Transaction, entity: type[Sourced], ids: pl.Series) -> pl.Series:
        del tx, entity
        return ids.clear()


@dataclass(frozen=True)
class WindowMarks:
    """The bookmark of a window, which nobody else looks at. `until`: its end by the calendar; `began`: when this run
    began to read it. What was stored later than that is not older than what it reads, and stays."""

    store: Store
    identity: Identity
    stream: Stream
    since: dt.datetime
    until: dt.datetime
    began: dt.datetime
    clock: Clock

    def window(self) -> BackfillWindow | None:
        """What is known of it; None also where it was read by a mapping that is no longer in force."""
        with self.store.transaction() as tx:
            found = load_window(tx, self._key)
        return found if found is not None and self.stream.reads_as(found.fingerprint) else None

    def load(self) -> Bookmark | None:
        found = self.window()
        if found is None:
            return None
        return Bookmark(
            source=found.source,
            source_instance=found.source_instance,
            stream=found.stream,
            fingerprint=found.fingerprint,
            columns=found.columns,
            slice_since=found.since,
            slice_until=found.read_until,
            resume_point=found.resume_point,
            rows_read=found.rows_read,
            rows_rejected=found.rows_rejected,
        )

    def save(self, tx: Transaction, mark: Bookmark) -> None:
        save_window(tx, self._as_window(mark))

    def close(self, mark: Bookmark, span: Slice) -> None:
        mark.resume_point = None
        window = self._as_window(mark)
        window.read_until, window.closed_at = span.until, self.clock()
        with self.store.transaction() as tx:
            save_window(tx, window)

    def forsake(self, mark: Bookmark) -> None:
        del mark
        with self.store.transaction() as tx:
            drop_window(tx, self._key)

    def outdated(self, tx: Transaction, entity: type[Sourced], ids: pl.Series) -> pl.Series:
        where = {"source": self.identity.source, "instance": self.identity.instance}
        return stored_since(tx, entity, ids, self.began, **where) if ids.len() else ids

    def _as_window(self, mark: Bookmark) -> BackfillWindow:
        return BackfillWindow(
            source=mark.source,
            source_instance=mark.source_instance,
            stream=mark.stream,
            since=self.since,
            until=self.until,
            fingerprint=mark.fingerprint,
            columns=mark.columns,
            read_until=mark.slice_until or self.until,
            resume_point=mark.resume_point,
            rows_read=mark.rows_read,
            rows_rejected=mark.rows_rejected,
        )

    @property
    def _key(self) -> WindowKey:
        return self.identity.source, self.identity.instance, self.stream.name, self.since, self.until
