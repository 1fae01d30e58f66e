"""Bulk ingest jobs of the sandbox org: what they are sent, and what they write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.settings import ValidationRule
from tests.contract.salesforce_bulk_desk import (
    CSV,
    bulk_org,
    done,
    ended,
    ids,
    ingested,
    opened,
    page,
    phones,
    refusal,
    results,
    rows,
    value,
)
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_small_org import ACME, BETA, GONE, NOW, OPEN, ZOE, Desk, open_desk

UPDATE = {"object": "Account", "operation": "update"}
KEY = "HubSpot_Company_Id__c"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as there:
        yield there


# With simple-salesforce.


def test_simple_salesforce_writes_and_reads_the_outcome(desk: Desk) -> None:
    """A row that is refused does not refuse the others, and the job is complete all the same."""
    org = desk.show(bulk_org())
    data = [{"Id": ACME, "Phone": "1"}, {"Id": GONE, "Phone": "2"}]
    with signed_in(desk.url) as sf:
        (summary,) = sf.bulk2.Account.update(records=data, wait=0)
        outcome = sf.bulk2.Account.get_all_ingest_records(summary["job_id"])
    assert (summary["numberRecordsTotal"], summary["numberRecordsProcessed"]) == (2, 2)
    assert summary["numberRecordsFailed"] == 1
    assert outcome["successfulRecords"] == [{"sf__Id": ACME, "sf__Created": "false", "Id": ACME, "Phone": "1"}]
    error = "ENTITY_IS_DELETED:entity is deleted:--"
    assert outcome["failedRecords"] == [{"sf__Id": GONE, "sf__Error": error, "Id": GONE, "Phone": "2"}]
    assert outcome["unprocessedRecords"] == []
    assert value(org, ACME, "Phone") == "1"
    assert value(org, ACME, "LastModifiedById") == org.integration_user_id


def test_simple_salesforce_inserts_upserts_and_deletes(desk: Desk) -> None:
    """New records by insert and by an external id that is not there yet."""
    org = desk.show(bulk_org())
    org.update("Account", ACME, {KEY: "a/1"})
    with signed_in(desk.url) as sf:
        bulk = sf.bulk2.Account
        (made,) = bulk.insert(records=[{"Name": "Ünï"}], wait=0)
        new = rows(bulk.get_successful_records(made["job_id"]))[1]
        keyed = [{"Name": "Acme 2", KEY: "A/1"}, {"Name": "New", KEY: "b"}]
        (upserted,) = bulk.upsert(records=keyed, external_id_field=KEY, wait=0)
        created = {row[0]: row[1] for row in rows(bulk.get_successful_records(upserted["job_id"]))[1:]}
        (deleted,) = bulk.delete(records=[{"Id": new[0]}], wait=0)
    assert (new[1], value(org, new[0], "Name")) == ("true", "Ünï")
    assert (created.pop(ACME), list(created.values())) == ("false", ["true"])
    assert value(org, ACME, "Name") == "Acme 2"
    assert (deleted["numberRecordsFailed"], value(org, new[0], "IsDeleted")) == (0, True)


def test_simple_salesforce_hard_deletes(desk: Desk) -> None:
    """Gone from queryAll, with what hung on it; only the feed of deleted ids still tells."""
    org = desk.show(bulk_org())
    with signed_in(desk.url) as sf:
        (job,) = sf.bulk2.Account.hard_delete(records=[{"Id": ACME}], wait=0)
        org.clock.advance(dt.timedelta(hours=1))
        feed = sf.Account.deleted(NOW - dt.timedelta(hours=1), NOW + dt.timedelta(hours=1))
    assert job["numberRecordsFailed"] == 0
    left = page(desk, done(desk, "SELECT Id FROM Account ORDER BY Id", operation="queryAll")).text
    assert rows(left) == [["Id"], [BETA], [GONE]]
    assert [one["id"] for one in feed["deletedRecords"]] == [ACME]
    assert org.record("Contact", ZOE) is None
    assert org.record("Opportunity", OPEN) is None


# Making a job.


def test_a_new_job_says_where_its_rows_go(desk: Desk) -> None:
    """Without a slash in front, as the vendor does."""
    desk.show(bulk_org())
    job = desk.call("POST", "jobs/ingest", json={**UPDATE, "lineEnding": "CRLF"}).json()
    assert (job["state"], job["lineEnding"], job["columnDelimiter"]) == ("Open", "CRLF", "COMMA")
    assert job["contentUrl"] == f"services/data/v66.0/jobs/ingest/{job['id']}/batches"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "merge"}, "INVALIDJOB"),
        ({"object": "Nothing__c"}, "INVALIDJOB"),
        ({"object": "TaskStatus"}, "INVALIDENTITY"),
        ({"operation": "upsert"}, "INVALIDJOB"),
        ({"operation": "upsert", "externalIdFieldName": "Phone"}, "INVALIDJOB"),
        ({"externalIdFieldName": KEY}, "INVALIDJOB"),
        ({"operation": "hardDelete"}, "FEATURENOTENABLED"),
    ],
)
def test_a_job_that_cannot_be_done_is_refused(desk: Desk, body: dict[str, str], code: str) -> None:
    """Hard deletes need a permission of their own."""
    org = desk.show(bulk_org())
    org.settings.permissions = org.settings.permissions - {"BulkApiHardDelete"}
    assert refusal(desk.call("POST", "jobs/ingest", json={**UPDATE, **body})) == (400, code)


# Sending rows.


def test_rows_are_sent_once(desk: Desk) -> None:
    """A second upload is refused, and so is one to a job that is closed; what was sent stays."""
    org = desk.show(bulk_org())
    path = opened(desk)
    first = desk.call("PUT", f"{path}/batches", data=f"Id,Phone\n{ACME},1\n", headers=CSV)
    assert (first.status_code, first.content) == (201, b"")
    second = desk.call("PUT", f"{path}/batches", data=f"Id,Phone\n{ACME},2\n", headers=CSV)
    assert refusal(second) == (400, "CLIENTINPUTERROR")
    assert desk.call("PATCH", path, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    assert refusal(desk.call("PATCH", path, json={"state": "UploadComplete"})) == (400, "INVALIDJOBSTATE")
    assert refusal(desk.call("PUT", f"{path}/batches", data="Id\n", headers=CSV)) == (400, "INVALIDJOBSTATE")
    ended(desk, path.rsplit("/", 1)[1], "ingest")
    assert value(org, ACME, "Phone") == "1"


def test_an_upload_that_is_no_csv_or_too_large_is_refused(desk: Desk) -> None:
    """By its type, by its bytes; a job without one cannot be closed."""
    desk.show(bulk_org(upload_bytes=30))
    path = opened(desk)
    assert desk.call("PUT", f"{path}/batches", data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert desk.call("PUT", f"{path}/batches", data=b"x" * 31, headers=CSV).status_code == 413
    assert refusal(desk.call("PATCH", path, json={"state": "UploadComplete"})) == (400, "INVALIDJOBSTATE")


@pytest.mark.parametrize(
    ("content", "job", "message"),
    [
        (b"Id,Phone\r\nx,1\r\n", {}, "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        (b"Id,Phone\nx,1\n", {"lineEnding": "CRLF"}, "LineEnding is invalid on user data. Current LineEnding"),
        (b"Id,Phone\nx,\xff\n", {}, "The data is not UTF-8"),
        (b"Id,Phone\nx\n", {}, "Row 1 has 1 values for 2 columns"),
        (b'Id,Phone\n"x" ,1\n', {}, "Failed to parse CSV"),
        (b"", {}, "The data has no header row"),
        (b"Id,Phone,phone\nx,1,2\n", {}, "A field is in more than one column"),
        (b"Id,Phone\nx,1\n", {"operation": "delete"}, "The 'delete' batch must contain only ids"),
    ],
)
def test_a_csv_that_cannot_be_read_fails_the_job(desk: Desk, content: bytes, job: dict[str, str], message: str) -> None:
    """After it was taken: nothing is written."""
    desk.show(bulk_org())
    path = opened(desk, **job)
    assert desk.call("PUT", f"{path}/batches", data=content, headers=CSV).status_code == 201
    desk.call("PATCH", path, json={"state": "UploadComplete"})
    end = ended(desk, path.rsplit("/", 1)[1], "ingest")
    assert (end["state"], end["numberRecordsProcessed"]) == ("Failed", 0)
    assert end["errorMessage"].startswith(f"InvalidBatch : {message}")


def test_a_column_that_follows_a_lookup_is_a_gap_of_the_sandbox(desk: Desk) -> None:
    """It says so, and does not guess."""
    desk.show(bulk_org())
    answer = desk.call("PUT", f"{opened(desk)}/batches", data="Id,Owner.Username\n", headers=CSV)
    assert refusal(answer) == (500, "SANDBOX_UNKNOWN")


# What is written.


def test_an_empty_cell_leaves_and_na_clears(desk: Desk) -> None:
    """A quoted empty cell too; line breaks in a cell are kept as they came."""
    org = desk.show(bulk_org())
    org.update("Account", ACME, {"Phone": "1", "Fax": "2", "Description": "old"})
    job = ingested(desk, f'Id,Phone,Fax,Industry,Description\r\n{ACME},,"",#N/A,"a\nb\r\nc"\r\n', lineEnding="CRLF")
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0)
    kept = [value(org, ACME, field) for field in ("Phone", "Fax", "Industry", "Description")]
    assert kept == ["1", "2", None, "a\nb\r\nc"]


def test_values_are_read_by_the_type_of_their_field(desk: Desk) -> None:
    """Numbers, checkboxes and dates from text."""
    org = desk.show(bulk_org())
    lines = f"Id|Amount|CloseDate|IsPrivate\n{OPEN}|1234.5|2026-07-01|true\n"
    job = ingested(desk, lines, object="Opportunity", columnDelimiter="PIPE")
    assert results(desk, job, "failedResults") == []
    deal = org.record("Opportunity", OPEN)
    assert deal is not None
    assert (deal["Amount"], deal["CloseDate"], deal["IsPrivate"]) == (1234.5, "2026-07-01", True)


@pytest.mark.parametrize(
    ("columns", "cells", "error"),
    [
        ("Id,Site", f"{ACME},{'x' * 81}", f"STRING_TOO_LONG:Account Site: data value too large: {'x' * 81} (max len"),
        ("Id,AnnualRevenue", f"{ACME},much", "INVALID_TYPE_ON_FIELD_IN_RECORD:Cannot deserialize instance of double"),
        ("Id,Name", f"{ACME},#N/A", "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"),
        ("Id,Name", "001x,y", "MALFORMED_ID:Account ID: id value of incorrect type: 001x:Id --"),
        ("Id,Name", ",y", "MISSING_ARGUMENT:Id not specified in an update call:--"),
        ("Id,IsDeleted", f"{ACME},true", "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: IsDeleted."),
        ("Id,Industry", f"{ACME},Retail", "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: Industry"),
        ("Id,Phone", f"{ACME},9", "FIELD_CUSTOM_VALIDATION_EXCEPTION:No nines.:Phone --"),
        ("Id,Fax", f"{salesforce_id('001', 999)},9", "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"),
        ("Id,Fax", f"{BETA},9", "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: "),
    ],
)
def test_a_row_is_refused_with_code_message_and_fields(desk: Desk, columns: str, cells: str, error: str) -> None:
    """In one text, as Bulk writes it; the job is complete."""
    org = desk.show(bulk_org())
    org.settings.read_only_fields = frozenset({"Account.Industry"})
    org.settings.validation_rules.append(
        ValidationRule("Account", lambda row: row["Phone"] == "9", "No nines.", "Phone")
    )
    org.settings.locked_rows[BETA] = 1
    job = ingested(desk, f"{columns}\n{cells}\n")
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1, 1)
    (failed,) = results(desk, job, "failedResults")
    assert failed["sf__Error"].startswith(error)
    assert failed["sf__Error"].endswith("--")


def test_a_hidden_field_is_refused_and_not_passed_over(desk: Desk) -> None:
    """A new custom field that nobody was granted."""
    org = desk.show(bulk_org())
    org.add_field("Account", text("KAM_Rfm__c", "RFM", 3, custom=True))
    job = ingested(desk, f"Id,KAM_Rfm__c\n{ACME},545\n")
    (failed,) = results(desk, job, "failedResults")
    assert failed["sf__Error"].startswith("INVALID_FIELD_FOR_INSERT_UPDATE:")


def test_an_id_is_taken_once_in_a_chunk_of_200(desk: Desk) -> None:
    """In the next chunk it may come again, and the last one wins."""
    org = desk.show(bulk_org(accounts=200))
    body = phones(199) + f"{ids(199)[0]},again\n{ids(200)[-1]},x\n{ids(199)[1]},later\n"
    job = ingested(desk, body)
    (failed,) = results(desk, job, "failedResults")
    assert failed == {
        "sf__Id": ids(1)[0],
        "sf__Error": f"DUPLICATE_VALUE:Duplicate id specified: {ids(1)[0]}:Id --",
        "Id": ids(1)[0],
        "Phone": "again",
    }
    assert (value(org, ids(1)[0], "Phone"), value(org, ids(2)[1], "Phone")) == ("0", "later")


def test_rows_of_an_insert_have_no_id_when_they_fail(desk: Desk) -> None:
    """And those of an upsert without its key neither."""
    desk.show(bulk_org())
    for job in (
        ingested(desk, "Name,Phone\n,1\n", "insert"),
        ingested(desk, f"Name,{KEY}\nx,\n", "upsert", externalIdFieldName=KEY),
    ):
        (failed,) = results(desk, job, "failedResults")
        assert failed["sf__Id"] == ""


def test_an_upsert_makes_one_record_of_a_key_that_comes_twice(desk: Desk) -> None:
    """By Id it makes one where the Id is empty."""
    org = desk.show(bulk_org())
    job = ingested(desk, f"Name,{KEY}\nx,k\ny,K\n", "upsert", externalIdFieldName=KEY)
    done_rows = results(desk, job, "successfulResults")
    assert sorted(row["sf__Created"] for row in done_rows) == ["false", "true"]
    assert len({row["sf__Id"] for row in done_rows}) == 1
    job = ingested(desk, f"Id,Name\n{ACME},Acme 2\n,New\n", "upsert", externalIdFieldName="Id")
    assert sorted(row["sf__Created"] for row in results(desk, job, "successfulResults")) == ["false", "true"]
    assert value(org, ACME, "Name") == "Acme 2"
