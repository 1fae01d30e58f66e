"""Finds what increments cannot show: records deleted for good, rows never seen, values that change without a sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import polars as pl

from connectors.contract import Connector, Page, Slice, Stream, Sweeps, SweepsByRange, SweepsLinks
from connectors.errors import PermissionMissing, SliceLost
from flows.pipeline.comparing import Looked, Parts
from flows.pipeline.progress import Clock
from kammodel.entities import Sweep
from kammodel.entities.schema import table_of
from kammodel.privacy.references import kind_of
from kammodel.store import Store
from kammodel.store.certifying import ALL, Ends
from kammodel.store.comparing import Compared, compare_ids
from kammodel.store.control import load_sweep, save_sweep
from kammodel.store.suppressing import load_suppressed

COMPARE_EVERY = dt.timedelta(days=7)
"""Between two comparisons of all ids of a stream, which cost calls: Salesforce takes one for some twenty thousand rows,
HubSpot one for a hundred."""
REFRESH_EVERY = dt.timedelta(days=1)
"""How old fields may grow that change without moving their row's stamp."""
MOST_GONE, LEAST_GONE = 0.1, 50
"""A tenth of a stream, and at least 50 rows, is not deleted unseen: more likely it was hidden from us."""
COMPARED_AT_ONCE = 500_000
"""Ids that are compared together, in one pass over the rows; what a run that is killed then does not look at again."""
LINKED_AT_ONCE = 10_000
"""Rows whose links are looked at together; what a run that is stopped then does not do again."""
Look = Literal["nothing", "listed", "compared"]
"""How deletions for good are looked for."""
_MOST_LISTED = 20_000
"""Deletions, and records never seen, that are looked at one by one; beyond that all ids are compared, or all read."""


