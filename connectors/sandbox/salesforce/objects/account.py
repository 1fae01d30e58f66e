"""Account."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

_INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction", "Consulting",
    "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental", "Finance",
    "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery", "Manufacturing", "Media",
    "Not For Profit", "Recreation", "Retail", "Shipping", "Technology", "Telecommunications", "Transportation",
    "Utilities", "Other",
)  # fmt: skip
_TYPES = (
    "Prospect",
    "Customer - Direct",
    "Customer - Channel",
    "Channel Partner / Reseller",
    "Installation Partner",
    "Technology Partner",
    "Other",
)


def address(kind: str) -> tuple[f.Field, ...]:
    """The parts of an address, and the compound that only REST can give."""
    whole = f"{kind}Address"
    return (
        f.address_line(f"{kind}Street", f"{kind} Street", compound=whole),
        f.text(f"{kind}City", f"{kind} City", 40, compound=whole),
        f.text(f"{kind}State", f"{kind} State/Province", 80, compound=whole),
        f.text(f"{kind}PostalCode", f"{kind} Zip/Postal Code", 20, compound=whole),
        f.text(f"{kind}Country", f"{kind} Country", 80, compound=whole),
        f.Field(
            name=whole, label=f"{kind} Address", type="address", filterable=False, sortable=False, permissionable=False
        ).fixed,
    )


ACCOUNT = f.SObject(
    name="Account",
    label="Account",
    plural="Accounts",
    prefix="001",
    mergeable=True,
    fields=(
        f.record_id("Account ID"),
        f.lookup("MasterRecordId", "Master Record ID", "Account", "MasterRecord", permissionable=False).fixed,
        f.text("Name", "Account Name", name_field=True).required,
        f.picklist("Type", "Account Type", _TYPES),
        f.lookup("ParentId", "Parent Account ID", "Account", "Parent"),
        *address("Billing"),
        *address("Shipping"),
        f.phone("Phone", "Account Phone"),
        f.phone("Fax", "Account Fax"),
        f.text("AccountNumber", "Account Number", 40),
        f.url("Website", "Website"),
        f.text("Sic", "SIC Code", 20),
        f.picklist("Industry", "Industry", _INDUSTRIES),
        f.money("AnnualRevenue", "Annual Revenue"),
        f.integer("NumberOfEmployees", "Employees"),
        f.picklist("Ownership", "Ownership", ("Public", "Private", "Subsidiary", "Other")),
        f.long_text("Description", "Account Description"),
        f.picklist("Rating", "Account Rating", ("Hot", "Warm", "Cold")),
        f.text("Site", "Account Site", 80),
        f.lookup("OwnerId", "Owner ID", "User", "Owner").required,
        f.day("LastActivityDate", "Last Activity", permissionable=False).fixed,
        f.picklist("AccountSource", "Account Source", ("Web", "Phone Inquiry", "Partner Referral", "Other")),
        *f.audit(),
    ),
    children=(
        ("Account", "ParentId", "ChildAccounts", False),
        ("Contact", "AccountId", "Contacts", True),
        ("Opportunity", "AccountId", "Opportunities", True),
        ("Task", "AccountId", "Tasks", True),
        ("Event", "AccountId", "Events", True),
        ("Case", "AccountId", "Cases", True),
        ("Contract", "AccountId", "Contracts", True),
        ("Order", "AccountId", "Orders", True),
        ("Asset", "AccountId", "Assets", True),
        ("AccountContactRelation", "AccountId", "AccountContactRelations", True),
        ("AccountTeamMember", "AccountId", "AccountTeamMembers", True),
        ("AccountPlan", "AccountId", "AccountPlans", False),
        ("AccountHistory", "AccountId", "Histories", True),
    ),
)
