"""Ingest jobs: made, sent their rows, closed, looked at, aborted, deleted, listed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from connectors.sandbox.salesforce.bulk.dialect import dialect_of
from connectors.sandbox.salesforce.bulk.ingest_csv import BadUpload, Upload, header_of, uploaded
from connectors.sandbox.salesforce.bulk.ingest_rows import Outcome, Task, write
from connectors.sandbox.salesforce.bulk.jobs import (
    ENDED,
    Job,
    Jobs,
    Json,
    check_may_abort,
    invalid_state,
    page_of_jobs,
)
from connectors.sandbox.salesforce.instants import instant
from connectors.sandbox.salesforce.refusals import error, unknown_to_sandbox
from connectors.sandbox.salesforce.table import Table
from connectors.sandbox.salesforce.wire.call import Call, Reply, flag

OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
_KEYS = frozenset({"object", "operation", "contentType", "lineEnding", "columnDelimiter", "externalIdFieldName"})
_BATCH_ROWS = 10_000


@dataclass(kw_only=True)
class IngestJob(Job):
    """A job that writes. `content` is what it was sent, `outcome` what became of it."""

    job_type: ClassVar[str] = "V2Ingest"

    key: str | None
    content: bytes | None = None
    upload: Upload = field(default_factory=Upload)
    outcome: Outcome | None = None

    def shown(self) -> Json:
        """With where its rows go, as the vendor writes it: without a slash in front."""
        more = {} if self.key is None else {"externalIdFieldName": self.key}
        return {
            **super().shown(),
            **more,
            "contentUrl": f"services/data/v{self.version}.0/jobs/ingest/{self.id}/batches",
        }


class IngestJobs:
    """The handlers of ingest jobs, but for their results."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def create(self, call: Call) -> Reply:
        """POST: 200 with the job, open for its rows."""
        if call.headers.get("content-type", "").startswith("multipart/"):
            raise unknown_to_sandbox("ingest job in parts (multipart)")
        body = call.json_object(_KEYS)
        operation = body.get("operation")
        if operation not in OPERATIONS:
            raise error(400, "INVALIDJOB", f"Invalid operation: {operation}")
        if operation == "hardDelete" and "BulkApiHardDelete" not in call.access.permissions:
            message = "hardDelete operation requires special user profile permission"
            raise error(400, "FEATURENOTENABLED", f"{message}, please contact your system administrator")
        table = _table(call, body.get("object"))
        now = call.org.now()
        job = IngestJob(
            id=self._jobs.new_id(),
            operation=operation,
            sobject=table.name,
            by=call.access.user_id,
            version=call.version,
            dialect=dialect_of(body),
            created=now,
            modified=now,
            state="Open",
            key=_key(table, operation, body.get("externalIdFieldName")),
        )
        self._jobs.keep(job)
        return Reply(job.shown())

    def send(self, call: Call) -> Reply:
        """PUT of the rows: 201, once per job."""
        job = self.find(call)
        if job.state != "Open":
            raise invalid_state(f"Cannot upload data. Job state is {job.state}")
        if job.content is not None:
            message = f"Found multiple contents for job: <{job.id}>, please make sure you only do 'PUT' once"
            raise error(400, "CLIENTINPUTERROR", message)
        if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
            raise error(415, "UNSUPPORTED_MEDIA_TYPE", "The content of an ingest job has the type text/csv")
        most = call.org.settings.bulk.upload_bytes
        if len(call.body) > most:
            raise error(413, "REQUEST_ENTITY_TOO_LARGE", f"The content is {len(call.body)} bytes, {most} at most")
        _check_header(call.body, job)
        job.content = call.body
        return Reply(status=201, text="")

    def set_state(self, call: Call) -> Reply:
        """PATCH: UploadComplete lets the work begin, Aborted ends it. 200 with the job."""
        job = self.find(call)
        state = call.json_object({"state"}).get("state")
        if state == "UploadComplete":
            self._close(call, job)
        elif state == "Aborted":
            check_may_abort(call, job)
            if job.ended:
                raise invalid_state("Aborting already Completed Job not allowed")
            self._abort(job)
        else:
            raise error(400, "INVALIDJOB", f"Invalid state: {state}")
        return Reply(job.shown())

    def look(self, call: Call) -> Reply:
        """GET: the job, which goes on by being looked at."""
        job = self.find(call)
        if job.state != "Open" and self._jobs.look(job, call.org.settings.bulk.ingest_polls):
            self._end(call, job)
        seen = job.outcome if job.ended else None
        more: Json = {
            "jobType": job.job_type,
            "numberRecordsProcessed": 0 if seen is None else seen.processed,
            "numberRecordsFailed": 0 if seen is None else len(seen.failed),
            "retries": call.org.settings.bulk.retries,
            "totalProcessingTime": 100 * job.polls,
            "apiActiveProcessingTime": 50 * job.polls,
            "apexProcessingTime": 0,
        }
        if job.state == "Failed":
            more["errorMessage"] = job.problem
        return Reply({**job.shown(), **more})

    def delete(self, call: Call) -> Reply:
        """DELETE: 204; what is not begun yet is never done."""
        self._jobs.forget(self.find(call), ENDED | {"UploadComplete"})
        return Reply(status=204)

    def all(self, call: Call) -> Reply:
        """GET without id: all jobs of the org. None is cut by ranges of ids."""
        found = self._jobs.of(IngestJob)
        chunked = flag(call.params.get("isPkChunkingEnabled", "false"), "isPkChunkingEnabled")
        if chunked or call.params.get("jobType", "V2Ingest") != "V2Ingest":
            found = []
        return Reply(page_of_jobs(call, list(found), "jobs/ingest"))

    def find(self, call: Call) -> IngestJob:
        """The job that a path names; it is not left open for ever. Raises Refusal 404."""
        job = self._jobs.find(call, IngestJob)
        age = call.org.clock.now() - instant(job.created)
        if job.state == "Open" and age >= dt.timedelta(hours=call.org.settings.bulk.open_hours):
            self._abort(job)
        return job

    def _abort(self, job: IngestJob) -> None:
        """What is written stays; rows that are not begun can be fetched as unprocessed."""
        self._jobs.set_state(job, "Aborted")
        if job.content is not None:
            _set_aside(job)

    def _close(self, call: Call, job: IngestJob) -> None:
        if job.state != "Open":
            raise invalid_state(f"Cannot close the job. Job state is {job.state}")
        if job.content is None:
            raise invalid_state("Cannot close the job. No data was uploaded")
        self._jobs.set_state(job, "UploadComplete")
        if call.org.settings.bulk.writes_when_closed:
            _work(self._jobs, call, job)

    def _end(self, call: Call, job: IngestJob) -> None:
        if job.outcome is None:
            _work(self._jobs, call, job)
        problem = job.outcome.problem if job.outcome else None
        self._jobs.set_state(job, "Failed" if problem else "JobComplete", problem)


