"""What can be turned about the sandbox portal: editions, versions, delays, locks, limits."""

import datetime as dt
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.kinds import COMPANIES as COMPANY
from connectors.sandbox.hubspot.kinds import DEALS as DEAL
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import BY_USER
from tests.contract.hubspot_world import Front, company, open_front, portal, small_book

COMPANIES, DEALS = "/crm/v3/objects/companies", "/crm/v3/objects/deals"
PROPERTIES = "/crm/v3/properties/companies"
ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
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


def found(front: Front, *filters: dict[str, Any]) -> list[str]:
    """Ids of companies that search finds."""
    answer = front.post(f"{COMPANIES}/search", {"filterGroups": [{"filters": list(filters)}], "limit": 200})
    return [row["id"] for row in answer.json()["results"]]


def passed(there: Portal, seconds: float) -> None:
    there.clock.advance(dt.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("off", "gone", "kept"),
    [
        ({"v4"}, "/crm/v4/associations/deals/companies/labels", "/crm/associations/2026-09/deals/companies/labels"),
        ({"v3", "v4"}, COMPANIES, "/crm/objects/2026-03/companies"),
        ({"2026-03"}, "/crm/objects/2026-03/companies", "/crm/objects/2026-09/companies"),
        ({"v1"}, "/oauth/v1/access-tokens/x", COMPANIES),
    ],
)
def test_a_version_that_is_switched_off(front: Front, off: set[str], gone: str, kept: str) -> None:
    """404, while the others answer."""
    there = front.show(portal())
    there.settings.families -= off
    assert (front.get(gone).status_code, front.get(kept).status_code) == (404, 200)


def test_a_kind_that_a_portal_lacks(front: Front) -> None:
    """Cannot be inferred, by its name or its number, in lists, links and searches."""
    front.show(portal(absent_kinds=frozenset({"goal_targets", "tickets"})))
    answers = [
        front.get("/crm/v3/objects/goal_targets"),
        front.get("/crm/v3/objects/0-74"),
        front.get("/crm/v3/pipelines/tickets"),
        front.post("/crm/v4/associations/tickets/companies/batch/read", {"inputs": []}),
        front.get(f"{COMPANIES}?associations=tickets"),
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert all("Unable to infer object type from" in answer.json()["message"] for answer in answers)


def test_calls_side_by_side_wait_side_by_side(front: Front) -> None:
    """Four calls at a quarter of a second each are through before four after another could be."""
    front.show(portal(latency_s=0.25))
    start = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: front.get(COMPANIES).status_code, range(4)))
    took = time.perf_counter() - start
    assert statuses == [200] * 4
    assert 0.25 <= took < 1


def test_a_portal_without_property_history(front: Front) -> None:
    """Passes over the parameter, with its smaller pages."""
    front.show(portal(property_history=False))
    answer = front.get(f"{DEALS}?limit=100&propertiesWithHistory=dealstage")
    read = front.post(
        f"{DEALS}/batch/read", {"inputs": [{"id": str(hubspot_id("deals", 1))}], "propertiesWithHistory": ["dealstage"]}
    )
    rows = [*answer.json()["results"], *read.json()["results"]]
    assert len(rows) == 7
    assert not any("propertiesWithHistory" in row for row in rows)


def test_the_bin_forgets(front: Front) -> None:
    """What was archived can be listed for ninety days; what the book had deleted counts from the beginning."""
    there = front.show(portal())
    passed(there, 86_400)
    there.archive("companies", ALPHA)
    passed(there, 89 * 86_400)
    assert {row["id"] for row in front.get(f"{COMPANIES}?archived=true").json()["results"]} == {ALPHA, GONE}
    passed(there, 3600)
    assert {row["id"] for row in front.get(f"{COMPANIES}?archived=true").json()["results"]} == {ALPHA}
    passed(there, 86_400)
    assert front.get(f"{COMPANIES}?archived=true").json()["results"] == []
    assert front.get(f"{COMPANIES}/{ALPHA}?archived=true").status_code == 404


def test_a_purged_person_is_in_no_list(front: Front) -> None:
    """Neither among the living nor in the bin."""
    front.show(portal())
    person = str(hubspot_id("contacts", 1))
    path = "/crm/v3/objects/contacts"
    assert front.post(f"{path}/gdpr-delete", {"objectId": person}).status_code == 204
    rows = [row for archived in ("false", "true") for row in front.get(f"{path}?archived={archived}").json()["results"]]
    assert person not in {row["id"] for row in rows}


