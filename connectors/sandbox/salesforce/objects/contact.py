"""Contact."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f
from connectors.sandbox.salesforce.objects.account import address

CONTACT = f.SObject(
    name="Contact",
    label="Contact",
    plural="Contacts",
    prefix="003",
    mergeable=True,
    fields=(
        f.record_id("Contact ID"),
        f.lookup("MasterRecordId", "Master Record ID", "Contact", "MasterRecord", permissionable=False).fixed,
        f.lookup("AccountId", "Account ID", "Account", "Account"),
        f.text("LastName", "Last Name", 80, compound="Name").required,
        f.text("FirstName", "First Name", 40, compound="Name", permissionable=False),
        f.picklist("Salutation", "Salutation", ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof."), permissionable=False),
        f.text("Name", "Full Name", 121, name_field=True).required.fixed,
        *address("Mailing"),
        f.phone("Phone", "Business Phone"),
        f.phone("MobilePhone", "Mobile Phone"),
        f.email("Email", "Email"),
        f.text("Title", "Title", 128),
        f.text("Department", "Department", 80),
        f.lookup("ReportsToId", "Reports To ID", "Contact", "ReportsTo"),
        f.checkbox("HasOptedOutOfEmail", "Email Opt Out"),
        f.lookup("OwnerId", "Owner ID", "User", "Owner").required,
        f.day("LastActivityDate", "Last Activity", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(
        ("Task", "WhoId", "Tasks", True),
        ("Event", "WhoId", "Events", True),
        ("OpportunityContactRole", "ContactId", "OpportunityContactRoles", True),
        ("AccountContactRelation", "ContactId", "AccountContactRelations", True),
        ("Case", "ContactId", "Cases", False),
        ("Asset", "ContactId", "Assets", False),
    ),
)
