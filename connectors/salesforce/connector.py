"""The Salesforce connector: one org behind the contract that the pipeline knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import polars as pl

from connectors.contract import AccountWrite, CallCount, Identity, Page, Provisioned, Slice, Stream, WriteOutcome
from connectors.retry import Patience
from connectors.salesforce import fields as provisioning
from connectors.salesforce import writing
from connectors.salesforce.catalogue import Catalogue, read_catalogue
from connectors.salesforce.client import Client
from connectors.salesforce.org import Describes, Org, read_org
from connectors.salesforce.pages import PageReader
from connectors.salesforce.settings import SalesforceSettings
from kammodel.publish.fields import CustomField

OVERLAP = dt.timedelta(minutes=10)
"""A row becomes visible when its transaction ends, which may be after rows with a later stamp. Reading a little twice
is cheap, since saving is an upsert."""


class SalesforceConnector:
    """One org. Signs in at the first call; `close` gives the connections back."""

    name = "salesforce"
    write_batch = writing.BATCH

    def __init__(self, settings: SalesforceSettings, *, patience: Patience | None = None) -> None:
        self.calls = CallCount()
        self.settle = dt.timedelta(seconds=settings.settle_seconds)
        self.overlap = OVERLAP
        self._settings = settings
        self._client = Client(settings, patience or Patience(), self.calls)

    def identify(self) -> Identity:
        org = self._org
        return Identity(
            source=self.name,
            instance=org.id,
            organisation=org.name + (" (sandbox)" if org.is_sandbox else ""),
            user=self._client.user_id,
            currency=org.currency,
            timezone=org.zone,
            calls_left=self._client.calls_left,
        )

    def streams(self) -> tuple[Stream, ...]:
        return self._catalogue.streams

    def unavailable(self) -> dict[str, str]:
        return dict(self._catalogue.unavailable)

    def read(self, stream: Stream, span: Slice, resume: str | None = None) -> Iterator[Page]:
        return self._pages.read(stream, span, resume)

    def missing_fields(self, fields: Sequence[CustomField]) -> list[str]:
        return provisioning.missing(self._client, fields)

    def read_fields(self, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        return writing.read_fields(self._client, fields, ids)

    def write_fields(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> Iterator[list[WriteOutcome]]:
        return writing.write_fields(self._client, fields, writes)

    def provision(self, fields: Sequence[CustomField], language: str) -> Provisioned:
        return provisioning.provision(self._client, fields, language)

    def export_provisioning(self, fields: Sequence[CustomField], language: str, folder: Path) -> list[Path]:
        return provisioning.export(fields, language, self._settings.api_version, folder)

    def record_url(self, source_id: str) -> str:
        return f"{self._settings.host}/lightning/r/Account/{quote(source_id, safe='')}/view"

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _describes(self) -> Describes:
        return Describes(self._client)

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
            insist="cross_reference_field" in self._settings.model_fields_set,
        )

    @cached_property
    def _pages(self) -> PageReader:
        return PageReader(self._client, self._catalogue)
