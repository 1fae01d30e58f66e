"""The Salesforce connector brings our fields into an org, writes them, and reads back what is there."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.contract import AccountWrite
from connectors.errors import FieldsNotProvisioned, RequestRefused
from connectors.salesforce.provisioning.components import zipped
from connectors.salesforce.provisioning.deploying import deploy
from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned, write

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (salesforce_id("001", n) for n in range(1, 7))
NAMES = tuple(f.salesforce_name for f in FIELDS)
BROKEN = {
    "package.xml": b'<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types><members>Account.X__c</members>'
    b"<name>CustomField</name></types><version>66.0</version></Package>",
    "objects/Account.object": b'<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><fields><fullName>X__c'
    b"</fullName><label>X</label><type>Number</type><precision>40</precision><scale>1</scale></fields></CustomObject>",
}
"""A package with a number of more digits than there may be."""


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_provision_makes_all_fields_and_grants_them(front: Front) -> None:
    """In one deployment; afterwards nothing is missing, and people's fields are not ours to edit."""
    there = front.show(org())
    with connected(front) as connector:
        assert connector.missing_fields(FIELDS) == list(NAMES)
        done = connector.provision(FIELDS, "en")
        assert (done.created, done.changed, done.unchanged) == (NAMES, (), ())
        assert connector.missing_fields(FIELDS) == []
    assert front.asked("POST /services/data/v66.0/metadata/deployRequest") == 1
    granted = {(p["Field"], p["PermissionsEdit"]) for p in there.records("FieldPermissions") if "KAM_" in p["Field"]}
    assert ("Account.KAM_Tier__c", True) in granted
    assert ("Account.KAM_Tier__c", False) in granted
    assert {p["Name"] for p in there.records("PermissionSet")} >= {"KAM_Integration", "KAM_Reader"}


def test_provision_twice_does_nothing(front: Front) -> None:
    """A second run deploys nothing and says so."""
    provisioned(front)
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert (done.created, done.changed, done.unchanged, done.notes) == ((), (), NAMES, ())
    assert {part.done for part in done.parts} == {"unchanged", "left alone"}
    assert front.asked("deployRequest") == 0


def test_provision_in_another_language_changes_labels(front: Front) -> None:
    """Labels, help texts and values follow the language; names stay."""
    provisioned(front)
    with connected(front) as connector:
        done = connector.provision(FIELDS, "es")
        assert (done.created, done.changed) == ((), NAMES)
        assert connector.provision(FIELDS, "es").unchanged == NAMES


def test_fields_that_are_there_and_hidden_are_granted(front: Front) -> None:
    """A field without a permission set is invisible: it counts as missing, and is brought into view."""
    there = front.show(org())
    there.add_field("Account", text("KAM_Rfm__c", "KAM RFM", 3, custom=True))
    with connected(front) as connector:
        assert "KAM_Rfm__c" in connector.missing_fields(FIELDS)
        done = connector.provision(FIELDS, "en")
        assert done.changed == ("KAM_Rfm__c",)
        assert connector.missing_fields(FIELDS) == []


def test_fields_that_may_not_be_edited_are_missing(front: Front) -> None:
    """To see ours is not enough, to see a person's field is."""
    there = front.show(org())
    for name in ("KAM_Rfm__c", "KAM_Tier_Override_Reason__c"):
        there.add_field("Account", text(name, name, 3, custom=True))
        there.grant_field("Account", name, edit=False)
    with connected(front) as connector:
        missing = connector.missing_fields(FIELDS)
    assert "KAM_Rfm__c" in missing
    assert "KAM_Tier_Override_Reason__c" not in missing


def test_another_type_is_refused_before_anything_changes(front: Front) -> None:
    """One line that names field, type there and type needed; nothing is deployed."""
    there = front.show(org())
    there.add_field("Account", text("KAM_Score__c", "Score", 10, custom=True))
    there.grant_field("Account", "KAM_Score__c")
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match=r"KAM_Score__c.*Text.*Number"):
        connector.provision(FIELDS, "en")
    assert front.asked("deployRequest") == 0
    assert "KAM_Tier__c" not in {f.name for f in there.table("Account").fields}


