"""The sandbox portal around its records: credentials, scopes, quotas, strictness, properties, reference lists."""

import datetime as dt
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN, ALL_SCOPES, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.contract.hubspot_world import Front, open_front, portal

COMPANIES = "/crm/v3/objects/companies"
PROPERTIES = "/crm/v3/properties/companies"
SCORE = {"name": "kam_score", "label": "Score", "type": "number", "fieldType": "number", "groupName": "kam"}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_account_details(front: Front) -> None:
    """Portal, zone and currencies."""
    front.show(portal())
    told = front.get("/account-info/v3/details").json()
    assert (told["portalId"], told["timeZone"], told["utcOffset"]) == (145000001, "Europe/Madrid", "+01:00")
    assert (told["companyCurrency"], told["additionalCurrencies"]) == ("EUR", ["USD"])


def test_a_token_is_needed(front: Front) -> None:
    """401 for none and for a wrong one."""
    front.show(portal())
    for token in ("", "pat-eu1-wrong"):
        answer = front.get(COMPANIES, token=token)
        assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_an_oauth_token_expires(front: Front) -> None:
    """After 1800 s by the sandbox's clock; the client library refreshes it."""
    there = front.show(portal())
    tokens = front.api(lambda c: c.oauth.tokens_api)
    issued = tokens.create(
        grant_type="refresh_token", client_id=CLIENT_ID, client_secret=CLIENT_SECRET, refresh_token=REFRESH_TOKEN
    )
    assert front.get(COMPANIES, token=issued.access_token).status_code == 200
    checked = front.api(lambda c: c.oauth.access_tokens_api).get(issued.access_token)
    assert (checked.hub_id, checked.expires_in) == (145000001, 1800)
    there.clock.advance(dt.timedelta(seconds=1800))
    answer = front.get(COMPANIES, token=issued.access_token)
    assert (answer.status_code, answer.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


@pytest.mark.parametrize("path", ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token"])
def test_a_wrong_refresh_token_is_refused(front: Front, path: str) -> None:
    """400 in the words of OAuth."""
    front.show(portal())
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": "x"}
    answer = requests.post(front.url + path, data=form, timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (400, "BAD_REFRESH_TOKEN")


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("crm.objects.companies.read", "GET", COMPANIES, None),
        ("crm.objects.companies.write", "POST", f"{COMPANIES}/batch/update", {"inputs": [{"id": "1"}]}),
        ("crm.schemas.companies.write", "POST", PROPERTIES, SCORE),
        ("crm.objects.owners.read", "GET", "/crm/v3/owners/", None),
        ("settings.currencies.read", "GET", "/settings/v3/currencies/exchange-rates", None),
        ("crm.objects.deals.read", "POST", "/crm/v4/associations/deals/companies/batch/read", {"inputs": []}),
        ("crm.objects.contacts.read", "GET", "/crm/v3/objects/calls", None),
        ("crm.objects.deals.read", "GET", f"{COMPANIES}?associations=deals", None),
        ("tickets", "GET", "/crm/v3/objects/tickets", None),
        ("crm.objects.line_items.read", "POST", "/crm/v3/objects/line_items/search", {}),
        ("crm.objects.products.read", "GET", "/crm/v3/objects/0-7", None),
        ("crm.objects.goals.read", "GET", "/crm/objects/2026-09/goal_targets", None),
    ],
)
def test_a_missing_scope_is_named(front: Front, scope: str, method: str, path: str, body: Any) -> None:
    """403 MISSING_SCOPES."""
    front.show(portal(scopes=ALL_SCOPES - {scope}))
    answer = front.call(method, path, body)
    told = answer.json()
    assert (answer.status_code, told["category"]) == (403, "MISSING_SCOPES")
    assert told["errors"][0]["context"]["requiredGranularScopes"] == [scope]


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", "/crm/v3/nothing", None, "GET /crm/v3/nothing"),
        ("PUT", COMPANIES, {}, "PUT /crm/v3/objects/companies"),
        ("GET", f"{COMPANIES}?colour=red", None, "query parameter colour"),
        ("POST", COMPANIES, {"colour": "red"}, "key colour in the body"),
        ("POST", f"{COMPANIES}/search", {"filterGroups": [{"filter": []}]}, "key filter in filterGroups"),
        ("POST", f"{COMPANIES}/batch/read", {"inputs": [{"id": "1", "x": 1}]}, "key x in inputs"),
        ("POST", PROPERTIES, SCORE | {"size": 1}, "key size in the body"),
        ("GET", "/crm/objects/2024-03/companies", None, "GET /crm/objects/2024-03/companies"),
    ],
)
def test_what_is_not_known_is_a_500_that_names_it(front: Front, method: str, path: str, body: Any, named: str) -> None:
    """Never an empty list."""
    front.show(portal())
    answer = front.call(method, path, body)
    assert answer.status_code == 500
    assert named in answer.json()["message"]


