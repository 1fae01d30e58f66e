"""Fields and permission sets: deployed by REST and SOAP, made by Tooling, invisible until somebody may see them."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import NIGHTLY_PERMISSIONS
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_small_org import ACME, NOW, Desk, open_desk, small_org

Json = dict[str, Any]
NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
TIER = (
    "<fields><fullName>KAM_Tier__c</fullName><label>KAM Tier</label><type>Picklist</type><valueSet>"
    "<restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>key</fullName><default>false</default><label>Key</label></value>"
    "<value><fullName>growth</fullName><default>false</default><label>Growth</label></value>"
    "</valueSetDefinition></valueSet></fields>"
)
SCORE = (
    "<fields><fullName>KAM_Score__c</fullName><label>KAM Score</label><type>Number</type>"
    "<precision>{}</precision><scale>1</scale></fields>"
)


def permission_set(*fields: str, edit: str = "true") -> str:
    entries = "".join(
        f"<fieldPermissions><editable>{edit}</editable><field>Account.{one}</field><readable>true</readable>"
        "</fieldPermissions>"
        for one in fields
    )
    return f"<PermissionSet {NS}><label>KAM</label>{entries}</PermissionSet>"


def package(fields: str, permissions: str | None, members: tuple[str, ...] = ("KAM_Tier__c", "KAM_Score__c")) -> bytes:
    """A zip with fields of Account and, if wanted, the permission set KAM."""
    listed = "".join(f"<members>Account.{one}</members>" for one in members)
    types = f"<types>{listed}<name>CustomField</name></types>"
    files = {"objects/Account.object": f"<CustomObject {NS}>{fields}</CustomObject>"}
    if permissions is not None:
        types += "<types><members>KAM</members><name>PermissionSet</name></types>"
        files["permissionsets/KAM.permissionset"] = permissions
    files["package.xml"] = f"<Package {NS}>{types}<version>66.0</version></Package>"
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


WHOLE = package(TIER + SCORE.format(5), permission_set("KAM_Tier__c", "KAM_Score__c"))


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def started(desk: Desk, content: bytes, **options: Any) -> Any:
    """The answer to a deploy request."""
    asked = {"deployOptions": {"singlePackage": True, "rollbackOnError": True, **options}}
    parts: Any = {
        "json": (None, json.dumps(asked), "application/json"),
        "file": ("deploy.zip", content, "application/zip"),
    }
    return desk.call("POST", "metadata/deployRequest", files=parts)


def deployed(desk: Desk, content: bytes, **options: Any) -> Json:
    """The result of a deploy when it has ended."""
    path = f"metadata/deployRequest/{started(desk, content, **options).json()['id']}"
    for _ in range(10):
        result: Json = desk.get(path, includeDetails="true")["deployResult"]
        if result["done"]:
            return result
    raise AssertionError("the deploy did not end")


def problems(result: Json) -> list[str]:
    return [one["problem"] for one in result["details"]["componentFailures"]]


def assign(desk: Desk) -> Any:
    """Give the permission set KAM to the integration user."""
    (held,) = desk.query("SELECT Id FROM PermissionSet WHERE Name = 'KAM'")
    (user,) = desk.query("SELECT Id FROM User WHERE Alias = 'kamint'")
    body = {"AssigneeId": user["Id"], "PermissionSetId": held["Id"]}
    return desk.call("POST", "sobjects/PermissionSetAssignment", json=body)


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
    """checkOnly succeeds, and the field is still to be created."""
    org = desk.show(small_org())
    assert deployed(desk, WHOLE, checkOnly=True)["status"] == "Succeeded"
    assert org.table("Account").field("KAM_Tier__c") is None
    assert org.table("PermissionSet").where("Name", "KAM") == []


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
    """Modify Metadata; the nightly user has it not, and may assign nothing either."""
    desk.show(small_org(permissions=NIGHTLY_PERMISSIONS))
    answer = started(desk, WHOLE)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")
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
