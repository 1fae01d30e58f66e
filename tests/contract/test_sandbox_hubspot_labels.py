"""Labels that a portal defines for associations: made, put on links, changed, taken off, deleted."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.hubspot.ids import hubspot_id
from tests.contract.hubspot_world import Front, open_front, portal

DEAL, CONTACT = str(hubspot_id("deals", 1)), str(hubspot_id("contacts", 1))
LABELS = "/crm/v4/associations/deals/contacts/labels"
READ = "/crm/v4/associations/deals/contacts/batch/read"
LINK = f"/crm/v4/objects/deals/{DEAL}/associations/contacts/{CONTACT}"
PLAIN = {"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None}
CHAMPION = {"category": "USER_DEFINED", "typeId": 1, "label": "Champion"}
TYPE = {"associationCategory": "USER_DEFINED", "associationTypeId": 1}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def types(front: Front) -> list[Any]:
    """The association types of the one link there is."""
    [result] = front.post(READ, {"inputs": [{"id": DEAL}]}).json()["results"]
    [link] = result["to"]
    found: list[Any] = link["associationTypes"]
    return found


def labelled(front: Front) -> None:
    """A portal whose first deal has a contact that is its champion."""
    front.show(portal())
    assert front.post(LABELS, {"label": "Champion", "name": "champion"}).status_code == 200
    assert front.call("PUT", LINK, [TYPE]).status_code == 201


def test_a_label_has_a_type_for_each_direction(front: Front) -> None:
    """Numbered from one, as HubSpot's own are: only category and number together say which type it is."""
    front.show(portal())
    made = front.post(LABELS, {"label": "Manager of", "name": "manages", "inverseLabel": "Managed by"}).json()
    assert made["results"] == [
        {"category": "USER_DEFINED", "typeId": 1, "label": "Manager of"},
        {"category": "USER_DEFINED", "typeId": 2, "label": "Managed by"},
    ]
    assert front.get(LABELS).json()["results"][-1] == made["results"][0]
    back = front.get("/crm/v4/associations/contacts/deals/labels").json()["results"]
    assert back[-1] == made["results"][1]
    assert {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"} in front.get(
        "/crm/v4/associations/contacts/companies/labels"
    ).json()["results"]


def test_a_labelled_link_has_the_plain_type_too(front: Front) -> None:
    """And neither record's modified date moves."""
    there = front.show(portal())
    before = there.existing(there.known("deals"), DEAL).modified
    front.post(LABELS, {"label": "Champion", "name": "champion"})
    front.call("PUT", LINK, [TYPE])
    assert types(front) == [PLAIN, CHAMPION]
    assert there.existing(there.known("deals"), DEAL).modified == before


def test_inline_associations_name_a_label(front: Front) -> None:
    """By its internal name."""
    labelled(front)
    inline = front.get(f"/crm/v3/objects/deals/{DEAL}?associations=contacts").json()["associations"]["contacts"]
    assert [entry["type"] for entry in inline["results"]] == ["deal_to_contact", "champion"]


def test_other_words_for_a_label(front: Front) -> None:
    """The type stays the same."""
    labelled(front)
    answer = front.call("PUT", LABELS, {"associationTypeId": 1, "label": "Sponsor"})
    assert answer.status_code == 204
    assert types(front) == [PLAIN, CHAMPION | {"label": "Sponsor"}]


@pytest.mark.parametrize(("version", "status"), [("v4", 204), ("2026-03", 200)])
def test_taking_a_label_off_keeps_the_link(front: Front, version: str, status: int) -> None:
    """v4 answers with nothing, the dated versions with a body."""
    labelled(front)
    base = "/crm/v4/associations" if version == "v4" else f"/crm/associations/{version}"
    body = {"inputs": [{"from": {"id": DEAL}, "to": {"id": CONTACT}, "types": [TYPE]}]}
    answer = front.post(f"{base}/deals/contacts/batch/labels/archive", body)
    assert answer.status_code == status
    assert types(front) == [PLAIN]


def test_deleting_a_label_takes_it_off_every_link(front: Front) -> None:
    """Once; the second time there is none."""
    labelled(front)
    assert front.call("DELETE", f"{LABELS}/1").status_code == 204
    assert types(front) == [PLAIN]
    assert front.call("DELETE", f"{LABELS}/1").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", LABELS, {"label": "Champion"}),
        ("POST", LABELS, {"label": "Champion", "name": "other"}),
        ("PUT", LABELS, {"associationTypeId": 3, "label": "Sponsor"}),
        ("PUT", LINK, [{"associationCategory": "USER_DEFINED", "associationTypeId": 9}]),
        ("PUT", LINK, [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]),
    ],
)
def test_what_is_refused(front: Front, method: str, path: str, body: Any) -> None:
    """A label without a name or twice, HubSpot's own types renamed, types that are none of these two kinds."""
    labelled(front)
    answer = front.call(method, path, body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_ten_labels_are_the_most(front: Front) -> None:
    """The eleventh of two kinds is refused."""
    front.show(portal())
    made = [front.post(LABELS, {"label": f"L{n}", "name": f"l{n}"}).status_code for n in range(11)]
    assert made == [200] * 10 + [400]


def test_the_client_library_makes_labels_and_uses_them(front: Front) -> None:
    """hubspot-api-client's v4 schema and basic parts."""
    front.show(portal())
    schema = front.api(lambda c: c.crm.associations.v4.schema.definitions_api)
    made = schema.create("deals", "contacts", {"label": "Champion", "name": "champion"})
    assert [(t.category, t.type_id) for t in made.results] == [("USER_DEFINED", 1), ("USER_DEFINED", 2)]
    basic = front.api(lambda c: c.crm.associations.v4.basic_api)
    assert basic.create("deals", DEAL, "contacts", CONTACT, [TYPE]).labels == ["Champion"]
    [link] = basic.get_page("deals", DEAL, "contacts").results
    assert [(t.category, t.type_id, t.label) for t in link.association_types] == [
        ("HUBSPOT_DEFINED", 3, None),
        ("USER_DEFINED", 1, "Champion"),
    ]
