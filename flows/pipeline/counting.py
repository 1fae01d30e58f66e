"""Counts the windows of one stream on both sides, cuts those that differ, and finds the records that make it so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from connectors.contract import Connector, Counting, Stream, Tally, Window
from connectors.mapping import normalize
from kammodel.entities.schema import table_of
from kammodel.privacy.references import kind_of
from kammodel.store import Store
from kammodel.store.certifying import Ends, Rows, cuts, ids_within, live_amounts, tallied
from kammodel.store.control import open_rejects
from kammodel.store.suppressing import load_suppressed

ROWS_OF_A_WINDOW = 50_000
MOST_AT_FIRST = 16
"""Windows that are counted in any case: as many as there are rows for."""
MOST_OPEN = 64
"""Windows that differ and are cut further at a time; beyond that their ids are compared as they are."""
LOOKED_AT = 400
"""Records that are looked at together, until one is found that nothing explains."""
_CENT_PARTS = 49
"""Sums that differ by less than half a hundredth are equal: the CRM adds up numbers with a floating point."""
_NONE = pl.Series([], dtype=pl.String)


@dataclass(frozen=True)
class Counted:
    """A window and what it holds on either side. `missing`: ids that the store lacks, `extra`: that it has and the CRM
    does not show, `altered`: that differ in their amount; those that nothing explains are `wrong` in number."""

    ends: Ends
    theirs: Tally | None
    ours: Tally
    missing: pl.Series = field(default_factory=_NONE.clone)
    extra: pl.Series = field(default_factory=_NONE.clone)
    altered: pl.Series = field(default_factory=_NONE.clone)
    wrong: int = 0
    explained: int = 0

    @property
    def agrees(self) -> bool:
        theirs, ours = self.theirs, self.ours
        if theirs is None or theirs.rows != ours.rows:
            return False
        return not theirs.sums or not sums_differ(theirs, ours)


def sums_differ(theirs: Tally, ours: Tally) -> bool:
    """Whether the amounts add up to something else, beyond what a floating point loses."""
    given, own = theirs.sums or {}, ours.sums or {}
    return any(abs(total - own.get(c, 0)) > max(_CENT_PARTS, abs(total) // 10**12) for c, total in given.items())


class Counter:
    """One stream of one CRM. `before`: seconds since 1970; what was created and changed until then is to be here."""

    def __init__(self, connector: Connector, counting: Counting, store: Store, stream: Stream, before: int) -> None:
        identity = connector.identify()
        self._connector, self._counting, self._store, self._stream = connector, counting, store, stream
        self._before, self._of = before, {"source": identity.source, "instance": identity.instance}
        entity = stream.mappings[0].entity
        self._rows = Rows(entity, **self._of, before=before, by_id=counting.key == "id", id_prefix=stream.id_prefix)
        self._sums = counting.sums(stream)

    def windows(self) -> list[Counted]:
        """Windows that hold all records together, in order; those that agree are as wide as they can be."""
        everything: Ends = (None, None)
        live = self._ours([everything])[0].rows
        parts = min(MOST_AT_FIRST, max(1, live // ROWS_OF_A_WINDOW))
        waiting = self._cut(everything, parts, live) if parts > 1 else [everything]
        done: list[Counted] = []
        while waiting:
            counted = [self._counted(ends, own) for ends, own in zip(waiting, self._ours(waiting), strict=True)]
            done += [one for one in counted if one.agrees]
            differing = [one for one in counted if not one.agrees]
            waiting = []
            for place, one in enumerate(differing):
                halves = self._halves(one) if len(waiting) + len(differing) - place <= MOST_OPEN else []
                waiting += halves
                if not halves:
                    done.append(self._looked_at(one))
        return _joined(sorted(done, key=lambda one: (one.ends[0] is not None, one.ends[0] or 0)))

    def live(self) -> int:
        """Rows of the stream that live here."""
        return self._ours([(None, None)])[0].rows

    def _ours(self, windows: list[Ends]) -> list[Tally]:
        with self._store.transaction() as tx:
            found = tallied(tx, self._rows, windows, sums=self._sums)
        return [Tally(rows, sums if self._sums else None) for rows, sums in found]

    def _counted(self, ends: Ends, own: Tally) -> Counted:
        return Counted(ends, self._counting.count(self._stream, self._window(ends)), own)

    def _cut(self, ends: Ends, parts: int, live: int) -> list[Ends]:
        with self._store.transaction() as tx:
            return cuts(tx, self._rows, ends, parts, live)

    def _halves(self, one: Counted) -> list[Ends]:
        """A window that is too large to compare its ids at once, in two; none where it cannot be cut."""
        most = max(one.ours.rows, one.theirs.rows if one.theirs is not None else self._counting.ids_at_once + 1)
        if most <= self._counting.ids_at_once:
            return []
        parts = self._cut(one.ends, 2, one.ours.rows)
        return parts if len(parts) > 1 else []

    def _window(self, ends: Ends) -> Window:
        return Window(*ends, self._before)

    def _looked_at(self, one: Counted) -> Counted:
        """A window that differs, once more: it lives, and so may have been caught between two changes."""
        again = self._counted(one.ends, self._ours([one.ends])[0])
        if again.agrees or again.theirs is None:
            return again
        theirs = self._counting.ids(self._stream, self._window(one.ends))
        with self._store.transaction() as tx:
            own = ids_within(tx, self._rows, one.ends)
            live = tx.live_among(self._rows.entity, theirs, **self._of)
        missing, extra = _less(theirs.unique(maintain_order=True), live), _less(own, theirs)
        kept_out = self._kept_out(missing)
        missing = _less(missing, kept_out)
        found = replace(again, missing=missing, extra=extra)
        wrong = self._unexplained(missing, extra)
        if not wrong and self._sums and sums_differ(again.theirs, again.ours):
            altered = self._altered(theirs)
            return replace(
                found, altered=altered, wrong=altered.len(), explained=kept_out.len() + missing.len() + extra.len()
            )
        explained = kept_out.len() + missing.len() + extra.len() - wrong
        return replace(found, wrong=wrong, explained=explained)

    def _kept_out(self, ids: pl.Series) -> pl.Series:
        """Those that were set aside, or forgotten."""
        if not ids.len():
            return ids
        with self._store.transaction() as tx:
            aside = open_rejects(tx, **self._of, stream=self._stream.name)
            known = load_suppressed(tx, **self._of)
        own = aside.filter(pl.col("entity") == table_of(self._rows.entity).name)["source_id"]
        hits = [] if known is None else list(known.hits(kind_of(self._rows.entity), ids))
        return ids.filter(ids.is_in(own.implode()) | ids.is_in(hits))

    def _unexplained(self, missing: pl.Series, extra: pl.Series) -> int:
        """How many of the records nothing explains. Once one is found, those not looked at yet count as well."""
        for ids, is_missing in ((missing, True), (extra, False)):
            for start in range(0, ids.len(), LOOKED_AT):
                part = ids[start : start + LOOKED_AT]
                wrong = self._wrong(part, is_missing=is_missing)
                # A second look: somebody may have stored, restored or deleted them between the first two.
                wrong = self._wrong(self._still(wrong, is_missing=is_missing), is_missing=is_missing)
                if wrong.len():
                    return wrong.len() + ids.len() - start - part.len()
        return 0

    def _wrong(self, ids: pl.Series, *, is_missing: bool) -> pl.Series:
        """Those that the CRM has had as they are since before they were last read: there, or deleted."""
        if not ids.len():
            return ids
        states = self._counting.states(self._stream, ids.to_list())
        old = pl.col("stamp").dt.epoch("s") < self._before
        told = states.filter(old & (pl.col("deleted") != is_missing))["source_id"]
        return ids.filter(ids.is_in(told.implode()))

    def _still(self, ids: pl.Series, *, is_missing: bool) -> pl.Series:
        with self._store.transaction() as tx:
            live = tx.live_among(self._rows.entity, ids, **self._of)
        return _less(ids, live) if is_missing else live

    def _altered(self, ids: pl.Series) -> pl.Series:
        """Records whose amount is another here than in the CRM, though it has not changed them since."""
        sweeps, mapping = self._connector.sweeps, self._stream.mappings[0]
        if sweeps is None or not ids.len():
            return _NONE
        raw = pl.concat([page.raw[table_of(mapping.entity).name] for page in sweeps.read_ids(self._stream, ids)])
        with self._store.transaction() as tx:
            own = live_amounts(tx, self._rows, ids)
        read = normalize(raw, mapping).rows.filter(pl.col("updated_at").dt.epoch("s") < self._before)
        both = read.join(own, on="source_id", suffix=":own")
        differs = [pl.col(c).ne_missing(pl.col(f"{c}:own")) for c in ("amount", "currency") if c in read.columns]
        return both.filter(pl.any_horizontal(differs))["source_id"]


def _less(ids: pl.Series, others: pl.Series) -> pl.Series:
    return ids.filter(~ids.is_in(others.implode()))


def _joined(windows: list[Counted]) -> list[Counted]:
    """Neighbours that agree, as one."""
    joined: list[Counted] = []
    for one in windows:
        last = joined[-1] if joined else None
        if last is not None and last.agrees and one.agrees and last.theirs and one.theirs:
            joined[-1] = Counted((last.ends[0], one.ends[1]), _sum(last.theirs, one.theirs), _sum(last.ours, one.ours))
        else:
            joined.append(one)
    return joined


def _sum(one: Tally, other: Tally) -> Tally:
    if one.sums is None or other.sums is None:
        return Tally(one.rows + other.rows)
    sums = {k: one.sums.get(k, 0) + other.sums.get(k, 0) for k in {**one.sums, **other.sums}}
    return Tally(one.rows + other.rows, sums)
