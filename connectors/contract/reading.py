"""How a CRM is read: streams, slices and pages, and the sweeps that find what these do not show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import polars as pl

from connectors.mapping import Mapping
from kammodel.entities import Sourced


@dataclass(frozen=True)
class Typed:
    """A field that is asked for, and its type, in the CRM's words. `alike`: other types, values of which read the
    same."""

    field: str
    type: str
    alike: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stream:
    """Something that is read as one sequence of pages.

    The first mapping is the stream's own entity; further ones are filled from the same pages (HubSpot sends
    a deal's history with the deal). `incremental` False: it is small and read in full on every run.
    `revision`: changes where something outside the rows changes their meaning, such as what a stage stands for; in
    parts, `name:meaning` joined by commas, where rows depend on one part each.
    `drifting`: fields asked for whose value changes without moving the row's change stamp, such as formulas: an
    increment misses that, so that the stream has to be read in full now and then. `swept`: its records can be deleted
    for good, without a row to say so; see Sweeps. `id_prefix`: what its ids begin with, where several streams fill one
    entity. `linked`: columns of ours that come from links between records, which change without moving any stamp; see
    SweepsLinks. `parts`: further entities whose rows belong to one row of the stream's own, each with its column that
    names that row: they come and go with links too. `types`: of the fields asked for, where the CRM tells them.
    `left_out`: columns of ours that it could fill, had this CRM what fills them.
    """

    name: str
    mappings: tuple[Mapping, ...]
    incremental: bool = True
    revision: str = ""
    drifting: tuple[str, ...] = ()
    swept: bool = False
    id_prefix: str = ""
    linked: tuple[str, ...] = ()
    parts: tuple[tuple[type[Sourced], str], ...] = ()
    types: tuple[Typed, ...] = ()
    left_out: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        return "-".join([*(m.fingerprint() for m in self.mappings), *filter(None, [self.revision])])

    def reads_as(self, fingerprint: str) -> bool:
        """Whether rows that were read under that fingerprint mean the same now. A part of the revision that is only
        new, or gone, changes none of them: no row could name it, or its rows were read when it was there."""
        own, theirs, count = self.fingerprint.split("-"), fingerprint.split("-"), len(self.mappings)
        is_same = own[:count] == theirs[:count] and len(own) == len(theirs)
        return own == theirs or (is_same and all(map(_agree, own[count:], theirs[count:])))

    @property
    def columns(self) -> frozenset[str]:
        """The columns of ours that its own entity gets."""
        return frozenset(line.ours for line in self.mappings[0].lines)

    def made_of(self, field: str) -> frozenset[str]:
        """The columns of ours, of its own entity, that are read from a field."""
        return frozenset(line.ours for line in self.mappings[0].lines if field in line.columns)

    def retyped(self, known: Map[str, str]) -> tuple[Typed, ...]:
        """The fields whose type is not the one that is known of them."""
        return tuple(one for one in self.types if known.get(one.field, one.type) != one.type)


def _agree(now: str, then: str) -> bool:
    if ":" not in now or ":" not in then:
        return now == then
    known = dict(part.split(":", 1) for part in then.split(","))
    return all(known.get(name, meaning) == meaning for name, meaning in (part.split(":", 1) for part in now.split(",")))


@dataclass(frozen=True)
class Slice:
    """Rows changed in [since, until); `since` None is everything there is, deleted rows included."""

    since: dt.datetime | None
    until: dt.datetime


Known = Callable[[pl.Series], pl.DataFrame]
"""Asks for ids of a stream's own entity what is held of them: `source_id` and `updated_at` of those that are there and
not deleted."""


@dataclass(frozen=True)
class Page:
    """Rows as text, by entity table name, and the place to go on from after them.

    `raw[table]` has the columns of that mapping's `raw_schema()`. `gone`: ids of the stream's own entity that
    no longer exist, with their survivor if merged (columns source_id, merged_into_id). `announced`: how many
    rows of the own entity the CRM says the slice has, if it says so; the pipeline proves it. `resume`: opaque
    text that `read` takes to go on after this page; None on the last page. `whole`: ids of the own entity whose
    `parts` are all on this page: others of theirs are gone. `known`: how many rows more the CRM showed, of which it was
    plain without reading them that they are held as they are.
    """

    raw: dict[str, pl.DataFrame]
    resume: str | None
    announced: int | None = None
    gone: pl.DataFrame | None = None
    whole: pl.Series | None = None
    known: int = 0


@dataclass(frozen=True)
class Deletions:
    """Ids that a CRM lists as deleted; `until`: deletions before it stand in the list."""

    ids: pl.Series
    until: dt.datetime


class Sweeps(Protocol):
    """How records are found that were deleted for good, or never seen."""

    def deletions(self, stream: Stream, since: dt.datetime, until: dt.datetime) -> Deletions | None:
        """What was deleted in [since, until), restored or not; None where the CRM's list does not tell all of it."""
        ...

    def existing(self, stream: Stream, among: pl.Series | None = None) -> Iterator[pl.Series]:
        """Ids of the records that are there and not deleted, in portions: all of them, or those of `among`."""
        ...

    def read_ids(self, stream: Stream, ids: pl.Series) -> Iterator[Page]:
        """These records, as `read` gives them; those that are gone are absent."""
        ...


@runtime_checkable
class Notes(Protocol):
    """A connector that reads some of what a CRM has by a rule that may surprise."""

    @property
    def notes(self) -> Map[str, int]:
        """What was read so, in words that follow a number, and how often so far."""
        ...


@runtime_checkable
class RecallsStages(Protocol):
    """A CRM that forgets the stages which were removed, though the history of deals names them."""

    def recall(self, stages: pl.DataFrame) -> None:
        """`stages`: what was read of them so far, former ones included: rows of PipelineStage."""
        ...


Ends = tuple[int | None, int | None]
"""Numbers in [low, high); None leaves an end open."""


@dataclass(frozen=True)
class Existing:
    """Ids of records that are there. `left`: the ranges of the numbers that ids are which are still to be looked at
    then; `place`: where to go on with that, opaque; None where nothing is left."""

    ids: pl.Series
    left: tuple[Ends, ...]
    place: str | None


@runtime_checkable
class SweepsByRange(Sweeps, Protocol):
    """Sweeps of a CRM whose ids are numbers, and that lists them range by range."""

    def existing_from(self, stream: Stream, place: str | None) -> Iterator[Existing]:
        """As `existing` gives all ids, from a place on; the first is none, with all that is left. Raises SliceLost
        where that place is gone."""
        ...


@dataclass(frozen=True)
class LinksNow:
    """How some records are linked. `columns`: source_id and the stream's `linked` columns, as they would be stored.
    `raw`: the rows of the stream's `parts`, by table, all there are of these records."""

    columns: pl.DataFrame
    raw: Map[str, pl.DataFrame]


@runtime_checkable
class SweepsLinks(Protocol):
    """Sweeps of a CRM where a link can change without a sign on the records that it joins."""

    relink_every: dt.timedelta
    """Between two looks at the links of all records."""

    def links(self, stream: Stream, ids: pl.Series) -> LinksNow:
        """The links of these records as they are now; those that are gone have none."""
        ...
