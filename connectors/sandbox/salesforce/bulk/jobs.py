"""Bulk jobs as an org keeps them: their states, who may see them, and for how long."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from connectors.sandbox.salesforce.bulk.dialect import Dialect
from connectors.sandbox.salesforce.ids import salesforce_id, widened
from connectors.sandbox.salesforce.instants import instant
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import Refusal, error, not_found
from connectors.sandbox.salesforce.wire.call import Call

Json = dict[str, Any]
_STORED_KB = 1_000_000_000
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})


@dataclass(kw_only=True)
class Job:
    """What all jobs have. `by` is the user who made it, `polls` the looks at it since it could run."""

    job_type: ClassVar[str]

    id: str
    operation: str
    sobject: str
    by: str
    version: int
    dialect: Dialect
    created: str
    modified: str
    state: str
    polls: int = 0
    problem: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing changes it any more."""
        return self.state in ENDED

    def shown(self) -> Json:
        """What every answer says about it."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.by,
            "createdDate": self.created,
            "systemModstamp": self.modified,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            **self.dialect.shown(),
        }


AnyJob = TypeVar("AnyJob", bound=Job)


class Jobs:
    """All bulk jobs of an org. Jobs older than their lifetime are gone, as if they had never been."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self._known: dict[str, Job] = {}
        self._given = 0
        self._query_jobs: list[dt.datetime] = []
        self._batches: list[tuple[dt.datetime, int]] = []

    def new_id(self) -> str:
        """The id of the next job."""
        self._given += 1
        return salesforce_id("750", self._given)

    def keep(self, job: Job) -> None:
        """A new job."""
        self._known[job.id] = job

    def forget(self, job: Job, states: frozenset[str] = ENDED) -> None:
        """Delete a job that is in one of these states. Raises Refusal 400 for another."""
        if job.state not in states:
            raise error(400, "API_ERROR", f"Unable to delete job. Job state is {job.state}")
        del self._known[job.id]

    def find(self, call: Call, kind: type[AnyJob]) -> AnyJob:
        """The job that a path names. Raises Refusal 404."""
        job = self._known.get(widened(call.parts["job"]) or "")
        if not isinstance(job, kind) or self._over(job):
            raise not_found()
        return job

    def of(self, kind: type[AnyJob]) -> list[AnyJob]:
        """All jobs of a kind, the newest first."""
        return [job for job in reversed(self._known.values()) if isinstance(job, kind) and not self._over(job)]

    def set_state(self, job: Job, state: str, problem: str | None = None) -> None:
        """Move a job on."""
        job.state, job.problem, job.modified = state, problem, self.org.now()

    def look(self, job: Job, polls: int) -> bool:
        """Time goes on for a running job each time that somebody looks; True: it comes to its end now."""
        if job.ended:
            return False
        job.polls += 1
        if job.polls > polls and not self.org.settings.bulk.never_ends:
            return True
        if job.polls > 1 or polls == 1:
            self.set_state(job, "InProgress")
        return False

    # The quotas of the past 24 hours.

    def count_query_job(self) -> None:
        """One more query job. Raises Refusal 400 where the day's jobs, or the room for their results, are used up."""
        most = self.org.settings.bulk.daily_query_jobs
        if self.org.settings.bulk.query_storage_spent:
            message = f"Max bulk v2 query result size stored ({_STORED_KB}) kb per 24 hrs has been exceeded"
            raise error(400, "EXCEEDEDQUOTA", message)
        if self._recent_query_jobs() >= most:
            raise error(400, "EXCEEDEDQUOTA", f"Max bulk v2 query jobs ({most}) per 24 hrs has been reached")
        self._query_jobs.append(self.org.clock.now())

    def count_batches(self, batches: int) -> bool:
        """So many more batches of an ingest job; False, and none counted, where fewer are left."""
        if self._recent_batches() + batches > self.org.settings.bulk.daily_batches:
            return False
        self._batches.append((self.org.clock.now(), batches))
        return True

    def limits(self) -> Json:
        """The part of /limits that is about jobs."""
        knobs = self.org.settings.bulk
        used = {
            "DailyBulkApiBatches": (knobs.daily_batches, self._recent_batches()),
            "DailyBulkV2QueryJobs": (knobs.daily_query_jobs, self._recent_query_jobs()),
        }
        return {name: {"Max": most, "Remaining": most - count} for name, (most, count) in used.items()}

    def _recent_query_jobs(self) -> int:
        since = self.org.clock.now() - dt.timedelta(days=1)
        return sum(1 for at in self._query_jobs if at > since)

    def _recent_batches(self) -> int:
        since = self.org.clock.now() - dt.timedelta(days=1)
        return sum(count for at, count in self._batches if at > since)

    def _over(self, job: Job) -> bool:
        age = self.org.clock.now() - instant(job.created)
        return age >= dt.timedelta(days=self.org.settings.bulk.job_days)


def invalid_state(message: str) -> Refusal:
    """400: not in the state that the job is in."""
    return error(400, "INVALIDJOBSTATE", message)


def check_owner(call: Call, job: Job) -> None:
    """Raise Refusal where the results of a job are asked for by another than who made it."""
    if call.access.user_id != job.by:
        raise error(400, "INVALIDUSER", "Job results are available to the user who created the job only")


def check_may_abort(call: Call, job: Job) -> None:
    """Raise Refusal for another user than who made the job, unless he manages data integrations."""
    if call.access.user_id != job.by and "ManageDataIntegrations" not in call.access.permissions:
        raise error(400, "INVALIDUSER", "Job can be aborted by the user who created it only")


def check_version(call: Call, job: Job) -> None:
    """Raise Refusal 409: results are given under the API version of the job only."""
    if call.version != job.version:
        message = f"Job was created with API version {job.version}.0, not {call.version}.0"
        raise error(409, "API_ERROR", message)


def page_of_jobs(call: Call, jobs: list[Job], path: str) -> Json:
    """Part of a list of jobs; queryLocator says from where."""
    start = call.params.get("queryLocator", "0")
    if not start.isdecimal():
        raise error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    end = int(start) + call.org.settings.bulk.listed_jobs
    records = [{**job.shown(), "jobType": job.job_type} for job in jobs[int(start) : end]]
    if end >= len(jobs):
        return {"done": True, "records": records, "nextRecordsUrl": None}
    return {"done": False, "records": records, "nextRecordsUrl": f"{call.here}/{path}?queryLocator={end}"}
