"""The sandbox portal's associations: reading many at once, making and removing them."""

from collections.abc import Iterator

import pytest

from connectors.sandbox.hubspot.ids import hubspot_id
from tests.contract.hubspot_world import Front, change, deal, open_front, portal, small_book

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (hubspot_id("companies", n) for n in range(1, 7))
DEALS = [str(hubspot_id("deals", n)) for n in range(1, 8)]
READ = "/crm/v4/associations/deals/companies/batch/read"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_links_come_with_their_types_and_ids_as_numbers(front: Front) -> None:
    """The plain type always stands beside a label; `toObjectId` is a JSON number."""
    front.show(portal())
    answer = front.post(READ, {"inputs": [{"id": DEALS[0]}]})
    assert answer.status_code == 200
    assert answer.json()["results"] == [
        {
            "from": {"id": DEALS[0]},
            "to": [
                {
                    "toObjectId": ALPHA,
                    "associationTypes": [
                        {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None},
                        {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
                    ],
                }
            ],
        }
    ]


def test_records_without_links_make_it_a_207(front: Front) -> None:
    """Each has an entry of its own, and so has an id that does not exist."""
    front.show(portal())
    answer = front.post(READ, {"inputs": [{"id": DEALS[0]}, {"id": DEALS[3]}, {"id": "1"}]})
    body = answer.json()
    assert (answer.status_code, body["numErrors"], len(body["results"])) == (207, 2, 1)
    assert body["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert [e["context"]["fromObjectId"] for e in body["errors"]] == [[DEALS[3]], ["1"]]


def test_a_deal_of_a_subsidiary_has_its_parent_too(front: Front) -> None:
    """Two companies, one primary; without the knob only that one."""
    for knob, linked in ((True, {ALPHA, IBERIA}), (False, {IBERIA})):
        front.show(portal(second_companies=knob))
        [result] = front.post(READ, {"inputs": [{"id": DEALS[6]}]}).json()["results"]
        primary = [to["toObjectId"] for to in result["to"] if {5} & {t["typeId"] for t in to["associationTypes"]}]
        assert ({to["toObjectId"] for to in result["to"]}, primary) == (linked, [IBERIA])


def test_many_links_are_paged_for_each_record(front: Front) -> None:
    """`{id, after}` goes back in as an input; nothing is lost or repeated on the way."""
    front.show(portal(association_page_limit=1))
    found: list[int] = []
    inputs = [{"id": str(ALPHA)}]
    while inputs:
        [result] = front.post("/crm/v4/associations/companies/deals/batch/read", {"inputs": inputs}).json()["results"]
        found += [to["toObjectId"] for to in result["to"]]
        inputs = [{"id": str(ALPHA), "after": result["paging"]["next"]["after"]}] if "paging" in result else []
    assert found == [int(DEALS[0]), int(DEALS[2]), int(DEALS[6])]


def test_more_than_a_thousand_inputs_are_refused(front: Front) -> None:
    """400 VALIDATION_ERROR."""
    front.show(portal())
    answer = front.post(READ, {"inputs": [{"id": str(n)} for n in range(1, 1002)]})
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_the_client_library_reads_and_makes_links(front: Front) -> None:
    """hubspot-api-client's v4: batch read, one record's links, the default link, removal."""
    there = front.show(portal())
    batch = front.api(lambda c: c.crm.associations.v4.batch_api)
    basic = front.api(lambda c: c.crm.associations.v4.basic_api)
    assert batch.get_page("deals", "companies", {"inputs": [{"id": DEALS[0]}]}).results[0].to[0].to_object_id == str(
        ALPHA
    )
    before = there.existing(there.known("deals"), DEALS[3]).modified
    basic.create_default("deals", DEALS[3], "companies", str(ACME))
    [link] = basic.get_page("deals", DEALS[3], "companies").results
    assert (link.to_object_id, [t.type_id for t in link.association_types]) == (str(ACME), [341, 5])
    assert there.existing(there.known("deals"), DEALS[3]).modified == before
    basic.archive("deals", DEALS[3], "companies", str(ACME))
    assert basic.get_page("deals", DEALS[3], "companies").results == []


def test_a_second_default_link_is_not_primary(front: Front) -> None:
    """The first company of a deal is its primary one, the second is not."""
    front.show(portal())
    pairs = [{"from": {"id": DEALS[3]}, "to": {"id": str(c)}} for c in (BETA, ALPHA)]
    made = front.post("/crm/v4/associations/deals/companies/batch/associate/default", {"inputs": pairs})
    assert made.status_code == 200
    [result] = front.post(READ, {"inputs": [{"id": DEALS[3]}]}).json()["results"]
    assert [(to["toObjectId"], len(to["associationTypes"])) for to in result["to"]] == [(ALPHA, 1), (BETA, 2)]


def test_a_new_primary_takes_the_place_of_the_old(front: Front) -> None:
    """Made with types; the label is answered."""
    front.show(portal())
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]
    body = {"inputs": [{"from": {"id": DEALS[0]}, "to": {"id": str(BETA)}, "types": types}]}
    made = front.post("/crm/v4/associations/deals/companies/batch/create", body)
    assert (made.status_code, made.json()["results"][0]["labels"]) == (201, ["Primary"])
    [result] = front.post(READ, {"inputs": [{"id": DEALS[0]}]}).json()["results"]
    assert [(to["toObjectId"], len(to["associationTypes"])) for to in result["to"]] == [(ALPHA, 1), (BETA, 2)]


def test_archiving_links_differs_by_version(front: Front) -> None:
    """204 in v4, a body in the dated versions."""
    front.show(portal())
    body = {"inputs": [{"from": {"id": DEALS[0]}, "to": [{"id": str(ALPHA)}]}]}
    assert front.post("/crm/v4/associations/deals/companies/batch/archive", body).status_code == 204
    assert front.post("/crm/associations/2026-03/deals/companies/batch/archive", body).status_code == 200


def test_labels(front: Front) -> None:
    """The types between two kinds, the plain one first."""
    front.show(portal())
    assert front.get("/crm/v4/associations/deals/companies/labels").json()["results"] == [
        {"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None},
        {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"},
    ]


def test_an_activity_is_linked_to_all_it_concerns(front: Front) -> None:
    """To a person, and to the company of its deal or person, as HubSpot does it by itself."""
    front.show(portal())
    meeting, email = str(hubspot_id("meetings", 2)), str(hubspot_id("emails", 3))
    of_meeting = front.post("/crm/v4/associations/meetings/companies/batch/read", {"inputs": [{"id": meeting}]}).json()
    of_email = front.post("/crm/v4/associations/emails/companies/batch/read", {"inputs": [{"id": email}]}).json()
    assert of_meeting["results"][0]["to"][0]["toObjectId"] == ALPHA
    assert of_email["results"][0]["to"][0]["toObjectId"] == BETA


def test_the_link_of_inline_associations_leads_on(front: Front) -> None:
    """A record shows a hundred of them and where the others are."""
    book = small_book()
    book.deals = [deal(n, 1, change(9, "qualified", n, "2026-12-01")) for n in range(1, 131)]
    book.touches = []
    front.show(portal(book))
    inline = front.get(f"/crm/v3/objects/companies/{ALPHA}?associations=deals").json()["associations"]["deals"]
    further = front.get(inline["paging"]["next"]["link"].removeprefix(front.url)).json()
    found = [entry["id"] for entry in (*inline["results"], *further["results"])]
    assert sorted(set(found), key=int) == [str(hubspot_id("deals", n)) for n in range(1, 131)]
    assert "paging" not in further