def test_a_record_is_locked_after_a_write(front: Front) -> None:
    """423 for the whole batch, which changes nothing, until the time is over."""
    there = front.show(portal(locked_after_write_s=2))
    body = {"inputs": [{"id": i, "properties": {"country": "Peru"}} for i in (ALPHA, IBERIA)]}
    assert front.call("PATCH", f"{COMPANIES}/{ALPHA}", {"properties": {"country": "Chile"}}).status_code == 200
    assert front.post(f"{COMPANIES}/batch/update", body).status_code == 423
    assert there.value(there.existing(COMPANY, IBERIA), "country") == "Spain"
    passed(there, 2)
    assert front.post(f"{COMPANIES}/batch/update", body).status_code == 200


def test_one_record_can_be_kept_locked(front: Front) -> None:
    """Others can be written."""
    there = front.show(portal())
    there.keep_locked("companies", ALPHA, 60)
    statuses = [
        front.call("PATCH", f"{COMPANIES}/{i}", {"properties": {"city": "Vigo"}}).status_code for i in (ALPHA, ACME)
    ]
    assert statuses == [423, 200]
    assert front.post(f"{COMPANIES}/batch/archive", {"inputs": [{"id": ALPHA}]}).status_code == 423


@pytest.mark.parametrize(
    ("status", "kind"), [(423, "json"), (477, "json"), (500, "json"), (504, "json"), (524, "html"), (530, "html")]
)
def test_trouble_can_be_planned(front: Front, status: int, kind: str) -> None:
    """So many calls to a path are answered so and not done; the edge answers with pages."""
    there = front.show(portal())
    there.troubles.plan("POST /crm/v3/objects/companies", status, times=2)
    answers = [front.post(COMPANIES, {"properties": {"name": "New"}}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 201]
    assert kind in answers[0].headers["Content-Type"]
    assert answers[0].headers.get("Retry-After") == ("3600" if status == 477 else None)
    assert len(there.shelf(COMPANY).live_ids()) == 5


def test_a_new_property_takes_its_time(front: Front) -> None:
    """Until then it cannot be read or written; waiting is enough."""
    there = front.show(portal(new_property_delay_s=0.5))
    assert front.post(PROPERTIES, SCORE).status_code == 201
    write = {"properties": {"kam_score": "7"}}
    assert front.get(f"{PROPERTIES}/kam_score").status_code == 404
    refused = front.call("PATCH", f"{COMPANIES}/{ALPHA}", write)
    assert refused.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    passed(there, 0.5)
    assert front.get(f"{PROPERTIES}/kam_score").status_code == 200
    assert front.call("PATCH", f"{COMPANIES}/{ALPHA}", write).status_code == 200


def test_a_property_that_a_calculation_uses_stays(front: Front) -> None:
    """400 CANNOT_DELETE_PROPERTY_IN_USE until the calculation is gone."""
    front.show(portal())
    twice = SCORE | {"name": "kam_twice", "fieldType": "calculation_equation", "calculationFormula": "kam_score * 2"}
    assert [front.post(PROPERTIES, body).status_code for body in (SCORE, twice)] == [201, 201]
    refused = front.call("DELETE", f"{PROPERTIES}/kam_score")
    assert (refused.status_code, refused.json()["category"]) == (400, "CANNOT_DELETE_PROPERTY_IN_USE")
    statuses = [front.call("DELETE", f"{PROPERTIES}/{name}").status_code for name in ("kam_twice", "kam_score")]
    assert statuses == [204, 204]


@pytest.mark.parametrize(("version", "status"), [("v3", 200), ("2026-03", 200), ("2026-09", 400)])
def test_rules_of_the_administrator_are_enforced_lately(front: Front, version: str, status: int) -> None:
    """A property that another value makes required: only the version of September 2026 insists."""
    front.show(portal(required_when={"companies": (("lifecyclestage", "customer", "city"),)}))
    path = COMPANIES if version == "v3" else f"/crm/objects/{version}/companies"
    answer = front.call("PATCH", f"{path}/{ALPHA}", {"properties": {"lifecyclestage": "customer"}})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["errors"][0]["code"] == "MISSING_CONDITIONAL_REQUIRED_PROPERTY"


def test_some_writes_show_behind_later_ones(front: Front) -> None:
    """With that knob every second write is seen late; a list shows all at once."""
    there = front.show(portal(index_lag_s=1, index_straggler_every=2, index_straggler_lag_s=10))
    first, second, third = (str(there.create("companies", {"name": f"New {n}"}).id) for n in range(3))
    passed(there, 1)
    above = {"propertyName": "hs_object_id", "operator": "GT", "value": ACME}
    assert found(front, above) == [first, third]
    passed(there, 10)
    assert found(front, above) == [first, second, third]


def test_thousands_can_share_one_millisecond(front: Front) -> None:
    """A keyset on the id reads them all, though one query ends at the cap."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 3001)]
    book.deals, book.touches, book.people = [], [], []
    front.show(portal(book, search_result_cap=400))
    moment = str(int(book.companies[0].updated_at.timestamp() * 1000))
    window = {"propertyName": "hs_lastmodifieddate", "operator": "EQ", "value": moment}
    seen: list[str] = []
    total = None
    while total is None or len(seen) < total:
        above = {"propertyName": "hs_object_id", "operator": "GT", "value": seen[-1] if seen else "1"}
        body = {"filterGroups": [{"filters": [window, above]}], "limit": 200, "properties": ["hs_object_id"]}
        page = front.post(f"{COMPANIES}/search", body).json()
        total = page["total"] if total is None else total
        seen += [row["id"] for row in page["results"]]
    assert (total, seen) == (3000, [str(hubspot_id("companies", n)) for n in range(1, 3001)])


def test_a_result_that_is_remembered_is_not_stale(front: Front) -> None:
    """A write, a link and the clock change what the same search finds."""
    there = front.show(portal())
    alone = {"propertyName": "associations.contact", "operator": "NOT_HAS_PROPERTY"}
    quiet = {"propertyName": "notes_last_updated", "operator": "NOT_HAS_PROPERTY"}
    assert (found(front, alone), found(front, quiet)) == ([IBERIA, ACME], [])
    new = str(there.create("companies", {"name": "New"}).id)
    assert (found(front, alone), found(front, quiet)) == ([IBERIA, ACME, new], [new])
    there.associate("companies", ACME, "contacts", hubspot_id("contacts", 1))
    there.create("calls", {"hs_timestamp": "2026-11-03T00:00:00.000Z"}, [("companies", new)])
    assert (found(front, alone), found(front, quiet)) == ([IBERIA, new], [new])
    passed(there, 86_400)
    assert found(front, quiet) == []


def test_revenue_is_recalculated_without_moving_anything(front: Front) -> None:
    """Of every won deal that is linked, in the company's currency."""
    there = front.show(portal())
    path = f"{COMPANIES}/{BETA}?properties=total_revenue,hs_num_open_deals"
    before = front.get(path).json()
    there.update("deals", hubspot_id("deals", 2), {"dealstage": "closedwon"})
    after = front.get(path).json()
    assert [body["properties"]["total_revenue"] for body in (before, after)] == [None, "1800"]
    assert before["updatedAt"] == after["updatedAt"]
    assert there.existing(DEAL, hubspot_id("deals", 2)).modified == there.now_ms()


def test_search_may_count_what_it_does_not_show(front: Front) -> None:
    """A ghost, of long ago, between two ids or above all."""
    front.show(portal(index_ghosts={"companies": (int(ACME) + 1,)}))
    above = [{"propertyName": "hs_object_id", "operator": "GT", "value": n} for n in (ACME, str(int(ACME) + 1))]
    lately = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "1700000000000"}
    bodies = [{"filterGroups": [{"filters": one}]} for one in ([above[0]], [above[1]], [above[0], lately])]
    told = [front.post(f"{COMPANIES}/search", body).json() for body in bodies]
    assert [(one["total"], one["results"]) for one in told] == [(1, []), (0, []), (0, [])]


