"""What planning, approving, writing and adopting give back."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field, replace


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

    So do `pending` ones, for which the CRM had no calls left, or whose turn did not come: `stopped` says why, and the
    next apply goes on with them.
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
    skipped: str | None = None
    """Why it was not written, and need not be."""
    overwritten: int = 0
    """Cells in which a person's value was written over and then put back. All but those that could not be are counted
    in `edited` too."""
    overwrites: tuple[Overwritten, ...] = ()
    """The first accounts with such cells."""
    unseen: int = 0
    """Written cells of which the CRM does not show whether they went over what a person had entered meanwhile."""

    def and_then(self, later: ApplyReceipt) -> ApplyReceipt:
        """With what a later apply did with the rest of the same plan."""
        return replace(
            later,
            written=self.written + later.written,
            rejected=self.rejected + later.rejected,
            gone=self.gone + later.gone,
            edited=self.edited + later.edited,
            calls=self.calls + later.calls,
            seconds=round(self.seconds + later.seconds, 3),
            faults=dict(Counter(self.faults) + Counter(later.faults)),
            hints=self.hints | later.hints,
            overwritten=self.overwritten + later.overwritten,
            overwrites=(*self.overwrites, *later.overwrites),
            unseen=self.unseen + later.unseen,
        )

    @property
    def is_complete(self) -> bool:
        lost = any(not one.is_back for one in self.overwrites)
        return not (self.rejected or self.retry or self.stopped or lost)


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
