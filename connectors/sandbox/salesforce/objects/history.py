"""The field history of an object, as data: a row for each change of a field that is tracked.

017 is the prefix of every object's field history; it has neither SystemModstamp nor LastModifiedDate (object
reference, StandardObjectNameHistory, read 2026-11-29). Old and new value can be sorted by, and not filtered.
"""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f


def field_history(name: str, label: str, parent: str) -> f.SObject:
    """The object that holds the field history of another one."""
    return f.SObject(
        name=name,
        label=label,
        plural=label,
        prefix="017",
        createable=False,
        updateable=False,
        deletable=False,
        fields=(
            f.record_id(f"{label} ID"),
            f.checkbox("IsDeleted", "Deleted").required.fixed,
            f.lookup(f"{parent}Id", f"{parent} ID", parent, parent).required.fixed,
            f.lookup("CreatedById", "Created By ID", "User", "CreatedBy").required.fixed,
            f.moment("CreatedDate", "Created Date").required.fixed,
            f.picklist("Field", "Changed Field", (), restricted=True).required.fixed,
            f.picklist("DataType", "Datatype", (), permissionable=False, restricted=True).fixed,
            f.any_value("OldValue", "Old Value", permissionable=False).fixed,
            f.any_value("NewValue", "New Value", permissionable=False).fixed,
        ),
    )


ACCOUNT_HISTORY = field_history("AccountHistory", "Account History", "Account")
OPPORTUNITY_FIELD_HISTORY = field_history("OpportunityFieldHistory", "Opportunity Field History", "Opportunity")
OF = {"Account": "AccountHistory", "Opportunity": "OpportunityFieldHistory"}
"""Object -> the object that holds its field history."""