class Sweeper:
    """One stream of one CRM. Gives pages to store: what is gone, and rows that were missed. `at_once`: it compares all
    ids, and looks at all links, however lately that was done."""

    def __init__(
        self, connector: Connector, store: Store, stream: Stream, clock: Clock, *, at_once: bool = False
    ) -> None:
        identity = connector.identify()
        self._connector, self._store, self._stream, self._clock = connector, store, stream, clock
        self._of = {"source": identity.source, "instance": identity.instance}
        self._entity = stream.mappings[0].entity
        self._at_once = at_once

    @property
    def stale_since(self) -> dt.datetime | None:
        """When fields that change without a sign were last read, if that is too long ago; else None."""
        read_at = self._sweep().loaded_at if self._stream.drifting else None
        return read_at if read_at is not None and self._clock() - read_at >= REFRESH_EVERY else None

    def pages(self, *, full: bool) -> Iterator[Page]:
        """What was deleted for good since the last look, by the CRM's own list; now and then, and where the list
        does not reach back that far, by comparing all ids.

        `full`: everything was asked for, so that it is believed if much is gone. Raises PermissionMissing if not.
        """
        sweeps, sweep = self._connector.sweeps, self._sweep()
        if sweeps is None or not self._stream.swept:
            return
        now = self._clock()
        listed = None if self._is_due(sweep, now, full=full) else self._listed(sweeps, sweep, now)
        if listed is None:
            yield from self._compared(sweeps, sweep, full=full)
            sweep.compared_at, sweep.deletions_until = now, now - self._connector.settle
        else:
            gone, sweep.deletions_until = listed
            yield from self._gone(gone)
        self._save(sweep)

    def ahead(self, *, full: bool, loads: bool, is_first: bool) -> tuple[Look, bool]:
        """What `pages` will do, and whether `relinked` will look at anything; `loads`: after all was read before."""
        sweep, now = self._sweep(), self._clock()
        links = self._is_time_to_relink(sweep, now, loads=loads)
        if self._connector.sweeps is None or not self._stream.swept:
            return "nothing", links
        if loads:
            sweep.loaded_at = now
            sweep.compared_at = now if is_first else sweep.compared_at
        return "compared" if self._is_due(sweep, now, full=full) else "listed", links

    def relinked(self) -> Iterator[Page]:
        """Records whose links have changed alone, and all rows that are made of links, where it is time to look.

        A look that was stopped goes on from the last portion that was stored.
        """
        sweeps, sweep, now = self._connector.sweeps, self._sweep(), self._clock()
        if not isinstance(sweeps, SweepsLinks) or not self._is_time_to_relink(sweep, now):
            return
        while True:
            known = self._portion(sweep.linked_after or "")
            if known.height:
                yield from self._relinked(sweeps, known)
            is_last = known.height < LINKED_AT_ONCE
            sweep.linked_after = None if is_last else known["source_id"][-1]
            sweep.linked_at = now if is_last else sweep.linked_at
            self._save(sweep)
            if is_last:
                return

    def _is_due(self, sweep: Sweep, now: dt.datetime, *, full: bool) -> bool:
        """Whether all ids are to be compared."""
        is_fresh = sweep.compared_at == sweep.loaded_at
        return (
            self._at_once
            or sweep.compared_after is not None
            or sweep.compared_at is None
            or now - sweep.compared_at >= COMPARE_EVERY
            or (full and not is_fresh)
        )

    def _is_time_to_relink(self, sweep: Sweep, now: dt.datetime, *, loads: bool = False) -> bool:
        sweeps = self._connector.sweeps
        if not (self._stream.linked or self._stream.parts) or not isinstance(sweeps, SweepsLinks):
            return False
        looked_at = now if loads else max(filter(None, [sweep.linked_at, sweep.loaded_at]), default=now)
        return self._at_once or sweep.linked_after is not None or now - looked_at >= sweeps.relink_every

    def _relinked(self, sweeps: SweepsLinks, known: pl.DataFrame) -> Iterator[Page]:
        """The parts of these records, and those of them again that are linked otherwise than we have it."""
        now = sweeps.links(self._stream, known["source_id"])
        if self._stream.parts:
            yield Page({**self._nothing(), **now.raw}, None, whole=known["source_id"])
        differs = [pl.col(c).ne_missing(pl.col(f"{c}:now")) for c in self._stream.linked]
        if not differs:
            return
        both = known.join(now.columns, on="source_id", suffix=":now")
        changed = both.filter(pl.any_horizontal(differs))["source_id"]
        if changed.len() and self._connector.sweeps is not None:
            yield from self._connector.sweeps.read_ids(self._stream, changed)

    def _portion(self, after: str) -> pl.DataFrame:
        with self._store.transaction() as tx:
            return tx.live_after(
                self._entity, self._stream.linked, after, LINKED_AT_ONCE, **self._of, id_prefix=self._stream.id_prefix
            )

    def _listed(self, sweeps: Sweeps, sweep: Sweep, now: dt.datetime) -> tuple[pl.Series, dt.datetime] | None:
        """Ids that the CRM lists as deleted and that live here still, less those that were restored since."""
        since = (sweep.deletions_until or now) - self._connector.overlap
        found = sweeps.deletions(self._stream, since, now)
        if found is None:
            return None
        with self._store.transaction() as tx:
            live = tx.live_among(self._entity, found.ids, **self._of)
        if live.len() > _MOST_LISTED:
            return None
        return self._less_existing(sweeps, live), found.until

    def _compared(self, sweeps: Sweeps, sweep: Sweep, *, full: bool) -> Iterator[Page]:
        if not isinstance(sweeps, SweepsByRange):
            yield from self._whole(sweeps, self._compare(sweeps.existing(self._stream)), full=full)
            return
        try:
            yield from self._by_range(sweeps, sweep, full=full)
        except SliceLost:
            if sweep.compared_after is None:
                raise
            sweep.compared_after = None
            yield from self._by_range(sweeps, sweep, full=full)

    def _whole(self, sweeps: Sweeps, found: Compared, *, full: bool) -> Iterator[Page]:
        if not full and _looks_hidden(found.vanished, found.live):
            raise self._hidden(f"{found.vanished.len()} of {found.live}")
        # Looked at once more: while all ids were read, records came and went.
        vanished = found.vanished
        yield from self._gone(self._less_existing(sweeps, vanished) if vanished.len() <= _MOST_LISTED else vanished)
        yield from self._missed(sweeps, found.missing)

    def _by_range(self, sweeps: SweepsByRange, sweep: Sweep, *, full: bool) -> Iterator[Page]:
        """Compares a part of the ids after another. What was looked at before a fault is kept: whoever is stopped, by
        a budget above all, then goes on from there. What vanished is held back until all of it can be judged: parts
        for themselves may each lack less than is refused, night after night. With `full` there is nothing to judge."""
        looked = Looked() if sweep.compared_after is None else Looked.parse(sweep.compared_after)
        if not looked.is_listed:
            parts = Parts(sweeps.existing_from(self._stream, looked.place), COMPARED_AT_ONCE)
            while not parts.is_over:
                found = self._compare(parts.ids(), parts.looked_at)
                looked = looked.after(parts.place, found.vanished)
                if not full and _looks_hidden(looked.vanished, found.live):
                    self._keep(sweep, None)
                    told = f"{looked.vanished.len()} of {found.live}"
                    raise self._hidden(told if looked.is_listed else f"at least {told}")
                yield from self._missed(sweeps, found.missing)
                self._keep(sweep, looked.text())
                if full:
                    looked = yield from self._believed(sweeps, sweep, looked)
            if parts.fault is not None:
                raise parts.fault
        yield from self._believed(sweeps, sweep, looked)
        self._keep(sweep, None)

    def _believed(self, sweeps: Sweeps, sweep: Sweep, looked: Looked) -> Generator[Page, None, Looked]:
        """Has what vanished marked; gives what is left to be done then."""
        while looked.vanished.len():
            # Looked at once more: a comparison may take nights, in which records come and go.
            some = looked.vanished.head(_MOST_LISTED)
            yield from self._gone(self._less_existing(sweeps, some))
            looked = looked.marked(some.len())
            self._keep(sweep, looked.text())
        return looked

    def _compare(
        self, existing: Iterator[pl.Series], within: Callable[[], Sequence[Ends]] = lambda: (ALL,)
    ) -> Compared:
        name, prefix = self._stream.name, self._stream.id_prefix
        of = self._of | {"stream": name, "id_prefix": prefix}
        return compare_ids(self._store, self._entity, existing, **of, within=within)

    def _missed(self, sweeps: Sweeps, ids: pl.Series) -> Iterator[Page]:
        missing = self._less_forgotten(ids)
        if missing.len() > _MOST_LISTED:
            yield from self._everything()
        elif missing.len():
            yield from sweeps.read_ids(self._stream, missing)

    def _everything(self) -> Iterator[Page]:
        """Where very many were never seen (access was given back), all pages cost fewer calls than each by its id.
        Their places are not kept: a sweep that was stopped begins anew."""
        for page in self._connector.read(self._stream, Slice(None, self._clock())):
            yield replace(page, resume=None)

    def _hidden(self, told: str) -> PermissionMissing:
        source, name = self._of["source"], self._stream.name
        return PermissionMissing(
            f"{source} {name}: {told} records are not there any more, which looks like access lost "
            f"(sharing, View All Data) and not like deletion; nothing was marked. To accept it, run: "
            f"kam pull --crm {source} --full"
        )

    def _less_existing(self, sweeps: Sweeps, ids: pl.Series) -> pl.Series:
        there = pl.concat([ids.clear(), *sweeps.existing(self._stream, ids)]) if ids.len() else ids.clear()
        return ids.filter(~ids.is_in(there.implode()))

    def _less_forgotten(self, ids: pl.Series) -> pl.Series:
        """What is kept out on purpose is not missing."""
        with self._store.transaction() as tx:
            known = load_suppressed(tx, **self._of)
        return ids if known is None else ids.filter(~ids.is_in(list(known.hits(kind_of(self._entity), ids))))

    def _gone(self, ids: pl.Series) -> Iterator[Page]:
        if not ids.len():
            return
        nobody = pl.lit(None, pl.String).alias("merged_into_id")
        yield Page(self._nothing(), None, gone=ids.alias("source_id").to_frame().with_columns(nobody))

    def _nothing(self) -> dict[str, pl.DataFrame]:
        return {table_of(m.entity).name: pl.DataFrame(schema=m.raw_schema()) for m in self._stream.mappings}

    def _sweep(self) -> Sweep:
        with self._store.transaction() as tx:
            return load_sweep(tx, stream=self._stream.name, **self._of)

    def _save(self, sweep: Sweep) -> None:
        with self._store.transaction() as tx:
            save_sweep(tx, Sweep(**sweep.model_dump()))

    def _keep(self, sweep: Sweep, place: str | None) -> None:
        """Remembers how far a comparison has come."""
        sweep.compared_after = place
        self._save(sweep)


def _looks_hidden(vanished: pl.Series, live: int) -> bool:
    """Whether more is gone than is believed unseen. What vanished only grows: of a part of them it is true for all."""
    return vanished.len() >= LEAST_GONE and vanished.len() > MOST_GONE * live
