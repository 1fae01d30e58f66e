"""Bulk ingest jobs of the sandbox org on their way: how they end, and what they say of each row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.sandbox.salesforce.settings import ADMIN_CLIENT_ID, ADMIN_CLIENT_SECRET
from tests.contract.salesforce_bulk_desk import (
    CSV,
    bulk_org,
    done,
    ended,
    ids,
    ingested,
    opened,
    phones,
    refusal,
    results,
    value,
)
from tests.contract.salesforce_small_org import ACME, Desk, open_desk

ADMIN = {"client_id": ADMIN_CLIENT_ID, "client_secret": ADMIN_CLIENT_SECRET}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as there:
        yield there


# Results.


def test_results_echo_the_columns_that_are_fields(desk: Desk) -> None:
    """Named as they were sent, behind quoted columns of Bulk's own."""
    desk.show(bulk_org())
    job = ingested(desk, f'id,"PHONE",Nothing__c\n{ACME},1,x\n')
    text_of = desk.call("GET", f"jobs/ingest/{job['id']}/successfulResults")
    assert text_of.text == f'"sf__Id","sf__Created",id,"PHONE"\n"{ACME}","false","{ACME}","1"\n'
    assert text_of.headers["Content-Type"] == "text/csv; charset=UTF-8"


def test_an_unknown_column_may_fail_the_job(desk: Desk) -> None:
    """By its name; all rows are unprocessed."""
    desk.show(bulk_org(unknown_column_fails=True))
    job = ingested(desk, f"Id,Nothing__c\n{ACME},x\n")
    assert (job["state"], job["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Nothing__c")
    assert results(desk, job, "unprocessedRecords") == [{"Id": ACME}]


@pytest.mark.parametrize("seed", [1, 2, None])
def test_results_come_in_another_order_than_the_rows(desk: Desk, seed: int | None) -> None:
    """Each with what was sent; by a knob, as they were sent."""
    desk.show(bulk_org(accounts=30, shuffle_seed=seed))
    written = results(desk, ingested(desk, phones(30)), "successfulResults")
    order = [int(row["Phone"]) for row in written]
    assert sorted(order) == list(range(30))
    assert (order == list(range(30))) == (seed is None)
    assert all(row["sf__Id"] == row["Id"] == ids(30)[int(row["Phone"])] for row in written)


# A job on its way.


def test_a_job_writes_when_it_ends_or_when_it_is_closed(desk: Desk) -> None:
    """A client that goes away may leave behind a job that writes later, or one that has written."""
    for at_once, before in ((False, None), (True, "1")):
        org = desk.show(bulk_org(ingest_polls=2, writes_when_closed=at_once))
        path = opened(desk)
        assert desk.get(path)["state"] == "Open"
        desk.call("PUT", f"{path}/batches", data=f"Id,Phone\n{ACME},1\n", headers=CSV)
        desk.call("PATCH", path, json={"state": "UploadComplete"})
        assert value(org, ACME, "Phone") == before
        assert refusal(desk.call("GET", f"{path}/successfulResults")) == (400, "INVALIDJOBSTATE")
        seen = [(job["state"], job["numberRecordsProcessed"]) for job in (desk.get(path) for _ in range(3))]
        assert seen == [("UploadComplete", 0), ("InProgress", 0), ("JobComplete", 1)]
        assert value(org, ACME, "Phone") == "1"


def test_a_job_may_fail_after_some_rows(desk: Desk) -> None:
    """What is written stays, the rest can be fetched and sent again; both spellings of its path are known."""
    org = desk.show(bulk_org(accounts=5, ingest_failures=[(3, "InternalServerError : out of luck")]))
    job = ingested(desk, phones(5))
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 3)
    assert job["errorMessage"] == "InternalServerError : out of luck"
    assert len(results(desk, job, "successfulResults")) == 3
    left = results(desk, job, "unprocessedrecords")
    assert sorted(row["Phone"] for row in left) == ["3", "4"]
    assert left == results(desk, job, "unprocessedRecords")
    assert [value(org, one, "Phone") for one in ids(5)] == ["0", "1", "2", None, None]
    assert ingested(desk, phones(5))["state"] == "JobComplete"


def test_too_many_locked_rows_fail_the_job(desk: Desk) -> None:
    """After the chunk in which they were met."""
    org = desk.show(bulk_org(accounts=401, lock_failures=1))
    org.settings.locked_rows.update(dict.fromkeys(ids(2), 1))
    job = ingested(desk, phones(401))
    assert (job["state"], job["errorMessage"][:20]) == ("Failed", "TooManyLockFailure :")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (200, 2)
    assert len(results(desk, job, "unprocessedrecords")) == 201


