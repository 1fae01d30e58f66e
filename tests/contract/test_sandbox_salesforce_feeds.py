"""Describe, the feeds of what was deleted and updated, and several calls in one, of the Salesforce sandbox."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.salesforce_client import code, signed_in
from tests.contract.salesforce_small_org import ACME, BETA, GONE, LATER, NOW, Desk, open_desk, small_org


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def test_describe_tells_names_types_and_rights(desk: Desk) -> None:
    """As the user has them."""
    desk.show(small_org(hidden_fields=frozenset({"Account.Industry"}), read_only_fields=frozenset({"Account.Phone"})))
    with signed_in(desk.url) as sf:
        account = sf.Account.describe()
        fields = {one["name"]: one for one in account["fields"]}
        listed = {one["name"] for one in sf.describe()["sobjects"]}
    assert "Industry" not in fields
    assert (fields["Phone"]["updateable"], fields["Website"]["updateable"]) == (False, True)
    parent = fields["ParentId"]
    assert (parent["type"], parent["referenceTo"], parent["relationshipName"]) == ("reference", ["Account"], "Parent")
    assert (fields["SystemModstamp"]["soapType"], fields["SystemModstamp"]["updateable"]) == ("xsd:dateTime", False)
    assert (fields["BillingCity"]["compoundFieldName"], fields["BillingAddress"]["type"]) == (
        "BillingAddress",
        "address",
    )
    assert (fields["AnnualRevenue"]["precision"], fields["AnnualRevenue"]["scale"]) == (18, 2)
    assert fields["Rating"]["picklistValues"][0]["value"] == "Hot"
    assert (account["keyPrefix"], account["replicateable"], "CurrencyIsoCode" in fields) == ("001", True, False)
    assert {"Account", "OpportunityHistory", "PermissionSet"} <= listed
    assert "CurrencyType" not in listed


def test_a_hidden_object_is_not_there(desk: Desk) -> None:
    """Not in the list, 404 for its path, INVALID_TYPE in a query."""
    desk.show(small_org(hidden_objects=frozenset({"Opportunity"})))
    assert "Opportunity" not in {one["name"] for one in desk.get("sobjects")["sobjects"]}
    assert desk.call("GET", "sobjects/Opportunity/describe").status_code == 404
    assert code(desk.get("query", q="SELECT Id FROM Opportunity")) == "INVALID_TYPE"


def test_the_feeds_tell_deleted_and_updated_ids(desk: Desk) -> None:
    """By simple-salesforce; an undeleted record is updated and not deleted, a purged one stays deleted."""
    org = desk.show(small_org())
    org.clock.advance(LATER)
    org.delete("Account", BETA)
    org.update("Account", ACME, {"Phone": "1"})
    org.undelete("Account", GONE)
    org.purge("Account", BETA)
    org.clock.advance(LATER)
    start, end = NOW, NOW + 2 * LATER
    with signed_in(desk.url) as sf:
        deleted, updated = sf.Account.deleted(start, end), sf.Account.updated(start, end)
    assert [dict(row) for row in deleted["deletedRecords"]] == [
        {"id": BETA, "deletedDate": "2026-05-01T13:00:00.000+0000"}
    ]
    assert deleted["earliestDateAvailable"] == "2026-04-16T14:00:00.000+0000"
    assert (updated["ids"], updated["latestDateCovered"]) == ([ACME, GONE], "2026-05-01T14:00:00.000+0000")


def test_the_feeds_have_their_limits(desk: Desk) -> None:
    """15 and 30 days back; too many ids; a log that was trimmed says since when it is whole."""
    org = desk.show(small_org(feed_ids=1))
    window = {"start": "2026-04-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}
    assert code(desk.get("sobjects/Account/deleted", **window)) == "INVALID_REPLICATION_DATE"
    assert code(desk.get("sobjects/Account/updated", **window)) == "INVALID_REPLICATION_DATE"
    window["start"] = "2026-04-01T13:00:00+01:00"
    for record_id in (ACME, BETA):
        org.update("Account", record_id, {"Phone": "1"})
    assert (
        code(desk.get("sobjects/Account/updated", **{**window, "end": "2026-05-01T13:00:00Z"})) == "EXCEEDED_ID_LIMIT"
    )
    org.forget_deletions("2026-04-25T00:00:00.000+0000")
    recent = desk.get("sobjects/Account/deleted", **{**window, "start": "2026-04-18T00:00:00Z"})
    assert (recent["deletedRecords"], recent["earliestDateAvailable"]) == ([], "2026-04-25T00:00:00.000+0000")


def test_the_feeds_ignore_seconds(desk: Desk) -> None:
    """A window ends with the last full minute: what happened after it belongs to the next one."""
    org = desk.show(small_org())
    org.clock.advance(dt.timedelta(seconds=30))
    org.update("Account", ACME, {"Phone": "1"})
    org.clock.advance(LATER)
    window = {"start": "2026-05-01T11:59:00Z", "end": "2026-05-01T12:00:45Z"}
    answer = desk.get("sobjects/Account/updated", **window)
    assert (answer["ids"], answer["latestDateCovered"]) == ([], "2026-05-01T12:00:00.000+0000")
    assert desk.get("sobjects/Account/updated", **{**window, "end": "2026-05-01T12:01:00Z"})["ids"] == [ACME]


def test_a_batch_answers_each_call(desk: Desk) -> None:
    """Each with its own status; the whole counts as one."""
    desk.show(small_org())
    urls = ("v66.0/sobjects/Account/describe", "v66.0/sobjects/Nothing/describe")
    body = {"batchRequests": [{"method": "GET", "url": url} for url in urls]}
    answer = desk.call("POST", "composite/batch", json=body)
    assert (answer.json()["hasErrors"], [r["statusCode"] for r in answer.json()["results"]]) == (True, [200, 404])
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=1/100000"


def test_a_composite_may_refer_to_what_came_before(desk: Desk) -> None:
    """By @{reference.field}."""
    desk.show(small_org())
    base = "/services/data/v66.0/sobjects"
    requests = [
        {"method": "POST", "url": f"{base}/Account", "referenceId": "a", "body": {"Name": "New"}},
        {"method": "GET", "url": f"{base}/Account/@{{a.id}}?fields=Name", "referenceId": "b"},
    ]
    answer = desk.call("POST", "composite", json={"compositeRequest": requests}).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answer] == [201, 200]
    assert answer[1]["body"]["Name"] == "New"


def collection_calls(account: str, times: int = 1) -> dict[str, Any]:
    """A composite that reads an account and then writes it, so many times."""
    base = "/services/data/v66.0/composite/sobjects"
    record = {"attributes": {"type": "Account"}, "id": account, "Phone": "2"}
    one = [
        {"method": "POST", "url": f"{base}/Account", "body": {"ids": [account], "fields": ["Phone"]}},
        {"method": "PATCH", "url": base, "body": {"allOrNone": False, "records": [record]}},
    ]
    return {"compositeRequest": [{**call, "referenceId": f"r{n}"} for n, call in enumerate(one * times)]}


def test_a_composite_reads_and_writes_collections_in_order(desk: Desk) -> None:
    """The first one shows what the second one finds; together they cost one call."""
    org = desk.show(small_org())
    account = org.create("Account", {"Name": "A", "Phone": "1"})
    sent = desk.call("POST", "composite", json=collection_calls(account))
    look, write = sent.json()["compositeResponse"]
    assert (look["httpStatusCode"], look["body"][0]["Phone"]) == (200, "1")
    assert (write["httpStatusCode"], write["body"]) == (200, [{"id": account, "success": True, "errors": []}])
    assert (org.record("Account", account) or {})["Phone"] == "2"
    assert sent.headers["Sforce-Limit-Info"] == "api-usage=1/100000"


def test_a_composite_that_takes_no_collections(desk: Desk) -> None:
    """A knob: their calls are refused one by one, and nothing is written; of those that it takes, five at most."""
    org = desk.show(small_org(composite_takes_collections=False))
    account = org.create("Account", {"Name": "A", "Phone": "1"})
    answer = desk.call("POST", "composite", json=collection_calls(account)).json()["compositeResponse"]
    assert [one["httpStatusCode"] for one in answer] == [400, 400]
    assert (org.record("Account", account) or {})["Phone"] == "1"
    assert desk.call("POST", "composite", json=collection_calls(account, 3)).json()[0]["errorCode"] == "LIMIT_EXCEEDED"
