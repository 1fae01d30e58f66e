"""Accounts, and what our users are to them."""

from __future__ import annotations

from connectors.codecs import boolean, money, number, one_of, text, whole
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import day, record_id, web_host
from connectors.salesforce.mapping.declaring import CREATED, ENVELOPE, ID, UPDATED, currency_line, optional
from kammodel.entities import Account, TeamMember, User
from kammodel.publish.fields import FIELDS

OURS = {f.key: f.salesforce_name for f in FIELDS}
TYPES = {
    "customer": "customer",
    "customer - direct": "customer",
    "customer - channel": "customer",
    "prospect": "prospect",
    "partner": "partner",
    "channel partner / reseller": "partner",
    "installation partner": "partner",
    "technology partner": "partner",
    "integrator": "partner",
    "reseller": "partner",
    "competitor": "competitor",
    "internal": "internal",
}


def accounts(cross_reference: str, *, many_currencies: bool) -> Mapping:
    """Accounts, the losers of merges among them (deleted, MasterRecordId is the winner)."""
    return Mapping(
        Account,
        (
            *ENVELOPE,
            Line("name", "Name", text),
            optional("domain", "Website", web_host),
            optional("type", "Type", one_of(TYPES, otherwise="other")),
            optional("industry", "Industry", text),
            optional("country", "BillingCountry", text),
            optional("region", "BillingState", text),
            currency_line(many=many_currencies),
            optional("employees", "NumberOfEmployees", whole),
            optional("annual_revenue", "AnnualRevenue", money),
            optional("owner_id", "OwnerId", record_id),
            optional("parent_id", "ParentId", record_id),
            optional("merged_into_id", "MasterRecordId", record_id),
            optional("cross_reference", cross_reference, text),
            optional("strategic_value", OURS["strategic_value"], number),
            optional("tier_override", OURS["tier_override"], text),
            optional("tier_override_reason", OURS["tier_override_reason"], text),
            optional("tier_override_until", OURS["tier_override_until"], day),
        ),
    )


USERS = Mapping(User, (ID, CREATED, UPDATED, Line("name", "Name", text), optional("is_active", "IsActive", boolean)))

TEAM_MEMBERS = Mapping(
    TeamMember,
    (
        *ENVELOPE,
        Line("account_id", "AccountId", record_id),
        Line("user_id", "UserId", record_id),
        optional("role", "TeamMemberRole", text),
    ),
)
