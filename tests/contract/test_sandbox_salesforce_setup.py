"""What a client can find out before it changes an org: automation in the way, limits, its own permissions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sandbox.salesforce.metadata.settings import ApexTrigger, MetadataSettings, RecordTriggeredFlow
from connectors.sandbox.salesforce.settings import NIGHTLY_PERMISSIONS, ValidationRule
from tests.contract.salesforce_small_org import ACME, Desk, open_desk, small_org

OF_ACCOUNT = "EntityDefinition.QualifiedApiName = 'Account'"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def test_validation_rules_are_listed(desk: Desk) -> None:
    """Those that refuse rows, and inactive ones, which refuse none."""
    active = ValidationRule("Account", lambda _: True, "Never.", "Site", name="Never")
    idle = ValidationRule("Account", lambda _: True, "Not now.", name="Idle", active=False)
    org = desk.show(small_org(validation_rules=[active, idle]))
    fields = "ValidationName, Active, ErrorMessage, ErrorDisplayField, EntityDefinition.QualifiedApiName"
    rules = desk.query(
        f"SELECT {fields} FROM ValidationRule WHERE {OF_ACCOUNT} ORDER BY ValidationName", "tooling/query"
    )
    assert [(r["ValidationName"], r["Active"], r["ErrorMessage"], r["ErrorDisplayField"]) for r in rules] == [
        ("Idle", False, "Not now.", "Top of Page"),
        ("Never", True, "Never.", "Site"),
    ]
    assert rules[0]["EntityDefinition"]["QualifiedApiName"] == "Account"
    org.settings.validation_rules.remove(active)
    assert desk.call("PATCH", f"sobjects/Account/{ACME}", json={"Site": "x"}).status_code == 204


def test_triggers_are_listed(desk: Desk) -> None:
    """With the object and the moments in which they run."""
    triggers = [
        ApexTrigger("AccountTrigger", before_update=True),
        ApexTrigger("Billing", after_update=False, is_active=False, namespace="acmebill"),
        ApexTrigger("DealTrigger", "Opportunity"),
    ]
    desk.show(small_org(metadata=MetadataSettings(apex_triggers=triggers)))
    fields = "Name, NamespacePrefix, TableEnumOrId, Status, UsageBeforeUpdate, UsageAfterUpdate"
    rows = desk.query(f"SELECT {fields} FROM ApexTrigger WHERE TableEnumOrId = 'Account'", "tooling/query")
    assert [tuple(row.values())[1:] for row in rows] == [
        ("AccountTrigger", None, "Account", "Active", True, True),
        ("Billing", "acmebill", "Account", "Inactive", False, False),
    ]


@pytest.mark.parametrize("resource", ["query", "tooling/query"])
def test_flows_are_listed(desk: Desk, resource: str) -> None:
    """By plain REST and by Tooling; those of another object are told apart."""
    flows = [
        RecordTriggeredFlow("Stamp_Region", "Stamp region", trigger_type="RecordBeforeSave"),
        RecordTriggeredFlow("Old", "Old", is_active=False),
        RecordTriggeredFlow("Deal_Note", "Deal note", "Opportunity"),
    ]
    desk.show(small_org(metadata=MetadataSettings(flows=flows)))
    where = "TriggerObjectOrEvent.QualifiedApiName = 'Account' AND IsActive = true"
    fields = "ApiName, Label, ProcessType, TriggerType, RecordTriggerType"
    rows = desk.query(f"SELECT {fields} FROM FlowDefinitionView WHERE {where}", resource)
    assert [tuple(row.values())[1:] for row in rows] == [
        ("Stamp_Region", "Stamp region", "AutoLaunchedFlow", "RecordBeforeSave", "CreateAndUpdate")
    ]


def test_a_user_reads_its_own_permissions(desk: Desk) -> None:
    """Without any permission; by the sets that it holds, its profile's among them, with View Setup."""
    org = desk.show(small_org(permissions=NIGHTLY_PERMISSIONS))
    names = ("ModifyMetadata", "AssignPermissionSets", "ViewAllData", "ViewSetup")
    own = f"SELECT {', '.join(f'Permissions{name}' for name in names)} FROM UserPermissionAccess"
    (row,) = desk.query(own)
    assert [row[f"Permissions{name}"] for name in names] == [False, False, True, False]
    held = "SELECT PermissionSet.PermissionsViewSetup, PermissionSet.IsOwnedByProfile FROM PermissionSetAssignment "
    held += "WHERE Assignee.Username = 'integration@sandbox.example'"
    assert desk.get("query", q=held)[0]["errorCode"] == "INVALID_TYPE"
    org.settings.permissions = NIGHTLY_PERMISSIONS | {"ViewSetup"}
    (assignment,) = desk.query(held)
    kept = assignment["PermissionSet"]
    assert (kept["PermissionsViewSetup"], kept["IsOwnedByProfile"]) == (True, True)


