"""The objects of an org, declared: to add one, write its file and name it here."""

from __future__ import annotations

from connectors.sandbox.salesforce.fields import SObject
from connectors.sandbox.salesforce.objects.account import ACCOUNT
from connectors.sandbox.salesforce.objects.activity import EVENT, TASK, TASK_STATUS
from connectors.sandbox.salesforce.objects.contact import CONTACT
from connectors.sandbox.salesforce.objects.opportunity import OPPORTUNITY, OPPORTUNITY_HISTORY, OPPORTUNITY_STAGE
from connectors.sandbox.salesforce.objects.organization import CURRENCY_TYPE, DATED_CONVERSION_RATE, ORGANIZATION
from connectors.sandbox.salesforce.objects.people import PROFILE, USER
from connectors.sandbox.salesforce.objects.permission import (
    FIELD_PERMISSIONS,
    OBJECT_PERMISSIONS,
    PERMISSION_SET,
    PERMISSION_SET_ASSIGNMENT,
)

SOBJECTS: tuple[SObject, ...] = (
    ACCOUNT,
    CONTACT,
    OPPORTUNITY,
    OPPORTUNITY_STAGE,
    OPPORTUNITY_HISTORY,
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
)

WITH_CURRENCY = frozenset({"Account", "Contact", "Opportunity", "OpportunityHistory", "Task", "Event", "User"})
"""Objects whose rows carry CurrencyIsoCode in an org with several currencies."""

ELSEWHERE = frozenset(
    {
        "Lead", "Case", "Contract", "Asset", "Order", "OrderItem", "Product2", "Pricebook2", "PricebookEntry",
        "OpportunityLineItem", "OpportunityContactRole", "OpportunityFieldHistory", "AccountHistory", "Campaign",
        "CampaignMember", "CaseStatus", "ContractStatus", "RecordType", "Group", "UserRole", "EntityDefinition",
        "FieldDefinition", "TaskRelation", "EventRelation", "ContentNote", "ContentDocument", "Attachment", "Note",
        "AccountContactRelation", "EmailMessage", "Period", "FiscalYearSettings", "BusinessHours", "Holiday",
    }
)  # fmt: skip
"""Objects that every org has and the sandbox does not: naming one is a gap of ours and says so."""
