"""How accounts are written: what is sent, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Map
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from kammodel.publish.fields import CustomField


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
FaultKind = Literal["validation", "permission", "duplicate", "lock", "gone", "quota", "other"]
"""What sort of refusal it is, whatever the CRM calls it. An account that was merged away is gone: no CRM's answer to a
write says into which it went. Reading tells that, and the next plan no longer has it."""


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


@runtime_checkable
class LooksBack(Protocol):
    """A connector of a CRM that keeps what its fields held before."""

    @property
    def unseen(self) -> int:
        """Cells written so far of which nobody could see what they went over: the CRM keeps no history of the field, or
        did not show it."""
        ...

    def overwritten(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> dict[str, dict[str, str | None]]:
        """What writes that the CRM took went over though it was not `before`: field key -> value, by account."""
        ...


class JobBook(Protocol):
    """Where the ids of jobs stand that a CRM carries out though nobody waits any more: it outlives the process, and the
    machine. For whoever has the right to write alone."""

    def noted(self) -> list[str]:
        """Those that were not seen to end."""
        ...

    def note(self, job_id: str) -> None:
        """Called before the job is told to begin. Raises where the right to write is another run's by now."""
        ...

    def strike(self, job_ids: Iterable[str]) -> None:
        """Called for jobs that write no more."""
        ...


@runtime_checkable
class WritesByJobs(Protocol):
    """A connector of a CRM that is given values to write and writes them when it comes to it."""

    def noting(self, book: JobBook) -> AbstractContextManager[None]:
        """Notes jobs there until the block ends. Jobs that stand there were left behind: they are waited for or aborted
        first. Raises TryAgainLater, here and wherever fields are read or written, while one may still write."""
        ...
