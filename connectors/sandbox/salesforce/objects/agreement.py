"""Contract and Order: what was agreed with an account.

Names, types and lengths: Salesforce field reference, Contract and Order
(https://developer.salesforce.com/docs/platform/field-reference/references/field-reference/, read 2026-11-28).
"""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f
from connectors.sandbox.salesforce.objects.account import address

CONTRACT_CODES = {
    "In Approval Process": "InApproval",
    "Activated": "Activated",
    "Draft": "Draft",
    "Terminated": "Terminated",
    "Expired": "Expired",
}
"""Contract.Status -> the StatusCode behind it."""

ORDER_CODES = {"Draft": "Draft", "Activated": "Activated", "Cancelled": "Canceled", "Expired": "Expired"}
"""Order.Status -> the StatusCode behind it."""

CONTRACT = f.SObject(
    name="Contract",
    label="Contract",
    plural="Contracts",
    prefix="800",
    fields=(
        f.record_id("Contract ID"),
        f.lookup("AccountId", "Account ID", "Account", "Account").required,
        f.lookup("Pricebook2Id", "Price Book ID", "Pricebook2", "Pricebook2"),
        f.picklist(
            "OwnerExpirationNotice", "Owner Expiration Notice", ("15", "30", "45", "60", "90", "120"), restricted=True
        ),
        f.day("StartDate", "Contract Start Date"),
        f.day("EndDate", "Contract End Date").fixed,
        *address("Billing"),
        f.integer("ContractTerm", "Contract Term", 4),
        f.lookup("OwnerId", "Owner ID", "User", "Owner").required,
        f.picklist("Status", "Status", tuple(CONTRACT_CODES)).required,
        f.lookup("CompanySignedId", "Company Signed By ID", "User", "CompanySigned"),
        f.day("CompanySignedDate", "Company Signed Date"),
        f.lookup("CustomerSignedId", "Customer Signed By ID", "Contact", "CustomerSigned"),
        f.text("CustomerSignedTitle", "Customer Signed Title", 40),
        f.day("CustomerSignedDate", "Customer Signed Date"),
        f.long_text("SpecialTerms", "Special Terms", 4_000),
        f.lookup("ActivatedById", "Activated By ID", "User", "ActivatedBy", createable=False),
        f.moment("ActivatedDate", "Activated Date", createable=False),
        f.picklist("StatusCode", "Status Category", tuple(CONTRACT_CODES.values()), permissionable=False).fixed,
        f.long_text("Description", "Description"),
        f.text("ContractNumber", "Contract Number", 30, name_field=True, auto_number=True).required.fixed,
        f.moment("LastApprovedDate", "Last Approved Date", permissionable=False).fixed,
        f.day("LastActivityDate", "Last Activity", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(
        ("Order", "ContractId", "Orders", False),
        ("Task", "WhatId", "Tasks", True),
        ("Event", "WhatId", "Events", True),
    ),
)

ORDER = f.SObject(
    name="Order",
    label="Order",
    plural="Orders",
    prefix="801",
    fields=(
        f.record_id("Order ID"),
        f.lookup("OwnerId", "Owner ID", ("User", "Group"), "Owner").required,
        f.lookup("ContractId", "Contract ID", "Contract", "Contract"),
        f.lookup("AccountId", "Account ID", "Account", "Account"),
        f.lookup("Pricebook2Id", "Price Book ID", "Pricebook2", "Pricebook2"),
        f.lookup("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity"),
        f.day("EffectiveDate", "Order Start Date").required,
        f.day("EndDate", "Order End Date"),
        f.checkbox("IsReductionOrder", "Reduction Order", permissionable=False, updateable=False),
        f.picklist("Status", "Status", tuple(ORDER_CODES)).required,
        f.long_text("Description", "Description"),
        f.day("PoDate", "PO Date"),
        f.text("PoNumber", "PO Number", 80),
        f.picklist("Type", "Order Type", ()),
        *address("Billing"),
        f.text("Name", "Order Name", 80),
        f.moment("ActivatedDate", "Activated Date", createable=False),
        f.lookup("ActivatedById", "Activated By ID", "User", "ActivatedBy", createable=False),
        f.picklist("StatusCode", "Status Category", tuple(ORDER_CODES.values()), permissionable=False).fixed,
        f.text("OrderNumber", "Order Number", 30, name_field=True, auto_number=True).required.fixed,
        f.money("TotalAmount", "Order Amount", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(("Task", "WhatId", "Tasks", True), ("Event", "WhatId", "Events", True)),
)
