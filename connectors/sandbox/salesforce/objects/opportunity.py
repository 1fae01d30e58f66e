"""Opportunity, the stages it goes through, and the histories it leaves."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

FORECAST_NAMES = {
    "Omitted": "Omitted",
    "Pipeline": "Pipeline",
    "BestCase": "Best Case",
    "MostLikely": "Most Likely",
    "Forecast": "Commit",
    "Closed": "Closed",
}
"""ForecastCategory -> the label that ForecastCategoryName shows for it."""

OPPORTUNITY = f.SObject(
    name="Opportunity",
    label="Opportunity",
    plural="Opportunities",
    prefix="006",
    fields=(
        f.record_id("Opportunity ID"),
        f.lookup("AccountId", "Account ID", "Account", "Account"),
        f.checkbox("IsPrivate", "Private"),
        f.text("Name", "Name", 120, name_field=True).required,
        f.long_text("Description", "Description"),
        f.picklist("StageName", "Stage", ()).required,
        f.money("Amount", "Amount"),
        f.percent("Probability", "Probability (%)"),
        f.money("ExpectedRevenue", "Expected Amount").fixed,
        f.number("TotalOpportunityQuantity", "Quantity", 18, 2),
        f.day("CloseDate", "Close Date").required,
        f.picklist(
            "Type",
            "Opportunity Type",
            (
                "Existing Customer - Upgrade",
                "Existing Customer - Replacement",
                "Existing Customer - Downgrade",
                "New Customer",
            ),
        ),
        f.text("NextStep", "Next Step"),
        f.picklist("LeadSource", "Lead Source", ("Web", "Phone Inquiry", "Partner Referral", "Other")),
        f.checkbox("IsClosed", "Closed", permissionable=False).fixed,
        f.checkbox("IsWon", "Won", permissionable=False).fixed,
        f.picklist("ForecastCategory", "Forecast Category", tuple(FORECAST_NAMES), permissionable=False).fixed,
        f.picklist("ForecastCategoryName", "Forecast Category", tuple(FORECAST_NAMES.values()), permissionable=False),
        f.lookup("Pricebook2Id", "Price Book ID", "Pricebook2", "Pricebook2", permissionable=False),
        f.lookup("ContractId", "Contract ID", "Contract", "Contract"),
        f.checkbox("HasOpportunityLineItem", "Has Line Item", permissionable=False).fixed,
        f.lookup("OwnerId", "Owner ID", "User", "Owner").required,
        f.day("LastActivityDate", "Last Activity", permissionable=False).fixed,
        f.integer("PushCount", "Push Count", permissionable=False).fixed,
        f.moment("LastStageChangeDate", "Last Stage Change Date", permissionable=False).fixed,
        *f.audit(),
    ),
    children=(
        ("OpportunityHistory", "OpportunityId", "OpportunityHistories", True),
        ("Task", "WhatId", "Tasks", True),
        ("Event", "WhatId", "Events", True),
        ("OpportunityContactRole", "OpportunityId", "OpportunityContactRoles", True),
        ("OpportunityLineItem", "OpportunityId", "OpportunityLineItems", True),
        ("OpportunityFieldHistory", "OpportunityId", "Histories", True),
        ("Order", "OpportunityId", "Orders", False),
    ),
)

OPPORTUNITY_STAGE = f.SObject(
    name="OpportunityStage",
    label="Opportunity Stage",
    plural="Opportunity Stages",
    prefix="01J",
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
    fields=(
        f.record_id("Opportunity Stage ID"),
        f.text("MasterLabel", "Master Label", name_field=True).required.fixed,
        f.text("ApiName", "API Name", permissionable=False).fixed,
        f.checkbox("IsActive", "Is Active", default=True).required.fixed,
        f.integer("SortOrder", "Sort Order", permissionable=False).fixed,
        f.checkbox("IsClosed", "Closed").required.fixed,
        f.checkbox("IsWon", "Won").required.fixed,
        f.picklist("ForecastCategory", "Forecast Category", tuple(FORECAST_NAMES)).required.fixed,
        f.picklist("ForecastCategoryName", "Forecast Category Name", tuple(FORECAST_NAMES.values())).required.fixed,
        f.percent("DefaultProbability", "Probability (%)", permissionable=False).fixed,
        f.text("Description", "Description", permissionable=False).fixed,
        *f.audit(deletable=False),
    ),
)

OPPORTUNITY_HISTORY = f.SObject(
    name="OpportunityHistory",
    label="Opportunity History",
    plural="Opportunity History",
    prefix="008",
    createable=False,
    updateable=False,
    deletable=False,
    fields=(
        f.record_id("History ID"),
        f.lookup("OpportunityId", "Opportunity ID", "Opportunity", "Opportunity").required.fixed,
        f.lookup("CreatedById", "Created By ID", "User", "CreatedBy").required.fixed,
        f.moment("CreatedDate", "Created Date").required.fixed,
        f.picklist("StageName", "Stage", (), permissionable=False).fixed,
        f.money("Amount", "Amount", permissionable=False).fixed,
        f.money("ExpectedRevenue", "Expected Revenue", permissionable=False).fixed,
        f.day("CloseDate", "Close Date", permissionable=False).fixed,
        f.percent("Probability", "Probability (%)", permissionable=False).fixed,
        f.picklist("ForecastCategory", "To ForecastCategory", tuple(FORECAST_NAMES), permissionable=False).fixed,
        f.money("PrevAmount", "Previous Amount", permissionable=False).fixed,
        f.day("PrevCloseDate", "Previous Close Date", permissionable=False).fixed,
        f.moment("SystemModstamp", "System Modstamp").required.fixed,
        f.checkbox("IsDeleted", "Deleted").required.fixed,
    ),
)
