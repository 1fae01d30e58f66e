"""The sandbox portal's records: lists, single ones, batches. Driven by hubspot-api-client where it covers a call."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hubspot.crm.companies.exceptions import ApiException

from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.settings import ALL_SCOPES
from tests.contract.hubspot_world import HOSTILE, Front, open_front, portal

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
COMPANIES = "/crm/v3/objects/companies"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def companies(front: Front) -> Any:
    return front.api(lambda c: c.crm.companies.basic_api)


def batches(front: Front) -> Any:
    return front.api(lambda c: c.crm.companies.batch_api)


def error(caught: pytest.ExceptionInfo[ApiException]) -> dict[str, Any]:
    return json.loads(caught.value.body)


def test_ids_follow_a_documented_rule() -> None:
    """A company's id is the first of its kind plus its number in the book; ids grow by a digit on the way."""
    assert (ALPHA, str(hubspot_id("companies", 10))) == ("9999999991", "10000000000")
    assert hubspot_id("call", 3) == 81_000_000_003
    assert hubspot_id("owners", 1) == 96_879_001


def test_a_list_is_paged_by_id(front: Front) -> None:
    """Pages ascend by id, `after` is the id the next one begins with, and the last has no paging."""
    front.show(portal())
    first = companies(front).get_page(limit=2)
    assert [c.id for c in first.results] == [ALPHA, IBERIA]
    assert first.paging.next.after == BETA
    second = companies(front).get_page(limit=2, after=first.paging.next.after)
    assert [c.id for c in second.results] == [BETA, ACME]
    assert second.paging is None


def test_default_properties_come_unless_others_are_asked_for(front: Front) -> None:
    """Defaults and the system's three; asked ones instead, where unknown names are left out and empty ones null."""
    front.show(portal())
    assert sorted(companies(front).get_page(limit=1).results[0].properties) == [
        "createdate",
        "domain",
        "hs_lastmodifieddate",
        "hs_object_id",
        "name",
    ]
    asked = companies(front).get_page(limit=1, properties=["city", "no_such_property", "numberofemployees"])
    assert asked.results[0].properties == {
        "city": None,
        "numberofemployees": "250",
        "createdate": "2024-05-16T12:00:00.000Z",
        "hs_lastmodifieddate": "2026-07-25T12:00:00.000Z",
        "hs_object_id": ALPHA,
    }


def test_list_parameters_come_with_commas_or_repeated(front: Front) -> None:
    """`properties=a,b` and `properties=a&properties=b` are the same."""
    front.show(portal())
    commas = front.get(f"{COMPANIES}?limit=1&properties=name,country").json()
    repeated = front.get(f"{COMPANIES}/?limit=1&properties=name&properties=country").json()
    assert commas["results"] == repeated["results"]


@pytest.mark.parametrize("query", ["limit=101", "limit=51&propertiesWithHistory=name", "limit=0", "after=x"])
def test_pages_have_limits(front: Front, query: str) -> None:
    """100 records, 50 with history; more is a validation error."""
    front.show(portal())
    answer = front.get(f"{COMPANIES}?{query}")
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_archived_records_are_a_list_of_their_own(front: Front) -> None:
    """The bin shows when a record was put into it."""
    front.show(portal())
    [gone] = companies(front).get_page(archived=True).results
    assert (gone.id, gone.archived, gone.archived_at.isoformat()) == (GONE, True, "2026-07-25T12:00:00+00:00")


def test_hostile_text_passes_unharmed(front: Front) -> None:
    """What people typed is sent as it is."""
    front.show(portal())
    assert companies(front).get_by_id(ACME).properties["name"] == HOSTILE


def test_a_merged_record_is_gone_everywhere_but_by_its_old_id(front: Front) -> None:
    """Neither list nor bin has the loser; its id answers with the survivor, which names it."""
    front.show(portal())
    survivor = companies(front).get_by_id(BETA_SL, properties=["hs_merged_object_ids"])
    assert (survivor.id, survivor.properties["hs_merged_object_ids"]) == (BETA, BETA_SL)
    assert BETA_SL not in {c.id for c in companies(front).get_page(limit=100).results}
    assert BETA_SL not in {c.id for c in companies(front).get_page(archived=True).results}
    read = batches(front).read({"inputs": [{"id": BETA_SL}], "properties": []})
    assert (read.num_errors, read.errors[0].context) == (1, {"ids": [BETA_SL]})


