"""What each step of the pipeline gives back: small receipts, never rows. `as_json` is what `--json` prints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

StreamState = Literal["closed", "stopped", "not_begun"]
"""How a pull left a stream: read to the end of its slice, stopped within it, or not begun."""

FIRST_LOAD = "first load"
"""The note of a stream that was not known before."""

Outcome = Literal["inserted", "changed", "overlap", "own_writes", "restamped", "rejected", "suppressed"]
"""What became of a row that was read; the fields of StreamReceipt that add up to `read`."""


@dataclass(frozen=True)
class StreamReceipt:
    """What one stream brought in. Every row read is in exactly one of the outcomes; the sum is `read`.

    `overlap`, `own_writes` and `restamped` are the rows whose content we had already: read again on purpose,
    our own last writes coming back, and rows whose change stamp the CRM moved without a change that we keep.
    `suppressed`: rows of what was forgotten, and of what belongs to it; they are not stored.
    `gone`: records that the CRM no longer has. `healed`: rows set aside earlier that could be read now.
    """

    stream: str
    is_full: bool
    read: int = 0
    inserted: int = 0
    changed: int = 0
    overlap: int = 0
    own_writes: int = 0
    restamped: int = 0
    rejected: int = 0
    suppressed: int = 0
    gone: int = 0
    healed: int = 0
    calls: int = 0
    seconds: float = 0.0
    note: str | None = None
    """Why it was loaded in full, or resumed, in words."""
    state: StreamState = "closed"
    next_row: int | None = None
    """Of a stream that stopped in a slice: the row with which the next run goes on, counted from 1. Null where it
    stopped after that, in looking for deletions."""

    @property
    def is_quiet(self) -> bool:
        """Nothing came, nothing went, and it was read to its end."""
        return not (self.read or self.gone or self.healed) and self.state == "closed"

    @property
    def unchanged(self) -> int:
        return self.overlap + self.own_writes + self.restamped


@dataclass(frozen=True)
class PullReceipt:
    """One CRM read. `unavailable`: streams or fields that the CRM lacks or hides, each with what to grant.

    Partial where the CRM's calls are spent before the end: `stopped` says why and `resumes` where the next run goes on.
    `instance` and `organisation` are null where they were spent before the CRM could say who it is; then there are
    no streams either.
    """

    source: str
    instance: str | None
    organisation: str | None
    streams: tuple[StreamReceipt, ...]
    unavailable: dict[str, str]
    calls: int
    seconds: float
    stopped: str | None = None
    resumes: str | None = None

    @property
    def is_partial(self) -> bool:
        return self.stopped is not None

    @property
    def rows(self) -> int:
        return sum(s.read for s in self.streams)


def resumes(streams: Sequence[StreamReceipt], *, full: bool) -> str:
    """Where the next run goes on after a pull that had no calls left, in words."""
    # A stream whose slice is closed, and that stopped in what comes after it, waits behind those not begun.
    begun = [s for s in streams if s.state == "stopped" and s.next_row is not None]
    waiting = next(iter([*begun, *(s for s in streams if s.state == "not_begun"), *streams]), None)
    place = "at the beginning" if waiting is None else f"at {waiting.stream}"
    row = f", row {waiting.next_row:,}" if waiting is not None and waiting.next_row is not None else ""
    # With it, the streams that are closed would be read in full once more.
    without = " (which needs no --full)" if full and waiting is not None else ""
    return f"resumes {place}{row}, with the next run{without}"


@dataclass(frozen=True)
class TierMove:
    """An account group whose effective tier is not what it was. `name` is text from a CRM: escape it."""

    group_id: str
    name: str | None
    before: str | None
    after: str | None
    score: float | None
    reason: str


@dataclass(frozen=True)
class ScoreReceipt:
    """One scoring run. `counts`: what was left out or could not be known, by a code with a number.
    `unknown_accounts`: by file of KAM_INPUTS_DIR, the first accounts that it names and nobody knows. `portfolio`: the
    KPIs of all account groups together, and why one has no value."""

    run_id: str
    as_of: dt.date
    accounts: int
    groups: int
    population: int
    tiers: dict[str, int]
    moves: tuple[TierMove, ...]
    appended: int
    unavailable_criteria: tuple[str, ...]
    counts: dict[str, int]
    seconds: float
    unknown_accounts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    portfolio: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BackfilledDay:
    """A past day: scored, or `is_kept` because it was there already, and then nothing else is told. `reconstructed`:
    groups with figures that rows entered of which nobody knows what they were on the day."""

    as_of: dt.date
    is_kept: bool
    groups: int = 0
    population: int = 0
    tiers: dict[str, int] = field(default_factory=dict)
    moves: int = 0
    appended: int = 0
    reconstructed: int = 0


@dataclass(frozen=True)
class BackfillReceipt:
    """The past days of one backfill, in the order of time."""

    days: tuple[BackfilledDay, ...]
    seconds: float

    @property
    def computed(self) -> int:
        return sum(not day.is_kept for day in self.days)


@dataclass(frozen=True)
class ThinReceipt:
    """How many snapshots of days before `before` were taken out, how many cells of old plans, and how many rows that
    had been set aside as they came."""

    before: dt.date
    snapshots: int
    seconds: float
    cells: int = 0
    rejects: int = 0


@dataclass(frozen=True)
class ForgetReceipt:
    """Who was forgotten: `records` of theirs, in the CRMs. `counts`: rows taken out, by table; `emptied`: rows that
    stay and lost a link or a word. `entry`: the hash under which this is remembered. Files: `cleaned` ones of kam, and
    `left` ones, which could not be; `theirs` of people, who have to see to them. `is_wiped`: nothing of it is left in
    the files of the store. In a rehearsal nothing was done."""

    kind: str
    records: int
    entry: str
    counts: dict[str, int]
    emptied: dict[str, int]
    cleaned: tuple[str, ...]
    left: tuple[str, ...]
    theirs: tuple[str, ...]
    is_wiped: bool
    is_rehearsal: bool
    seconds: float

    @property
    def is_complete(self) -> bool:
        return self.is_wiped and not self.left


@dataclass(frozen=True)
class PlanReceipt:
    """A stored plan for one CRM. `compared` accounts were read from the CRM, `known` were not: nothing about
    them changed since we last wrote. Cells: to write, held back for a person's value, to be reviewed first, and equal
    already. `hash`: of what it would do. `tripped`: limits that it goes beyond; it then waits for an approval."""

    plan_id: str
    source: str
    as_of: dt.date
    compared: int
    known: int
    accounts_to_write: int
    cells_to_write: int
    cells_held: int
    cells_equal: int
    calls: int
    write_calls: int
    """Calls that applying it will cost."""
    seconds: float
    hash: str = ""
    expires_at: dt.datetime | None = None
    cells_to_review: int = 0
    tripped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overwritten:
    """Fields of an account in which our write went over what a person had entered in the moment before. `is_back`:
    theirs stands there again."""

    source_id: str
    fields: tuple[str, ...]
    is_back: bool


@dataclass(frozen=True)
class ApplyReceipt:
    """How the cells of a plan ended. They add up to the cells it had to write; `retry` ones stay pending.

    So do `pending` ones, for which the CRM had no calls left: `stopped` says why, and the next apply goes on with them.
    """

    plan_id: str
    source: str
    written: int
    rejected: int
    gone: int
    retry: int
    calls: int
    seconds: float
    faults: dict[str, int] = field(default_factory=dict)
    """The CRM's codes for rejected rows, with how many accounts each."""
    hints: dict[str, str] = field(default_factory=dict)
    """What each of these codes means, and what to do about it, where we know."""
    edited: int = 0
    """Cells that somebody changed after the plan was made: the next plan looks at them."""
    pending: int = 0
    stopped: str | None = None
    overwritten: int = 0
    """Cells in which a person's value was written over and then put back. All but those that could not be are counted
    in `edited` too."""
    overwrites: tuple[Overwritten, ...] = ()
    """The first accounts with such cells."""

    @property
    def is_complete(self) -> bool:
        return not (self.rejected or self.retry or self.stopped)