@pytest.mark.parametrize(
    ("knobs", "rights"),
    [
        ({}, [(True, True, True)]),
        ({"read_only_objects": frozenset({"Account"})}, [(True, False, True)]),
        ({"hidden_objects": frozenset({"Account"})}, []),
        ({"permissions": NIGHTLY_PERMISSIONS - {"ViewAllData"} | {"ViewSetup"}}, [(True, True, False)]),
    ],
)
def test_object_permissions_say_what_the_profile_allows(
    desk: Desk, knobs: dict[str, frozenset[str]], rights: list[tuple[bool, bool, bool]]
) -> None:
    """Read, edit and view all of Account; no row where nothing is allowed."""
    desk.show(small_org(**knobs))
    fields = "PermissionsRead, PermissionsEdit, PermissionsViewAllRecords"
    where = "SobjectType = 'Account' AND Parent.Profile.Name LIKE 'Minimum%'"
    rows = desk.query(f"SELECT {fields} FROM ObjectPermissions WHERE {where}")
    assert [tuple(row.values())[1:] for row in rows] == rights


@pytest.mark.parametrize(
    ("sobject", "resource", "seen_with"),
    [
        ("PermissionSet", "query", {"ViewSetup", "AssignPermissionSets", "ManageProfilesPermissionsets"}),
        ("PermissionSetAssignment", "query", {"ViewSetup", "AssignPermissionSets", "ManageUsers"}),
        ("ObjectPermissions", "query", {"ViewSetup"}),
        ("FieldPermissions", "query", {"ViewSetup"}),
        ("FlowDefinitionView", "query", {"ViewSetup"}),
        ("ValidationRule", "tooling/query", {"ViewSetup"}),
        ("ApexTrigger", "tooling/query", {"ViewSetup"}),
        ("CustomField", "tooling/query", {"ViewSetup"}),
    ],
)
def test_setup_is_seen_with_certain_permissions(desk: Desk, sobject: str, resource: str, seen_with: set[str]) -> None:
    """Any of these; without, the object does not exist."""
    org = desk.show(small_org(permissions=NIGHTLY_PERMISSIONS))
    candidates = ("ViewSetup", "AssignPermissionSets", "ManageProfilesPermissionsets", "ManageUsers", "ModifyAllData")
    seen = set()
    for name in candidates:
        org.settings.permissions = NIGHTLY_PERMISSIONS | {name}
        answer = desk.get(resource, q=f"SELECT Id FROM {sobject} LIMIT 1")
        if "records" in answer:
            seen.add(name)
        else:
            assert answer[0]["errorCode"] == "INVALID_TYPE"
    assert seen == seen_with


def test_what_tooling_does_not_know_is_named(desk: Desk) -> None:
    """A 500 of the sandbox, and no empty list."""
    desk.show(small_org())
    answer = desk.get("tooling/query", q="SELECT Id FROM ApexClass")
    assert answer[0]["message"] == "sandbox: unknown Tooling object ApexClass"
