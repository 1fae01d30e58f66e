"""Permission sets: what they allow, and who holds them."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS

_MANAGE = "ManageProfilesPermissionsets"
# https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-permissionset.html,
# object-permissionsetassignment.html, object-objectpermissions.html, Special Access Rules (read 2026-11-28)
_SETUP = ("ViewSetup",)

PERMISSION_SET = f.SObject(
    name="PermissionSet",
    label="Permission Set",
    plural="Permission Sets",
    prefix="0PS",
    setup=True,
    replicateable=False,
    write_permission=_MANAGE,
    read_permissions=("ViewSetup", "AssignPermissionSets", _MANAGE),
    fields=(
        f.record_id("PermissionSet ID"),
        f.text("Name", "Permission Set Name", 80, name_field=True).required,
        f.text("Label", "Permission Set Label", 80).required,
        f.text("Description", "Description", permissionable=False),
        f.lookup("LicenseId", "License ID", (), None, permissionable=False, updateable=False),
        f.lookup("ProfileId", "Profile ID", "Profile", "Profile", permissionable=False).fixed,
        f.checkbox("IsOwnedByProfile", "Is Owned By Profile").required.fixed,
        f.checkbox("IsCustom", "Custom", default=True).required.fixed,
        f.text("NamespacePrefix", "Namespace Prefix", 15, permissionable=False).fixed,
        f.picklist("Type", "Permission Set Type", ("Regular", "Profile", "Standard"), permissionable=False).fixed,
        f.checkbox("HasActivationRequired", "Has Activation Required").required,
        *(f.checkbox(f"Permissions{name}", name).required for name in sorted(ALL_PERMISSIONS)),
        *f.audit(deletable=False),
    ),
    children=(
        ("PermissionSetAssignment", "PermissionSetId", "Assignments", True),
        ("FieldPermissions", "ParentId", "FieldPerms", True),
        ("ObjectPermissions", "ParentId", "ObjectPerms", True),
    ),
)

PERMISSION_SET_ASSIGNMENT = f.SObject(
    name="PermissionSetAssignment",
    label="Permission Set Assignment",
    plural="Permission Set Assignments",
    prefix="0Pa",
    updateable=False,
    setup=True,
    replicateable=False,
    write_permission="AssignPermissionSets",
    read_permissions=("ViewSetup", "AssignPermissionSets", "ManageUsers"),
    fields=(
        f.record_id("PermissionSetAssignment ID"),
        f.lookup("PermissionSetId", "PermissionSet ID", "PermissionSet", "PermissionSet", updateable=False).required,
        f.lookup("AssigneeId", "Assignee ID", "User", "Assignee", updateable=False).required,
        f.checkbox("IsActive", "Is Active", default=True).required.fixed,
        f.moment("SystemModstamp", "System Modstamp").required.fixed,
    ),
)

FIELD_PERMISSIONS = f.SObject(
    name="FieldPermissions",
    label="Field Permissions",
    plural="Field Permissions",
    prefix="01k",
    setup=True,
    replicateable=False,
    write_permission=_MANAGE,
    read_permissions=_SETUP,
    fields=(
        f.record_id("Field Permissions ID"),
        f.lookup("ParentId", "Parent ID", "PermissionSet", "Parent", updateable=False).required,
        f.picklist("SobjectType", "Sobject Type Name", (), updateable=False).required,
        f.picklist("Field", "Field Name", (), updateable=False).required,
        f.checkbox("PermissionsEdit", "Edit Field").required,
        f.checkbox("PermissionsRead", "Read Field").required,
        f.moment("SystemModstamp", "System Modstamp").required.fixed,
    ),
)

OBJECT_RIGHTS = (
    "PermissionsCreate",
    "PermissionsRead",
    "PermissionsEdit",
    "PermissionsDelete",
    "PermissionsViewAllRecords",
    "PermissionsModifyAllRecords",
)

OBJECT_PERMISSIONS = f.SObject(
    name="ObjectPermissions",
    label="Object Permissions",
    plural="Object Permissions",
    prefix="110",
    setup=True,
    replicateable=False,
    write_permission=_MANAGE,
    read_permissions=_SETUP,
    fields=(
        f.record_id("ObjectPermissions ID"),
        f.lookup("ParentId", "Parent ID", "PermissionSet", "Parent", updateable=False).required,
        f.picklist("SobjectType", "Object Type Name", (), updateable=False).required,
        *(f.checkbox(name, name.removeprefix("Permissions")).required for name in OBJECT_RIGHTS),
        *f.audit(deletable=False),
    ),
)