def _work(jobs: Jobs, call: Call, job: IngestJob) -> None:
    """Write the rows as who made the job, whoever is looking."""
    knobs = call.org.settings.bulk
    try:
        job.upload = uploaded(job.content or b"", job.dialect)
        rows = len(job.upload.rows)
        if not jobs.count_batches(-(-rows // _BATCH_ROWS)):
            problem = f"ExceededQuota : Max batches ({knobs.daily_batches}) per 24 hrs has been reached"
            job.outcome = Outcome(unprocessed=list(range(rows)), problem=problem)
            return
        table = call.org.table(job.sobject)
        failure = knobs.ingest_failures.pop(0) if knobs.ingest_failures else None
        key = table.field(job.key) if job.key else None
        task = Task(job.operation, table, key, failure, knobs.lock_failures, knobs.unknown_column_fails)
        as_maker = replace(call, access=call.org.access(job.by))
        job.outcome = write(as_maker, task, job.upload)
    except BadUpload as bad:
        job.outcome = Outcome(unprocessed=list(range(len(job.upload.rows))), problem=str(bad))
    finally:
        job.content = None


def _set_aside(job: IngestJob) -> None:
    try:
        job.upload = uploaded(job.content or b"", job.dialect)
    except BadUpload:
        return
    finally:
        job.content = None
    job.outcome = Outcome(unprocessed=list(range(len(job.upload.rows))))


def _check_header(content: bytes, job: IngestJob) -> None:
    """Raise Refusal 500 for a column that follows a lookup, which the sandbox does not write."""
    try:
        followed = [name for name in header_of(content, job.dialect) if "." in name]
    except BadUpload:
        return  # The job fails by it, later.
    if followed:
        raise unknown_to_sandbox(f"reference by external id: {job.sobject} {followed[0]}")


def _table(call: Call, name: Any) -> Table:
    if not isinstance(name, str) or not name:
        raise error(400, "INVALIDJOB", "object is missing")
    if name.lower() in {one.lower() for one in call.org.settings.bulk.refused_objects}:
        raise error(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")
    table = call.org.tables.get(name.lower())
    if table is None or not call.access.may(table.sobject, "Read"):
        raise error(400, "INVALIDJOB", f"Unable to find object: {name}")
    return table


def _key(table: Table, operation: str, name: Any) -> str | None:
    if operation != "upsert":
        if name is not None:
            raise error(400, "INVALIDJOB", f"externalIdFieldName is not for {operation}")
        return None
    key = table.field(name) if isinstance(name, str) else None
    if key is None or not (key.external_id or key.name == "Id"):
        raise error(400, "INVALIDJOB", f"Invalid externalIdFieldName: {name}")
    return key.name