def test_a_property_may_not_be_searched(front: Front) -> None:
    """400, as for one that does not exist."""
    front.show(portal(unsearchable_properties=frozenset({"companies.name"})))
    filters = [{"propertyName": "name", "operator": "HAS_PROPERTY"}]
    answers = [front.post(f"{p}/search", {"filterGroups": [{"filters": filters}]}) for p in (COMPANIES, DEALS)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert front.post(f"{COMPANIES}/search", {}).status_code == 200


@pytest.mark.parametrize("status", [None, 400, 500])
def test_a_cursor_that_is_no_record(front: Front, status: int | None) -> None:
    """Taken, or not; that of a record always is."""
    front.show(portal(strange_cursor_status=status))
    answers = [front.get(f"{COMPANIES}?after={after}").status_code for after in (ACME, int(ACME) - 1_000_000)]
    assert answers == [200, status or 200]


@pytest.mark.parametrize("follows", [False, True])
def test_when_a_record_was_made_may_be_entered(front: Front, *, follows: bool) -> None:
    """What stands beside the properties follows that, or does not."""
    there = front.show(portal(created_at_follows_property=follows))
    made, entered = front.get(f"{COMPANIES}/{ALPHA}").json()["createdAt"], "2001-01-01T00:00:00.000Z"
    there.write(there.existing(COMPANY, ALPHA), {"createdate": entered}, BY_USER)
    body = front.get(f"{COMPANIES}/{ALPHA}").json()
    assert body["properties"]["createdate"] == entered
    assert body["createdAt"] == (entered if follows else made)
