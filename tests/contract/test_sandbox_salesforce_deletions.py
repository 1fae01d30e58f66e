"""Destructive changes: what goes with a field, what stays in the way, what a deletion leaves behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import ValidationRule
from tests.contract.salesforce_package import (
    NS,
    TIER,
    WHOLE,
    account,
    assign,
    deployed,
    manifest,
    outcomes,
    permission_set,
    problems,
    started,
    zipped,
)
from tests.contract.salesforce_small_org import ACME, GONE, LATER, NOW, Desk, open_desk, small_org

FIELD = "Account.KAM_Tier__c"
VIEW = (
    "<listViews><fullName>KAM_Key</fullName><booleanFilter>1</booleanFilter><columns>ACCOUNT.NAME</columns>"
    "<columns>KAM_Tier__c</columns><filterScope>Everything</filterScope><filters><field>KAM_Tier__c</field>"
    "<operation>equals</operation><value>key</value></filters><label>Key</label></listViews>"
)
LAYOUT = (
    f"<Layout {NS}><layoutSections><label>Information</label><layoutColumns>"
    "<layoutItems><behavior>Required</behavior><field>Name</field></layoutItems>"
    "<layoutItems><behavior>Readonly</behavior><field>KAM_Tier__c</field></layoutItems>"
    "</layoutColumns><style>OneColumn</style></layoutSections></Layout>"
)
LAYOUT_FILE, LAYOUT_NAME = "layouts/Account-Account Layout.layout", "Account-Account Layout"
EVERYTHING = zipped(
    account(TIER + VIEW) | {LAYOUT_FILE: LAYOUT, "permissionsets/KAM.permissionset": permission_set("KAM_Tier__c")},
    {"CustomField": [FIELD], "ListView": ["Account.KAM_Key"], "Layout": [LAYOUT_NAME], "PermissionSet": ["KAM"]},
)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def deleting(members: Mapping[str, Iterable[str]], file: str = "destructiveChanges.xml") -> bytes:
    return zipped({file: manifest(members)})


def furnished(desk: Desk, clock: Clock | None = None, **knobs: Any) -> Org:
    """An org with the field, filled for Acme, on a layout, in a list view and a permission set that is assigned."""
    org = desk.show(small_org(clock, **knobs))
    assert deployed(desk, EVERYTHING)["status"] == "Succeeded"
    assign(desk)
    org.update("Account", ACME, {"KAM_Tier__c": "key"})
    return org


def shown_on(org: Org) -> list[str]:
    """Where the field is still named."""
    held = {**org.metadata.layouts, **org.metadata.list_views}
    return [name for name, kept in held.items() if any(one.text == "KAM_Tier__c" for one in kept.xml.iter())]


def test_a_deleted_field_is_gone_from_everywhere(desk: Desk) -> None:
    """Columns, permissions, layout, list view with its filter; live rows move their stamp. Its name is free again."""
    clock = Clock(NOW)
    org = furnished(desk, clock)
    clock.set(NOW + LATER)
    assert outcomes(deployed(desk, deleting({"CustomField": [FIELD]}))) == {FIELD: (False, True, True)}
    assert desk.get("query", q="SELECT KAM_Tier__c FROM Account")[0]["errorCode"] == "INVALID_FIELD"
    assert (shown_on(org), org.table("FieldPermissions").where("Field", FIELD)) == ([], [])
    view = org.metadata.list_views["Account.KAM_Key"].xml
    assert [one.tag.partition("}")[2] for one in view] == ["columns", "filterScope", "label"]
    stamps = {one["Id"]: (one["SystemModstamp"], one["LastModifiedDate"]) for one in org.records("Account")}
    assert stamps[ACME] == ("2026-05-01T13:00:00.000+0000", "2026-05-01T12:00:00.000+0000")
    assert stamps[GONE][0] == "2026-04-20T08:00:00.000+0000"
    assert deployed(desk, EVERYTHING)["status"] == "Succeeded"
    assert desk.query(f"SELECT KAM_Tier__c, Site FROM Account WHERE Id = '{ACME}'")[0]["KAM_Tier__c"] is None


def test_a_deleted_field_makes_no_room_in_its_own_deploy(desk: Desk) -> None:
    """It counts at once, so that the next one finds the object full; a purged one does not."""
    org = furnished(desk, metadata=MetadataSettings(custom_fields_per_object=2))
    other = account(TIER.replace("KAM_Tier__c", "KAM_Other__c"))
    swap = zipped(
        other | {"destructiveChangesPre.xml": manifest({"CustomField": [FIELD]})},
        {"CustomField": ["Account.KAM_Other__c"]},
    )
    assert problems(deployed(desk, swap)) == ["You have reached the maximum number of custom fields for Account: 2"]
    assert deployed(desk, swap, purgeOnDelete=True)["status"] == "Succeeded"
    assert org.table("Account").field("KAM_Other__c") is not None


def test_a_deleted_field_counts_for_fifteen_days(desk: Desk) -> None:
    """Under a name of its own, unless it is purged."""
    clock = Clock(NOW)
    org = furnished(desk, clock, metadata=MetadataSettings(custom_fields_per_object=3))
    for _ in range(2):
        deployed(desk, deleting({"CustomField": [FIELD]}))
        again = deployed(desk, EVERYTHING)
    assert [one.name for one in org.metadata.deleted_fields] == ["KAM_Tier_del__c", "KAM_Tier_del1__c"]
    assert "You have reached the maximum number of custom fields for Account: 3" in problems(again)
    clock.set(NOW + dt.timedelta(days=15))
    assert deployed(desk, EVERYTHING)["status"] == "Succeeded"
    deployed(desk, deleting({"CustomField": [FIELD]}), purgeOnDelete=True)
    assert org.metadata.deleted_fields == []


@pytest.mark.parametrize("option", [{"purgeOnDelete": True}, {"rollbackOnError": False}])
def test_production_refuses_what_only_sandboxes_may(desk: Desk, option: dict[str, bool]) -> None:
    """When the deploy is sent."""
    desk.show(small_org(metadata=MetadataSettings(is_sandbox=False)))
    answer = started(desk, deleting({"CustomField": [FIELD]}), **option)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_OPERATION")
    (organization,) = desk.query("SELECT IsSandbox, OrganizationType FROM Organization")
    assert (organization["IsSandbox"], organization["OrganizationType"]) == (False, "Enterprise Edition")


@pytest.mark.parametrize(
    ("fails", "ignored", "status"),
    [(True, False, "Failed"), (True, True, "Succeeded"), (False, False, "Succeeded"), (False, True, "Succeeded")],
)
def test_deleting_what_is_not_there_warns(desk: Desk, fails: bool, ignored: bool, status: str) -> None:
    """And fails the deploy where warnings count and are not ignored; what is there is deleted in the other cases."""
    org = furnished(desk, metadata=MetadataSettings(warnings_fail_deploys=fails))
    names = ["Account.KAM_None__c", "Nothing.KAM_X__c", FIELD]
    result = deployed(desk, deleting({"CustomField": names}), ignoreWarnings=ignored)
    told = [one for group in result["details"].values() if isinstance(group, list) for one in group]
    warned = [(one["problem"], one["problemType"], one["fileName"]) for one in told if "problem" in one]
    assert warned == [
        (f"No CustomField named: {name} found", "Warning", "destructiveChanges.xml") for name in names[:2]
    ]
    assert (result["status"], org.table("Account").field("KAM_Tier__c") is None) == (status, status == "Succeeded")


def test_a_set_that_somebody_holds_is_not_deleted(desk: Desk) -> None:
    """Nor anything else of that deploy; once nobody holds it, it goes with its entries."""
    org = furnished(desk)
    whole = deleting({"CustomField": [FIELD], "PermissionSet": ["KAM"]})
    assert problems(deployed(desk, whole)) == ["Permission set KAM is assigned to 1 user(s) and can't be deleted"]
    assert org.table("Account").field("KAM_Tier__c") is not None
    (held,) = desk.query("SELECT Id FROM PermissionSetAssignment WHERE PermissionSet.Name = 'KAM'")
    assert desk.call("DELETE", f"sobjects/PermissionSetAssignment/{held['Id']}").status_code == 204
    assert deployed(desk, whole)["status"] == "Succeeded"
    assert (org.table("PermissionSet").where("Name", "KAM"), shown_on(org)) == ([], [])


@pytest.mark.parametrize(
    ("file", "status"), [("destructiveChangesPre.xml", "Failed"), ("destructiveChangesPost.xml", "Succeeded")]
)
def test_where_used_fields_stay_the_order_matters(desk: Desk, file: str, status: str) -> None:
    """By a knob, layouts and views keep a field: it goes after they were replaced, and not before."""
    org = furnished(desk, metadata=MetadataSettings(used_fields_can_be_deleted=False))
    bare = LAYOUT.replace("<layoutItems><behavior>Readonly</behavior><field>KAM_Tier__c</field></layoutItems>", "")
    gone = manifest({"ListView": ["Account.KAM_Key"], "CustomField": [FIELD]})
    result = deployed(desk, zipped({LAYOUT_FILE: bare, file: gone}, {"Layout": [LAYOUT_NAME]}))
    refused = [f"This custom field is referenced elsewhere in salesforce.com. : Layout - {LAYOUT_NAME}"]
    assert (result["status"], problems(result)) == (status, refused if status == "Failed" else [])
    assert ("Account.KAM_Key" in org.metadata.list_views) == (status == "Failed")


def test_an_active_validation_rule_keeps_its_field(desk: Desk) -> None:
    """The deploy names it; a standard field stays in any case."""
    rule = ValidationRule("Account", lambda _: False, field="KAM_Tier__c", name="Tier_Is_Set")
    furnished(desk, validation_rules=[rule])
    assert problems(deployed(desk, deleting({"CustomField": [FIELD, "Account.Industry"]}))) == [
        "This custom field is referenced elsewhere in salesforce.com. : Validation Rule - Account.Tier_Is_Set",
        "Cannot delete standard field: Account.Industry",
    ]


def test_a_dry_run_deletes_nothing(desk: Desk) -> None:
    """And says what would be deleted."""
    org = furnished(desk)
    dry = deployed(desk, deleting({"CustomField": [FIELD]}), checkOnly=True)
    assert (dry["status"], outcomes(dry)) == ("Succeeded", {FIELD: (False, True, True)})
    assert shown_on(org) == [LAYOUT_NAME, "Account.KAM_Key"]


def test_a_field_goes_before_and_comes_back(desk: Desk) -> None:
    """Another type in one deploy: deleted first, made anew after."""
    org = furnished(desk)
    text = "<fields><fullName>KAM_Tier__c</fullName><label>Tier</label><type>Text</type><length>20</length></fields>"
    files = account(text) | {"destructiveChangesPre.xml": manifest({"CustomField": [FIELD]})}
    assert deployed(desk, zipped(files, {"CustomField": [FIELD]}))["status"] == "Succeeded"
    found = org.table("Account").field("KAM_Tier__c")
    assert found is not None
    assert (found.type, found.length) == ("string", 20)


def test_a_query_does_not_outlive_a_field(desk: Desk) -> None:
    """The next page of one that began before is refused, and shows no values of other columns."""
    furnished(desk, query_page_rows=1)
    first = desk.get("query", q="SELECT Name, Site, HubSpot_Company_Id__c FROM Account")
    deployed(desk, deleting({"CustomField": [FIELD]}))
    answer = desk.get(first["nextRecordsUrl"].partition("v66.0/")[2])
    assert answer[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_wildcards_delete_nothing(desk: Desk) -> None:
    """They fail the deploy, naming the file."""
    org = desk.show(small_org())
    deployed(desk, WHOLE)
    result = deployed(desk, deleting({"PermissionSet": ["*"]}))
    assert (result["status"], result["errorMessage"]) == (
        "Failed",
        "destructiveChanges.xml: wildcards are not supported",
    )
    assert len(org.table("PermissionSet").where("Name", "KAM")) == 1
