"""The sandbox org over HTTP: sign-in, pages, limits, feeds, headers; nothing unknown is let pass."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.settings import (
    ADMIN_CLIENT_ID,
    ADMIN_CLIENT_SECRET,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SECURITY_TOKEN,
    USERNAME,
)
from tests.contract.salesforce_client import DOMAIN, signed_in
from tests.contract.salesforce_small_org import ACME, BETA, GONE, LATER, NOW, Desk, open_desk, small_org

BY_SOAP = {"username": USERNAME, "password": PASSWORD, "security_token": SECURITY_TOKEN, "domain": "login"}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def code(answer: object) -> str:
    """The errorCode of an error array."""
    assert isinstance(answer, list)
    return str(answer[0]["errorCode"])


# Sign-in.


@pytest.mark.parametrize(
    "login",
    [
        {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET, "domain": DOMAIN},
        {
            "username": USERNAME,
            "password": PASSWORD,
            "consumer_key": CLIENT_ID,
            "consumer_secret": CLIENT_SECRET,
            "domain": "login",
        },
        BY_SOAP,
    ],
)
def test_simple_salesforce_signs_in_and_reads(desk: Desk, login: dict[str, str]) -> None:
    """By client credentials, password grant and SOAP login."""
    desk.show(small_org())
    with signed_in(desk.url, **login) as sf:
        assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 2


def test_a_token_answer_names_the_host_that_was_asked(desk: Desk) -> None:
    """And no lifetime: that is a policy of the org."""
    desk.show(small_org())
    answer = desk.token().json()
    assert answer["instance_url"] == desk.url
    assert answer["token_type"] == "Bearer"
    assert answer["issued_at"] == "1777636800000"
    assert set(answer) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_with_an_object(desk: Desk, form: dict[str, str], error: str) -> None:
    """Not with the array that REST uses."""
    desk.show(small_org())
    answer = desk.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_client_credentials_need_the_my_domain_host(desk: Desk) -> None:
    """The login host does not take them; simple-salesforce does not even try, so this is asked plainly."""
    desk.show(small_org())
    desk.session.headers["X-Orig-Host"] = "login.salesforce.com"
    answer = desk.token()
    del desk.session.headers["X-Orig-Host"]
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_soap_login_refuses_a_wrong_password_and_a_new_version(desk: Desk) -> None:
    """INVALID_LOGIN; and from v65.0 on there is no login() at all."""
    desk.show(small_org())
    with (
        pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"),
        signed_in(desk.url, **{**BY_SOAP, "password": "wrong"}),
    ):
        pass
    desk.show(small_org(max_soap_login_version=59))
    with pytest.raises(SalesforceAuthenticationFailed, match="UNSUPPORTED_API_VERSION"), signed_in(desk.url, **BY_SOAP):
        pass


@pytest.mark.parametrize("knob", ["session_calls", "session_seconds"])
def test_a_session_ends_after_calls_or_seconds(desk: Desk, knob: str) -> None:
    """401 INVALID_SESSION_ID; simple-salesforce signs in anew and goes on."""
    org = desk.show(small_org(**{knob: 1}))
    assert desk.call("GET", "limits").status_code == 200
    org.clock.advance(dt.timedelta(seconds=1))
    answer = desk.call("GET", "limits")
    assert (answer.status_code, answer.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    with signed_in(desk.url) as sf:
        for _ in range(3):
            org.clock.advance(dt.timedelta(seconds=1))
            assert sf.limits()["DailyApiRequests"]["Max"] == 100_000


def test_a_user_without_the_api_gets_nothing(desk: Desk) -> None:
    """403 API_DISABLED_FOR_ORG."""
    desk.show(small_org(permissions=frozenset()))
    answer = desk.call("GET", "limits")
    assert (answer.status_code, code(answer.json())) == (403, "API_DISABLED_FOR_ORG")


def test_a_foreign_token_is_refused(desk: Desk) -> None:
    """A session that this org never gave."""
    desk.show(small_org())
    with (
        pytest.raises(SalesforceExpiredSession),
        signed_in(desk.url, session_id="00Dnothing", instance_url=desk.url) as sf,
    ):
        sf.query("SELECT Id FROM Account")


# Versions, limits, headers.


def test_versions_are_told_without_signing_in(desk: Desk) -> None:
    """Not counted either; a retired version is gone, a future one not there."""
    desk.show(small_org())
    del desk.session.headers["Authorization"]
    versions = desk.session.get(f"{desk.url}/services/data", timeout=30)
    assert versions.json()[-3:] == [
        {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"},
        {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"},
        {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"},
    ]
    assert "Sforce-Limit-Info" not in versions.headers
    for version, status in (("v30.0", 410), ("v99.0", 404)):
        assert desk.session.get(f"{desk.url}/services/data/{version}/limits", timeout=30).status_code == status


def test_each_call_counts_and_the_last_one_is_refused(desk: Desk) -> None:
    """Sforce-Limit-Info goes up, errors included; then 403 REQUEST_LIMIT_EXCEEDED until a day has passed."""
    org = desk.show(small_org(daily_api_requests=3))
    used = [desk.call("GET", path).headers["Sforce-Limit-Info"] for path in ("limits", "query?q=x", "limits")]
    assert used == ["api-usage=1/3", "api-usage=2/3", "api-usage=3/3"]
    spent = desk.call("GET", "limits")
    assert (spent.status_code, code(spent.json())) == (403, "REQUEST_LIMIT_EXCEEDED")
    org.clock.advance(dt.timedelta(days=1))
    assert desk.get("limits")["DailyApiRequests"] == {"Max": 3, "Remaining": 2}


def test_bodies_are_zipped_when_asked(desk: Desk) -> None:
    """In both directions."""
    desk.show(small_org())
    zipped = desk.call("GET", "sobjects/Account/describe", headers={"Accept-Encoding": "gzip"})
    plain = desk.call("GET", "sobjects/Account/describe", headers={"Accept-Encoding": "identity"})
    assert (zipped.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)
    assert zipped.json() == plain.json()
    body = gzip.compress(json.dumps({"Name": "Zipped"}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert desk.call("POST", "sobjects/Account", data=body, headers=headers).status_code == 201


def test_long_addresses_and_headers_are_refused_by_a_page(desk: Desk) -> None:
    """414 for the address, 431 for all of it; neither is JSON."""
    desk.show(small_org())
    long = desk.call("GET", "query", params={"q": "x" * 16_400})
    wide = desk.call("GET", "query", params={"q": "x" * 9_000}, headers={"X-Wide": "x" * 9_000})
    assert [(a.status_code, a.headers["Content-Type"].split(";")[0]) for a in (long, wide)] == [
        (414, "text/html"),
        (431, "text/html"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "more", "named"),
    [
        ("GET", "jobs/unknown", {}, "path jobs/unknown"),
        ("GET", "limits", {"params": {"a": "1"}}, "query parameter a"),
        ("GET", "query", {"params": {"q": "SELECT Id FROM Account", "x": "1"}}, "query parameter x"),
        ("GET", "limits", {"headers": {"Sforce-New": "1"}}, "header sforce-new"),
        (
            "GET",
            "query",
            {"params": {"q": "SELECT Id FROM Account"}, "headers": {"Sforce-Query-Options": "x=1"}},
            "Sforce-Query-Options x=1",
        ),
        ("PATCH", "composite/sobjects", {"json": {"records": [], "all": 1}}, "JSON key all"),
    ],
)
def test_what_the_sandbox_does_not_know_is_named(
    desk: Desk, method: str, path: str, more: dict[str, object], named: str
) -> None:
    """A 500 that names it, and never an empty list."""
    desk.show(small_org())
    answer = desk.call(method, path, **more)
    assert (answer.status_code, answer.json()[0]["message"]) == (500, f"sandbox: unknown {named}")


def test_a_known_path_has_its_methods(desk: Desk) -> None:
    """405 for the others."""
    desk.show(small_org())
    assert desk.call("PUT", "limits").status_code == 405


@pytest.mark.parametrize(
    ("fault", "status", "errors"),
    [
        ("expired_token", 401, "INVALID_SESSION_ID"),
        ("429", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("503", 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_faults_are_worded_as_salesforce_does(desk: Desk, fault: str, status: int, errors: str) -> None:
    """Being over the rate is a 403 here; with Retry-After where that was asked for."""
    desk.show(small_org())
    desk.faults.at(0, fault)  # type: ignore[arg-type]
    answer = desk.call("GET", "limits")
    assert (answer.status_code, code(answer.json())) == (status, errors)
    desk.faults.at(0, "429_retry_after")
    assert desk.call("GET", "limits").headers["Retry-After"] == "1"


# Pages.


def test_pages_hold_every_row_once(desk: Desk) -> None:
    """simple-salesforce follows the links; pages may be smaller than asked."""
    org = desk.show(small_org(query_page_rows=2))
    for n in range(5):
        org.create("Account", {"Name": f"n{n}"})
    with signed_in(desk.url) as sf:
        names = [record["Name"] for record in sf.query_all_iter("SELECT Name FROM Account ORDER BY Id")]
    assert names == ["Acme", 'beta\'s "best"', "n0", "n1", "n2", "n3", "n4"]
    assert desk.app is not None
    assert desk.app.sessions.used() == 4


def test_a_page_is_the_same_when_asked_again(desk: Desk) -> None:
    """A cursor holds ids, not values: a changed row comes changed, a purged one is missing, the total stays."""
    org = desk.show(small_org(query_page_rows=1))
    first = desk.get("query", q="SELECT Name FROM Account ORDER BY Id")
    assert (first["totalSize"], first["done"], len(first["records"])) == (2, False, 1)
    assert first["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8")
    link = first["nextRecordsUrl"].removeprefix("/services/data/v66.0/")
    org.update("Account", BETA, {"Name": "Beta"})
    pages = [desk.get(link) for _ in range(2)]
    assert pages[0] == pages[1]
    assert (pages[0]["done"], [record["Name"] for record in pages[0]["records"]]) == (True, ["Beta"])
    org.purge("Account", BETA)
    assert (desk.get(link)["records"], desk.get(link)["totalSize"]) == ([], 2)


def test_a_cursor_lives_two_days(desk: Desk) -> None:
    """Then, as for one that never was: INVALID_QUERY_LOCATOR."""
    org = desk.show(small_org(query_page_rows=1))
    link = desk.get("query", q="SELECT Id FROM Account")["nextRecordsUrl"].removeprefix("/services/data/v66.0/")
    org.clock.advance(dt.timedelta(days=2))
    for path in (link, "query/0r8000000000000AAA-5"):
        answer = desk.call("GET", path)
        assert (answer.status_code, code(answer.json())) == (400, "INVALID_QUERY_LOCATOR")


def test_a_batch_size_is_kept_between_200_and_2000(desk: Desk) -> None:
    """Sforce-Query-Options; asking for less gives 200."""
    org = desk.show(small_org())
    org.load("Contact", [{"Id": salesforce_id("003", n), "LastName": "x"} for n in range(100, 2400)])
    for asked, got in (("batchSize=5", 200), ("batchSize=500", 500), ("batchSize=9999", 2000)):
        answer = desk.call(
            "GET", "query", params={"q": "SELECT Id FROM Contact"}, headers={"Sforce-Query-Options": asked}
        )
        assert len(answer.json()["records"]) == got


def test_query_all_shows_the_bin(desk: Desk) -> None:
    """By simple-salesforce's include_deleted."""
    desk.show(small_org())
    with signed_in(desk.url) as sf:
        records = sf.query("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)["records"]
    assert [record["Id"] for record in records] == [GONE]


# Describe, feeds, several calls in one.


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


def test_the_administrator_signs_in_with_an_app_of_his_own(desk: Desk) -> None:
    """His writes carry his id."""
    org = desk.show(small_org(), client_id=ADMIN_CLIENT_ID, client_secret=ADMIN_CLIENT_SECRET)
    made = desk.call("POST", "sobjects/Account", json={"Name": "x"}).json()["id"]
    record = org.record("Account", made)
    assert record is not None
    assert record["CreatedById"] == org.admin_user_id


def test_a_session_can_be_looked_at_and_ended(desk: Desk) -> None:
    """userinfo names user and org; a revoked token is a 401."""
    org = desk.show(small_org())
    who = desk.session.get(f"{desk.url}/services/oauth2/userinfo", timeout=30).json()
    assert (who["user_id"], who["organization_id"]) == (org.integration_user_id, org.org_id)
    token = str(desk.session.headers["Authorization"]).removeprefix("Bearer ")
    assert desk.session.post(f"{desk.url}/services/oauth2/revoke", data={"token": token}, timeout=30).status_code == 200
    assert desk.call("GET", "limits").status_code == 401
