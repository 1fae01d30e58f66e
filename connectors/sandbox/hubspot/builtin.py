"""The properties every portal is born with, kind by kind."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.sandbox.hubspot.definitions import Group, Option, PropertyDefinition
from connectors.sandbox.hubspot.kinds import (
    CALLS,
    COMMUNICATIONS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LINE_ITEMS,
    MEETINGS,
    NOTES,
    TASKS,
    TICKETS,
    Kind,
)

# Name -> (label, type, fieldType). What a book does not fill stays null, as in a young portal.
Rows = dict[str, tuple[str, str, str]]
_TEXT = ("string", "text")
_AREA = ("string", "textarea")
_NUMBER = ("number", "number")
_INSTANT = ("datetime", "date")
_SELECT = ("enumeration", "select")
_BOOL = ("bool", "booleancheckbox")

_FREE: dict[str, Rows] = {
    COMPANIES.name: {
        "name": ("Company name", *_TEXT),
        "domain": ("Company Domain Name", *_TEXT),
        "industry": ("Industry", *_SELECT),
        "type": ("Type", *_SELECT),
        "country": ("Country/Region", *_TEXT),
        "city": ("City", *_TEXT),
        "description": ("Description", *_AREA),
        "phone": ("Phone Number", "string", "text"),
        "annualrevenue": ("Annual Revenue", *_NUMBER),
        "numberofemployees": ("Number of Employees", *_NUMBER),
        "lifecyclestage": ("Lifecycle Stage", "enumeration", "radio"),
        "hs_lead_status": ("Lead Status", "enumeration", "radio"),
        "hs_is_target_account": ("Target Account", *_BOOL),
        "hs_ideal_customer_profile": ("Ideal Customer Profile Tier", *_SELECT),
        "salesforceaccountid": ("Salesforce Account ID", *_TEXT),
    },
    DEALS.name: {
        "dealname": ("Deal Name", *_TEXT),
        "amount": ("Amount", *_NUMBER),
        "closedate": ("Close Date", *_INSTANT),
        "dealstage": ("Deal Stage", "enumeration", "radio"),
        "pipeline": ("Pipeline", *_SELECT),
        "dealtype": ("Deal Type", "enumeration", "radio"),
        "deal_currency_code": ("Currency", *_SELECT),
        "description": ("Deal Description", *_AREA),
        "closed_lost_reason": ("Closed Lost Reason", *_AREA),
        "closed_won_reason": ("Closed Won Reason", *_AREA),
        "hs_manual_forecast_category": ("Forecast category", *_SELECT),
    },
    CONTACTS.name: {
        "firstname": ("First Name", *_TEXT),
        "lastname": ("Last Name", *_TEXT),
        "email": ("Email", *_TEXT),
        "jobtitle": ("Job Title", *_TEXT),
        "phone": ("Phone Number", "phone_number", "phonenumber"),
        "lifecyclestage": ("Lifecycle Stage", "enumeration", "radio"),
    },
    TICKETS.name: {
        "subject": ("Ticket name", *_TEXT),
        "content": ("Ticket description", *_AREA),
        "hs_pipeline": ("Pipeline", *_SELECT),
        "hs_pipeline_stage": ("Ticket status", *_SELECT),
        "hs_ticket_priority": ("Priority", *_SELECT),
        "hs_ticket_category": ("Category", "enumeration", "checkbox"),
        "closed_date": ("Close date", *_INSTANT),
    },
    LINE_ITEMS.name: {
        "name": ("Name", *_TEXT),
        "quantity": ("Quantity", *_NUMBER),
        "price": ("Unit price", *_NUMBER),
        "amount": ("Net price", *_NUMBER),
        "discount": ("Unit discount", *_NUMBER),
        "hs_sku": ("SKU", *_TEXT),
        "hs_product_id": ("Product ID", *_NUMBER),
        "hs_line_item_currency_code": ("Currency", *_SELECT),
        "recurringbillingfrequency": ("Billing frequency", *_SELECT),
        "hs_recurring_billing_period": ("Term", *_TEXT),
    },
    CALLS.name: {
        "hs_call_title": ("Call Title", *_TEXT),
        "hs_call_body": ("Call notes", *_AREA),
        "hs_call_direction": ("Call direction", *_SELECT),
        "hs_call_disposition": ("Call outcome", *_SELECT),
        "hs_call_duration": ("Call duration", *_NUMBER),
        "hs_call_status": ("Call Status", *_SELECT),
    },
    MEETINGS.name: {
        "hs_meeting_title": ("Meeting name", *_TEXT),
        "hs_meeting_body": ("Meeting description", *_AREA),
        "hs_meeting_start_time": ("Meeting start time", *_INSTANT),
        "hs_meeting_end_time": ("Meeting end time", *_INSTANT),
        "hs_meeting_outcome": ("Meeting outcome", *_SELECT),
    },
    EMAILS.name: {
        "hs_email_subject": ("Email subject", *_TEXT),
        "hs_email_direction": ("Email direction", *_SELECT),
        "hs_email_status": ("Email send status", *_SELECT),
        "hs_email_text": ("Email body", *_AREA),
        "hs_email_html": ("Email HTML", "string", "html"),
        "hs_email_headers": ("Email headers", *_AREA),
    },
    NOTES.name: {"hs_note_body": ("Note body", *_AREA)},
    TASKS.name: {
        "hs_task_subject": ("Task Title", *_TEXT),
        "hs_task_body": ("Task notes", *_AREA),
        "hs_task_status": ("Task Status", *_SELECT),
        "hs_task_type": ("Task Type", *_SELECT),
        "hs_task_priority": ("Priority", *_SELECT),
        "hs_task_completion_date": ("Completed at", *_INSTANT),
    },
    COMMUNICATIONS.name: {
        "hs_communication_channel_type": ("Channel type", *_SELECT),
        "hs_communication_logged_from": ("Logged from", *_SELECT),
        "hs_communication_body": ("Communication body", *_AREA),
    },
}

_CALCULATED: dict[str, Rows] = {
    COMPANIES.name: {
        "hs_parent_company_id": ("Parent Company", "number", "number"),
        "hs_num_child_companies": ("Number of child companies", "number", "calculation_rollup"),
        "num_associated_deals": ("Number of Associated Deals", "number", "calculation_rollup"),
        "num_associated_contacts": ("Number of Associated Contacts", "number", "calculation_rollup"),
        "hs_num_open_deals": ("Number of open deals", "number", "calculation_rollup"),
        "notes_last_updated": ("Last Activity Date", *_INSTANT),
    },
    DEALS.name: {
        "hs_is_closed": ("Is Deal Closed?", "bool", "calculation_equation"),
        "hs_is_closed_won": ("Is Closed Won", "bool", "calculation_equation"),
        "hs_is_closed_lost": ("Is Closed Lost", "bool", "calculation_equation"),
        "hs_deal_stage_probability": ("Deal probability", "number", "calculation_equation"),
        "hs_deal_stage_probability_shadow": ("Deal stage probability", "number", "calculation_equation"),
        "hs_exchange_rate": ("Exchange rate", "number", "calculation_equation"),
        "amount_in_home_currency": ("Amount in company currency", "number", "calculation_equation"),
        "hs_closed_amount": ("Closed Deal Amount", "number", "calculation_equation"),
        "hs_projected_amount": ("Weighted amount", "number", "calculation_equation"),
        "hs_primary_associated_company": ("Primary Associated Company", "number", "calculation_rollup"),
        "hs_num_of_associated_line_items": ("Number of Associated Line Items", "number", "calculation_rollup"),
        "notes_last_updated": ("Last Activity Date", *_INSTANT),
    },
    CONTACTS.name: {"associatedcompanyid": ("Primary Associated Company ID", "number", "number")},
    TICKETS.name: {},
    LINE_ITEMS.name: {},
}

_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    COMPANIES.name: {
        "type": ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "CUSTOMER", "OTHER"),
        "lifecyclestage": (
            *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"),
            *("opportunity", "customer", "evangelist", "other"),
        ),
        "hs_lead_status": ("NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED"),
        "hs_ideal_customer_profile": ("tier_1", "tier_2", "tier_3"),
    },
    DEALS.name: {
        "dealtype": ("newbusiness", "existingbusiness"),
        "hs_manual_forecast_category": ("OMIT", "PIPELINE", "BEST_CASE", "COMMIT", "CLOSED"),
    },
    CONTACTS.name: {"lifecyclestage": ("subscriber", "lead", "opportunity", "customer", "other")},
    TICKETS.name: {
        "hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", "URGENT"),
        "hs_ticket_category": ("PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST", "GENERAL_INQUIRY"),
    },
    LINE_ITEMS.name: {"recurringbillingfrequency": ("weekly", "monthly", "quarterly", "annually")},
    CALLS.name: {
        "hs_call_direction": ("INBOUND", "OUTBOUND"),
        "hs_call_status": ("COMPLETED", "NO_ANSWER", "BUSY", "CANCELED", "FAILED", "QUEUED", "RINGING"),
    },
    MEETINGS.name: {"hs_meeting_outcome": ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED")},
    EMAILS.name: {
        "hs_email_direction": ("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
        "hs_email_status": ("SENT", "SENDING", "SCHEDULED", "FAILED", "BOUNCED"),
    },
    TASKS.name: {
        "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
        "hs_task_type": ("TODO", "CALL", "EMAIL"),
        "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
    },
    COMMUNICATIONS.name: {
        "hs_communication_channel_type": ("WHATS_APP", "LINKEDIN_MESSAGE", "SMS"),
        "hs_communication_logged_from": ("CRM",),
    },
}

# Options that follow something else of the portal: pipelines, currencies, the portal's own list of dispositions.
_EXTERNAL = frozenset(
    {"dealstage", "pipeline", "hs_pipeline", "hs_pipeline_stage", "deal_currency_code", "hs_call_disposition"}
    | {"hs_line_item_currency_code", "hubspot_owner_id"}
)
_REFERENCES = {
    "hs_parent_company_id": "COMPANY",
    "hs_primary_associated_company": "COMPANY",
    "associatedcompanyid": "COMPANY",
    "hubspot_owner_id": "OWNER",
}


def builtin_groups(kind: Kind) -> list[Group]:
    """The groups of a kind in a new portal."""
    return [Group(_group_of(kind), f"{kind.singular.replace('_', ' ').capitalize()} information", 0)]


def builtin_properties(kind: Kind) -> Iterator[PropertyDefinition]:
    """System, ordinary and calculated properties of a kind in a new portal."""
    yield from _system_properties(kind)
    free = dict(_FREE[kind.name])
    free["hubspot_owner_id"] = ("Owner", *_SELECT)
    if not kind.read_scopes[0].startswith("crm.objects.contacts") or kind is CONTACTS:
        free["hs_merged_object_ids"] = ("Merged record IDs", "enumeration", "checkbox")
    else:
        free["hs_timestamp"] = ("Activity date", *_INSTANT)
    for name, row in free.items():
        yield _definition(kind, name, row)
    for name, row in _CALCULATED.get(kind.name, {}).items():
        definition = _definition(kind, name, row)
        definition.calculated = True
        yield definition


def _system_properties(kind: Kind) -> Iterator[PropertyDefinition]:
    rows: Rows = {
        "hs_object_id": ("Record ID", "number", "number"),
        "hs_createdate": ("Object create date/time", *_INSTANT),
        kind.created_property: ("Create Date", *_INSTANT),
        kind.modified_property: ("Last Modified Date", *_INSTANT),
    }
    for name, row in rows.items():
        definition = _definition(kind, name, row)
        definition.read_only_value = True
        yield definition


def _definition(kind: Kind, name: str, row: tuple[str, str, str]) -> PropertyDefinition:
    label, type_, field_type = row
    values = _OPTIONS.get(kind.name, {}).get(name, ())
    return PropertyDefinition(
        name=name,
        label=label,
        type=type_,
        field_type=field_type,
        group=_group_of(kind),
        options=[Option(v, v.replace("_", " ").capitalize(), i) for i, v in enumerate(values)],
        external_options=name in _EXTERNAL,
        unique=name == "email",
        read_only_value=name == "hs_merged_object_ids",
        referenced_object_type=_REFERENCES.get(name),
        show_currency_symbol=True if name in {"amount", "annualrevenue"} else None,
    )


def _group_of(kind: Kind) -> str:
    if kind.created_property == "createdate":
        return f"{kind.singular.replace('_', '')}information"
    return kind.singular


# Values of a company's industry as HubSpot lists them; a book's own words become further options.
def industry_value(words: str) -> str:
    """HubSpot's way of writing an industry: `COMPUTER_SOFTWARE`."""
    return "_".join("".join(c if c.isalnum() else " " for c in words.upper()).split())
