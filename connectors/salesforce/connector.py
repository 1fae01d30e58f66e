"""The Salesforce connector: one org behind the contract that the pipeline knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import polars as pl

from connectors.contract import (
    AccountWrite,
    CallCount,
    Finding,
    Identity,
    JobBook,
    Known,
    Page,
    Provisioned,
    Removal,
    Slice,
    Stream,
    WriteOutcome,
)
from connectors.emails import NO_EMAILS, Emails
from connectors.mapping_file import NONE, Overrides
from connectors.retry import Patience
from connectors.salesforce import writing
from connectors.salesforce.bulk.ingest import end_noted
from connectors.salesforce.bulk.notes import JobNotes
from connectors.salesforce.catalogue import Catalogue, objects, read_catalogue
from connectors.salesforce.client import Client
from connectors.salesforce.collections import BATCH
from connectors.salesforce.counting import SalesforceCounts
from connectors.salesforce.estimating import SalesforceEstimates
from connectors.salesforce.org import Describes, Org, named_user, read_org
from connectors.salesforce.pages import PageReader
from connectors.salesforce.provisioning import exporting, making, preflight, removing
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.signin import admin_sign_in, sign_in_of
from connectors.salesforce.sizes import Sizes
from connectors.salesforce.sweeping import SalesforceSweeps
from kammodel.publish.fields import CustomField

OVERLAP = dt.timedelta(minutes=10)
"""A row becomes visible when its transaction ends, which may be after rows with a later stamp. Reading a little twice
is cheap, since saving is an upsert."""


class SalesforceConnector:
    """One org. Signs in at the first call; `close` gives the connections back."""

    name = "salesforce"
    write_batch = BATCH

    def __init__(
        self,
        settings: SalesforceSettings,
        *,
        patience: Patience | None = None,
        state: Path | None = None,
        overrides: Overrides = NONE,
        sizes: Sizes | None = None,
        emails: Emails = NO_EMAILS,
    ) -> None:
        self.calls = CallCount()
        self.settle = dt.timedelta(seconds=settings.settle_seconds)
        self.overlap = OVERLAP
        self._settings, self._overrides, self._sizes = settings, overrides, sizes or Sizes()
        self._emails = emails
        patience = patience or Patience()
        self._client = Client(settings, patience, self.calls, sign_in=sign_in_of(settings, state, patience.sleep))
        self._notes = JobNotes()
        self._writer = writing.Writer(self._client, self._sizes, self._notes)
        admin = admin_sign_in(settings)
        # Signs in when it is first used, which is for provisioning only.
        self._admin_client = Client(settings, patience, self.calls, sign_in=admin) if admin else self._client

    def identify(self) -> Identity:
        org = self._org
        return Identity(
            source=self.name,
            instance=org.id,
            organisation=org.name + (" (sandbox)" if org.is_sandbox else ""),
            user=self._user,
            sign_in=self._client.sign_in_flow,
            currency=org.currency,
            timezone=org.zone,
            calls_left=self._client.calls_left,
        )

    def streams(self) -> tuple[Stream, ...]:
        return self._catalogue.streams

    def unavailable(self) -> dict[str, str]:
        return dict(self._catalogue.unavailable)

    def read(
        self, stream: Stream, span: Slice, resume: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        del known  # What tells of a change is the row itself.
        return self._pages.read(stream, span, resume)

    def missing_fields(self, fields: Sequence[CustomField]) -> list[str]:
        return making.missing(self._client, fields)

    def read_fields(self, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        # Whoever compares or writes must not have a job of ours write in between.
        end_noted(self._client, self._notes)
        return writing.read_fields(self._client, fields, ids)

    def write_fields(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> Iterator[list[WriteOutcome]]:
        end_noted(self._client, self._notes)
        return self._writer.write(fields, writes)

    @contextmanager
    def noting(self, book: JobBook) -> Iterator[None]:
        with self._notes.kept_in(book):
            end_noted(self._client, self._notes)
            yield

    @property
    def unseen(self) -> int:
        return self._writer.unseen

    def overwritten(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> dict[str, dict[str, str | None]]:
        return self._writer.overwritten(fields, writes)

    def write_portion(self, accounts: int) -> int:
        return self._writer.portion(accounts)

    def write_calls(self, accounts: int) -> int:
        return self._writer.calls(accounts)

    def preflight(self, fields: Sequence[CustomField]) -> list[Finding]:
        return preflight.preflight(self._client, self._admin_client, fields)

    def provision(
        self, fields: Sequence[CustomField], language: str, *, layouts: bool = True, dry_run: bool = False
    ) -> Provisioned:
        return making.provision(self._client, self._admin_client, fields, language, layouts=layouts, dry_run=dry_run)

    def removal(self, fields: Sequence[CustomField]) -> Removal:
        return removing.removal(self._client, self._admin_client, fields)

    def remove(self, fields: Sequence[CustomField], *, dry_run: bool = False) -> Removal:
        return removing.remove(self._client, self._admin_client, fields, dry_run=dry_run)

    def export_provisioning(self, fields: Sequence[CustomField], language: str, folder: Path) -> list[Path]:
        return exporting.export(fields, language, self._settings.api_version, folder)

    def record_url(self, source_id: str) -> str:
        return f"{self._settings.host}/lightning/r/Account/{quote(source_id, safe='')}/view"

    def close(self) -> None:
        self._client.close()
        self._admin_client.close()

    @cached_property
    def sweeps(self) -> SalesforceSweeps:
        return SalesforceSweeps(self._client, self._catalogue, self._pages)

    @cached_property
    def estimates(self) -> SalesforceEstimates:
        return SalesforceEstimates(self._client, self._catalogue, self._sizes, self._writer.calls)

    @cached_property
    def tallies(self) -> SalesforceCounts:
        return SalesforceCounts(self._client, self._catalogue)

    @cached_property
    def _describes(self) -> Describes:
        return Describes(self._client, objects())

    @cached_property
    def _user(self) -> str | None:
        return named_user(self._client, self._describes)

    @cached_property
    def _org(self) -> Org:
        return read_org(self._client, self._describes)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return read_catalogue(
            self._client,
            self._describes,
            self._org,
            self._settings.cross_reference_field,
            self._overrides,
            emails=self._emails,
            insist="cross_reference_field" in self._settings.model_fields_set,
        )

    @cached_property
    def _pages(self) -> PageReader:
        return PageReader(self._client, self._catalogue, self._sizes)
