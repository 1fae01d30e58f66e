"""One CRM as the pipeline sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from connectors.contract.provisioning import Provisioned
from connectors.contract.reading import Known, Page, Slice, Stream, Sweeps
from connectors.contract.writing import AccountWrite, WriteOutcome
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


@dataclass
class CallCount:
    """API calls made so far, by what they were for."""

    read: int = 0
    write: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.read + self.write + self.other


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
        """What our fields hold now: frames of source_id and one text column per field key, as the CRM spells it; a
        date as a day.

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