def test_merging_moves_values_and_links(front: Front) -> None:
    """The survivor takes what it lacks, and the loser's deals."""
    front.show(portal())
    merged = front.post(f"{COMPANIES}/merge", {"primaryObjectId": BETA, "objectIdToMerge": IBERIA}).json()
    asked = "properties=country,hs_merged_object_ids,num_associated_deals"
    survivor = front.get(f"{COMPANIES}/{IBERIA}?{asked}").json()
    assert (merged["id"], survivor["id"], survivor["properties"]["country"]) == (BETA, BETA, "Spain")
    assert survivor["properties"]["hs_merged_object_ids"] == f"{BETA_SL};{IBERIA}"
    assert survivor["properties"]["num_associated_deals"] == "2"


def test_a_merge_can_mint_a_new_id(front: Front) -> None:
    """With that knob both old ids lead to a third record."""
    front.show(portal(merge_mints_new_id=True))
    merged = front.post(f"{COMPANIES}/merge", {"primaryObjectId": ALPHA, "objectIdToMerge": ACME}).json()
    assert merged["id"] not in {ALPHA, ACME}
    assert {front.get(f"{COMPANIES}/{i}").json()["id"] for i in (ALPHA, ACME)} == {merged["id"]}


def test_an_unknown_id_is_not_found(front: Front) -> None:
    """404 OBJECT_NOT_FOUND."""
    front.show(portal())
    with pytest.raises(ApiException) as caught:
        companies(front).get_by_id("1")
    assert (caught.value.status, error(caught)["category"]) == (404, "OBJECT_NOT_FOUND")


def test_an_unknown_kind_cannot_be_inferred(front: Front) -> None:
    """400 naming the word."""
    front.show(portal())
    answer = front.get("/crm/v3/objects/butterflies")
    assert (answer.status_code, answer.json()["message"]) == (400, "Unable to infer object type from: butterflies")


def test_history_is_newest_first(front: Front) -> None:
    """A deal's stages as they were entered, the present one first, with who changed them."""
    front.show(portal())
    found = front.api(lambda c: c.crm.deals.basic_api).get_by_id(
        str(hubspot_id("deals", 1)), properties_with_history=["dealstage"]
    )
    entries = found.properties_with_history["dealstage"]
    assert [(e.value, e.timestamp.isoformat()) for e in entries] == [
        ("closedwon", "2026-10-13T12:00:00+00:00"),
        ("proposal", "2026-09-23T12:00:00+00:00"),
        ("qualified", "2026-09-03T12:00:00+00:00"),
    ]
    assert entries[0].source_type == "CRM_UI"


def test_calculated_values_are_computed_when_read(front: Front) -> None:
    """They follow stage, currency and links, and moving them moves no modified date."""
    there = front.show(portal())
    names = "hs_is_closed_won,hs_deal_stage_probability,amount_in_home_currency,hs_primary_associated_company"
    path = f"/crm/v3/objects/deals/{hubspot_id('deals', 2)}?properties={names}"
    before = front.get(path).json()
    assert before["properties"]["hs_is_closed_won"] == "false"
    assert before["properties"]["hs_deal_stage_probability"].startswith("0.59999999999999997779")
    assert before["properties"]["amount_in_home_currency"] == "1800"
    assert before["properties"]["hs_primary_associated_company"] == BETA
    there.dissociate("deals", hubspot_id("deals", 2), "companies", BETA)
    after = front.get(path).json()
    assert after["properties"]["hs_primary_associated_company"] is None
    assert after["updatedAt"] == before["updatedAt"]


