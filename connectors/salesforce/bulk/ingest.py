"""Writes many accounts by one job: sent as CSV, each row of the results matched to its account by id.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm (read 2026-11-28)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

import polars as pl
import requests

from connectors.contract import WriteOutcome
from connectors.errors import (
    AnswerUnclear,
    FieldsNotProvisioned,
    JobUnderWay,
    PermissionMissing,
    RequestRefused,
    SliceLost,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.overdrawing import overdrawing
from connectors.salesforce import paths
from connectors.salesforce.bulk import jobs
from connectors.salesforce.bulk.notes import JobNotes
from connectors.salesforce.bulk.results import csv_frame
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.outcomes import outcome_of

NULL = "#N/A"
"""Empties a field; an empty cell leaves it as it is."""
NO_ANSWER = "NO_ANSWER"
"""The code of a row that the job did not come to, or does not speak of."""
_BAD_FILE = {"InvalidBatch", "ClientInputError", "INVALIDBATCH", "CLIENTINPUTERROR"}
_UPLOADS = 2
_LOOKS_AT_NOTED = 10
"""About two minutes: what is queued for longer would write hours after it was wanted."""
_IDS = {"sf__Id", "Id"}
"""Columns of a results file that hold the id of a row."""
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
Row = Mapping[str, str | None]
"""Field name to text; None empties the field, a field that is not there is left alone."""


def ingest(
    client: Client, kind: str, rows: Mapping[str, Row], notes: JobNotes, *, asks: str
) -> dict[str, WriteOutcome]:
    """One outcome for each row, by id. What the job did not come to, or does not speak of, is `unclear`: it may have
    come to it all the same. No outcome tells what was written over.

    The job runs once all is sent, not before: one that is lost until then has changed nothing. It is noted until it
    has ended, or is gone, so that whoever comes next can `end_noted` ones; what stops the run, be it a person, ends it
    at once. Raises RequestRefused where no job is to be had, FieldsNotProvisioned where a column is not known to it.
    """
    job_id = _sent(client, kind, _csv(rows), notes, asks=asks)
    try:
        return _done(client, job_id, rows, notes)
    except BaseException:
        notes.strike(jobs.give_up(client, paths.INGEST_JOBS, [job_id]))
        raise


def end_noted(client: Client, notes: JobNotes) -> None:
    """Ends the jobs that may still write, whoever began them, though no calls are left for anything else.

    One that is under way is waited for, since it writes what it was given in any case; one that was never told to
    begin, or that has not ended after two minutes, is aborted. What became of its rows is found by reading them. Each
    job is waited for once. Raises JobUnderWay where one has not ended then, or nobody knows.
    """
    for job_id in notes.open:
        why: object = "it is still under way"
        try:
            with overdrawing():
                is_over = _is_over(client, job_id, looks=_LOOKS_AT_NOTED if notes.is_new(job_id) else 0)
        except (TryAgainLater, RequestRefused, PermissionMissing) as fault:
            is_over, why = False, fault
        if not is_over:
            raise JobUnderWay(
                f"Salesforce may still carry out the write job {job_id[:18]} of a run that was stopped ({why}), and "
                "nothing may be written beside it: run again later, or have it aborted (Setup > Bulk Data Load Jobs). "
                "Eight days after it began it is not asked for any more"
            )
        notes.strike([job_id])


def _is_over(client: Client, job_id: str, *, looks: int) -> bool:
    """Whether a job writes no more, once it was looked at so often, and then told to end; it is taken away as well."""
    try:
        state = jobs.look(client, paths.INGEST_JOBS, job_id).state
        for seconds in islice(jobs.waits(), looks):
            if state != "under way":
                break
            client.sleep(seconds)
            state = jobs.look(client, paths.INGEST_JOBS, job_id).state
        if state not in jobs.ENDED:
            jobs.end(client, paths.INGEST_JOBS, job_id, "Aborted")
            state = jobs.look(client, paths.INGEST_JOBS, job_id).state
    except SliceLost:
        return True
    if state in jobs.ENDED:
        jobs.take_away(client, paths.INGEST_JOBS, job_id)
    return state in jobs.ENDED


def _done(client: Client, job_id: str, rows: Mapping[str, Row], notes: JobNotes) -> dict[str, WriteOutcome]:
    """Lets the job run, and takes it away once its outcomes are known."""
    jobs.end(client, paths.INGEST_JOBS, job_id, "UploadComplete")
    try:
        job = jobs.wait(client, paths.INGEST_JOBS, job_id)
        done = _outcomes(client, job, {name for row in rows.values() for name in row})
    except SliceLost as fault:
        notes.strike([job_id])
        return {i: WriteOutcome(i, "unclear", NO_ANSWER, str(fault)) for i in rows}
    if job.state == "failed" and not done.keys() & rows.keys() and _BAD_FILE & set((job.reason or "").split(", ")):
        raise FieldsNotProvisioned(f"Salesforce cannot read what we write ({job.reason}): run kam provision")
    jobs.take_away(client, paths.INGEST_JOBS, job_id)
    notes.strike([job_id])
    left = f"Salesforce's job ended without an answer for the row ({job.reason or job.state})"
    return {i: done.get(i) or WriteOutcome(i, "unclear", NO_ANSWER, left) for i in rows}


def _sent(client: Client, kind: str, content: bytes, notes: JobNotes, *, asks: str) -> str:
    """The id of a job that has its file. It takes one only: where that is unclear, a new job is made."""
    body = {"object": kind, "operation": "update", "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}
    for last in range(_UPLOADS):
        job = jobs.create(client, paths.INGEST_JOBS, body, asks=asks)
        try:
            notes.note(job.id)
            client.put(paths.job(paths.INGEST_JOBS, job.id, "batches"), content, "text/csv; charset=UTF-8")
        except BaseException as fault:
            notes.strike(jobs.give_up(client, paths.INGEST_JOBS, [job.id]))
            if last == _UPLOADS - 1 or not isinstance(fault, RequestRefused):
                raise
        else:
            return job.id
    raise UnexpectedAnswer("Salesforce takes no file for a job")


def _csv(rows: Mapping[str, Row]) -> bytes:
    names = sorted({name for row in rows.values() for name in row})
    columns: dict[str, list[str | None]] = {"Id": list(rows)}
    for name in names:
        columns[name] = [(row[name] or NULL) if name in row else None for row in rows.values()]
    # Quoted throughout: a blank or line break outside of quotes is an error.
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_csv(quote_style="always").encode()


def _outcomes(client: Client, job: jobs.Job, names: set[str]) -> dict[str, WriteOutcome]:
    """The outcomes that the job's results speak of; their order is not that of the file."""
    written = _results(client, job, "successfulResults")
    passed_over = names - set(written.columns)
    if written.height and passed_over:
        # The rows count as taken, and the column went nowhere: Salesforce leaves out what it does not know.
        named = ", ".join(sorted(passed_over))
        raise FieldsNotProvisioned(f"Salesforce does not know {named} any more: run kam provision")
    done = {i: WriteOutcome(i, "written") for i in written["id"].drop_nulls()} if written.height else {}
    failed = _results(client, job, "failedResults")
    for source_id, error in failed.select("id", "sf__Error").iter_rows() if failed.height else ():
        if source_id:
            done[source_id] = outcome_of(source_id, *_told(error or ""))
    return done


