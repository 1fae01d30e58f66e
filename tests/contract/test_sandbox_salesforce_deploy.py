"""Fields and permission sets: deployed by REST and SOAP, made by Tooling, invisible until somebody may see them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import NIGHTLY_PERMISSIONS
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_package import (
    NS,
    SCORE,
    TIER,
    WHOLE,
    assign,
    deployed,
    outcomes,
    package,
    permission_set,
    problems,
    started,
)
from tests.contract.salesforce_small_org import ACME, NOW, Desk, open_desk, small_org


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def test_a_deploy_goes_its_way_and_lists_its_components(desk: Desk) -> None:
    """201 Pending, InProgress, Succeeded; a second one changes nothing."""
    desk.show(small_org())
    answer = started(desk, WHOLE)
    assert (answer.status_code, answer.json()["deployResult"]["status"]) == (201, "Pending")
    path = f"metadata/deployRequest/{answer.json()['id']}"
    seen = [desk.get(path)["deployResult"]["status"] for _ in range(3)]
    assert seen == ["Pending", "InProgress", "Succeeded"]
    result = deployed(desk, WHOLE)
    shown = [
        (c["componentType"], c["fullName"], c["created"], c["changed"]) for c in result["details"]["componentSuccesses"]
    ]
    assert shown == [
        ("CustomField", "Account.KAM_Tier__c", False, False),
        ("CustomField", "Account.KAM_Score__c", False, False),
        ("PermissionSet", "KAM", False, False),
        ("", "package.xml", False, True),
    ]
    assert (result["numberComponentsDeployed"], result["numberComponentsTotal"], result["success"]) == (3, 3, True)


def test_a_new_field_is_invisible_until_the_set_is_assigned(desk: Desk) -> None:
    """To describe, SOQL and update; then it is there, and its values are checked."""
    org = desk.show(small_org())
    deployed(desk, WHOLE)
    body = {"records": [{"attributes": {"type": "Account"}, "id": ACME, "KAM_Tier__c": "key", "KAM_Score__c": 7.25}]}

    def looked() -> tuple[bool, bool, Any]:
        names = {one["name"] for one in desk.get("sobjects/Account/describe")["fields"]}
        answer = desk.get("query", q="SELECT KAM_Tier__c FROM Account")
        return "KAM_Tier__c" in names, "records" in answer, desk.call("PATCH", "composite/sobjects", json=body).json()

    described, queried, (written,) = looked()
    assert (described, queried, written["errors"][0]["statusCode"]) == (False, False, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert assign(desk).status_code == 201
    described, queried, (written,) = looked()
    assert (described, queried, written["success"]) == (True, True, True)
    record = org.record("Account", ACME)
    assert record is not None
    assert (record["KAM_Tier__c"], record["KAM_Score__c"]) == ("key", 7.3)
    for values, code in (
        ({"KAM_Tier__c": "other"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"KAM_Score__c": 10_000}, "NUMBER_OUTSIDE_VALID_RANGE"),
    ):
        assert desk.call("PATCH", f"sobjects/Account/{ACME}", json=values).json()[0]["errorCode"] == code


def test_assigning_twice_is_a_duplicate(desk: Desk) -> None:
    """400 DUPLICATE_VALUE."""
    desk.show(small_org())
    deployed(desk, WHOLE)
    assert assign(desk).status_code == 201
    assert assign(desk).json()[0]["errorCode"] == "DUPLICATE_VALUE"


def test_a_set_that_only_reads_makes_a_field_read_only(desk: Desk) -> None:
    """Describe says so, and a write is refused."""
    desk.show(small_org())
    deployed(desk, package(TIER + SCORE.format(5), permission_set("KAM_Tier__c", edit="false")))
    assign(desk)
    fields = {one["name"]: one for one in desk.get("sobjects/Account/describe")["fields"]}
    assert (fields["KAM_Tier__c"]["updateable"], "KAM_Score__c" in fields) == (False, False)
    answer = desk.call("PATCH", f"sobjects/Account/{ACME}", json={"KAM_Tier__c": "key"})
    assert answer.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    """checkOnly says the same as the real one, and the field is still to be created."""
    org = desk.show(small_org())
    dry = deployed(desk, WHOLE, checkOnly=True)
    assert (dry["status"], dry["checkOnly"]) == ("Succeeded", True)
    assert outcomes(dry) == dict.fromkeys(("Account.KAM_Tier__c", "Account.KAM_Score__c", "KAM"), (True, True, False))
    assert org.table("Account").field("KAM_Tier__c") is None
    assert org.table("PermissionSet").where("Name", "KAM") == []
    assert outcomes(deployed(desk, WHOLE)) == outcomes(dry)


@pytest.mark.parametrize(("rollback", "status", "there"), [(True, "Failed", False), (False, "SucceededPartial", True)])
def test_one_bad_component_fails_all_if_so_asked(desk: Desk, rollback: bool, status: str, there: bool) -> None:
    """rollbackOnError; else the good ones stay."""
    org = desk.show(small_org())
    result = deployed(desk, package(TIER + SCORE.format(19), None), rollbackOnError=rollback)
    assert result["status"] == status
    assert problems(result) == ["Precision must be between 1 and 18: 19"]
    assert (org.table("Account").field("KAM_Tier__c") is not None) == there


@pytest.mark.parametrize(
    ("fields", "permissions", "problem"),
    [
        (TIER + SCORE.format(5).replace("Number", "Nombre"), None, "'Nombre' is not a valid value for the enum"),
        (TIER + SCORE.format(5).replace("<scale>1</scale>", ""), None, "Must specify 'scale'"),
        (
            TIER + SCORE.format(5).replace("KAM_Score__c", "KAM__Score__c"),
            None,
            "KAM_Score__c' of type CustomField was",
        ),
        (TIER + SCORE.format(5).replace("<label>KAM Score</label>", ""), None, "Must specify 'label'"),
        (TIER + SCORE.format(5).replace("scale>", "scaling>"), None, "scaling invalid at this location"),
        (TIER.replace("growth", "Key") + SCORE.format(5), None, "Duplicate or no picklist values"),
        (TIER + SCORE.format(5), permission_set("KAM_Nothing__c"), "no CustomField named Account.KAM_Nothing__c found"),
        (TIER + SCORE.format(5), permission_set("Name"), "You cannot deploy to a required field: Account.Name"),
        (TIER + SCORE.format(5), permission_set("KAM_Tier__c").replace("<label>KAM</label>", ""), "missing: label"),
    ],
)
def test_a_bad_component_says_what_is_wrong(desk: Desk, fields: str, permissions: str | None, problem: str) -> None:
    """In componentFailures."""
    desk.show(small_org())
    result = deployed(desk, package(fields, permissions))
    assert result["status"] == "Failed"
    assert any(problem in one for one in problems(result))


def test_a_package_that_cannot_be_read_fails_as_a_whole(desk: Desk) -> None:
    """With an errorMessage."""
    desk.show(small_org())
    result = deployed(desk, b"no zip")
    assert (result["status"], result["errorMessage"]) == ("Failed", "The zip file is not a valid zip")


def test_deploying_needs_a_permission(desk: Desk) -> None:
    """Modify Metadata; the nightly user has it not, and sees no assignments: who sees them may still not make any."""
    org = desk.show(small_org(permissions=NIGHTLY_PERMISSIONS))
    answer = started(desk, WHOLE)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
    answer = desk.call("POST", "sobjects/PermissionSetAssignment", json={})
    assert answer.json()[0]["errorCode"] == "NOT_FOUND"
    org.settings.permissions = NIGHTLY_PERMISSIONS | {"ViewSetup"}
    answer = desk.call("POST", "sobjects/PermissionSetAssignment", json={})
    assert answer.json()[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_simple_salesforce_deploys_by_soap(desk: Desk) -> None:
    """Its capitals and stray text are tolerated; a failure is told with its file."""
    org = desk.show(small_org())
    with signed_in(desk.url) as sf:
        sent = sf.deploy(io.BytesIO(WHOLE), sandbox=False)
        states = [sf.checkDeployStatus(sent["asyncId"])["state"] for _ in range(3)]
        bad = sf.deploy(io.BytesIO(package(TIER + SCORE.format(19), None)), sandbox=False)["asyncId"]
        ends = [sf.checkDeployStatus(bad) for _ in range(3)]
    assert (sent["state"], states) == ("Queued", ["Pending", "InProgress", "Succeeded"])
    assert org.table("Account").field("KAM_Tier__c") is not None
    assert (ends[-1]["state"], ends[-1]["deployment_detail"]["errors"][0]["file"]) == (
        "Failed",
        "objects/Account.object",
    )


def test_tooling_makes_one_field_at_a_time(desk: Desk) -> None:
    """It can be looked up at once, is seen by nobody, and cannot be made twice."""
    desk.show(small_org())
    body = {
        "FullName": "Account.KAM_Tier__c",
        "Metadata": {
            "label": "KAM Tier",
            "type": "Picklist",
            "valueSet": {
                "restricted": True,
                "valueSetDefinition": {
                    "sorted": False,
                    "value": [{"valueName": "key", "label": "Key", "default": False}],
                },
            },
        },
    }
    made = desk.call("POST", "tooling/sobjects/CustomField", json=body)
    soql = "SELECT Id FROM CustomField WHERE TableEnumOrId = 'Account' AND DeveloperName = 'KAM_Tier'"
    assert (made.status_code, desk.query(soql, "tooling/query")[0]["Id"]) == (201, made.json()["id"])
    assert desk.get("query", q="SELECT KAM_Tier__c FROM Account")[0]["errorCode"] == "INVALID_FIELD"
    again = desk.call("POST", "tooling/sobjects/CustomField", json=body)
    assert again.json()[0]["errorCode"] == "DUPLICATE_DEVELOPER_NAME"


def test_a_field_permission_can_be_given_by_rest(desk: Desk) -> None:
    """On a permission set that the user holds; what its profile shadows counts too."""
    desk.show(small_org())
    deployed(desk, package(TIER + SCORE.format(5), None))
    (shadow,) = desk.query(
        "SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = true AND Profile.Name LIKE 'Minimum%'"
    )
    body = {
        "ParentId": shadow["Id"],
        "SobjectType": "Account",
        "Field": "Account.KAM_Tier__c",
        "PermissionsRead": True,
        "PermissionsEdit": False,
    }
    assert desk.call("POST", "sobjects/FieldPermissions", json=body).status_code == 201
    assert desk.query("SELECT KAM_Tier__c FROM Account LIMIT 1")[0]["KAM_Tier__c"] is None


def test_the_zip_of_soap_is_base64(desk: Desk) -> None:
    """What is no zip in it fails the deploy and not the call."""
    desk.show(small_org())
    token = str(desk.session.headers["Authorization"]).removeprefix("Bearer ")
    soap = 'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
    zipped = base64.b64encode(b"no zip").decode()
    body = (
        f"<e:Envelope {soap} {NS}><e:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader></e:Header>"
        f"<e:Body><deploy><ZipFile>{zipped}</ZipFile><DeployOptions/></deploy></e:Body></e:Envelope>"
    )
    url = f"{desk.url}/services/Soap/m/66.0"
    sent = desk.session.post(url, data=body, headers={"Content-Type": "text/xml", "SOAPAction": '""'}, timeout=30)
    assert (sent.status_code, "<state>Queued</state>" in sent.text) == (200, True)
    expired = desk.session.post(url, data=body.replace(token, "00Dwrong"), timeout=30)
    assert (expired.status_code, "INVALID_SESSION_ID" in expired.text) == (500, True)


def test_an_org_without_a_single_record_takes_a_deploy(desk: Desk) -> None:
    """Fields and permissions are of the object, not of its rows."""
    desk.show(Org(Clock(NOW)))
    assert deployed(desk, WHOLE)["status"] == "Succeeded"
    assert assign(desk).status_code == 201
    assert "records" in desk.get("query", q="SELECT KAM_Tier__c FROM Account")


def test_an_object_takes_so_many_custom_fields(desk: Desk) -> None:
    """By edition; the one that is there counts, and Tooling says what is left."""
    knobs = MetadataSettings(edition="Professional Edition")
    org = desk.show(small_org(metadata=knobs))
    left = "SELECT Max, Remaining FROM EntityLimit WHERE EntityDefinitionId = 'Account' AND Type = 'CustomFields'"
    (limit,) = desk.query(left, "tooling/query")
    assert (limit["Max"], limit["Remaining"]) == (100, 99)
    org.settings.metadata.custom_fields_per_object = 2
    result = deployed(desk, WHOLE)
    assert problems(result)[0] == "You have reached the maximum number of custom fields for Account: 2"
    assert org.table("Account").field("KAM_Tier__c") is None


def test_deploys_wait_for_each_other(desk: Desk) -> None:
    """While somebody else's works, ours are pending; of ours, the first one that was sent goes first."""
    org = desk.show(small_org(metadata=MetadataSettings(others_deploy_polls=2)))
    first, second = (f"metadata/deployRequest/{started(desk, WHOLE).json()['id']}" for _ in range(2))
    seen = [desk.get(second)["deployResult"]["status"] for _ in range(5)]
    assert (seen, org.table("Account").field("KAM_Tier__c") is not None) == (["Pending"] * 5, True)
    assert desk.get(first)["deployResult"]["status"] == "Succeeded"
    assert [desk.get(second)["deployResult"]["status"] for _ in range(3)] == ["Pending", "InProgress", "Succeeded"]