@dataclass(frozen=True)
class AdoptReceipt:
    """What a CRM's stamps prove to be ours. Cells: `filled` ones, of which `proven` are ours and `unproven` may be a
    person's; `adopted` are new in the ledger, or with `is_dry_run` would be."""

    source: str
    accounts: int
    filled: int
    proven: int
    unproven: int
    adopted: int
    is_dry_run: bool


@dataclass(frozen=True)
class ApprovalReceipt:
    """A plan that somebody approved. `tripped`: the limits that it goes beyond all the same. `freed`: its cells that
    waited for review, and are to be written now."""

    plan_id: str
    source: str
    hash: str
    by: str
    tripped: tuple[str, ...]
    freed: int


@dataclass(frozen=True)
class WriteBackReceipt:
    """Plan and apply for one CRM."""

    plan: PlanReceipt
    applied: ApplyReceipt


@dataclass(frozen=True)
class DigestReceipt:
    """A digest of tier changes that is new with this run. `owner` is text from a CRM: escape it; null of groups that
    nobody owns. `is_sent`: through KAM_NOTIFY_BLOCK. `warning`: what failed of its delivery, and what to do."""

    owner: str | None
    slug: str
    as_of: dt.date
    changes: int
    file: str | None
    is_sent: bool = False
    warning: str | None = None


@dataclass(frozen=True)
class RunReceipt:
    """The whole run: every configured CRM read, everything scored, every CRM written.

    Where a CRM was read in part, nothing is scored (null) or written: tiers would stand on half of the news. `left`:
    what there is still to do, line by line.
    """

    as_of: dt.date
    pulls: tuple[PullReceipt, ...]
    score: ScoreReceipt | None
    write_backs: tuple[WriteBackReceipt, ...]
    seconds: float
    left: tuple[str, ...] = ()
    digests: tuple[DigestReceipt, ...] = ()
    stopped: tuple[PlanReceipt, ...] = ()
    """All plans of a run of which the guard stopped one: no CRM was written to."""


def as_json(receipt: Any) -> dict[str, Any]:
    """The receipt as plain JSON values: dates as ISO text, tuples as lists."""
    plain: dict[str, Any] = _plain(asdict(receipt))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value
