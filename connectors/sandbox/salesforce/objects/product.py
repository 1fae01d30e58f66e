"""Products, price books, the line items of opportunities, and the assets that customers have.

Names, types and lengths: Salesforce field reference, Product2, Pricebook2, PricebookEntry, OpportunityLineItem, Asset
(https://developer.salesforce.com/docs/platform/field-reference/references/field-reference/, read 2026-11-28).
"""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

PRODUCT = f.SObject(
    name="Product2",
    label="Product",
    plural="Products",
    prefix="01t",
    fields=(
        f.record_id("Product ID"),
        f.text("Name", "Product Name", name_field=True).required,
        f.text("ProductCode", "Product Code"),
        f.long_text("Description", "Product Description", 4_000),
        f.checkbox("IsActive", "Active"),
        f.picklist("Family", "Product Family", ("None",)),
        f.text("StockKeepingUnit", "Product SKU", 180),
        f.checkbox("IsArchived", "Archived", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(
        ("PricebookEntry", "Product2Id", "PricebookEntries", True),
        ("OpportunityLineItem", "Product2Id", "OpportunityLineItems", False),
        ("Asset", "Product2Id", "Assets", False),
    ),
)

PRICEBOOK = f.SObject(
    name="Pricebook2",
    label="Price Book",
    plural="Price Books",
    prefix="01s",
    fields=(
        f.record_id("Price Book ID"),
        f.text("Name", "Price Book Name", name_field=True).required,
        f.checkbox("IsActive", "Active", permissionable=False),
        f.checkbox("IsArchived", "Archived", permissionable=False).fixed,
        f.text("Description", "Description"),
        f.checkbox("IsStandard", "Is Standard Price Book", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(("PricebookEntry", "Pricebook2Id", "PricebookEntries", True),),
)

PRICEBOOK_ENTRY = f.SObject(
    name="PricebookEntry",
    label="Price Book Entry",
    plural="Price Book Entries",
    prefix="01u",
    undeletable=False,
    fields=(
        f.record_id("Price Book Entry ID"),
        f.text("Name", "Product Name", name_field=True, permissionable=False).fixed,
        f.lookup("Pricebook2Id", "Price Book ID", "Pricebook2", "Pricebook2", updateable=False).required,
        f.lookup("Product2Id", "Product ID", "Product2", "Product2", updateable=False).required,
        f.money("UnitPrice", "List Price").required,
        f.checkbox("IsActive", "Active", permissionable=False),
        f.checkbox("UseStandardPrice", "Use Standard Price", permissionable=False),
        f.text("ProductCode", "Product Code", permissionable=False).fixed,
        f.checkbox("IsArchived", "Archived", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(("OpportunityLineItem", "PricebookEntryId", "OpportunityLineItems", False),),
)

OPPORTUNITY_LINE_ITEM = f.SObject(
    name="OpportunityLineItem",
    label="Opportunity Product",
    plural="Opportunity Product",
    prefix="00k",
    undeletable=False,
    fields=(
        f.record_id("Line Item ID"),
        f.lookup("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity", updateable=False).required,
        f.integer("SortOrder", "Sort Order", 9, permissionable=False),
        f.lookup("PricebookEntryId", "Price Book Entry ID", "PricebookEntry", "PricebookEntry", updateable=False),
        f.lookup("Product2Id", "Product ID", "Product2", "Product2", updateable=False),
        f.text("ProductCode", "Product Code", permissionable=False).fixed,
        f.text("Name", "Opportunity Product Name", 376, name_field=True, permissionable=False).fixed,
        f.number("Quantity", "Quantity", 12, 2).required,
        f.money("TotalPrice", "Total Price"),
        f.money("UnitPrice", "Sales Price"),
        f.money("ListPrice", "List Price", permissionable=False).fixed,
        f.day("ServiceDate", "Date"),
        f.text("Description", "Line Description"),
        *f.audit(),
    ),
)

ASSET = f.SObject(
    name="Asset",
    label="Asset",
    plural="Assets",
    prefix="02i",
    fields=(
        f.record_id("Asset ID"),
        f.lookup("ContactId", "Contact ID", "Contact", "Contact"),
        f.lookup("AccountId", "Account ID", "Account", "Account"),
        f.lookup("ParentId", "Parent Asset ID", "Asset", "Parent"),
        f.lookup("Product2Id", "Product ID", "Product2", "Product2"),
        f.text("ProductCode", "Product Code", permissionable=False).fixed,
        f.checkbox("IsCompetitorProduct", "Competitor Asset"),
        f.text("Name", "Asset Name", name_field=True).required,
        f.text("SerialNumber", "Serial Number", 80),
        f.day("InstallDate", "Install Date"),
        f.day("PurchaseDate", "Purchase Date"),
        f.day("UsageEndDate", "Usage End Date"),
        f.picklist("Status", "Status", ("Shipped", "Installed", "Registered", "Obsolete", "Purchased")),
        # Whole units only: this is the one amount whose scale is 0.
        f.Field(name="Price", label="Price", type="currency", precision=18, scale=0),
        f.number("Quantity", "Quantity", 12, 2),
        f.long_text("Description", "Description"),
        f.lookup("OwnerId", "Owner ID", "User", "Owner").required,
        *f.audit(),
    ),
    children=(
        ("Asset", "ParentId", "ChildAssets", False),
        ("Case", "AssetId", "Cases", False),
        ("Task", "WhatId", "Tasks", True),
        ("Event", "WhatId", "Events", True),
    ),
)
