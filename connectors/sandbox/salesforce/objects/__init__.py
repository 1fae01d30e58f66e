"""The objects of an org, declared: to add one, write its file and name it here."""

from __future__ import annotations

from connectors.sandbox.salesforce.fields import SObject
from connectors.sandbox.salesforce.objects.account import ACCOUNT
from connectors.sandbox.salesforce.objects.activity import EVENT, TASK, TASK_STATUS
from connectors.sandbox.salesforce.objects.agreement import CONTRACT, ORDER
from connectors.sandbox.salesforce.objects.case import CASE, CASE_STATUS
from connectors.sandbox.salesforce.objects.contact import CONTACT
from connectors.sandbox.salesforce.objects.history import ACCOUNT_HISTORY, OPPORTUNITY_FIELD_HISTORY
from connectors.sandbox.salesforce.objects.opportunity import OPPORTUNITY, OPPORTUNITY_HISTORY, OPPORTUNITY_STAGE
from connectors.sandbox.salesforce.objects.organization import CURRENCY_TYPE, DATED_CONVERSION_RATE, ORGANIZATION
from connectors.sandbox.salesforce.objects.people import PROFILE, USER
from connectors.sandbox.salesforce.objects.permission import (
    FIELD_PERMISSIONS,
    OBJECT_PERMISSIONS,
    PERMISSION_SET,
    PERMISSION_SET_ASSIGNMENT,
)
from connectors.sandbox.salesforce.objects.plan import (
    ACCOUNT_PLAN,
    ACCOUNT_PLAN_OBJECTIVE,
    ACCOUNT_PLAN_OBJECTIVE_MEASURE,
)
from connectors.sandbox.salesforce.objects.product import (
    ASSET,
    OPPORTUNITY_LINE_ITEM,
    PRICEBOOK,
    PRICEBOOK_ENTRY,
    PRODUCT,
)
from connectors.sandbox.salesforce.objects.relation import (
    ACCOUNT_CONTACT_RELATION,
    ACCOUNT_TEAM_MEMBER,
    OPPORTUNITY_CONTACT_ROLE,
)

SOBJECTS: tuple[SObject, ...] = (
    ACCOUNT,
    CONTACT,
    OPPORTUNITY,
    OPPORTUNITY_STAGE,
    OPPORTUNITY_HISTORY,
    OPPORTUNITY_FIELD_HISTORY,
    ACCOUNT_HISTORY,
    TASK,
    TASK_STATUS,
    EVENT,
    USER,
    PROFILE,
    ORGANIZATION,
    CURRENCY_TYPE,
    DATED_CONVERSION_RATE,
    PERMISSION_SET,
    PERMISSION_SET_ASSIGNMENT,
    FIELD_PERMISSIONS,
    OBJECT_PERMISSIONS,
    CASE,
    CASE_STATUS,
    OPPORTUNITY_CONTACT_ROLE,
    ACCOUNT_CONTACT_RELATION,
    ACCOUNT_TEAM_MEMBER,
    PRODUCT,
    PRICEBOOK,
    PRICEBOOK_ENTRY,
    OPPORTUNITY_LINE_ITEM,
    ASSET,
    CONTRACT,
    ORDER,
    ACCOUNT_PLAN,
    ACCOUNT_PLAN_OBJECTIVE,
    ACCOUNT_PLAN_OBJECTIVE_MEASURE,
)

FEATURES: dict[str, str] = {
    "AccountHistory": "account_field_history",
    "AccountContactRelation": "contacts_to_multiple_accounts",
    "AccountTeamMember": "account_teams",
    "AccountPlan": "account_plans",
    "AccountPlanObjective": "account_plans",
    "AccountPlanObjectiveMeasure": "account_plans",
    "Asset": "assets",
    "Contract": "contracts",
    "OpportunityFieldHistory": "opportunity_field_history",
    "OpportunityLineItem": "products",
    "Order": "orders",
    "Pricebook2": "products",
    "PricebookEntry": "products",
    "Product2": "products",
}
"""Object -> the setting of an org without which it does not exist."""

AROUND = ("Case", "CaseStatus", "OpportunityContactRole", *(name for name in FEATURES if name != "AccountHistory"))
"""Objects that stand around accounts, contacts, opportunities and activities, and that an export may hold."""

WITH_CURRENCY = frozenset(
    {
        "Account", "Contact", "Opportunity", "OpportunityHistory", "Task", "Event", "User", "Case", "Contract", "Order",
        "Asset", "Product2", "PricebookEntry", "OpportunityLineItem", "OpportunityContactRole", "AccountTeamMember",
        "AccountPlan", "AccountPlanObjective", "AccountPlanObjectiveMeasure",
    }
)  # fmt: skip
"""Objects whose rows carry CurrencyIsoCode in an org with several currencies."""

ELSEWHERE = frozenset(
    {
        "Lead", "OrderItem", "CaseHistory", "Campaign", "CampaignMember", "ContractStatus",
        "OrderStatus", "RecordType", "Group", "UserRole", "EntityDefinition", "TaskRelation",
        "EventRelation", "ContentNote", "ContentDocument", "Attachment", "Note", "EmailMessage", "Period",
        "FiscalYearSettings", "BusinessHours", "Holiday",
    }
)  # fmt: skip
"""Objects that every org has and the sandbox does not: naming one is a gap of ours and says so."""
