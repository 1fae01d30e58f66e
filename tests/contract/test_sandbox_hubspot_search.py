"""The sandbox portal's search: what it finds, what it hides, and how late it is."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.hubspot.ids import hubspot_id
from tests.contract.hubspot_world import NOW, Front, company, day, open_front, portal, small_book

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
COMPANIES = "/crm/v3/objects/companies/search"
DEALS = "/crm/v3/objects/deals/search"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    told = {"propertyName": name, "operator": operator} | more
    return told if value is None else told | {"value": value}


def ids(front: Front, path: str, *filters: dict[str, Any], **more: Any) -> list[str]:
    answer = front.post(path, {"filterGroups": [{"filters": list(filters)}]} | more)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["results"]]


def millis(at: dt.datetime) -> str:
    return str(int(at.timestamp() * 1000))


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (where("country", "EQ", "Spain"), [IBERIA]),
        (where("country", "EQ", "sPAIN"), [IBERIA]),
        (where("country", "IN", values=["spain"]), [IBERIA]),
        (where("country", "IN", values=["Spain"]), []),
        (where("country", "NEQ", "France"), [IBERIA]),
        (where("country", "NOT_IN", values=["france"]), [IBERIA]),
        (where("country", "HAS_PROPERTY"), [IBERIA]),
        (where("country", "NOT_HAS_PROPERTY"), [ALPHA, BETA, ACME]),
        (where("type", "IN", values=["PROSPECT"]), [BETA]),
        (where("type", "EQ", "prospect"), []),
        (where("numberofemployees", "GT", "99.5"), [ALPHA]),
        (where("annualrevenue", "BETWEEN", "1200000.5", highValue="1200000.5"), [IBERIA]),
        (where("name", "CONTAINS_TOKEN", "alp*"), [ALPHA, IBERIA]),
        (where("name", "NOT_CONTAINS_TOKEN", "alpha"), [BETA, ACME]),
        (where("hs_object_id", "GT", IBERIA), [BETA, ACME]),
        (where("hs_object_id", "LTE", IBERIA), [ALPHA, IBERIA]),
        (where("associations.deal", "EQ", str(hubspot_id("deals", 2))), [BETA]),
        (where("hs_lastmodifieddate", "GTE", millis(day(100))), [ALPHA, IBERIA, BETA, ACME]),
        (where("hs_lastmodifieddate", "LT", millis(day(100))), []),
        (where("hs_lastmodifieddate", "GTE", "2026-07-25T12:00:00Z"), [ALPHA, IBERIA, BETA, ACME]),
        (where("lastmodifieddate", "GTE", millis(day(1000))), []),
    ],
)
def test_operators(front: Front, condition: dict[str, Any], found: list[str]) -> None:
    """Text without case, IN against lower case, options exactly; the wrong modified property finds nothing."""
    front.show(portal())
    assert ids(front, COMPANIES, condition) == found


def test_groups_are_alternatives(front: Front) -> None:
    """One group must match in all its filters."""
    front.show(portal())
    groups = [
        {"filters": [where("country", "EQ", "Spain"), where("name", "EQ", "no")]},
        {"filters": [where("type", "EQ", "PROSPECT")]},
    ]
    answer = front.post(COMPANIES, {"filterGroups": groups}).json()
    assert (answer["total"], [row["id"] for row in answer["results"]]) == (1, [BETA])


def test_the_client_library_searches(front: Front) -> None:
    """hubspot-api-client's own request is understood."""
    front.show(portal())
    api = front.api(lambda c: c.crm.companies.search_api)
    found = api.do_search(
        {
            "filterGroups": [{"filters": [where("domain", "EQ", "alpha.example")]}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": ["name"],
            "limit": 10,
        }
    )
    assert (found.total, found.results[0].properties["name"]) == (1, "Alpha")


def test_a_contact_is_found_by_its_own_modified_property(front: Front) -> None:
    """`lastmodifieddate` for contacts; the other one finds nothing and is no error."""
    front.show(portal())
    path = "/crm/v3/objects/contacts/search"
    assert len(ids(front, path, where("lastmodifieddate", "GT", millis(day(2000))))) == 2
    assert ids(front, path, where("hs_lastmodifieddate", "GT", millis(day(2000)))) == []


def test_sorting_and_paging(front: Front) -> None:
    """Downwards by amount, those without one last; `after` is an offset."""
    front.show(portal())
    body = {"sorts": [{"propertyName": "amount", "direction": "DESCENDING"}], "limit": 4, "properties": ["amount"]}
    first = front.post(DEALS, body).json()
    assert [row["properties"]["amount"] for row in first["results"]] == ["2000", "1500", "700", "300"]
    assert (first["total"], first["paging"]["next"]["after"]) == (6, "4")
    second = front.post(DEALS, body | {"after": "4"}).json()
    assert [row["properties"]["amount"] for row in second["results"]] == ["50", None]
    assert "paging" not in second


def test_archived_and_merged_records_are_never_found(front: Front) -> None:
    """Search has neither the bin nor losers of a merge."""
    there = front.show(portal())
    there.archive("companies", ALPHA)
    found = ids(front, COMPANIES, where("hs_object_id", "GT", "1"))
    assert found == [IBERIA, BETA, ACME]


def test_the_cap_holds_and_the_total_does_not(front: Front) -> None:
    """Paging past 10,000 rows is refused, the total tells how many there are."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 31)]
    book.deals, book.touches, book.people = [], [], []
    front.show(portal(book, search_result_cap=20))
    everything = where("hs_lastmodifieddate", "GTE", "1")
    last = front.post(COMPANIES, {"filterGroups": [{"filters": [everything]}], "limit": 10, "after": "10"}).json()
    assert (last["total"], len(last["results"]), last["paging"]["next"]["after"]) == (30, 10, "20")
    beyond = front.post(COMPANIES, {"filterGroups": [{"filters": [everything]}], "limit": 10, "after": "20"})
    assert (beyond.status_code, beyond.json()["category"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [where("name", "EQ", "x")] * 7}]},
        {"filterGroups": [{"filters": [where("name", "EQ", "x")] * 5}] * 4},
        {"sorts": [{"propertyName": "name", "direction": "ASCENDING"}] * 2},
        {"properties": ["x" * 3000]},
        {"filterGroups": [{"filters": [where("no_such", "EQ", "x")]}]},
        {"filterGroups": [{"filters": [where("numberofemployees", "EQ", "many")]}]},
        {"filterGroups": [{"filters": [where("name", "IN", "x")]}]},
    ],
)
def test_what_search_refuses(front: Front, body: dict[str, Any]) -> None:
    """200 rows, 5 groups, 6 filters each and 18 in all, one sort, 3,000 characters, properties that exist."""
    front.show(portal())
    answer = front.post(COMPANIES, body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_epoch_zero_is_an_internal_error(front: Front) -> None:
    """As on the real one."""
    front.show(portal())
    body = {"filterGroups": [{"filters": [where("hs_lastmodifieddate", "GTE", "0")]}]}
    assert front.post(COMPANIES, body).status_code == 500


def test_the_index_trails_behind(front: Front) -> None:
    """New, changed and archived records look as before until the lag has passed; lists know at once."""
    there = front.show(portal(index_lag_s=30))
    made = there.create("companies", {"name": "New"})
    there.update("companies", IBERIA, {"country": "France"})
    there.archive("companies", BETA)
    known = where("hs_object_id", "GT", "1")
    assert ids(front, COMPANIES, known) == [ALPHA, IBERIA, BETA, ACME]
    assert ids(front, COMPANIES, where("country", "EQ", "Spain")) == [IBERIA]
    listed = front.get("/crm/v3/objects/companies").json()["results"]
    assert [row["id"] for row in listed] == [ALPHA, IBERIA, ACME, str(made.id)]
    there.clock.advance(dt.timedelta(seconds=30))
    assert ids(front, COMPANIES, known) == [ALPHA, IBERIA, ACME, str(made.id)]
    assert ids(front, COMPANIES, where("country", "EQ", "Spain")) == []
    assert ids(front, COMPANIES, where("hs_lastmodifieddate", "GTE", millis(NOW))) == [IBERIA, str(made.id)]


def test_pages_can_come_in_disorder(front: Front) -> None:
    """With that knob two neighbours of every n-th page are swapped."""
    front.show(portal(search_disorder_every=1))
    body = {"sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]}
    found = [row["id"] for row in front.post(COMPANIES, body).json()["results"]]
    assert found == [ALPHA, BETA, IBERIA, ACME]
