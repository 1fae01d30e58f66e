"""Results of ingest jobs: which rows were written, refused, or not tried, as CSV with the columns that were sent."""

from __future__ import annotations

import random
from collections.abc import Iterable

from connectors.sandbox.salesforce.bulk.cells import quoted
from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJob, IngestJobs
from connectors.sandbox.salesforce.bulk.ingest_rows import Outcome
from connectors.sandbox.salesforce.bulk.jobs import check_owner, check_version, invalid_state
from connectors.sandbox.salesforce.wire.call import Call, Reply

Line = tuple[int, tuple[str, ...]]


class IngestResults:
    """The handlers of results."""

    def __init__(self, jobs: IngestJobs) -> None:
        self._jobs = jobs

    def successful(self, call: Call) -> Reply:
        """Rows that were written."""
        job, outcome = self._ended(call)
        lines = ((number, (record_id, str(new).lower())) for number, record_id, new in outcome.successful)
        return _csv(call, job, ("sf__Id", "sf__Created"), lines)

    def failed(self, call: Call) -> Reply:
        """Rows that were refused, with the reason; of an insert without id."""
        job, outcome = self._ended(call)
        lines = ((number, (record_id, message)) for number, record_id, message in outcome.failed)
        return _csv(call, job, ("sf__Id", "sf__Error"), lines)

    def unprocessed(self, call: Call) -> Reply:
        """Rows that the job did not come to."""
        job, outcome = self._ended(call)
        return _csv(call, job, (), ((number, ()) for number in outcome.unprocessed))

    def _ended(self, call: Call) -> tuple[IngestJob, Outcome]:
        job = self._jobs.find(call)
        check_version(call, job)
        check_owner(call, job)
        if not job.ended:
            raise invalid_state(f"Job results are not available. Job state is {job.state}")
        return job, job.outcome or Outcome()


def _csv(call: Call, job: IngestJob, before: tuple[str, ...], lines: Iterable[Line]) -> Reply:
    """Own columns, then those that were sent and are fields, named as they were sent."""
    knobs, dialect, upload = call.org.settings.bulk, job.dialect, job.upload
    table = call.org.table(job.sobject)
    places = [place for place, name in enumerate(upload.header) if table.field(name) is not None]
    kept = list(lines)
    if knobs.shuffle_seed is not None:
        random.Random(knobs.shuffle_seed).shuffle(kept)  # noqa: S311 - an order, not a secret
    texts = [dialect.delimiter.join([*map(quoted, before), *(upload.header_sent[place] for place in places)])]
    for number, own in kept:
        row = upload.rows[number]
        texts.append(dialect.delimiter.join(map(quoted, (*own, *(row[place] for place in places)))))
    kind = "text/csv; charset=UTF-8" if knobs.charset else "text/csv"
    return Reply(headers={"Content-Type": kind}, text=dialect.line_ending.join([*texts, ""]))
