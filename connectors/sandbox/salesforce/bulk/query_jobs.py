"""Query jobs: made, looked at, aborted, deleted, listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.bulk.dialect import dialect_of
from connectors.sandbox.salesforce.bulk.jobs import Job, Jobs, Json, check_may_abort, invalid_state, page_of_jobs
from connectors.sandbox.salesforce.bulk.query_statement import Result, accepted, pk_chunking, read
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import Refusal, error
from connectors.sandbox.salesforce.soql.running import World
from connectors.sandbox.salesforce.soql.syntax import Select
from connectors.sandbox.salesforce.table import tables_at
from connectors.sandbox.salesforce.wire.call import Call, Reply, flag

_KEYS = frozenset({"operation", "query", "contentType", "columnDelimiter", "lineEnding"})


@dataclass(kw_only=True)
class QueryJob(Job):
    """A job that reads. `result` is what it has read, once it ran."""

    job_type: ClassVar[str] = "V2Query"

    statement: Select
    pk_chunked: bool
    result: Result | None = None


class QueryJobs:
    """The handlers of query jobs, but for their results."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def create(self, call: Call) -> Reply:
        """POST: 200 with the job. What Bulk cannot answer is refused here."""
        body = call.json_object(_KEYS)
        if body.get("operation") not in {"query", "queryAll"}:
            raise error(400, "INVALIDJOB", f"Invalid operation: {body.get('operation')}")
        dialect = dialect_of(body)
        world = _world(call.org, call.access, call.version)
        statement = accepted(world, body.get("query"), call.org.settings.bulk.refused_objects)
        sobject = call.org.table(statement.sobject).name
        self._jobs.count_query_job()
        now = call.org.now()
        job = QueryJob(
            id=self._jobs.new_id(),
            operation=body["operation"],
            sobject=sobject,
            by=call.access.user_id,
            version=call.version,
            dialect=dialect,
            created=now,
            modified=now,
            state="UploadComplete",
            statement=statement,
            pk_chunked=pk_chunking(statement, sobject),
        )
        self._jobs.keep(job)
        return Reply(job.shown())

    def look(self, call: Call) -> Reply:
        """GET: the job, which goes on by being looked at."""
        job = self._jobs.find(call, QueryJob)
        self._go_on(job)
        done = job.result is not None and job.state == "JobComplete"
        more: Json = {
            "jobType": job.job_type,
            "numberRecordsProcessed": len(job.result.rows) if job.result is not None and done else 0,
            "retries": call.org.settings.bulk.retries,
            "totalProcessingTime": 100 * job.polls,
            "isPkChunkingSupported": job.pk_chunked,
        }
        if job.state == "Failed":
            more["errorMessage"] = job.problem
        return Reply({**job.shown(), **more})

    def abort(self, call: Call) -> Reply:
        """PATCH: 200 with the job."""
        job = self._jobs.find(call, QueryJob)
        state = call.json_object({"state"}).get("state")
        if state != "Aborted":
            raise error(400, "INVALIDJOB", f"Invalid state: {state}")
        check_may_abort(call, job)
        if job.ended:
            raise invalid_state("Aborting already Completed Job not allowed")
        self._jobs.set_state(job, "Aborted")
        job.result = None
        return Reply(job.shown())

    def delete(self, call: Call) -> Reply:
        """DELETE: 204."""
        self._jobs.forget(self._jobs.find(call, QueryJob))
        return Reply(status=204)

    def all(self, call: Call) -> Reply:
        """GET without id: all jobs of the org."""
        found = self._jobs.of(QueryJob)
        if "isPkChunkingEnabled" in call.params:
            wanted = flag(call.params["isPkChunkingEnabled"], "isPkChunkingEnabled")
            found = [job for job in found if job.pk_chunked == wanted]
        if call.params.get("jobType", "V2Query") != "V2Query" or call.params.get("concurrencyMode") == "Serial":
            found = []
        return Reply(page_of_jobs(call, list(found), "jobs/query"))

    def _go_on(self, job: QueryJob) -> None:
        org = self._jobs.org
        knobs = org.settings.bulk
        ends = self._jobs.look(job, knobs.query_polls)
        if job.ended:
            return
        if job.result is None:
            try:
                world = _world(org, org.access(job.by), job.version)
                everything = job.operation == "queryAll"
                job.result = read(world, job.statement, everything=everything, chunk_rows=knobs.pk_chunk_rows)
            except Refusal as refused:
                self._jobs.set_state(job, "Failed", f"{refused.code}: {refused.message}")
                return
        if ends and knobs.query_failures:
            self._jobs.set_state(job, "Failed", knobs.query_failures.pop(0))
            job.result = None
        elif ends:
            self._jobs.set_state(job, "JobComplete")


def _world(org: Org, access: Access, version: int) -> World:
    return World(tables_at(org.tables, version), access, org.clock.now(), org.zone, "", org.settings.unordered_results)