def test_inline_associations_repeat_a_record_for_each_type(front: Front) -> None:
    """A primary company is listed as such and as unlabelled."""
    front.show(portal())
    found = front.api(lambda c: c.crm.deals.basic_api).get_by_id(
        str(hubspot_id("deals", 1)), associations=["companies"]
    )
    assert [(r.id, r.type) for r in found.associations["companies"].results] == [
        (ALPHA, "deal_to_company_unlabeled"),
        (ALPHA, "deal_to_company"),
    ]


def test_create_update_archive(front: Front) -> None:
    """A write takes the clock's instant; a new id is above all others; archiving again is no error."""
    there = front.show(portal())
    made = companies(front).create({"properties": {"name": "New", "numberofemployees": "12.0"}, "associations": []})
    assert (int(made.id) > int(ACME), made.properties["numberofemployees"]) == (True, "12")
    changed = companies(front).update(made.id, {"properties": {"country": "France"}})
    assert changed.updated_at == there.clock.now()
    companies(front).archive(made.id)
    companies(front).archive(made.id)
    with pytest.raises(ApiException):
        companies(front).get_by_id(made.id)


def test_a_bad_value_is_refused_with_its_code(front: Front) -> None:
    """Unknown property, unknown option, no number, read-only."""
    front.show(portal())
    for properties, code in (
        ({"colour": "red"}, "PROPERTY_DOESNT_EXIST"),
        ({"type": "FRIEND"}, "INVALID_OPTION"),
        ({"numberofemployees": "many"}, "INVALID_INTEGER"),
        ({"hs_num_open_deals": "1"}, "READ_ONLY_VALUE"),
    ):
        with pytest.raises(ApiException) as caught:
            companies(front).update(ALPHA, {"properties": properties})
        assert (caught.value.status, error(caught)["errors"][0]["code"]) == (400, code)


def test_a_deal_that_closes_gets_its_close_date(front: Front) -> None:
    """Entering a closed stage sets it to now; a new deal's default is the end of the month in the portal's zone."""
    front.show(portal())
    deals = front.api(lambda c: c.crm.deals.basic_api)
    made = deals.create({"properties": {"dealname": "A", "dealstage": "qualified"}, "associations": []})
    read = deals.get_by_id(made.id)
    assert (read.properties["closedate"], read.properties["pipeline"]) == ("2026-11-30T12:00:00.000Z", "default")
    deals.update(made.id, {"properties": {"dealstage": "closedwon"}})
    assert deals.get_by_id(made.id).properties["closedate"] == "2026-11-02T12:00:00.000Z"


@pytest.mark.parametrize(("knob", "value"), [(True, ""), (False, None)])
def test_a_cleared_value_reads_as_empty_or_null(front: Front, knob: bool, value: str | None) -> None:
    """`""` clears; how it reads then differs between portals."""
    front.show(portal(cleared_reads_as_empty=knob))
    companies(front).update(IBERIA, {"properties": {"country": ""}})
    assert companies(front).get_by_id(IBERIA, properties=["country"]).properties["country"] == value


def test_required_properties_count_from_september_2026_on(front: Front) -> None:
    """An administrator's rule binds the dated version only."""
    front.show(portal(required_properties={"companies": ("country",)}))
    body = {"properties": {"country": ""}}
    assert front.call("PATCH", f"{COMPANIES}/{IBERIA}", body).status_code == 200
    refused = front.call("PATCH", f"/crm/objects/2026-09/companies/{IBERIA}", body)
    assert refused.json()["errors"][0]["code"] == "MISSING_REQUIRED_PROPERTY"


@pytest.mark.parametrize(("scopes", "subject"), [(ALL_SCOPES, "Touch 3"), (ALL_SCOPES - {"sales-email-read"}, None)])
def test_what_emails_say_needs_a_scope_of_its_own(front: Front, scopes: frozenset[str], subject: str | None) -> None:
    """Without it they come without subject and text."""
    front.show(portal(scopes=scopes))
    [email] = front.get("/crm/v3/objects/emails?properties=hs_email_subject,hs_timestamp").json()["results"]
    assert email["properties"].get("hs_email_subject") == subject
    assert email["properties"]["hs_timestamp"] == "2026-10-30T12:00:00.000Z"
