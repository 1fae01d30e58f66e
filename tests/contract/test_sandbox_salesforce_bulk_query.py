"""Bulk query jobs of the sandbox org: what they refuse, and how they go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest, SalesforceOperationError

from connectors.sandbox.salesforce.ids import salesforce_id
from tests.contract.salesforce_bulk_desk import asked, bulk_org, done, ended, page, refusal, rows
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_small_org import ACME, BETA, GONE, Desk, open_desk, small_org

NAMES = "SELECT Name FROM Account ORDER BY Name"
IDS = "SELECT Id FROM Account"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as there:
        yield there


# With simple-salesforce.


def test_simple_salesforce_reads_pages(desk: Desk) -> None:
    """Each page with its header row, all values in quotes, quotes in them doubled."""
    desk.show(bulk_org())
    with signed_in(desk.url) as sf:
        pages = list(sf.bulk2.Account.query("SELECT Id, Name FROM Account ORDER BY Id", max_records=1, wait=0))
    assert pages == [
        f'"Id","Name"\n"{ACME}","Acme"\n',
        f'"Id","Name"\n"{BETA}","beta\'s ""best"""\n',
    ]


def test_simple_salesforce_reads_deleted_rows_by_query_all(desk: Desk) -> None:
    """With IsDeleted in words."""
    desk.show(bulk_org())
    with signed_in(desk.url) as sf:
        (text,) = sf.bulk2.Account.query_all("SELECT Id, IsDeleted FROM Account ORDER BY Id", wait=0)
    assert rows(text) == [["Id", "IsDeleted"], [ACME, "false"], [BETA, "false"], [GONE, "true"]]


def test_simple_salesforce_is_told_why_a_job_failed(desk: Desk) -> None:
    """By errorMessage; the next job is sound again."""
    desk.show(bulk_org(query_failures=["InternalServerError: Retried more than fifteen times"]))
    with signed_in(desk.url) as sf:
        with pytest.raises(SalesforceOperationError, match="Retried more than fifteen times"):
            list(sf.bulk2.Account.query(NAMES, wait=0))
        assert len(list(sf.bulk2.Account.query(NAMES, wait=0))) == 1


def test_simple_salesforce_finds_its_session_expired(desk: Desk) -> None:
    """Polls and downloads are calls of the session like others."""
    desk.show(bulk_org())
    with signed_in(desk.url) as sf:
        desk.faults.on_path("GET /services/data/v60.0/jobs/query/", "expired_token")
        with pytest.raises(SalesforceExpiredSession):
            list(sf.bulk2.Account.query(NAMES, wait=0))


def test_simple_salesforce_is_refused_an_object_that_bulk_does_not_take(desk: Desk) -> None:
    """When it makes the job."""
    desk.show(bulk_org())
    with signed_in(desk.url) as sf, pytest.raises(SalesforceMalformedRequest) as refused:
        list(sf.bulk2.TaskStatus.query("SELECT Id FROM TaskStatus", wait=0))
    message = "Entity 'TaskStatus' is not supported by the Bulk API."
    assert refused.value.content == [{"errorCode": "INVALIDENTITY", "message": message}]


# Making a job.


def test_a_new_job_says_what_it_is(desk: Desk) -> None:
    """200, with the defaults filled in."""
    org = desk.show(bulk_org())
    answer = asked(desk, "select id from account")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": salesforce_id("750", 1),
        "operation": "query",
        "object": "Account",
        "createdById": org.integration_user_id,
        "createdDate": "2026-05-01T12:00:00.000+0000",
        "systemModstamp": "2026-05-01T12:00:00.000+0000",
        "state": "UploadComplete",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": 66.0,
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT COUNT() FROM Account", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT MAX(Name) FROM Account", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Name FROM Account GROUP BY Name", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Id FROM Account ORDER BY Id LIMIT 5 OFFSET 1", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT TYPEOF What WHEN Account THEN Phone END FROM Event", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Parent.BillingAddress FROM Account", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "MALFORMED_QUERY"),
        ("SELECT Nothing__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Nothing__c = 1", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Id FROM CaseStatus", "INVALIDENTITY"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
    ],
)
def test_a_statement_that_bulk_does_not_take_is_refused_at_once(desk: Desk, soql: str, code: str) -> None:
    """400, and no job is made or counted."""
    desk.show(bulk_org())
    assert refusal(asked(desk, soql)) == (400, code)
    assert desk.get("limits")["DailyBulkV2QueryJobs"] == {"Max": 10_000, "Remaining": 10_000}


