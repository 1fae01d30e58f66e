"""What reading a CRM gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

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
    """One CRM read. `unavailable`: streams or fields that the CRM lacks or hides, each with what to grant. `notes`: how
    often something was read by a rule that may surprise, by what it is, in words.

    Partial where the CRM's calls are spent before the end, or a flow waited in vain for another run: `stopped` says why
    and `resumes` where the next run goes on. `instance` and `organisation` are null where that was before the CRM could
    say who it is; then there are no streams either.
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
    notes: dict[str, int] = field(default_factory=dict)

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
    # Of which nothing is known yet, nothing could be remembered.
    without = (" with --full" if waiting is None else " (which needs no --full)") if full else ""
    return f"resumes {place}{row}, with the next run{without}"
