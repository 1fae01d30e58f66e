"""Deals, their history, and the persons in them."""

from __future__ import annotations

from connectors.codecs import identifier, money, one_of, share, text, whole
from connectors.hubspot.codecs import first_text, moment, portal_date
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, Link, made, optional
from connectors.mapping import Line, Mapping
from kammodel.entities import Opportunity, OpportunityPerson, OpportunityStageEvent, PipelineStage

DEALS = "opportunities"
SCOPE = "crm.objects.deals.read"
HISTORY = ("dealstage", "amount", "closedate", "pipeline")
PRIMARY_COMPANY = 5
FORECAST = {
    "omit": "omitted",
    "pipeline": "pipeline",
    "best_case": "best_case",
    "commit": "commit",
    "closed": "closed",
}
KINDS = {"newbusiness": "new", "existingbusiness": "expansion", "renewal": "renewal"}

PERSONS = Mapping(
    OpportunityPerson,
    (
        made("source_id", "@id", identifier),
        made("opportunity_id", "@from", identifier),
        made("person_id", "@to", identifier),
        made("role", "@labels"),
    ),
)
"""The role is what the link is labelled: a portal names its labels itself."""


def opportunities(zone: str, *, many_currencies: bool) -> Declared:
    """Deals. A deal without a currency of its own is in the home currency (the property exists in portals with
    several currencies only); its status and probability are those of its stage."""
    currency = (
        Line("currency", ("deal_currency_code", "@home_currency"), first_text)
        if many_currencies
        else made("currency", "@home_currency")
    )
    mapping = Mapping(
        Opportunity,
        (
            *ENVELOPE,
            made("account_id", "@account_id", identifier),
            Line("name", "dealname", text),
            Line("pipeline_id", "pipeline", identifier),
            Line("stage_id", "dealstage", identifier),
            made("status", "@status"),
            made("probability", "@probability", share(1)),
            optional("forecast_category", "hs_manual_forecast_category", one_of(FORECAST)),
            Line("kind", "dealtype", one_of(KINDS)),
            Line("amount", "amount", money),
            currency,
            Line("close_on", "closedate", portal_date(zone)),
            Line("owner_id", "hubspot_owner_id", identifier),
            Line("loss_reason", "closed_lost_reason", text),
        ),
    )
    links = (Link("companies", "@account_id", mark=PRIMARY_COMPANY), Link("contacts", part=PERSONS))
    return Declared(
        DEALS,
        "deals",
        mapping,
        SCOPE,
        links=links,
        history=HISTORY,
        events=stage_events(zone),
        entries=stage_entries(zone),
        pipeline=("pipeline", "dealstage"),
    )


def stage_events(zone: str) -> Mapping:
    """What a deal looked like from each change on, out of the history of its properties."""
    return Mapping(
        OpportunityStageEvent,
        (
            made("source_id", "@id", identifier),
            made("opportunity_id", "@opportunity_id", identifier),
            made("changed_at", "@changed_at", moment),
            made("stage_id", "@dealstage", identifier),
            made("status", "@status"),
            made("probability", "@probability", share(1)),
            made("amount", "@amount", money),
            made("close_on", "@closedate", portal_date(zone)),
        ),
    )


def stage_entries(zone: str) -> Mapping:
    """When a deal last entered each stage, out of the dates that HubSpot keeps of that. What it was worth then, and
    when it was expected to close, they do not tell: today's values stand."""
    return Mapping(
        OpportunityStageEvent,
        (
            made("source_id", "@id", identifier),
            made("opportunity_id", "@opportunity_id", identifier),
            made("changed_at", "@entered_at", moment),
            made("stage_id", "@dealstage", identifier),
            made("status", "@status"),
            made("probability", "@probability", share(1)),
            Line("amount", "amount", money),
            Line("close_on", "closedate", portal_date(zone)),
        ),
    )


PIPELINE_STAGES = Mapping(
    PipelineStage,
    (
        made("source_id", "@id", identifier),
        made("pipeline_id", "@pipeline_id", identifier),
        made("pipeline_name", "@pipeline_name"),
        made("stage_id", "@stage_id", identifier),
        made("name", "@name"),
        made("position", "@position", whole),
        made("status", "@status"),
        made("probability", "@probability", share(1)),
    ),
)
