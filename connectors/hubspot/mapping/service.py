"""Tickets."""

from __future__ import annotations

from connectors.codecs import boolean, identifier, text
from connectors.hubspot.codecs import first_word, moment
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, Link, made, optional
from connectors.mapping import Line, Mapping
from kammodel.entities import Case

TICKETS = "tickets"
SCOPE = "tickets"
PRIMARY_COMPANY = 26
KINDS = {
    "PRODUCT_ISSUE": "problem",
    "FEATURE_REQUEST": "feature_request",
    "GENERAL_INQUIRY": "question",
    "BILLING_ISSUE": "other",
}
"""Values of the standard property, of which a ticket may have several: the first that says something counts."""

CASES = Mapping(
    Case,
    (
        *ENVELOPE,
        made("account_id", "@account_id", identifier),
        made("person_id", "@person_id", identifier),
        optional("kind", "hs_ticket_category", first_word(KINDS, otherwise="other")),
        Line("priority", "hs_ticket_priority", text),
        made("status", "@stage_name"),
        made("is_closed", "@is_closed", boolean),
        made("opened_at", "@created_at", moment),
        Line("closed_at", "closed_date", moment),
    ),
)
"""Status and whether it is closed are those of its stage: HubSpot's own figures move no change stamp."""


def tickets() -> Declared:
    """Tickets, with their company and contact."""
    return Declared(
        TICKETS,
        "tickets",
        CASES,
        SCOPE,
        links=(Link("companies", "@account_id", mark=PRIMARY_COMPANY), Link("contacts", "@person_id")),
        pipeline=("hs_pipeline", "hs_pipeline_stage"),
    )
