"""Plain calls of Bulk API 2.0 against the sandbox, for what simple-salesforce cannot do."""

from __future__ import annotations

import csv
import io
from typing import Any

import requests

from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from tests.contract.salesforce_small_org import Desk, small_org

Json = dict[str, Any]
CSV = {"Content-Type": "text/csv"}


def bulk_org(accounts: int = 0, **knobs: Any) -> Org:
    """The small org with knobs of Bulk, and more accounts, `n000` and so on."""
    org = small_org(bulk=BulkSettings(**knobs))
    org.load("Account", ({"Id": one, "Name": f"n{n:03}"} for n, one in enumerate(ids(accounts))))
    return org


def ids(count: int) -> list[str]:
    """Ids of the further accounts."""
    return [salesforce_id("001", 100 + n) for n in range(count)]


def phones(count: int) -> str:
    """A CSV that gives each further account a telephone number."""
    return "Id,Phone\n" + "".join(f"{one},{n}\n" for n, one in enumerate(ids(count)))


def value(org: Org, record_id: str, field: str) -> Any:
    """One value of an account."""
    record = org.record("Account", record_id)
    assert record is not None
    return record[field]


def asked(desk: Desk, soql: str, **more: Any) -> requests.Response:
    """POST of a query job."""
    return desk.call("POST", "jobs/query", json={"operation": "query", "query": soql, **more})


def ended(desk: Desk, job_id: str, kind: str = "query") -> Json:
    """The job, looked at until it has ended."""
    for _ in range(20):
        job: Json = desk.get(f"jobs/{kind}/{job_id}")
        if job["state"] in {"JobComplete", "Failed", "Aborted"}:
            return job
    raise AssertionError(f"job {job_id} does not end")


def done(desk: Desk, soql: str, **more: Any) -> str:
    """The id of a query job that is complete."""
    answer = asked(desk, soql, **more).json()
    assert ended(desk, answer["id"])["state"] == "JobComplete"
    return str(answer["id"])


def page(desk: Desk, job_id: str, **params: str) -> requests.Response:
    """A page of a query job's results."""
    return desk.call("GET", f"jobs/query/{job_id}/results", params=params)


def rows(text: str) -> list[list[str]]:
    """The rows of a CSV, its header row first."""
    return list(csv.reader(io.StringIO(text)))


def opened(desk: Desk, **more: Any) -> str:
    """The path of a new ingest job, which updates accounts unless told otherwise."""
    body = {"object": "Account", "operation": "update", **more}
    return f"jobs/ingest/{desk.call('POST', 'jobs/ingest', json=body).json()['id']}"


def ingested(desk: Desk, text: str, operation: str = "update", **more: Any) -> Json:
    """An ingest job for accounts that was sent a CSV and has ended."""
    path = opened(desk, operation=operation, **more)
    sent = desk.call("PUT", f"{path}/batches", data=text.encode(), headers=CSV)
    assert sent.status_code == 201, sent.text
    assert desk.call("PATCH", path, json={"state": "UploadComplete"}).status_code == 200
    return ended(desk, path.rsplit("/", 1)[1], "ingest")


def results(desk: Desk, job: Json, which: str) -> list[dict[str, str]]:
    """The rows of one of an ingest job's three results, by column."""
    answer = desk.call("GET", f"jobs/ingest/{job['id']}/{which}")
    assert answer.status_code == 200, answer.text
    answer.encoding = "utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def refusal(answer: requests.Response) -> tuple[int, str]:
    """The status and the errorCode of an answer."""
    return answer.status_code, answer.json()[0]["errorCode"]
