"""Case, and the statuses that close one.

Names, types and lengths: Salesforce field reference, Case and CaseStatus
(https://developer.salesforce.com/docs/platform/field-reference/references/field-reference/salesforce-field-reference-case.html,
read 2026-11-28). The key prefix of CaseStatus was found nowhere; nothing depends on it.
"""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

CLOSING = ("Closed",)
"""Statuses that close a case in a new org."""

CASE = f.SObject(
    name="Case",
    label="Case",
    plural="Cases",
    prefix="500",
    fields=(
        f.record_id("Case ID"),
        f.lookup("MasterRecordId", "Master Record ID", "Case", "MasterRecord", permissionable=False).fixed,
        f.text("CaseNumber", "Case Number", 30, name_field=True, auto_number=True).required.fixed,
        f.lookup("ContactId", "Contact ID", "Contact", "Contact"),
        f.lookup("AccountId", "Account ID", "Account", "Account"),
        f.lookup("AssetId", "Asset ID", "Asset", "Asset"),
        f.lookup("ParentId", "Parent Case ID", "Case", "Parent"),
        f.text("SuppliedName", "Name", 80),
        f.email("SuppliedEmail", "Email Address"),
        f.text("SuppliedPhone", "Phone", 40),
        f.text("SuppliedCompany", "Company", 80),
        f.picklist("Type", "Case Type", ("Mechanical", "Electrical", "Electronic", "Structural", "Other")),
        f.picklist("Status", "Status", ("New", "Working", "Escalated", "Closed"), permissionable=False),
        f.picklist(
            "Reason",
            "Case Reason",
            (
                "Installation",
                "Equipment Complexity",
                "Performance",
                "Breakdown",
                "Equipment Design",
                "Feedback",
                "Other",
            ),
        ),
        f.picklist("Origin", "Case Origin", ("Phone", "Email", "Web")),
        f.text("Subject", "Subject"),
        f.picklist("Priority", "Priority", ("High", "Medium", "Low")),
        f.long_text("Description", "Description"),
        f.checkbox("IsClosed", "Closed", permissionable=False).fixed,
        f.moment("ClosedDate", "Closed Date", permissionable=False).fixed,
        f.checkbox("IsEscalated", "Escalated", permissionable=False),
        f.lookup("OwnerId", "Owner ID", ("User", "Group"), "Owner").required,
        *f.audit(),
    ),
    children=(
        ("Case", "ParentId", "Cases", False),
        ("Task", "WhatId", "Tasks", True),
        ("Event", "WhatId", "Events", True),
    ),
)

CASE_STATUS = f.SObject(
    name="CaseStatus",
    label="Case Status Value",
    plural="Case Status Value",
    prefix="01c",
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
    fields=(
        f.record_id("Case Status Value ID"),
        f.text("MasterLabel", "Master Label", name_field=True).required.fixed,
        f.text("ApiName", "API Name", permissionable=False).fixed,
        f.integer("SortOrder", "Sort Order", 9, permissionable=False).fixed,
        f.checkbox("IsDefault", "Is Default").required.fixed,
        f.checkbox("IsClosed", "Is Closed").required.fixed,
        *f.audit(deletable=False),
    ),
)
