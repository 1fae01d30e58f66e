"""What companies, deals, contacts and tickets are born with."""

from __future__ import annotations

from connectors.sandbox.hubspot.builtin_rows import (
    AREA,
    BOOL,
    CHECKS,
    EQUATION,
    INSTANT,
    NUMBER,
    RADIO,
    ROLLUP,
    SELECT,
    TEXT,
    Born,
)
from connectors.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS, TICKETS

# The names of these options stand in no public document that was found: from memory.
BUYING_ROLES = (
    *("BLOCKER", "BUDGET_HOLDER", "CHAMPION", "DECISION_MAKER", "END_USER", "EXECUTIVE_SPONSOR", "INFLUENCER"),
    *("LEGAL_AND_COMPLIANCE", "OTHER"),
)

_COMPANY = Born(
    free={
        "name": ("Company name", *TEXT),
        "domain": ("Company Domain Name", *TEXT),
        "hs_additional_domains": ("Additional Domains", *CHECKS),
        "industry": ("Industry", *SELECT),
        "type": ("Type", *SELECT),
        "country": ("Country/Region", *TEXT),
        "city": ("City", *TEXT),
        "description": ("Description", *AREA),
        "phone": ("Phone Number", *TEXT),
        "annualrevenue": ("Annual Revenue", *NUMBER),
        "numberofemployees": ("Number of Employees", *NUMBER),
        "lifecyclestage": ("Lifecycle Stage", *RADIO),
        "hs_lead_status": ("Lead Status", *RADIO),
        "hs_is_target_account": ("Target Account", *BOOL),
        "hs_ideal_customer_profile": ("Ideal Customer Profile Tier", *SELECT),
        "salesforceaccountid": ("Salesforce Account ID", *TEXT),
    },
    calculated={
        "hs_parent_company_id": ("Parent Company", *NUMBER),
        "hs_num_child_companies": ("Number of child companies", *ROLLUP),
        "num_associated_deals": ("Number of Associated Deals", *ROLLUP),
        "num_associated_contacts": ("Number of Associated Contacts", *ROLLUP),
        "hs_num_open_deals": ("Number of open deals", *ROLLUP),
        "total_revenue": ("Total Revenue", *ROLLUP),
        "notes_last_updated": ("Last Activity Date", *INSTANT),
    },
    options={
        "type": ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "CUSTOMER", "OTHER"),
        "lifecyclestage": (
            *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"),
            *("opportunity", "customer", "evangelist", "other"),
        ),
        "hs_lead_status": ("NEW", "OPEN", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED"),
        "hs_ideal_customer_profile": ("tier_1", "tier_2", "tier_3"),
    },
)
_DEAL = Born(
    free={
        "dealname": ("Deal Name", *TEXT),
        "amount": ("Amount", *NUMBER),
        "closedate": ("Close Date", *INSTANT),
        "dealstage": ("Deal Stage", *RADIO),
        "pipeline": ("Pipeline", *SELECT),
        "dealtype": ("Deal Type", *RADIO),
        "deal_currency_code": ("Currency", *SELECT),
        "description": ("Deal Description", *AREA),
        "closed_lost_reason": ("Closed Lost Reason", *AREA),
        "closed_won_reason": ("Closed Won Reason", *AREA),
        "hs_manual_forecast_category": ("Forecast category", *SELECT),
    },
    calculated={
        "hs_is_closed": ("Is Deal Closed?", "bool", "calculation_equation"),
        "hs_is_closed_won": ("Is Closed Won", "bool", "calculation_equation"),
        "hs_is_closed_lost": ("Is Closed Lost", "bool", "calculation_equation"),
        "hs_deal_stage_probability": ("Deal probability", *EQUATION),
        "hs_deal_stage_probability_shadow": ("Deal stage probability", *EQUATION),
        "hs_exchange_rate": ("Exchange rate", *EQUATION),
        "amount_in_home_currency": ("Amount in company currency", *EQUATION),
        "hs_closed_amount": ("Closed Deal Amount", *EQUATION),
        "hs_projected_amount": ("Weighted amount", *EQUATION),
        "hs_primary_associated_company": ("Primary Associated Company", *ROLLUP),
        "hs_num_of_associated_line_items": ("Number of Associated Line Items", *ROLLUP),
        "notes_last_updated": ("Last Activity Date", *INSTANT),
    },
    options={
        "dealtype": ("newbusiness", "existingbusiness"),
        "hs_manual_forecast_category": ("OMIT", "PIPELINE", "BEST_CASE", "COMMIT", "CLOSED"),
    },
)
_CONTACT = Born(
    free={
        "firstname": ("First Name", *TEXT),
        "lastname": ("Last Name", *TEXT),
        "email": ("Email", *TEXT),
        "jobtitle": ("Job Title", *TEXT),
        "phone": ("Phone Number", "phone_number", "phonenumber"),
        "lifecyclestage": ("Lifecycle Stage", *RADIO),
        "hs_buying_role": ("Buying Role", *CHECKS),
        "hs_email_optout": ("Unsubscribed from all email", *BOOL),
    },
    calculated={"associatedcompanyid": ("Primary Associated Company ID", *NUMBER)},
    options={
        "lifecyclestage": ("subscriber", "lead", "opportunity", "customer", "other"),
        "hs_buying_role": BUYING_ROLES,
    },
)
_TICKET = Born(
    free={
        "subject": ("Ticket name", *TEXT),
        "content": ("Ticket description", *AREA),
        "hs_pipeline": ("Pipeline", *SELECT),
        "hs_pipeline_stage": ("Ticket status", *SELECT),
        "hs_ticket_priority": ("Priority", *SELECT),
        "hs_ticket_category": ("Category", *CHECKS),
        "source_type": ("Source", *SELECT),
        "closed_date": ("Close date", *INSTANT),
        "first_agent_reply_date": ("First agent email response date", *INSTANT),
        "hs_time_to_close_sla_at": ("Time to Close SLA Due Date", *INSTANT),
        "hs_time_to_close_sla_status": ("Time to Close SLA Status", *SELECT),
    },
    calculated={"time_to_close": ("Time to close", *EQUATION)},
    options={
        "hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", "URGENT"),
        "hs_ticket_category": ("PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST", "GENERAL_INQUIRY"),
        "source_type": ("CHAT", "EMAIL", "FORM", "PHONE"),
        "hs_time_to_close_sla_status": ("0", "1", "2", "3", "4"),
    },
)

RECORDS: dict[str, Born] = {
    COMPANIES.name: _COMPANY,
    DEALS.name: _DEAL,
    CONTACTS.name: _CONTACT,
    TICKETS.name: _TICKET,
}