@pytest.mark.parametrize(
    ("plain", "dated"),
    [
        ("/crm/v3/objects/companies", "/crm/objects/2026-09/companies"),
        ("/crm/v3/properties/deals", "/crm/properties/2026-03/deals"),
        ("/crm/v3/pipelines/deals", "/crm/pipelines/2026-03/deals"),
        ("/crm/v3/owners", "/crm/owners/2025-09/"),
        ("/account-info/v3/details", "/account-info/2026-03/details"),
        (
            "/settings/v3/currencies/exchange-rates/current",
            "/settings/currencies/2026-03/exchange-rates/current",
        ),
        ("/crm/v4/associations/deals/companies/labels", "/crm/associations/2026-03/deals/companies/labels"),
    ],
)
def test_both_families_of_paths_are_served(front: Front, plain: str, dated: str) -> None:
    """The same answer under v3 or v4 and under a date."""
    front.show(portal())
    assert front.get(plain).json() == front.get(dated).json()


def test_bad_json_is_told_with_its_place(front: Front) -> None:
    """400, line and column."""
    front.show(portal())
    answer = front.session.post(
        front.url + COMPANIES, data='{"properties": }', headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}, timeout=30
    )
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid input JSON on line 1, column ")


def test_gzip_when_asked(front: Front) -> None:
    """Only then, and with the same content."""
    front.show(portal())
    packed = front.get(PROPERTIES, headers={"Accept-Encoding": "gzip"}, stream=True)
    raw = packed.raw.read(decode_content=False)
    plain = front.get(PROPERTIES, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert json.loads(gzip.decompress(raw)) == plain.json()


def test_the_window_closes_and_opens_again(front: Front) -> None:
    """429 TEN_SECONDLY_ROLLING after as many calls as the headers said; search and associations have their own."""
    there = front.show(portal(rate_limits=True, window_requests=2, associations_window_requests=1))
    first, second, third = (front.get(COMPANIES) for _ in range(3))
    assert [r.status_code for r in (first, second, third)] == [200, 200, 429]
    assert (first.headers["X-HubSpot-RateLimit-Max"], first.headers["X-HubSpot-RateLimit-Remaining"]) == ("2", "1")
    assert (third.json()["policyName"], "Retry-After" in third.headers) == ("TEN_SECONDLY_ROLLING", False)
    assert front.get("/crm/v4/associations/deals/companies/labels").status_code == 200
    assert front.get("/crm/v4/associations/deals/companies/labels").status_code == 429
    there.clock.advance(dt.timedelta(seconds=10))
    assert front.get(COMPANIES).status_code == 200


def test_search_has_five_a_second(front: Front) -> None:
    """Its 429 has no policy name, and its answers state no window."""
    front.show(portal(rate_limits=True))
    answers = [front.post(f"{COMPANIES}/search", {}) for _ in range(6)]
    assert [r.status_code for r in answers] == [200] * 5 + [429]
    assert "policyName" not in answers[-1].json()
    assert "X-HubSpot-RateLimit-Max" not in answers[0].headers
    assert "X-HubSpot-RateLimit-Daily" in answers[0].headers


def test_the_day_ends_at_midnight_of_the_portal(front: Front) -> None:
    """429 DAILY until then."""
    there = front.show(portal(rate_limits=True, daily_requests=1))
    assert front.get(COMPANIES).headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    spent = front.get(COMPANIES)
    assert (spent.status_code, spent.json()["policyName"]) == (429, "DAILY")
    there.clock.set(dt.datetime(2026, 11, 2, 23, 0, tzinfo=dt.UTC))
    assert front.get(COMPANIES).status_code == 200


def test_owners_come_in_two_passes(front: Front) -> None:
    """Active ones, or deactivated ones, who have no userId any more."""
    front.show(portal())
    owners = front.api(lambda c: c.crm.owners.owners_api)
    [active], [left] = owners.get_page().results, owners.get_page(archived=True).results
    assert (active.id, active.first_name, active.archived) == (str(hubspot_id("owners", 1)), "Ana", False)
    assert (left.id, left.archived, left.user_id) == (str(hubspot_id("owners", 2)), True, None)
    assert owners.get_by_id(int(left.id), archived=True).last_name == "Ochs"


def test_pipelines_have_text_in_their_metadata(front: Front) -> None:
    """Probabilities and truth values as text."""
    front.show(portal())
    [pipeline] = front.api(lambda c: c.crm.pipelines.pipelines_api).get_all("deals").results
    assert pipeline.id == "default"
    assert [(s.id, s.metadata) for s in pipeline.stages] == [
        ("qualified", {"isClosed": "false", "probability": "0.2"}),
        ("proposal", {"isClosed": "false", "probability": "0.6"}),
        ("closedwon", {"isClosed": "true", "probability": "1.0"}),
        ("closedlost", {"isClosed": "true", "probability": "0.0"}),
    ]


def test_exchange_rates(front: Front) -> None:
    """A JSON number, from an instant in the portal's zone."""
    front.show(portal())
    [rate] = front.get("/settings/v3/currencies/exchange-rates/current").json()["results"]
    assert (rate["fromCurrencyCode"], rate["toCurrencyCode"], rate["conversionRate"]) == ("USD", "EUR", 0.9)
    assert rate["effectiveAt"] == "2025-12-31T23:00:00.000Z"


@pytest.mark.parametrize(
    ("fault", "status", "category"),
    [("429", 429, None), ("503", 503, "SERVICE_UNAVAILABLE"), ("expired_token", 401, "EXPIRED_AUTHENTICATION")],
)
def test_faults_are_told_in_the_vendors_words(front: Front, fault: Any, status: int, category: str | None) -> None:
    """Once, and not to the call that asks for a token."""
    front.show(portal())
    front.faults.at(0, fault)
    answer = front.get(COMPANIES)
    assert (answer.status_code, answer.json().get("category")) == (status, category)
    assert front.get(COMPANIES).status_code == 200


def test_a_rate_refusal_can_ask_for_a_second(front: Front) -> None:
    """With Retry-After; search words it otherwise."""
    front.show(portal())
    front.faults.at(0, "429_retry_after", times=2)
    listing, searching = front.get(COMPANIES), front.post(f"{COMPANIES}/search", {})
    assert (listing.headers["Retry-After"], listing.json()["policyName"]) == ("1", "TEN_SECONDLY_ROLLING")
    assert (searching.headers["Retry-After"], searching.json()["category"]) == ("1", "RATE_LIMITS")


@pytest.mark.parametrize(("fault", "is_done"), [("dropped_before", False), ("dropped_after", True)])
def test_a_dropped_connection_hides_whether_it_was_done(front: Front, fault: Any, is_done: bool) -> None:
    """Before: nothing happened. After: it did."""
    there = front.show(portal())
    front.faults.at(0, fault)
    with pytest.raises(requests.ConnectionError):
        front.post(COMPANIES, {"properties": {"name": "New"}})
    assert len(there.shelf(there.known("companies")).live_ids()) == (5 if is_done else 4)