def test_batches_of_a_day_are_counted(desk: Desk) -> None:
    """One per 10,000 rows; beyond them a job fails with all its rows unprocessed."""
    org = desk.show(bulk_org(accounts=2, daily_batches=1))
    assert ingested(desk, phones(1))["state"] == "JobComplete"
    assert desk.get("limits")["DailyBulkApiBatches"] == {"Max": 1, "Remaining": 0}
    job = ingested(desk, phones(2))
    assert (job["state"], job["errorMessage"][:15]) == ("Failed", "ExceededQuota :")
    assert len(results(desk, job, "unprocessedrecords")) == 2
    org.clock.advance(dt.timedelta(days=1))
    assert ingested(desk, phones(2))["state"] == "JobComplete"


def test_a_job_can_be_aborted_until_it_ends(desk: Desk) -> None:
    """Its rows are unprocessed then; deleting one that was not begun means that it never is."""
    org = desk.show(bulk_org())
    path, other = opened(desk), opened(desk)
    for one in (path, other):
        desk.call("PUT", f"{one}/batches", data=f"Id,Phone\n{ACME},1\n", headers=CSV)
        assert refusal(desk.call("DELETE", one)) == (400, "API_ERROR")
        desk.call("PATCH", one, json={"state": "UploadComplete"})
    assert desk.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert refusal(desk.call("PATCH", path, json={"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
    assert results(desk, {"id": path.rsplit("/", 1)[1]}, "unprocessedrecords") == [{"Id": ACME, "Phone": "1"}]
    assert [desk.call("DELETE", one).status_code for one in (path, other)] == [204, 204]
    assert refusal(desk.call("GET", other)) == (404, "NOT_FOUND")
    assert value(org, ACME, "Phone") is None


def test_a_job_does_not_stay_open_for_ever(desk: Desk) -> None:
    """24 hours; its results stay for seven days."""
    org = desk.show(bulk_org())
    path = opened(desk)
    org.clock.advance(dt.timedelta(hours=24))
    assert desk.get(path)["state"] == "Aborted"
    org.clock.advance(dt.timedelta(days=6))
    assert refusal(desk.call("GET", path)) == (404, "NOT_FOUND")


def test_a_job_writes_as_who_made_it(desk: Desk) -> None:
    """Whoever looks; results and abort are the maker's."""
    org = desk.show(bulk_org(ingest_polls=0))
    path = opened(desk)
    desk.call("PUT", f"{path}/batches", data=f"Id,Phone\n{ACME},1\n", headers=CSV)
    desk.call("PATCH", path, json={"state": "UploadComplete"})
    desk.session.headers["Authorization"] = f"Bearer {desk.token(**ADMIN).json()['access_token']}"
    assert desk.get(path)["state"] == "JobComplete"
    assert refusal(desk.call("GET", f"{path}/successfulResults")) == (400, "INVALIDUSER")
    assert value(org, ACME, "LastModifiedById") == org.integration_user_id


def test_jobs_are_listed_apart_from_queries(desk: Desk) -> None:
    """With their state, so that one that was left open is found."""
    desk.show(bulk_org())
    done(desk, "SELECT Id FROM Account")
    path = opened(desk)
    listed = desk.get("jobs/ingest", isPkChunkingEnabled="false")["records"]
    assert [(f"jobs/ingest/{job['id']}", job["state"], job["jobType"]) for job in listed] == [
        (path, "Open", "V2Ingest")
    ]
    assert desk.get("jobs/ingest", jobType="Classic")["records"] == []


@pytest.mark.parametrize("kind", ["expired_token", "dropped_before", "503"])
def test_a_fault_before_an_upload_lets_it_be_sent_again(desk: Desk, kind: Any) -> None:
    """Nothing was taken."""
    desk.show(bulk_org())
    path = opened(desk)
    desk.faults.on_path("PUT", kind)
    body = f"Id,Phone\n{ACME},1\n"
    if kind == "dropped_before":
        with pytest.raises(requests.exceptions.ConnectionError):
            desk.call("PUT", f"{path}/batches", data=body, headers=CSV)
    else:
        assert desk.call("PUT", f"{path}/batches", data=body, headers=CSV).status_code >= 400
    assert desk.call("PUT", f"{path}/batches", data=body, headers=CSV).status_code == 201


def test_a_close_without_an_answer_has_happened(desk: Desk) -> None:
    """Looking at the job tells; closing it again does not."""
    org = desk.show(bulk_org())
    path = opened(desk)
    desk.call("PUT", f"{path}/batches", data=f"Id,Phone\n{ACME},1\n", headers=CSV)
    desk.faults.on_path("PATCH", "dropped_after")
    with pytest.raises(requests.exceptions.ConnectionError):
        desk.call("PATCH", path, json={"state": "UploadComplete"})
    assert ended(desk, path.rsplit("/", 1)[1], "ingest")["state"] == "JobComplete"
    assert value(org, ACME, "Phone") == "1"
