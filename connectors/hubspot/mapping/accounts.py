"""Companies, and the users who look after them."""

from __future__ import annotations

from connectors.codecs import boolean, identifier, money, number, one_of, text, whole
from connectors.hubspot.codecs import plain_date
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, Link, made, optional
from connectors.mapping import Line, Mapping
from kammodel.entities import Account, User

COMPANIES = "accounts"
SCOPE = "crm.objects.companies.read"
TYPES = {
    "CUSTOMER": "customer",
    "PROSPECT": "prospect",
    "PARTNER": "partner",
    "RESELLER": "partner",
    "COMPETITOR": "competitor",
    "INTERNAL": "internal",
}
PARENT = Link("companies", "@parent_id", mark=14, only_marked=True)
"""Child to parent. The property hs_parent_company_id says the same, and moves no change stamp either."""


def accounts(cross_reference: str, *, insist: bool) -> Declared:
    """Companies. `insist`: the cross-reference property was configured by name, so that its absence is worth a word."""
    mapping = Mapping(
        Account,
        (
            *ENVELOPE,
            Line("name", "name", text),
            Line("domain", "domain", text),
            Line("type", "type", one_of(TYPES, otherwise="other")),
            Line("industry", "industry", text),
            Line("country", "country", text),
            made("currency", "@home_currency"),
            Line("employees", "numberofemployees", whole),
            Line("annual_revenue", "annualrevenue", money),
            optional("lifecycle_stage", "lifecyclestage", text),
            optional("is_target", "hs_is_target_account", boolean),
            optional("icp_tier", "hs_ideal_customer_profile", text),
            Line("owner_id", "hubspot_owner_id", identifier),
            made("parent_id", "@parent_id", identifier),
            optional("cross_reference", cross_reference, text),
            optional("strategic_value", "kam_strategic_value", number),
            optional("tier_override", "kam_tier_override", text),
            optional("tier_override_reason", "kam_tier_override_reason", text),
            optional("tier_override_until", "kam_tier_override_until", plain_date),
        ),
    )
    silent = frozenset() if insist else frozenset({cross_reference})
    return Declared(COMPANIES, "companies", mapping, SCOPE, links=(PARENT,), silent=silent)


OWNERS = Mapping(User, (*ENVELOPE[:3], made("name", "@name"), made("is_active", "@active", boolean)))
