"""The paths of Bulk API 2.0, and who answers them."""

from __future__ import annotations

from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJobs
from connectors.sandbox.salesforce.bulk.ingest_results import IngestResults
from connectors.sandbox.salesforce.bulk.jobs import Jobs
from connectors.sandbox.salesforce.bulk.query_jobs import QueryJobs
from connectors.sandbox.salesforce.bulk.query_results import QueryResults
from connectors.sandbox.salesforce.wire.routes import Route

_LISTED = frozenset({"jobType", "isPkChunkingEnabled", "concurrencyMode", "queryLocator"})


def bulk_routes(jobs: Jobs) -> list[Route]:
    """All of them; paths are found without regard to case, as `unprocessedrecords` is written both ways."""
    return [*_query(jobs), *_ingest(IngestJobs(jobs))]


def _query(jobs: Jobs) -> list[Route]:
    query, results = QueryJobs(jobs), QueryResults(jobs)
    one = "jobs/query/{job}"
    return [
        Route("jobs/query", {"POST": query.create, "GET": query.all}, _LISTED),
        Route(one, {"GET": query.look, "PATCH": query.abort, "DELETE": query.delete}),
        Route(f"{one}/results", {"GET": results.page}, frozenset({"maxRecords", "locator"})),
        Route(f"{one}/resultPages", {"GET": results.pages}, frozenset({"locator"})),
    ]


def _ingest(ingest: IngestJobs) -> list[Route]:
    results = IngestResults(ingest)
    one = "jobs/ingest/{job}"
    return [
        Route("jobs/ingest", {"POST": ingest.create, "GET": ingest.all}, _LISTED),
        Route(one, {"GET": ingest.look, "PATCH": ingest.set_state, "DELETE": ingest.delete}),
        Route(f"{one}/batches", {"PUT": ingest.send}),
        Route(f"{one}/successfulResults", {"GET": results.successful}),
        Route(f"{one}/failedResults", {"GET": results.failed}),
        Route(f"{one}/unprocessedrecords", {"GET": results.unprocessed}),
    ]
