"""The declared streams: our columns <- HubSpot's properties, by theme.

`optional` lines are cut where the portal lacks the property; HubSpot's standard properties are asked for in any
case, since what does not exist is left out without an error. Properties that HubSpot calculates from other records
are never read: it recalculates them without moving the change stamp, so that an incremental copy of them goes stale.
Neither are bodies, subjects, names of persons and postal addresses.

Names of properties: https://knowledge.hubspot.com/properties/hubspots-default-company-properties and its neighbours for
deals, contacts and tickets (read 2026-11-28).
"""

from __future__ import annotations

from connectors.emails import NO_EMAILS, Emails
from connectors.hubspot.mapping.accounts import COMPANIES, OWNERS, accounts
from connectors.hubspot.mapping.activities import ENGAGEMENTS
from connectors.hubspot.mapping.commerce import EXCHANGE_RATES, PRODUCTS, line_items
from connectors.hubspot.mapping.declaring import Declared, Link
from connectors.hubspot.mapping.goals import GOALS
from connectors.hubspot.mapping.opportunities import DEALS, HISTORY, PIPELINE_STAGES, opportunities
from connectors.hubspot.mapping.people import CONTACTS, contacts
from connectors.hubspot.mapping.service import TICKETS, tickets

MERGED = "hs_merged_object_ids"
"""Former ids of a record that others were merged into, on companies, deals, contacts and tickets."""
OWNERS_NAME, STAGES_NAME, RATES_NAME = "owners", "pipeline_stages", "exchange_rates"


def declared(
    cross_reference: str, zone: str, *, many_currencies: bool, insist: bool, emails: Emails = NO_EMAILS
) -> tuple[Declared, ...]:
    """The streams of records, in the order in which they are read: what scores need comes first."""
    return (
        accounts(cross_reference, insist=insist),
        opportunities(zone, many_currencies=many_currencies),
        *ENGAGEMENTS,
        contacts(emails),
        tickets(),
        line_items(many_currencies=many_currencies),
        PRODUCTS,
        GOALS,
    )


__all__ = [
    "COMPANIES",
    "CONTACTS",
    "DEALS",
    "ENGAGEMENTS",
    "EXCHANGE_RATES",
    "HISTORY",
    "MERGED",
    "OWNERS",
    "OWNERS_NAME",
    "PIPELINE_STAGES",
    "RATES_NAME",
    "STAGES_NAME",
    "TICKETS",
    "Declared",
    "Link",
    "declared",
]
