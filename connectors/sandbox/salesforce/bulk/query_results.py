"""Results of query jobs: pages of CSV by locator, and lists of pages to fetch at once."""

from __future__ import annotations

import base64
import binascii

from connectors.sandbox.salesforce.bulk.cells import cells, quoted
from connectors.sandbox.salesforce.bulk.jobs import Jobs, Json, check_owner, check_version, invalid_state
from connectors.sandbox.salesforce.bulk.query_jobs import QueryJob
from connectors.sandbox.salesforce.bulk.query_statement import Result
from connectors.sandbox.salesforce.refusals import Refusal, error, not_found
from connectors.sandbox.salesforce.wire.call import Call, Reply

_PAGES_AT_ONCE, _PAGES_SINCE = 5, 58
LAST = "null"


class QueryResults:
    """The handlers of results."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def page(self, call: Call) -> Reply:
        """One page, with its header row; the same one as often as its locator is sent."""
        job, result = self._finished(call)
        start, total = _position(call, result), len(result.rows)
        end = min(total, start + _page_rows(call))
        headers = {"Content-Type": "text/csv; charset=UTF-8" if call.org.settings.bulk.charset else "text/csv"}
        if total or call.org.settings.bulk.count_of_no_rows:
            headers["Sforce-NumberOfRecords"] = str(end - start)
        headers["Sforce-Locator"] = LAST if end >= total else _locator(end)
        return Reply(headers=headers, text=_csv(call, job, result, start, end))

    def pages(self, call: Call) -> Reply:
        """Where the next five pages are (v58.0 and later)."""
        if call.version < _PAGES_SINCE:
            raise not_found()
        job, result = self._finished(call)
        size, total = _page_rows(call), len(result.rows)
        first = _position(call, result)
        after = first + _PAGES_AT_ONCE * size
        here = f"{call.here}/jobs/query/{job.id}"
        starts = range(first, min(total, after), size)
        answer: Json = {"resultPages": [{"resultUrl": f"{here}/results?locator={_locator(at)}"} for at in starts]}
        if after < total:
            answer[call.org.settings.bulk.next_pages_key] = f"{here}/resultpages?locator={_locator(after)}"
        answer["done"] = after >= total
        return Reply(answer)

    def _finished(self, call: Call) -> tuple[QueryJob, Result]:
        job = self._jobs.find(call, QueryJob)
        check_version(call, job)
        check_owner(call, job)
        if job.state != "JobComplete" or job.result is None:
            raise invalid_state(f"Job results are not available. Job state is {job.state}")
        return job, job.result


def _csv(call: Call, job: QueryJob, result: Result, start: int, end: int) -> str:
    knobs, dialect = call.org.settings.bulk, job.dialect
    if not result.rows and not knobs.header_of_no_rows:
        return ""
    rows = result.rows[start:end]
    columns = [
        cells(one.field, one.values[start:end] if one.place is None else [row[one.place] for row in rows], knobs)
        for one in result.columns
    ]
    lines = [dialect.delimiter.join(quoted(one.name) for one in result.columns)]
    lines += map(dialect.delimiter.join, zip(*columns, strict=True))
    return dialect.line_ending.join([*lines, ""])


def _page_rows(call: Call) -> int:
    """As asked, and never more than the knob says."""
    knobs = call.org.settings.bulk
    asked = call.params.get("maxRecords", str(knobs.page_rows))
    if not asked.isdecimal() or not int(asked):
        raise error(400, "API_ERROR", f"maxRecords: {asked} is not a positive number")
    return int(asked) if knobs.page_rows_at_most is None else min(int(asked), knobs.page_rows_at_most)


def _locator(position: int) -> str:
    # The vendor's own are such texts too: `MTAwMDA` is 10000. A client that reads them is wrong all the same.
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def _position(call: Call, result: Result) -> int:
    text = call.params.get("locator")
    if text is None:
        return 0
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError) as problem:
        raise _bad_locator() from problem
    if not found.isdecimal() or int(found) > len(result.rows) or _locator(int(found)) != text:
        raise _bad_locator()
    return int(found)


def _bad_locator() -> Refusal:
    return error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
