"""Who has to do with an account or an opportunity: contact roles, contacts of several accounts, account teams.

Names and types: Salesforce object reference, OpportunityContactRole, AccountContactRelation and AccountTeamMember
(https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/, read 2026-11-28).
"""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

ROLES = (
    "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator", "Executive Sponsor",
    "Influencer", "Technical Buyer", "Other",
)  # fmt: skip
TEAM_ROLES = (
    "Account Manager", "Channel Manager", "Executive Sponsor", "Lead Qualifier", "Pre-Sales Consultant",
    "Sales Manager", "Sales Rep",
)  # fmt: skip
_LEVELS = ("None", "Read", "Edit")

OPPORTUNITY_CONTACT_ROLE = f.SObject(
    name="OpportunityContactRole",
    label="Opportunity Contact Role",
    plural="Opportunity Contact Role",
    prefix="00K",
    undeletable=False,
    fields=(
        f.record_id("Contact Role ID"),
        f.lookup("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity", updateable=False).required,
        f.lookup("ContactId", "Contact ID", "Contact", "Contact").required,
        f.picklist("Role", "Role", ROLES, permissionable=False),
        f.checkbox("IsPrimary", "Primary", permissionable=False),
        *f.audit(),
    ),
)

ACCOUNT_CONTACT_RELATION = f.SObject(
    name="AccountContactRelation",
    label="Account Contact Relationship",
    plural="Account Contact Relationships",
    prefix="07k",
    undeletable=False,
    fields=(
        f.record_id("Account Contact Relationship ID"),
        f.lookup("AccountId", "Account ID", "Account", "Account", updateable=False).required,
        f.lookup("ContactId", "Contact ID", "Contact", "Contact", updateable=False).required,
        f.Field(name="Roles", label="Roles", type="multipicklist", length=4_099, values=ROLES, sortable=False),
        f.checkbox("IsDirect", "Direct", permissionable=False).fixed,
        f.checkbox("IsActive", "Active", default=True),
        f.day("StartDate", "Start Date"),
        f.day("EndDate", "End Date"),
        *f.audit(),
    ),
)

ACCOUNT_TEAM_MEMBER = f.SObject(
    name="AccountTeamMember",
    label="Account Team Member",
    plural="Account Team Member",
    prefix="01M",
    # Deleted by itself, a member is in no bin and, but from the page of an account, in no feed.
    binned=False,
    undeletable=False,
    fields=(
        f.record_id("Team Member ID"),
        f.lookup("AccountId", "Account ID", "Account", "Account", updateable=False).required,
        f.lookup("UserId", "User ID", "User", "User", updateable=False).required,
        f.picklist("TeamMemberRole", "Team Role", TEAM_ROLES, sortable=False, permissionable=False),
        f.text("Title", "User Title", 80, permissionable=False).fixed,
        f.picklist("AccountAccessLevel", "Account Access", ("Read", "Edit", "All"), permissionable=False),
        f.picklist("OpportunityAccessLevel", "Opportunity Access", _LEVELS, permissionable=False),
        f.picklist("CaseAccessLevel", "Case Access", _LEVELS, permissionable=False),
        f.picklist("ContactAccessLevel", "Contact Access", (*_LEVELS, "ControlledByParent"), permissionable=False),
        *f.audit(),
    ),
)
