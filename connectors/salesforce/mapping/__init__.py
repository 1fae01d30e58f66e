"""The declared streams: our columns <- Salesforce's fields, by theme.

Names of objects and fields are those of the object and field reference:
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/ (read 2026-11-23) and
https://developer.salesforce.com/docs/platform/field-reference/references/field-reference/ (read 2026-11-28).
"""

from __future__ import annotations

from connectors.emails import NO_EMAILS, Emails
from connectors.salesforce.mapping.accounts import OURS, TEAM_MEMBERS, USERS, accounts
from connectors.salesforce.mapping.activities import EVENTS, TASKS
from connectors.salesforce.mapping.commerce import (
    EXCHANGE_RATES,
    PRODUCTS,
    assets,
    contracts,
    line_items,
    orders,
)
from connectors.salesforce.mapping.declaring import STAMPS, Declared, asked, cut, required
from connectors.salesforce.mapping.opportunities import FIELD_HISTORY, HISTORY, STAGES, opportunities
from connectors.salesforce.mapping.people import ACCOUNT_RELATIONS, CONTACT_ROLES, contacts
from connectors.salesforce.mapping.plans import OBJECTIVES, PLANS, measures
from connectors.salesforce.mapping.service import CASES

FEATURES = frozenset({"CurrencyIsoCode", "IsRecurrence", "IsChild", "CallType", "MasterRecordId", *STAMPS})
"""Fields that come with a feature or setting, or with an object of one kind (a history has one stamp); where they are
not there, their absence is no lack."""


def declared(
    cross_reference: str, *, many_currencies: bool, insist: bool, emails: Emails = NO_EMAILS
) -> tuple[Declared, ...]:
    """The streams that are read by a query each, in the order in which they are read: what scores need comes first.

    `insist`: the cross-reference field was configured by name, so that its absence is worth a word.
    """
    many = many_currencies
    unasked = frozenset() if insist else frozenset({cross_reference})
    return (
        Declared("users", "User", USERS),
        Declared("accounts", "Account", accounts(cross_reference, many_currencies=many), silent=unasked),
        Declared("opportunities", "Opportunity", opportunities(many_currencies=many)),
        Declared("opportunity_history", "OpportunityHistory", HISTORY),
        Declared("tasks", "Task", TASKS),
        Declared("events", "Event", EVENTS),
        Declared("contacts", "Contact", contacts(emails)),
        Declared("cases", "Case", CASES),
        Declared("opportunity_contact_roles", "OpportunityContactRole", CONTACT_ROLES),
        Declared("account_contact_relations", "AccountContactRelation", ACCOUNT_RELATIONS, is_feature=True),
        Declared("account_team_members", "AccountTeamMember", TEAM_MEMBERS, is_feature=True),
        # A contract turns Expired on its day without moving any stamp, and is not called calculated for it.
        Declared(
            "contracts", "Contract", contracts(many_currencies=many), is_feature=True, drifting=frozenset({"Status"})
        ),
        Declared("orders", "Order", orders(many_currencies=many), is_feature=True, silent=frozenset({"OpportunityId"})),
        Declared("assets", "Asset", assets(many_currencies=many), is_feature=True),
        Declared(
            "opportunity_line_items",
            "OpportunityLineItem",
            line_items(many_currencies=many),
            silent=frozenset({"Discount"}),
        ),
        Declared("products", "Product2", PRODUCTS),
        Declared("opportunity_field_history", "OpportunityFieldHistory", FIELD_HISTORY, is_feature=True),
        Declared("account_plans", "AccountPlan", PLANS, is_feature=True),
        Declared("account_plan_objectives", "AccountPlanObjective", OBJECTIVES, is_feature=True),
        Declared(
            "account_plan_measures", "AccountPlanObjectiveMeasure", measures(many_currencies=many), is_feature=True
        ),
    )


def kinds() -> tuple[str, ...]:
    """The objects that streams read, to be described together."""
    return tuple(one.kind for one in declared("Name", many_currencies=False, insist=False))


__all__ = [
    "EVENTS",
    "EXCHANGE_RATES",
    "FEATURES",
    "HISTORY",
    "OURS",
    "STAGES",
    "STAMPS",
    "TASKS",
    "Declared",
    "accounts",
    "asked",
    "cut",
    "declared",
    "kinds",
    "opportunities",
    "required",
]
