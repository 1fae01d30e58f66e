"""Tickets."""

from __future__ import annotations

import polars as pl

from connectors.codecs import Codec, boolean, filled, identifier, text
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

_SERVICE_HUB = frozenset({"first_agent_reply_date", "hs_time_to_close_sla_at", "hs_time_to_close_sla_status"})
_SLA = {"1": False, "3": True, "4": False, "true": True, "false": False}


def _sla_met(column: pl.Expr) -> pl.Expr:
    word = filled(column).str.strip_chars().str.to_lowercase()
    return word.replace_strict(_SLA, default=None, return_dtype=pl.Boolean)


sla_met = Codec("hubspot_sla_met", _sla_met, total=True)
"""Whether the agreed time was kept, null where that is not decided; or a property of the portal's own that says so."""

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
        optional("first_response_at", "first_agent_reply_date", moment),
        optional("sla_due_at", "hs_time_to_close_sla_at", moment),
        optional("is_sla_met", "hs_time_to_close_sla_status", sla_met),
    ),
)
"""Service levels come with Service Hub Professional; their state has the values 0 active, 1 overdue, 2 due soon, 3
completed on time, 4 completed late, as clients in public repositories name them (read 2026-11-29; HubSpot's own pages
give labels only).

Status and whether it is closed are those of its stage: HubSpot's own figures move no change stamp."""


def tickets() -> Declared:
    """Tickets, with their company and contact."""
    return Declared(
        TICKETS,
        "tickets",
        CASES,
        SCOPE,
        links=(Link("companies", "@account_id", mark=PRIMARY_COMPANY), Link("contacts", "@person_id")),
        pipeline=("hs_pipeline", "hs_pipeline_stage"),
        silent=_SERVICE_HUB,
    )
