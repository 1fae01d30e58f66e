"""The HubSpot connector: one portal behind the contract that the pipeline knows."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import polars as pl

from connectors.contract import (
    AccountWrite,
    CallCount,
    Finding,
    Identity,
    Known,
    Page,
    Provisioned,
    Removal,
    Slice,
    Stream,
    WriteOutcome,
)
from connectors.emails import NO_EMAILS, Emails
from connectors.hubspot import writing
from connectors.hubspot.catalogue import Catalogue, read_catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.counting import HubSpotCounts
from connectors.hubspot.estimating import HubSpotEstimates
from connectors.hubspot.pages import PageReader
from connectors.hubspot.portal import Portal, former_stages, read_portal
from connectors.hubspot.provisioning import making, preflight, removing
from connectors.hubspot.records import BATCH
from connectors.hubspot.settings import HubSpotSettings
from connectors.hubspot.signin import sign_in_of
from connectors.hubspot.sweeping import HubSpotSweeps
from connectors.mapping_file import NONE, Overrides
from connectors.retry import Patience
from kammodel.publish.fields import CustomField

OVERLAP = dt.timedelta(minutes=10)
"""HubSpot's search index trails its writes by seconds, in bad hours by minutes. Reading a little twice is
cheap, since saving is an upsert."""
_FEW_STREAMS, _STREAMS_AT_ONCE = 3, 5
"""With 100 ms a call, eight calls at a time take 0.19 of the time of one; with three streams, 0.24."""


class HubSpotConnector:
    """One portal. Connects at the first call; `close` gives the connections back."""

    name = "hubspot"
    write_batch = BATCH

    def __init__(
        self,
        settings: HubSpotSettings,
        *,
        patience: Patience | None = None,
        state: Path | None = None,
        overrides: Overrides = NONE,
        emails: Emails = NO_EMAILS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calls = CallCount()
        self.settle = dt.timedelta(seconds=settings.settle_seconds)
        self.overlap = OVERLAP
        self._overrides, self._emails = overrides, emails
        self._settings, self._patience = settings, patience or Patience()
        self._notes: Counter[str] = Counter()
        sign_in = sign_in_of(settings, state, sleep=self._patience.sleep)
        self._client = Client(settings, self._patience, self.calls, sign_in=sign_in, now=now)

    def identify(self) -> Identity:
        portal = self._portal
        return Identity(
            source=self.name,
            instance=portal.id,
            organisation=f"HubSpot portal {portal.id} ({portal.kind})",
            currency=portal.currency,
            timezone=portal.zone,
            calls_left=self._client.daily_left,
            sign_in=self._client.sign_in_name,
        )

    def streams(self) -> tuple[Stream, ...]:
        return self._catalogue.streams

    def recall(self, stages: pl.DataFrame) -> None:
        self._catalogue.former = former_stages(stages)

    def unavailable(self) -> dict[str, str]:
        return dict(self._catalogue.unavailable)

    def read(
        self, stream: Stream, span: Slice, resume: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        return self._pages.read(stream, span, resume, known)

    @property
    def streams_at_once(self) -> int:
        """With several calls at a time, those that one stream makes alone leave room for those of the next ones."""
        if self._client.parallel == 1:
            return 1
        # A search waits for its turn as one of the calls under way: there must be more of these than streams.
        return max(_FEW_STREAMS, min(_STREAMS_AT_ONCE, self._client.parallel - _FEW_STREAMS))

    def counting(self, calls: CallCount) -> AbstractContextManager[None]:
        return self._client.counting(calls)

    @property
    def notes(self) -> Counter[str]:
        """What was read by a rule that may surprise, and how often."""
        return self._notes

    def missing_fields(self, fields: Sequence[CustomField]) -> list[str]:
        return making.missing(self._client, fields)

    def read_fields(self, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        return writing.read_fields(self._client, fields, ids)

    def write_fields(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> Iterator[list[WriteOutcome]]:
        return self._writer.write(fields, writes)

    def write_portion(self, accounts: int) -> int:
        del accounts  # However many there are.
        return self._writer.portion

    def write_calls(self, accounts: int) -> int:
        return self._writer.calls(accounts)

    @property
    def unseen(self) -> int:
        return self._writer.unseen

    def overwritten(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> dict[str, dict[str, str | None]]:
        return self._writer.overwritten(fields, writes)

    def preflight(self, fields: Sequence[CustomField]) -> list[Finding]:
        return preflight.preflight(self._client, fields)

    def provision(
        self, fields: Sequence[CustomField], language: str, *, layouts: bool = True, dry_run: bool = False
    ) -> Provisioned:
        del layouts  # No API of HubSpot's puts properties on pages.
        return making.provision(self._client, fields, language, self._patience.sleep, dry_run=dry_run)

    def removal(self, fields: Sequence[CustomField]) -> Removal:
        return removing.removal(self._client, fields)

    def remove(self, fields: Sequence[CustomField], *, dry_run: bool = False) -> Removal:
        return removing.remove(self._client, fields, dry_run=dry_run)

    def export_provisioning(self, fields: Sequence[CustomField], language: str, folder: Path) -> list[Path]:
        return making.export(fields, language, folder)

    def record_url(self, source_id: str) -> str:
        portal = self._portal
        return f"https://{portal.ui_domain}/contacts/{portal.id}/record/0-2/{quote(source_id, safe='')}"

    def close(self) -> None:
        self._client.close()

    @cached_property
    def sweeps(self) -> HubSpotSweeps:
        every = dt.timedelta(hours=self._settings.relink_hours)
        return HubSpotSweeps(self._client, self._catalogue, self._pages, relink_every=every)

    @cached_property
    def estimates(self) -> HubSpotEstimates:
        return HubSpotEstimates(self._client, self._catalogue, self._writer.calls)

    @cached_property
    def tallies(self) -> HubSpotCounts:
        return HubSpotCounts(self._client, self._catalogue)

    @cached_property
    def _writer(self) -> writing.Writer:
        traced, looks_back = self._settings.trace_writes, self._settings.look_back
        return writing.Writer(self._client, self._patience.sleep, traced=traced, looks_back=looks_back)

    @cached_property
    def _portal(self) -> Portal:
        return read_portal(self._client)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return read_catalogue(
            self._client,
            self._portal,
            self._settings.cross_reference_property,
            self._overrides,
            emails=self._emails,
            insist="cross_reference_property" in self._settings.model_fields_set,
        )

    @cached_property
    def _pages(self) -> PageReader:
        return PageReader(self._client, self._catalogue, self._patience.sleep, self._notes)
