"""From how many rows on Salesforce is read and written in bulk, and in what portions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Rows.

    `bulk_from`: a slice of more rows is read by jobs: ten pages of REST cost as many calls as a job does.
    `page_rows`: to a page of results, which is what stands in memory at a time. `job_rows`: to a job, roughly; more
    are read by several. `ingest_from`: more accounts are written by a job. Salesforce advises one from 2,000 rows on,
    but it cannot say itself what it wrote over, and not every field has a history: up to fifty calls more are spent on
    seeing that. `ingest_rows`: to an ingest job, more than `ingest_from`, and far below the 100 MB that one may have.
    """

    bulk_from: int = 20_000
    page_rows: int = 20_000
    job_rows: int = 1_000_000
    ingest_from: int = 10_000
    ingest_rows: int = 100_000
