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
MOST_UNCOUNTED = 24
"""Windows that the CRM may fail to count in time, of one stream, before none is cut any further for that: where it
cannot count at all, narrower windows do not help, and each costs a call."""
LOOKED_AT = 400
"""Records that are looked at together, until one is found that nothing explains."""
_CENT_PARTS = 49
"""Sums that differ by less than half a hundredth are equal: the CRM adds up numbers with a floating point."""
_NONE = pl.Series([], dtype=pl.String)


@dataclass(frozen=True)
class Counted:
    """A window and what it holds on either side. `missing`: ids that the store lacks, `extra`: that it has and the CRM
    does not show, `altered`: that differ in their amount.

    Nothing explains `lost` of the missing, `stale` of the extra (the CRM tells that they were deleted before they were
    last to be read), and the altered. `absent`: extra ones that left no trace in the CRM. Nothing tells whether those
    were deleted for good since all ids were last compared, or never were there: they accuse nobody, and are named.
    """

    ends: Ends
    theirs: Tally | None
    ours: Tally
    missing: pl.Series = field(default_factory=_NONE.clone)
    extra: pl.Series = field(default_factory=_NONE.clone)
    altered: pl.Series = field(default_factory=_NONE.clone)
    lost: int = 0
    stale: int = 0
    absent: int = 0
    kept_out: int = 0

    @property
    def wrong(self) -> int:
        """Records that nothing explains."""
        return self.lost + self.stale + self.altered.len()

    @property
    def explained(self) -> int:
        """Records that differ for a reason: kept out on purpose, changed since, or not there any more."""
        return self.kept_out + self.missing.len() + self.extra.len() - self.lost - self.stale

    @property
    def is_same(self) -> bool:
        """Whether nothing is known to differ, neither in number nor by id."""
        return self.agrees and not (self.missing.len() or self.extra.len() or self.kept_out)

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
        self._uncounted = 0

    def windows(self) -> list[Counted]:
        """Windows that hold all records together, in order; those that agree are as wide as they can be."""
        everything: Ends = (None, None)
        live = self._ours([everything])[0].rows
        parts = min(MOST_AT_FIRST, max(1, live // ROWS_OF_A_WINDOW))
        waiting = self._cut(everything, parts, live) if parts > 1 else [everything]
        done: list[Counted] = []
        while waiting:
            counted = [self._counted(ends, own) for ends, own in zip(waiting, self._ours(waiting), strict=True)]
            done += [self._sure(one) for one in counted if one.agrees]
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
        theirs = self._counting.count(self._stream, self._window(ends))
        self._uncounted += theirs is None
        return Counted(ends, theirs, own)

    def _cut(self, ends: Ends, parts: int, live: int) -> list[Ends]:
        with self._store.transaction() as tx:
            return cuts(tx, self._rows, ends, parts, live)

    @property
    def _gave_up(self) -> bool:
        """Whether the CRM failed to count so many windows that it is not asked for narrower ones."""
        return self._uncounted >= MOST_UNCOUNTED

    def _halves(self, one: Counted) -> list[Ends]:
        """A window that is too large to compare its ids at once, in two; none where it cannot be cut, or where that
        would be of no use."""
        if one.theirs is None:
            is_large = one.ours.rows > 0 and not self._gave_up
        else:
            is_large = max(one.ours.rows, one.theirs.rows) > self._counting.ids_at_once
        parts = self._cut(one.ends, 2, one.ours.rows) if is_large else []
        return parts if len(parts) > 1 else []

    def _window(self, ends: Ends) -> Window:
        return Window(*ends, self._before)

    def _looked_at(self, one: Counted) -> Counted:
        """A window that differs, once more: it lives, and so may have been caught between two changes."""
        if one.theirs is None and self._gave_up:
            return one
        again = self._counted(one.ends, self._ours([one.ends])[0])
        if again.agrees:
            return self._sure(again)
        return again if again.theirs is None else self._compared(again)

    def _sure(self, one: Counted) -> Counted:
        """A window that agrees in number: where one call gives all its ids, they have to be the same as well. Wider
        windows are left to the comparison of all ids that pulls make once a week."""
        return self._compared(one) if 0 < one.ours.rows <= self._counting.ids_at_once else one

    def _compared(self, one: Counted) -> Counted:
        """A window by its ids, and by its amounts where no id explains that they differ."""
        theirs = self._counting.ids(self._stream, self._window(one.ends))
        with self._store.transaction() as tx:
            own = ids_within(tx, self._rows, one.ends)
            live = tx.live_among(self._rows.entity, theirs, **self._of)
        missing, extra = _less(theirs.unique(maintain_order=True), live), _less(own, theirs)
        kept_out = self._kept_out(missing)
        missing = _less(missing, kept_out)
        lost, _ = self._unexplained(missing, is_missing=True)
        stale, absent = self._unexplained(extra, is_missing=False)
        sums_tell = one.theirs is not None and self._sums and sums_differ(one.theirs, one.ours)
        altered = self._altered(theirs) if sums_tell and not (lost or stale) else _NONE
        return replace(
            one,
            missing=missing,
            extra=extra,
            altered=altered,
            lost=lost,
            stale=stale,
            absent=absent,
            kept_out=kept_out.len(),
        )

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

    def _unexplained(self, ids: pl.Series, *, is_missing: bool) -> tuple[int, int]:
        """How many of the records nothing explains, and how many left no trace. Once one is found that nothing
        explains, those not looked at yet count as such."""
        absent = 0
        for start in range(0, ids.len(), LOOKED_AT):
            part = ids[start : start + LOOKED_AT]
            looked = pl.concat(self._wrong(part, is_missing=is_missing))
            # A second look: somebody may have stored, restored or deleted them between the first two.
            wrong, traceless = self._wrong(self._still(looked, is_missing=is_missing), is_missing=is_missing)
            absent += traceless.len()
            if wrong.len():
                return wrong.len() + ids.len() - start - part.len(), absent
        return 0, absent

    def _wrong(self, ids: pl.Series, *, is_missing: bool) -> tuple[pl.Series, pl.Series]:
        """Those that the CRM has had as they are since before they were last read, there or deleted; and those which
        live here and that it knows nothing of."""
        if not ids.len():
            return ids, ids
        states = self._counting.states(self._stream, ids.to_list())
        old = pl.col("stamp").dt.epoch("s") < self._before
        told = states.filter(old & (pl.col("deleted") != is_missing))["source_id"]
        traceless = ids.clear() if is_missing else _less(ids, states["source_id"])
        return ids.filter(ids.is_in(told.implode())), traceless

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
    """Neighbours that are the same as one, and neighbours that could not be counted."""
    joined: list[Counted] = []
    for one in windows:
        last = joined[-1] if joined else None
        if last is None or not ((last.is_same and one.is_same) or (last.theirs is None and one.theirs is None)):
            joined.append(one)
            continue
        theirs = None if last.theirs is None or one.theirs is None else _sum(last.theirs, one.theirs)
        joined[-1] = Counted((last.ends[0], one.ends[1]), theirs, _sum(last.ours, one.ours))
    return joined


def _sum(one: Tally, other: Tally) -> Tally:
    if one.sums is None or other.sums is None:
        return Tally(one.rows + other.rows)
    sums = {k: one.sums.get(k, 0) + other.sums.get(k, 0) for k in {**one.sums, **other.sums}}
    return Tally(one.rows + other.rows, sums)