def test_a_word_in_a_string_is_not_refused(desk: Desk) -> None:
    """TYPEOF as a name of an account, and a subquery in a condition."""
    desk.show(bulk_org())
    inner = "SELECT AccountId FROM Opportunity WHERE IsWon = true"
    soql = f"SELECT Id FROM Account WHERE Name != 'TYPEOF' AND Id IN ({inner})"
    assert rows(page(desk, done(desk, soql)).text) == [["Id"], [BETA]]


def test_the_jobs_of_a_day_are_counted(desk: Desk) -> None:
    """A deleted job was one too; after 24 hours there are new ones."""
    org = desk.show(bulk_org(daily_query_jobs=1))
    job_id = done(desk, IDS)
    assert desk.call("DELETE", f"jobs/query/{job_id}").status_code == 204
    refused = asked(desk, IDS)
    assert refusal(refused) == (400, "EXCEEDEDQUOTA")
    assert refused.json()[0]["message"] == "Max bulk v2 query jobs (1) per 24 hrs has been reached"
    assert desk.get("limits")["DailyBulkV2QueryJobs"] == {"Max": 1, "Remaining": 0}
    org.clock.advance(dt.timedelta(days=1))
    assert asked(desk, IDS).status_code == 200


@pytest.mark.parametrize(
    "body", [{"operation": "insert"}, {"contentType": "JSON"}, {"lineEnding": "CR"}, {"query": ""}]
)
def test_a_job_that_makes_no_sense_is_refused(desk: Desk, body: dict[str, str]) -> None:
    """With a code of Bulk's own."""
    desk.show(bulk_org())
    answer = desk.call("POST", "jobs/query", json={"operation": "query", "query": IDS, **body})
    assert refusal(answer) == (400, "INVALIDJOB")


def test_an_unknown_key_is_a_gap_of_the_sandbox(desk: Desk) -> None:
    """It says so, and does not guess."""
    desk.show(bulk_org())
    assert refusal(asked(desk, IDS, concurrency="Serial")) == (500, "SANDBOX_UNKNOWN")


# A job on its way.


def test_a_job_goes_on_by_being_looked_at(desk: Desk) -> None:
    """Its results are there when it is complete."""
    desk.show(bulk_org(query_polls=2))
    job_id = asked(desk, IDS).json()["id"]
    seen = []
    for _ in range(3):
        assert refusal(page(desk, job_id)) == (400, "INVALIDJOBSTATE")
        job = desk.get(f"jobs/query/{job_id}")
        seen.append((job["state"], job["numberRecordsProcessed"]))
    assert seen == [("UploadComplete", 0), ("InProgress", 0), ("JobComplete", 2)]
    assert (job["jobType"], job["retries"], job["isPkChunkingSupported"]) == ("V2Query", 0, True)
    assert "errorMessage" not in job


@pytest.mark.parametrize("end", ["ORDER BY Id", "LIMIT 1"])
def test_order_and_limit_forbid_pk_chunking(desk: Desk, end: str) -> None:
    """Which is only said: the rows come as asked."""
    desk.show(bulk_org(accounts=5, pk_chunk_rows=1))
    job_id = asked(desk, f"{IDS} {end}").json()["id"]
    assert ended(desk, job_id)["isPkChunkingSupported"] is False