def test_missing_permission_is_named(front: Front) -> None:
    """A user who may not modify metadata is told which permission that takes, before anything is asked for."""
    front.show(org(permissions=ALL_PERMISSIONS - {"ModifyMetadata", "ModifyAllData"}))
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match="Modify Metadata"):
        connector.provision(FIELDS, "en")


def test_failed_deployment_names_component_and_problem(front: Front) -> None:
    """One line: what failed, and why, in Salesforce's words."""
    front.show(org())
    with connected(front) as connector, pytest.raises(RequestRefused, match=r"Account\.X__c.*18") as caught:
        deploy(connector._client, zipped(BROKEN))
    assert "\n" not in str(caught.value)


def without_rest_deployments(app: ASGIApp) -> ASGIApp:
    """A server that deploys over SOAP only."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if "/services/data/" in scope["path"] and "deployRequest" in scope["path"]:
            gone = JSONResponse([{"errorCode": "NOT_FOUND", "message": ""}], 404)
            await gone(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def test_deployment_over_soap_where_there_is_no_other_way(front: Front) -> None:
    """The same package, the same end, an ended session included; later calls are not disturbed by it."""
    front.show(org())
    front.app = without_rest_deployments(front.app)  # type: ignore[arg-type]
    front.faults.on_path("/services/Soap/m/", "503")
    front.faults.on_path("deployRequest/0Af", "expired_token")
    with connected(front) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
        assert connector.missing_fields(FIELDS) == []
        assert write(connector, AccountWrite(ALPHA, {"score": "1"}))[ALPHA].outcome == "written"


def test_failed_deployment_over_soap_names_component_and_problem(front: Front) -> None:
    """As by REST."""
    front.show(org())
    front.app = without_rest_deployments(front.app)  # type: ignore[arg-type]
    with connected(front) as connector, pytest.raises(RequestRefused, match=r"Account\.X__c.*18"):
        deploy(connector._client, zipped(BROKEN))


def test_exported_folder_is_what_would_be_deployed(front: Front, tmp_path: Path) -> None:
    """The folder an admin gets deploys as it is, and makes all fields."""
    front.show(org())
    with connected(front) as connector:
        paths = connector.export_provisioning(FIELDS, "es", tmp_path)
        assert sorted(str(p.relative_to(tmp_path)) for p in paths) == [
            "README.md",
            "package/objects/Account.object",
            "package/package.xml",
            "package/permissionsets/KAM_Integration.permissionset",
            "package/permissionsets/KAM_Reader.permissionset",
        ]
        files = {str(p.relative_to(tmp_path / "package")): p.read_bytes() for p in paths if p.suffix != ".md"}
        result = deploy(connector._client, zipped(files))
    assert int(result["numberComponentsDeployed"]) == len(FIELDS) + 3
    guide = (tmp_path / "README.md").read_text()
    assert "sf project deploy start --metadata-dir package" in guide
    assert all(name in guide for name in NAMES)


def test_permissions_are_ours_and_theirs(front: Front, tmp_path: Path) -> None:
    """The integration edits what kam writes, people edit what people fill in, both see everything."""
    with connected(front) as connector:
        connector.export_provisioning(FIELDS, "en", tmp_path)
    ns = "{http://soap.sforce.com/2006/04/metadata}"
    editable = {}
    for name in ("KAM_Integration", "KAM_Reader"):
        root = ET.parse(tmp_path / "package" / "permissionsets" / f"{name}.permissionset").getroot()  # noqa: S314
        rows = root.findall(f"{ns}fieldPermissions")
        assert {r.findtext(f"{ns}readable") for r in rows} == {"true"}
        assert len(rows) == len(FIELDS)
        editable[name] = {r.findtext(f"{ns}field") for r in rows if r.findtext(f"{ns}editable") == "true"}
    theirs = {"Tier_Override", "Tier_Override_Reason", "Tier_Override_Until", "Strategic_Value"}
    assert editable["KAM_Reader"] == {f"Account.KAM_{name}__c" for name in theirs}
    assert editable["KAM_Integration"] == {f"Account.{n}" for n in NAMES} - editable["KAM_Reader"]
