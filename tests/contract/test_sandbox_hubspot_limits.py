"""The sandbox portal's limits: how much of them is used, and whose calls spend the day."""

import datetime as dt
from collections.abc import Iterator

import pytest

from tests.contract.hubspot_world import Front, open_front, portal

COMPANIES = "/crm/v3/objects/companies"
PROPERTIES = "/crm/v3/properties/companies"
SCORE = {
    "name": "kam_score",
    "label": "Score",
    "type": "number",
    "fieldType": "number",
    "groupName": "companyinformation",
}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_custom_properties_have_a_limit(front: Front) -> None:
    """Which the limits endpoint tells before it is reached."""
    front.show(portal(custom_property_limit=2))
    made = [front.post(PROPERTIES, SCORE | {"name": f"kam_{n}"}).status_code for n in range(3)]
    assert made == [201, 201, 400]
    told = front.get("/crm/v3/limits/custom-properties").json()
    [companies] = [entry for entry in told["byObjectType"] if entry["objectTypeId"] == "0-2"]
    assert (companies["limit"], companies["usage"], companies["percentage"]) == (2, 2, 100.0)
    assert told["overallUsage"] == 2


def test_limits_tell_how_much_there_is(front: Front) -> None:
    """Records, pipelines and labels, under v3 and under a date."""
    front.show(portal())
    front.post("/crm/v4/associations/deals/contacts/labels", {"label": "Champion", "name": "champion"})
    records = front.get("/crm/limits/2026-03/records").json()["hubspotDefinedObjectTypes"]
    assert {entry["objectTypeId"]: entry["usage"] for entry in records}["0-3"] == 6
    pipelines = front.get("/crm/v3/limits/pipelines").json()["hubspotDefinedObjectTypes"]
    assert {entry["objectTypeId"]: entry["usage"] for entry in pipelines} == {"0-3": 1, "0-5": 1}
    [labels] = front.get("/crm/v3/limits/associations/labels?fromObjectTypeId=0-3").json()["results"]
    assert (labels["toObjectType"]["objectTypeId"], labels["allLabels"], labels["usage"]) == ("0-1", ["Champion"], 1)


def test_the_day_is_shared_with_other_apps(front: Front) -> None:
    """What they spent is gone from what remains, and can be what ends the day."""
    there = front.show(portal(rate_limits=True, daily_requests=100, daily_requests_by_others=90))
    assert front.get(COMPANIES).headers["X-HubSpot-RateLimit-Daily-Remaining"] == "9"
    usage = front.get("/account-info/v3/api-usage/daily/private-apps").json()["results"][0]
    assert (usage["usageLimit"], usage["currentUsage"]) == (100, 92)
    there.settings.daily_requests_by_others = 98
    assert front.get(COMPANIES).json()["policyName"] == "DAILY"


@pytest.mark.parametrize(("stated", "most"), [("own", "150"), ("general", "190"), ("none", None)])
def test_what_associations_state_is_a_switch(front: Front, stated: str, most: str | None) -> None:
    """No document says it; what is allowed stays the same."""
    front.show(portal(associations_limit_stated=stated))
    answer = front.get("/crm/v4/associations/deals/companies/labels")
    assert answer.headers.get("X-HubSpot-RateLimit-Max") == most


def test_associations_have_a_day_of_their_own(front: Front) -> None:
    """Spent before the account's, it stops association calls only."""
    front.show(portal(rate_limits=True, associations_daily_requests=1))
    labels = "/crm/v4/associations/deals/companies/labels"
    answers = [front.get(labels), front.get(labels), front.get(COMPANIES)]
    assert [answer.status_code for answer in answers] == [200, 429, 200]
    assert answers[1].json()["policyName"] == "DAILY"


def test_a_limiter_can_be_measured_without_waiting(front: Front) -> None:
    """A hundred seconds of simulated time let through ten windows, counted by the portal's clock alone."""
    there = front.show(portal(rate_limits=True, window_requests=5))
    statuses = []
    for _ in range(100):
        statuses.append(front.get("/account-info/v3/details").status_code)
        there.clock.advance(dt.timedelta(seconds=1))
    assert statuses.count(200) == 50


def test_currencies_that_are_set_up(front: Front) -> None:
    """The company's own first."""
    front.show(portal())
    codes = front.get("/settings/v3/currencies/codes").json()["results"]
    assert [code["currencyCode"] for code in codes] == ["EUR", "USD"]
    assert front.get("/settings/currencies/2026-03/company-currency").json()["currencyCode"] == "EUR"