def test_rows_of_pk_chunks_come_in_no_order_and_all(desk: Desk) -> None:
    """Nothing twice; ORDER BY orders them."""
    desk.show(bulk_org(accounts=50, pk_chunk_rows=5))
    names = [row[0] for row in rows(page(desk, done(desk, "SELECT Name FROM Account")).text)[1:]]
    ordered = [row[0] for row in rows(page(desk, done(desk, NAMES)).text)[1:]]
    assert names != ordered
    assert names != ordered[::-1]
    assert sorted(names) == sorted(ordered)
    assert len(names) == 52


def test_a_job_that_does_not_end_can_be_aborted_and_deleted(desk: Desk) -> None:
    """Deleted only after it ended; then it is not there."""
    desk.show(bulk_org(never_ends=True))
    path = f"jobs/query/{asked(desk, IDS).json()['id']}"
    assert [desk.get(path)["state"] for _ in range(9)][-1] == "InProgress"
    assert refusal(desk.call("DELETE", path)) == (400, "API_ERROR")
    assert desk.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    again = desk.call("PATCH", path, json={"state": "Aborted"})
    assert refusal(again) == (400, "INVALIDJOBSTATE")
    assert again.json()[0]["message"] == "Aborting already Completed Job not allowed"
    gone = desk.call("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert refusal(desk.call("GET", path)) == (404, "NOT_FOUND")


def test_a_job_sees_what_was_there_when_it_ran(desk: Desk) -> None:
    """At the first look; what is written later, also to a parent, is not in it."""
    org = desk.show(bulk_org(query_polls=2))
    job_id = asked(desk, "SELECT Name, Parent.Name, ParentId FROM Account ORDER BY Name").json()["id"]
    org.update("Account", ACME, {"Name": "Acme 2"})
    desk.get(f"jobs/query/{job_id}")
    org.update("Account", ACME, {"Name": "Acme 3"})
    org.delete("Account", BETA)
    ended(desk, job_id)
    assert rows(page(desk, job_id).text)[1:] == [["Acme 2", "", ""], ['beta\'s "best"', "Acme 2", ACME]]


def test_rows_that_are_seen_late_are_missing_or_old(desk: Desk) -> None:
    """As in REST."""
    org = desk.show(small_org(commit_lag_s=60))
    org.create("Account", {"Name": "Late"})
    org.update("Account", ACME, {"Name": "Acme 2"})
    assert [row[0][:4] for row in rows(page(desk, done(desk, NAMES)).text)] == ["Name", "Acme", "beta"]
    org.clock.advance(dt.timedelta(seconds=60))
    late = [row[0][:6] for row in rows(page(desk, done(desk, NAMES)).text)]
    assert late == ["Name", "Acme 2", "beta's", "Late"]


def test_a_hidden_field_does_not_exist(desk: Desk) -> None:
    """At the time of asking; taken away before the job runs, the job fails."""
    org = desk.show(bulk_org())
    job_id = asked(desk, "SELECT Industry FROM Account").json()["id"]
    org.settings.hidden_fields = frozenset({"Account.Industry"})
    assert refusal(asked(desk, "SELECT Industry FROM Account")) == (400, "INVALID_FIELD")
    job = ended(desk, job_id)
    assert (job["state"], job["errorMessage"][:14]) == ("Failed", "INVALID_FIELD:")


def test_jobs_are_listed_in_pages(desk: Desk) -> None:
    """By type, by chunking, by locator; v1 jobs are none here."""
    desk.show(bulk_org(listed_jobs=2))
    made = {asked(desk, soql).json()["id"] for soql in (IDS, IDS, NAMES)}
    first = desk.get("jobs/query", jobType="V2Query")
    assert (first["done"], len(first["records"])) == (False, 2)
    rest = desk.session.get(desk.url + first["nextRecordsUrl"], timeout=30).json()
    assert (rest["done"], rest["nextRecordsUrl"]) == (True, None)
    assert {job["id"] for job in first["records"] + rest["records"]} == made
    assert len(desk.get("jobs/query", isPkChunkingEnabled="false")["records"]) == 1
    assert desk.get("jobs/query", jobType="Classic")["records"] == []
