"""What can be set about an org's Bulk API 2.0: its limits, its pace, its dialect of CSV, its failures."""

from __future__ import annotations

from dataclasses import dataclass, field

REFUSED_OBJECTS: frozenset[str] = frozenset(
    {
        "TaskStatus", "CaseStatus", "ContractStatus", "OrderStatus", "SolutionStatus", "PartnerRole", "TaskPriority",
        "RecentlyViewed", "AcceptedEventRelation", "DeclinedEventRelation", "UndecidedEventRelation",
        "EventWhoRelation", "TaskWhoRelation", "AttachedContentNote", "QuoteTemplateRichTextData", "AssetTokenEvent",
    }
)  # fmt: skip
"""Objects that no Bulk job takes, as extractors have met them.

https://github.com/singer-io/tap-salesforce/blob/master/Blacklisting.md (read 2026-11-28).
"""


@dataclass
class BulkSettings:
    """The knobs of Bulk; all can be turned while the org serves. What no document settles is a knob."""

    # Limits: https://developer.salesforce.com/docs/platform/salesforce-app-limits-cheatsheet/guide/
    # salesforce-app-limits-platform-bulkapi.html (read 2026-11-28).
    daily_query_jobs: int = 10_000
    query_storage_spent: bool = False
    """The day's results have filled their store: no new query job."""
    daily_batches: int = 15_000
    """Ingest only: one per 10,000 rows or part of it."""
    upload_bytes: int = 100_000_000
    job_days: int = 7
    """A job that is older is gone, with its results."""
    open_hours: int = 24
    """An ingest job that is still open after this is aborted."""
    refused_objects: frozenset[str] = REFUSED_OBJECTS

    # Pace.
    query_polls: int = 1
    """Looks at a query job that find it not ended. It reads its rows at the first look."""
    ingest_polls: int = 1
    """Looks at an ingest job that find it not ended. It writes at the look that finds it ended."""
    writes_when_closed: bool = False
    """An ingest job writes at once when it is closed, and only its end waits to be looked for."""
    never_ends: bool = False
    """Jobs stay InProgress."""
    retries: int = 0
    """What jobs say about how often the server began anew."""

    # Pages.
    page_rows: int = 50_000
    """Rows of a page where maxRecords is not given, and in resultPages."""
    page_rows_at_most: int | None = None
    """Rows of a page, whatever was asked."""
    pk_chunk_rows: int = 1_000
    """Without ORDER BY and LIMIT, results come in chunks of so many ids, the chunks in no order."""
    listed_jobs: int = 1_000
    next_pages_key: str = "nextRecordsUrl"
    """The reference names this key of resultPages `nextRecordUrl`, and its sample `nextRecordsUrl`."""

    # The dialect of results.
    charset: bool = True
    """Whether text/csv says that it is UTF-8."""
    count_of_no_rows: bool = True
    """Whether a result without rows has Sforce-NumberOfRecords (0) at all."""
    header_of_no_rows: bool = True
    """Whether a result without rows has its header row. Not confirmed on a real org."""
    null_cell: str = '""'
    """How null is written: `""`, or nothing at all. Not confirmed on a real org."""
    e_notation: bool = True
    """Doubles from ten million on as 9.12260031E8, as in the reference's samples; else in full."""
    whole_numbers_as_doubles: bool = False
    """Whole numbers as 47.0."""

    # Failures.
    query_failures: list[str] = field(default_factory=list)
    """Messages with which the next query jobs fail, one each."""
    ingest_failures: list[tuple[int, str]] = field(default_factory=list)
    """The next ingest jobs fail after so many rows with this message; the rest stays unprocessed."""
    lock_failures: int | None = None
    """An ingest job fails with TooManyLockFailure after the chunk that brings more locked rows than these."""
    unknown_column_fails: bool = False
    """Whether a column that is no field fails the job; else it is passed over, and left out of the results."""
    shuffle_seed: int | None = 1
    """In which order the results of ingest jobs come; None: as the rows were sent."""
