"""Provisioning a HubSpot portal: said beforehand, taken away again, and what stands in its way."""

from collections.abc import Iterator

import pytest

from connectors.contract import Finding, Part, Provisioning
from connectors.errors import PermissionMissing, RequestRefused
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.settings import ALL_SCOPES
from kammodel.publish.fields import FIELDS
from tests.contract.hubspot_copy import connected
from tests.contract.hubspot_world import Front, open_front, portal

ALPHA, BETA = (str(hubspot_id("companies", n)) for n in (1, 4))
NAMES = tuple(f.hubspot_name for f in FIELDS)
GROUP = "/crm/v3/properties/companies/groups/kam"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def there_are(front: Front) -> set[str]:
    """Our properties that the portal has."""
    listed = front.get("/crm/v3/properties/companies").json()["results"]
    return {p["name"] for p in listed if p["name"].startswith("kam_")}


def test_a_trial_says_what_would_be_made_and_makes_nothing(front: Front) -> None:
    """And the run itself does what the trial said."""
    front.show(portal())
    with connected(front) as connector:
        assert isinstance(connector, Provisioning)
        tried = connector.provision(FIELDS, "es", dry_run=True)
        assert (tried.created, tried.changed, tried.unchanged, tried.dry_run) == (NAMES, (), (), True)
        assert tried.parts == (Part("property group", "kam", "created"),)
        assert (there_are(front), front.get(GROUP).status_code) == (set(), 404)
        done = connector.provision(FIELDS, "es")
    assert (done.created, done.parts, done.dry_run) == (tried.created, tried.parts, False)
    assert there_are(front) == set(NAMES)


def test_a_trial_says_what_would_change(front: Front) -> None:
    """Labels in another language; nothing is sent."""
    front.show(portal())
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        tried = connector.provision(FIELDS, "es", dry_run=True)
    assert (tried.created, tried.changed, tried.unchanged) == ((), NAMES, ())
    assert tried.parts == (Part("property group", "kam", "unchanged"),)
    assert front.get("/crm/v3/properties/companies/kam_tier").json()["label"] == "KAM tier"


def test_what_was_made_can_be_taken_away(front: Front) -> None:
    """Said beforehand with how many companies hold a value; then nothing of ours is left, and nothing else is gone."""
    there = front.show(portal())
    before = {p["name"] for p in front.get("/crm/v3/properties/companies").json()["results"]}
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        there.update("companies", ALPHA, {"kam_tier": "key", "kam_strategic_value": "7"})
        there.update("companies", BETA, {"kam_tier": "growth"})
        told = connector.removal(FIELDS)
        assert connector.remove(FIELDS, dry_run=True) == told
        assert there_are(front) == set(NAMES)
        assert connector.remove(FIELDS) == told
        assert connector.removal(FIELDS).is_empty
        assert connector.remove(FIELDS).is_empty
    assert {name: told.fields[name] for name in ("kam_tier", "kam_strategic_value", "kam_score")} == {
        "kam_tier": 2,
        "kam_strategic_value": 1,
        "kam_score": 0,
    }
    assert set(told.typed_by_people) == {f.hubspot_name for f in FIELDS if not f.ours}
    assert told.parts == (Part("property group", "kam", "removed"),)
    assert {p["name"] for p in front.get("/crm/v3/properties/companies").json()["results"]} == before
    assert front.get(GROUP).status_code == 404


def test_removing_finishes_what_was_stopped(front: Front) -> None:
    """Half the properties are gone already: the rest goes, and the group."""
    front.show(portal())
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        for name in NAMES[:5]:
            front.call("DELETE", f"/crm/v3/properties/companies/{name}")
        connector.remove(FIELDS)
        assert connector.removal(FIELDS).is_empty
    assert (there_are(front), front.get(GROUP).status_code) == (set(), 404)


def test_a_property_in_use_is_named_and_the_others_go(front: Front) -> None:
    """HubSpot does not delete what a calculation of somebody's is made of."""
    front.show(portal())
    body = {"name": "twice", "label": "Twice", "type": "number", "fieldType": "calculation_equation"}
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        more = {"groupName": "companyinformation", "calculationFormula": "kam_score * 2"}
        assert front.post("/crm/v3/properties/companies", body | more).status_code == 201
        with pytest.raises(RequestRefused, match="HubSpot uses kam_score in a calculation: take it out there"):
            connector.remove(FIELDS)
    assert there_are(front) == {"kam_score"}


def test_a_group_with_properties_of_others_stays(front: Front) -> None:
    """Somebody has put one of their own into it: it is neither asked about nor taken away."""
    front.show(portal())
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        body = {"name": "own", "label": "Own", "type": "string", "fieldType": "text", "groupName": "kam"}
        front.post("/crm/v3/properties/companies", body)
        assert connector.remove(FIELDS).parts == ()
        assert connector.removal(FIELDS).is_empty
    assert front.get(GROUP).status_code == 200


def test_nothing_in_the_way_nothing_found(front: Front) -> None:
    """Before and after provisioning."""
    there = front.show(portal())
    with connected(front) as connector:
        assert connector.preflight(FIELDS) == []
        connector.provision(FIELDS, "en")
        changes = there.existing(there.known("companies"), ALPHA).modified
        assert connector.preflight(FIELDS) == []
    assert there.existing(there.known("companies"), ALPHA).modified == changes


def test_scopes_are_found_out_without_writing(front: Front) -> None:
    """Each that is missing is named, with what it stops: provisioning, or the runs."""
    front.show(portal(scopes=ALL_SCOPES - {"crm.schemas.companies.write", "crm.objects.companies.write"}))
    with connected(front) as connector:
        found = connector.preflight(FIELDS)
        with pytest.raises(PermissionMissing, match=r"crm\.schemas\.companies\.write"):
            connector.provision(FIELDS, "en")
    make = "the token lacks the scope crm.schemas.companies.write: grant it, or no property is made"
    write = "the token lacks the scope crm.objects.companies.write: grant it, or nothing is written"
    assert found == [Finding("error", "provision", make), Finding("error", "run", write)]


def test_room_and_types_are_found_out(front: Front) -> None:
    """Properties that the portal takes no more of, and one of our name that cannot serve."""
    front.show(portal(custom_property_limit=3))
    body = {"name": "kam_score", "label": "x", "type": "string", "fieldType": "text", "groupName": "companyinformation"}
    front.post("/crm/v3/properties/companies", body)
    with connected(front) as connector:
        found = connector.preflight(FIELDS)
    needed = len(FIELDS) - 1
    assert [(f.grade, f.about, f.text) for f in found] == [
        (
            "error",
            "provision",
            "kam_score exists with type string, kam needs number: rename or delete it in HubSpot",
        ),
        (
            "error",
            "provision",
            f"companies take 2 more custom properties and kam needs {needed}: delete some",
        ),
    ]


def test_what_cannot_be_found_out_is_said(front: Front) -> None:
    """A portal that does not tell its limits is no obstacle."""
    front.show(portal())
    front.faults.on_path("/crm/v3/limits/custom-properties", "html_502", times=10)
    with connected(front) as connector:
        found = connector.preflight(FIELDS)
    assert [(f.grade, f.about) for f in found] == [("unknown", "provision")]
