"""The sandbox portal's properties and groups: made once, changed, archived and brought back."""

import json
from collections.abc import Iterator

import pytest
from hubspot.crm.properties.exceptions import ApiException

from connectors.sandbox.hubspot.ids import hubspot_id
from tests.contract.hubspot_world import Front, open_front, portal

COMPANIES = "/crm/v3/objects/companies"
PROPERTIES = "/crm/v3/properties/companies"
SCORE = {"name": "kam_score", "label": "Score", "type": "number", "fieldType": "number", "groupName": "kam"}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def make_group(front: Front) -> None:
    assert front.post(f"{PROPERTIES}/groups", {"name": "kam", "label": "KAM"}).status_code == 201


def test_a_property_is_made_once(front: Front) -> None:
    """201, then 409; its group must exist, its type and field type must fit."""
    front.show(portal())
    core = front.api(lambda c: c.crm.properties.core_api)
    assert front.post(PROPERTIES, SCORE).json()["category"] == "VALIDATION_ERROR"
    front.api(lambda c: c.crm.properties.groups_api).create("companies", {"name": "kam", "label": "KAM"})
    assert front.post(PROPERTIES, SCORE | {"fieldType": "select"}).json()["category"] == "VALIDATION_ERROR"
    made = core.create("companies", SCORE)
    assert (made.name, made.hubspot_defined, made.archived) == ("kam_score", False, False)
    with pytest.raises(ApiException) as caught:
        core.create("companies", SCORE)
    assert (caught.value.status, json.loads(caught.value.body)["subCategory"]) == (
        409,
        "Properties.PROPERTY_WITH_NAME_EXISTS",
    )


def test_a_group_is_made_once(front: Front) -> None:
    """201, then 409; it goes only when it is empty."""
    front.show(portal())
    make_group(front)
    assert front.post(f"{PROPERTIES}/groups", {"name": "kam", "label": "KAM"}).status_code == 409
    front.post(PROPERTIES, SCORE)
    refused = front.call("DELETE", f"{PROPERTIES}/groups/kam").json()
    assert refused["subCategory"] == "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"
    assert front.call("DELETE", f"{PROPERTIES}/kam_score").status_code == 204
    assert front.call("DELETE", f"{PROPERTIES}/groups/kam").status_code == 204


def test_a_batch_of_properties_can_succeed_in_part(front: Front) -> None:
    """207 with what was made and what was there."""
    front.show(portal())
    make_group(front)
    front.post(PROPERTIES, SCORE)
    answer = front.post(f"{PROPERTIES}/batch/create", {"inputs": [SCORE, SCORE | {"name": "kam_rank"}]})
    body = answer.json()
    assert (answer.status_code, [p["name"] for p in body["results"]]) == (207, ["kam_rank"])
    assert (body["errors"][0]["category"], body["errors"][0]["context"]) == (
        "OBJECT_ALREADY_EXISTS",
        {"name": ["kam_score"]},
    )


def test_an_archived_property_hides_its_values_and_brings_them_back(front: Front) -> None:
    """Made again under its name it is restored."""
    front.show(portal())
    make_group(front)
    front.post(PROPERTIES, SCORE)
    path = f"{COMPANIES}/{hubspot_id('companies', 1)}?properties=kam_score"
    front.call("PATCH", path.partition("?")[0], {"properties": {"kam_score": "7"}})
    front.call("DELETE", f"{PROPERTIES}/kam_score")
    assert "kam_score" not in front.get(path).json()["properties"]
    archived = front.get(f"{PROPERTIES}?archived=true").json()["results"]
    assert [p["name"] for p in archived] == ["kam_score"]
    assert front.post(PROPERTIES, SCORE).status_code == 201
    assert front.get(path).json()["properties"]["kam_score"] == "7"


def test_options_that_are_sent_replace_the_list(front: Front) -> None:
    """And left out they stay."""
    front.show(portal())
    make_group(front)
    tier = SCORE | {"name": "kam_tier", "type": "enumeration", "fieldType": "select"}
    front.post(PROPERTIES, tier | {"options": [{"label": "A", "value": "a"}]})
    assert len(front.call("PATCH", f"{PROPERTIES}/kam_tier", {"label": "Tier"}).json()["options"]) == 1
    changed = front.call("PATCH", f"{PROPERTIES}/kam_tier", {"options": [{"label": "B", "value": "b"}]}).json()
    assert [o["value"] for o in changed["options"]] == ["b"]
    assert (changed["label"], changed["type"]) == ("Tier", "enumeration")


def test_a_strategic_value_of_the_book_shows_once_its_property_exists(front: Front) -> None:
    """It stands on the record from the start."""
    front.show(portal())
    path = f"{COMPANIES}/{hubspot_id('companies', 1)}?properties=kam_strategic_value,salesforceaccountid"
    assert front.get(path).json()["properties"]["salesforceaccountid"] == "001A0000000001AAA"
    make_group(front)
    front.post(PROPERTIES, SCORE | {"name": "kam_strategic_value"})
    assert front.get(path).json()["properties"]["kam_strategic_value"] == "7"