def test_a_locked_setup_fails_one_deploy(desk: Desk) -> None:
    """It changes nothing; the next one gets through."""
    org = desk.show(small_org(metadata=MetadataSettings(setup_locked=1)))
    (problem,) = problems(deployed(desk, WHOLE))
    assert "administration setup is already locked by another change" in problem
    assert org.table("Account").field("KAM_Tier__c") is None
    assert deployed(desk, WHOLE)["status"] == "Succeeded"


@pytest.mark.parametrize(("replaces", "left"), [(False, {"KAM_Tier__c", "KAM_Score__c"}), (True, {"KAM_Score__c"})])
def test_entries_that_a_set_does_not_list(desk: Desk, replaces: bool, left: set[str]) -> None:
    """They stay, or go, by a knob; deploying the same again changes nothing either way."""
    org = desk.show(small_org(metadata=MetadataSettings(permission_set_deploys_replace=replaces)))
    deployed(desk, WHOLE)
    (held,) = org.table("PermissionSet").where("Name", "KAM")
    fewer = package(TIER + SCORE.format(5), permission_set("KAM_Score__c"))
    assert outcomes(deployed(desk, fewer))["KAM"] == (False, replaces, False)
    assert outcomes(deployed(desk, fewer))["KAM"] == (False, False, False)
    rows = org.table("FieldPermissions").where("ParentId", held[0])
    assert {org.table("FieldPermissions").value(row, "Field").removeprefix("Account.") for row in rows} == left
