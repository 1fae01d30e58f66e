"""What every CRM connector offers the pipeline: types only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import polars as pl

from connectors.mapping import Mapping
from kammodel.entities import Sourced
from kammodel.publish.fields import CustomField


@dataclass(frozen=True)
class Identity:
    """Who we are in which org or portal. `currency` and `timezone` are its home ones, null where unknown.

    `sign_in`: how we sign in, where there is more than one way.
    """

    source: str
    instance: str
    organisation: str
    user: str | None = None
    currency: str | None = None
    timezone: str | None = None
    calls_left: int | None = None
    sign_in: str | None = None


@dataclass(frozen=True)
class Stream:
    """Something that is read as one sequence of pages.

    The first mapping is the stream's own entity; further ones are filled from the same pages (HubSpot sends
    a deal's history with the deal). `incremental` False: it is small and read in full on every run.
    `revision`: changes where something outside the rows changes their meaning, such as what a stage stands for.
    `drifting`: fields asked for whose value changes without moving the row's change stamp, such as formulas: an
    increment misses that, so that the stream has to be read in full now and then. `swept`: its records can be deleted
    for good, without a row to say so; see Sweeps. `id_prefix`: what its ids begin with, where several streams fill one
    entity. `linked`: columns of ours that come from links between records, which change without moving any stamp; see
    SweepsLinks. `parts`: further entities whose rows belong to one row of the stream's own, each with its column that
    names that row: they come and go with links too.
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

    @property
    def fingerprint(self) -> str:
        return "-".join([*(m.fingerprint() for m in self.mappings), *filter(None, [self.revision])])

    @property
    def columns(self) -> frozenset[str]:
        """The columns of ours that its own entity gets."""
        return frozenset(line.ours for line in self.mappings[0].lines)


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
class AccountWrite:
    """New values for one account: field key -> canonical text, None clears.

    `before`: what each of these fields held when that was decided, None where nobody looked. Only against that can it
    be seen that a write went over what somebody typed meanwhile.
    """

    source_id: str
    values: dict[str, str | None]
    before: Map[str, str | None] | None = None


Outcome = Literal["written", "rejected", "gone", "retry", "unclear"]
FaultKind = Literal["validation", "permission", "duplicate", "lock", "gone", "merged", "quota", "other"]
"""What sort of refusal it is, whatever the CRM calls it."""


@dataclass(frozen=True)
class WriteOutcome:
    """How the CRM took one account's write. `kind`: of one that it did not take.

    `retry`: not now, a later run will try again. `unclear`: it went out and no answer says what became of it: the
    account has to be read before anything is sent to it again. `overwritten`: field key -> what a person had entered
    after `before` was read, and our write went over; None is a field that somebody had cleared.
    """

    source_id: str
    outcome: Outcome
    code: str | None = None
    message: str | None = None
    kind: FaultKind | None = None
    overwritten: Map[str, str | None] = field(default_factory=dict)


Done = Literal["created", "changed", "unchanged", "removed", "left alone"]


@dataclass(frozen=True)
class Part:
    """Something beside the fields that provisioning makes or takes away, such as a list view, and what became of it.

    `why`: the reason where it was left alone.
    """

    kind: str
    name: str
    done: Done
    why: str | None = None


@dataclass(frozen=True)
class Provisioned:
    """What provisioning did: names of fields created, changed and left as they were, `parts` beside them, `notes` for
    the admin. With `dry_run`, what it would do; nothing was changed."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True)
class Removal:
    """What removing takes away. `fields`: accounts that hold a value in each, None where that cannot be read;
    `typed_by_people`: those of them that only people fill in."""

    fields: dict[str, int | None]
    typed_by_people: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of ours is there."""
        return not self.fields and not self.parts


@dataclass(frozen=True)
class Finding:
    """Something in the way, or worth knowing, before anything is written. An `error` makes it impossible; `unknown` is
    what could not be found out. `about`: provisioning, or the runs that write."""

    grade: Literal["error", "warning", "unknown"]
    about: Literal["provision", "run"]
    text: str


@dataclass
class CallCount:
    """API calls made so far, by what they were for."""

    read: int = 0
    write: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.read + self.write + self.other


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


@runtime_checkable
class LooksBack(Protocol):
    """A connector of a CRM that keeps what its fields held before."""

    def overwritten(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> dict[str, dict[str, str | None]]:
        """What writes that the CRM took went over though it was not `before`: field key -> value, by account."""
        ...


class Connector(Protocol):
    """One CRM, signed in lazily at the first call."""

    name: str
    calls: CallCount
    settle: dt.timedelta
    """How long after its change a row may stay invisible: the watermark stays this far behind what was read."""
    overlap: dt.timedelta
    """How much before the watermark is read again, for clocks that differ and rows that came very late."""
    write_batch: int
    """Accounts that one write call takes."""

    def write_portion(self, accounts: int) -> int:
        """How many accounts are read and then written at once, where so many are to be written. What people enter
        between the two is seen only afterwards, so that it is as few as the road to the CRM allows."""
        ...

    def write_calls(self, accounts: int) -> int:
        """What writing so many accounts costs where nothing goes wrong: the looks before and after it too."""
        ...

    @property
    def sweeps(self) -> Sweeps | None:
        """None where the CRM has no such way."""
        ...

    def identify(self) -> Identity: ...

    def streams(self) -> tuple[Stream, ...]:
        """The streams this org can serve, mappings cut to the fields it has. Asks the CRM once."""
        ...

    def unavailable(self) -> dict[str, str]:
        """Streams or fields the org lacks or hides, each with the reason and what to grant."""
        ...

    def read(
        self, stream: Stream, span: Slice, resume: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages of a slice, from the start or from a page's `resume`. Raises SliceLost if that place is gone.

        `known` spares a connector that is told of changes by ids alone what need not be read; without it all is read.
        """
        ...

    def missing_fields(self, fields: Sequence[CustomField]) -> list[str]:
        """API names of our fields that do not exist or that this user cannot see or, for ours, edit."""
        ...

    def read_fields(self, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        """What our fields hold now: frames of source_id and one canonical text column per field key.

        Accounts that no longer exist are simply absent."""
        ...

    def write_fields(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> Iterator[list[WriteOutcome]]:
        """Sends the writes in batches; one list of outcomes per batch, one outcome per write in all.

        A write that may have been carried out is not sent again: its outcome is `unclear`."""
        ...

    def provision(self, fields: Sequence[CustomField], language: str) -> Provisioned:
        """Creates what is missing of our fields and their permissions; idempotent."""
        ...

    def export_provisioning(self, fields: Sequence[CustomField], language: str, folder: Path) -> list[Path]:
        """Writes what `provision` would do as files an admin can review and deploy."""
        ...

    def record_url(self, source_id: str) -> str:
        """The page of an account in the CRM."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Provisioning(Protocol):
    """A connector that can also say beforehand what provisioning would do, and undo it."""

    def preflight(self, fields: Sequence[CustomField]) -> list[Finding]:
        """What stands in the way of provisioning and of the first run. Reads only."""
        ...

    def provision(
        self, fields: Sequence[CustomField], language: str, *, layouts: bool = True, dry_run: bool = False
    ) -> Provisioned:
        """As `Connector.provision`. `layouts`: show the fields on pages too. `dry_run`: checks, and changes nothing."""
        ...

    def removal(self, fields: Sequence[CustomField]) -> Removal:
        """What `remove` would take away. Reads only."""
        ...

    def remove(self, fields: Sequence[CustomField], *, dry_run: bool = False) -> Removal:
        """Takes away what `provision` made, as far as it is there: what was stopped half-way is finished by another."""
        ...
