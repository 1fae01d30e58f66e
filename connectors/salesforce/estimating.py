"""What an org will take: pages of two thousand rows by REST, or, of many rows, jobs of the Bulk API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from connectors.contract import Slice, Stream
from connectors.contract.estimating import Load, Quota
from connectors.errors import ConnectorError, QuotaSpent
from connectors.salesforce import org, soql
from connectors.salesforce.bulk.jobs import waits
from connectors.salesforce.catalogue import RATES, Catalogue, Source
from connectors.salesforce.client import Client
from connectors.salesforce.querying import count_rows
from connectors.salesforce.sizes import Sizes

PAGE = 2_000
"""Rows of a page of a query, at most, and of objects without long texts always."""
SECONDS_A_CALL = 0.3
"""A call and its answer, one after the other: no limit of Salesforce's is about pace."""
_JOB_S, _JOB_ROWS_A_SECOND = 0.2, 5_000
"""What a job takes at least, and how fast it works through an object with some twenty fields."""
_LATER_LOOKS = 2
"""At a job that was begun before its turn."""


class SalesforceEstimates:
    """The estimates of one org. `write_calls`: what reading and writing so many accounts costs."""

    def __init__(self, client: Client, catalogue: Catalogue, sizes: Sizes, write_calls: Callable[[int], int]) -> None:
        self._client, self._catalogue, self._sizes, self._write_calls = client, catalogue, sizes, write_calls

    def reading(self, stream: Stream, spans: Sequence[Slice]) -> Load:
        source = self._catalogue.sources.get(stream.name)
        if source is None:
            # Stages are read with the catalogue.
            return _load(None, org.rate_calls(self._catalogue.describes)) if stream.name == RATES else Load()
        whole = Slice(spans[0].since, spans[-1].until)
        rows = self._count(source, whole) if spans[0].since is None or source.stamp else None
        if rows is None:
            return _load(None, len(spans))
        is_full = whole.since is None
        return _load(rows, len(spans) * self._calls(ceil(rows / len(spans)), source, is_full=is_full))

    def listing(self, stream: Stream) -> Load:
        del stream
        return _load(0, 1)

    def comparing(self, stream: Stream, rows: int) -> Load:
        source = replace(self._catalogue.sources[stream.name], stamp=None)
        return _load(0, self._calls(rows, source, is_full=True))

    def relinking(self, stream: Stream, rows: int) -> Load:
        """Links are fields of a record."""
        del stream, rows
        return Load()

    def looking(self, accounts: int) -> Load:
        return _load(0, ceil(accounts / soql.IDS_AT_ONCE))

    def writing(self, accounts: int) -> Load:
        return _load(0, self._write_calls(accounts))

    def alone(self, calls: int) -> float:
        return calls * SECONDS_A_CALL

    def quota(self) -> Quota | None:
        left = self._client.budget.left()
        return None if left is None else Quota(limit=left[1], left=left[0])

    def _count(self, source: Source, span: Slice) -> int | None:
        window = soql.within(source.stamp, span.since, span.until) if source.stamp and span.since else ""
        try:
            return count_rows(self._client, source.kind, source.where(window), path=source.path)
        except QuotaSpent:
            raise
        except ConnectorError:
            # A count over very many rows runs out of time.
            return None

    def _calls(self, rows: int, source: Source, *, is_full: bool) -> int:
        if rows == 0:
            # That there is nothing at all has to be said twice.
            return 2 if is_full else 1
        if rows <= max(PAGE, self._sizes.bulk_from):
            return ceil(rows / PAGE)
        jobs = ceil(rows / self._sizes.job_rows) if source.stamp else 1
        each = ceil(rows / jobs)
        pages = ceil(each / self._sizes.page_rows)
        # The others have worked while the first was waited for and read.
        looks = _looks(each) + _LATER_LOOKS * (jobs - 1)
        # The first page tells that they are many, the oldest stamp and a count each where to cut; a job is made, looked
        # at, read and taken away.
        return 1 + (jobs if jobs > 1 else 0) + looks + jobs * (1 + pages + 1)


def _looks(rows: int) -> int:
    """How often a job over so many rows is looked at until it has ended."""
    left, looks = _JOB_S + rows / _JOB_ROWS_A_SECOND, 1
    for seconds in waits():
        if left <= 0:
            break
        left, looks = left - seconds, looks + 1
    return looks


def _load(rows: int | None, calls: int) -> Load:
    return Load(rows, calls, calls * SECONDS_A_CALL)
