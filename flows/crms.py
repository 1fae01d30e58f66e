"""The CRMs that can be named on the command line and in a flow's form, and the streams of theirs that have a past."""

from enum import StrEnum


class Crm(StrEnum):
    """The CRMs that can be read and written."""

    salesforce = "salesforce"
    hubspot = "hubspot"


class StreamName(StrEnum):
    """The streams of either CRM that are read by what was changed, so that past months of them can be read again."""

    accounts = "accounts"
    opportunities = "opportunities"
    opportunity_history = "opportunity_history"
    opportunity_line_items = "opportunity_line_items"
    opportunity_contact_roles = "opportunity_contact_roles"
    opportunity_field_history = "opportunity_field_history"
    line_items = "line_items"
    products = "products"
    tasks = "tasks"
    events = "events"
    calls = "calls"
    meetings = "meetings"
    emails = "emails"
    notes = "notes"
    communications = "communications"
    contacts = "contacts"
    users = "users"
    account_contact_relations = "account_contact_relations"
    account_team_members = "account_team_members"
    cases = "cases"
    tickets = "tickets"
    contracts = "contracts"
    orders = "orders"
    assets = "assets"
    goals = "goals"
    account_plans = "account_plans"
    account_plan_objectives = "account_plan_objectives"
    account_plan_measures = "account_plan_measures"
