"""The Salesforce connector brings our fields into an org, writes them, and reads back what is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.contract import AccountWrite, WriteOutcome
from connectors.errors import FieldsNotProvisioned, PermissionMissing, RequestRefused
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.deploying import deploy
from connectors.salesforce.metadata import zipped
from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS, ValidationRule
from kammodel.publish.fields import FIELDS, OURS
from tests.contract.salesforce_connected import HOUR, Front, connected, open_front, org

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (salesforce_id("001", n) for n in range(1, 7))
NAMES = tuple(f.salesforce_name for f in FIELDS)
VALUES = {
    "tier": "key",
    "score": "87.5",
    "reason": "<b>won & =1+1",
    "revenue_ttm": "1234567890123.45",
    "revenue_growth": "-12.5",
    "days_since_touch": "3",
    "scored_on": "2026-11-02",
}


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


def provisioned(front: Front, **settings: Any) -> Org:
    there = front.show(org(**settings))
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
    front.faults.clear()
    return there


def write(connector: SalesforceConnector, *writes: AccountWrite) -> dict[str, WriteOutcome]:
    return {o.source_id: o for batch in connector.write_fields(OURS, writes) for o in batch}


def held(connector: SalesforceConnector, *ids: str) -> dict[str, dict[str, str | None]]:
    rows = [row for frame in connector.read_fields(FIELDS, ids) for row in frame.to_dicts()]
    return {row.pop("source_id"): row for row in rows}


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
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match=r"KAM_Score__c.*string.*double"):
        connector.provision(FIELDS, "en")
    assert front.asked("deployRequest") == 0
    assert "KAM_Tier__c" not in {f.name for f in there.table("Account").fields}


def test_missing_permission_is_named(front: Front) -> None:
    """A user who may not modify metadata is told which permission that takes."""
    front.show(org(permissions=ALL_PERMISSIONS - {"ModifyMetadata", "ModifyAllData"}))
    with connected(front) as connector, pytest.raises(PermissionMissing, match="Modify Metadata"):
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


def test_failed_deployment_over_soap_names_file_and_problem(front: Front) -> None:
    """As by REST, with the file, since the library hands back no more."""
    front.show(org())
    front.app = without_rest_deployments(front.app)  # type: ignore[arg-type]
    with connected(front) as connector, pytest.raises(RequestRefused, match=r"objects/Account\.object.*18"):
        deploy(connector._client, zipped(BROKEN))


def test_exported_folder_is_what_would_be_deployed(front: Front, tmp_path: Path) -> None:
    """The folder an admin gets deploys as it is, and makes all fields."""
    front.show(org())
    with connected(front) as connector:
        paths = connector.export_provisioning(FIELDS, "es", tmp_path)
        assert sorted(str(p.relative_to(tmp_path)) for p in paths) == [
            "README.md",
            "objects/Account.object",
            "package.xml",
            "permissionsets/KAM_Integration.permissionset",
            "permissionsets/KAM_Reader.permissionset",
        ]
        files = {str(p.relative_to(tmp_path)): p.read_bytes() for p in paths if p.suffix != ".md"}
        result = deploy(connector._client, zipped(files))
    assert int(result["numberComponentsDeployed"]) == len(FIELDS) + 2
    guide = (tmp_path / "README.md").read_text()
    assert "sf project deploy start --metadata-dir" in guide
    assert all(name in guide for name in NAMES)


def test_permissions_are_ours_and_theirs(front: Front, tmp_path: Path) -> None:
    """The integration edits what kam writes, people edit what people fill in, both see everything."""
    with connected(front) as connector:
        connector.export_provisioning(FIELDS, "en", tmp_path)
    ns = "{http://soap.sforce.com/2006/04/metadata}"
    editable = {}
    for name in ("KAM_Integration", "KAM_Reader"):
        root = ET.parse(tmp_path / "permissionsets" / f"{name}.permissionset").getroot()  # noqa: S314
        rows = root.findall(f"{ns}fieldPermissions")
        assert {r.findtext(f"{ns}readable") for r in rows} == {"true"}
        assert len(rows) == len(FIELDS)
        editable[name] = {r.findtext(f"{ns}field") for r in rows if r.findtext(f"{ns}editable") == "true"}
    theirs = {"Tier_Override", "Tier_Override_Reason", "Tier_Override_Until", "Strategic_Value"}
    assert editable["KAM_Reader"] == {f"Account.KAM_{name}__c" for name in theirs}
    assert editable["KAM_Integration"] == {f"Account.{n}" for n in NAMES} - editable["KAM_Reader"]


def test_what_is_written_is_read_back(front: Front) -> None:
    """Every kind of value comes back as its canonical text; percent stay percent points."""
    there = provisioned(front)
    with connected(front) as connector:
        assert write(connector, AccountWrite(ALPHA, dict(VALUES)))[ALPHA].outcome == "written"
        read = held(connector, ALPHA, IBERIA)
    # The strategic value is not ours: a person had typed it.
    assert {k: v for k, v in read[ALPHA].items() if v is not None} == {**VALUES, "strategic_value": "7"}
    assert set(read[IBERIA].values()) == {None}
    record = there.record("Account", ALPHA) or {}
    assert (record["KAM_Score__c"], record["KAM_Revenue_Growth__c"]) == (87.5, -12.5)


def test_null_clears(front: Front) -> None:
    """A value that no longer holds is taken away; fields that are not named stay."""
    provisioned(front)
    with connected(front) as connector:
        write(connector, AccountWrite(ALPHA, {"tier": "key", "score": "1"}))
        write(connector, AccountWrite(ALPHA, {"tier": None}))
        assert (held(connector, ALPHA)[ALPHA]["tier"], held(connector, ALPHA)[ALPHA]["score"]) == (None, "1")


def test_each_row_has_its_own_outcome(front: Front) -> None:
    """A rule, a bad value, a deleted row, an unknown one: the others of the batch are written; no value is told."""
    rule = ValidationRule("Account", lambda row: row["Name"] == "Alpha Iberia", "secret 87.5")
    provisioned(front, validation_rules=[rule])
    nowhere = salesforce_id("001", 999)
    with connected(front) as connector:
        score = {"score": "87.5"}
        told = write(
            connector,
            AccountWrite(ALPHA, {"tier": "no such tier"}),
            *(AccountWrite(i, dict(score)) for i in (IBERIA, BETA, GONE, nowhere)),
        )
    shown = {i: (o.outcome, o.code) for i, o in told.items()}
    assert shown == {
        ALPHA: ("rejected", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        IBERIA: ("rejected", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        BETA: ("written", None),
        GONE: ("gone", "ENTITY_IS_DELETED"),
        nowhere: ("gone", "INVALID_CROSS_REFERENCE_KEY"),
    }
    assert not [o for o in told.values() if "87.5" in str(o.message) or "no such" in str(o.message)]


@pytest.mark.parametrize(("locked_for", "outcome"), [(1, "written"), (3, "written"), (9, "retry")])
def test_locked_rows_are_tried_again_alone(front: Front, locked_for: int, outcome: str) -> None:
    """A lock that passes is outlived; one that stays leaves the row to a later run. Neighbours are written once."""
    provisioned(front, locked_rows={IBERIA: locked_for})
    waits: list[float] = []
    with connected(front, waits.append) as connector:
        told = write(connector, AccountWrite(ALPHA, {"score": "1"}), AccountWrite(IBERIA, {"score": "2"}))
    assert (told[ALPHA].outcome, told[IBERIA].outcome) == ("written", outcome)
    assert waits == [1.0, 2.0, 4.0][: min(locked_for, 3)]


def test_batches_of_two_hundred(front: Front) -> None:
    """Four hundred and one writes are three calls; every write has an outcome."""
    provisioned(front)
    writes = [AccountWrite(salesforce_id("001", 1000 + n), {"score": "1"}) for n in range(401)]
    with connected(front) as connector:
        batches = list(connector.write_fields(OURS, writes))
    assert [len(batch) for batch in batches] == [200, 200, 1]
    assert front.asked("PATCH") == 3


def test_two_writes_for_one_account(front: Front) -> None:
    """They go out as one, the later value wins, and each has its outcome."""
    provisioned(front)
    with connected(front) as connector:
        writes = [AccountWrite(ALPHA, {"score": "1", "tier": "key"}), AccountWrite(ALPHA, {"score": "2"})]
        (batch,) = connector.write_fields(OURS, writes)
        assert [o.outcome for o in batch] == ["written", "written"]
        assert (held(connector, ALPHA)[ALPHA]["score"], held(connector, ALPHA)[ALPHA]["tier"]) == ("2", "key")


def test_fields_that_are_not_there_stop_the_write(front: Front) -> None:
    """Not one rejected row each, but one line with the command to run."""
    front.show(org())
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match="kam provision"):
        write(connector, AccountWrite(ALPHA, {"score": "1"}))


def test_many_ids_are_read_in_few_calls(front: Front) -> None:
    """A thousand ids fit into three addresses of at most 16,384 bytes."""
    provisioned(front)
    ids = [ALPHA, *(salesforce_id("001", 1000 + n) for n in range(999))]
    with connected(front) as connector:
        assert list(held(connector, *ids)) == [ALPHA]
    assert front.asked("/query") == 3


def test_our_own_writes_come_back_in_the_next_window(front: Front) -> None:
    """They move the change stamp, as anybody's do: the next window brings those rows, and only those."""
    from connectors.contract import Slice
    from tests.contract.hubspot_copy import Copy, read_stream

    there = provisioned(front)
    there.clock.advance(HOUR)
    now = there.clock.now()
    with connected(front) as connector:
        write(connector, AccountWrite(ALPHA, {"score": "1"}))
        copy = Copy()
        read_stream(connector, copy, "accounts", Slice(now, now + HOUR))
    assert set(copy.rows("account")) == {ALPHA}