def _told(error: str) -> tuple[str | None, str, list[str]]:
    """Code, message and fields of `CODE:message:field,field --`."""
    code, _, rest = error.partition(":")
    message, _, fields = rest.rpartition(":")
    named = [f.strip() for f in fields.removesuffix("--").split(",")]
    return code if _CODE.fullmatch(code) else None, message or rest, [f for f in named if f.isidentifier()]


def _results(client: Client, job: jobs.Job, part: str) -> pl.DataFrame:
    """The rows of a results file as columns of text, with the `id` of each; nothing at all where it is empty."""

    def read(answer: requests.Response) -> pl.DataFrame:
        frame = csv_frame(answer.content, f"the {part} of a job")
        if frame.width and not _IDS & set(frame.columns):
            # A page of the edge reads as a CSV of one strange column.
            raise AnswerUnclear(f"Salesforce sent the {part} of a job without ids")
        return frame

    frame = client.fetch(paths.job(paths.INGEST_JOBS, job.id, part), read=read, purpose="write")
    if frame.is_empty():
        return pl.DataFrame()
    named = [pl.col(c).replace("", None) for c in sorted(_IDS & set(frame.columns), reverse=True)]
    error = [] if "sf__Error" in frame.columns else [pl.lit(None, pl.String).alias("sf__Error")]
    return frame.with_columns(widened(pl.coalesce(named)).alias("id"), *error)
