"""The declared streams: our columns <- HubSpot's properties, for a portal as it is.

`optional` lines are cut where the portal lacks the property; HubSpot's standard properties are asked for in any
case, since what does not exist is left out without an error. Properties named `@...` are columns the connector
makes: ids and times of the record's envelope, links, and what the pipelines say about a stage. Calculated
properties are never read: HubSpot recalculates them without moving the change stamp, so that an incremental
copy of them goes stale. Neither are bodies and subjects.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass

from connectors.codecs import Codec, boolean, date, identifier, money, number, one_of, share, text, whole
from connectors.hubspot.codecs import (
    end_of_call,
    exact_whole,
    first_text,
    moment,
    plain_date,
    portal_date,
    record_id,
    word_or,
)
from connectors.mapping import Line, Mapping
from kammodel.entities import Account, Activity, ExchangeRate, Opportunity, OpportunityStageEvent, PipelineStage, User

MERGED = "hs_merged_object_ids"
"""Former ids of a record that others were merged into, on companies and deals."""
HISTORY = ("dealstage", "amount", "closedate", "pipeline")
ENVELOPE = (
    Line("source_id", "@id", identifier, derived=True),
    Line("created_at", "@created_at", moment, derived=True),
    Line("updated_at", "@updated_at", moment, derived=True),
    Line("deleted", "@archived", boolean, derived=True),
)

_COMPANY_TYPES = {
    "CUSTOMER": "customer",
    "PROSPECT": "prospect",
    "PARTNER": "partner",
    "RESELLER": "partner",
    "COMPETITOR": "competitor",
    "INTERNAL": "internal",
}
_DEAL_TYPES = {"newbusiness": "new", "existingbusiness": "expansion", "renewal": "renewal"}
_CALLS = dict.fromkeys(("BUSY", "CANCELED", "CANCELLED", "FAILED", "MISSED", "NO_ANSWER"), "cancelled") | dict.fromkeys(
    ("CALLING_CRM_USER", "CONNECTING", "IN_PROGRESS", "QUEUED", "RINGING"), "planned"
)


def optional(ours: str, theirs: str, codec: Codec) -> Line:
    return Line(ours, theirs, codec, optional=True)


def made(ours: str, theirs: str, codec: Codec = text) -> Line:
    return Line(ours, theirs, codec, derived=True)


def properties(mapping: Mapping) -> list[str]:
    """The properties to ask of HubSpot. A column that we make is none of them, though a line may fall back on it."""
    return [name for name in mapping.asked() if not name.startswith("@")]


def accounts(cross_reference: str, *, parent_is_property: bool) -> Mapping:
    """Companies. Where the portal has no parent property, the parent comes from the association."""
    parent = (
        Line("parent_id", "hs_parent_company_id", record_id)
        if parent_is_property
        else made("parent_id", "@parent_id", identifier)
    )
    return Mapping(
        Account,
        (
            *ENVELOPE,
            Line("name", "name", text),
            Line("domain", "domain", text),
            Line("type", "type", one_of(_COMPANY_TYPES, otherwise="other")),
            Line("industry", "industry", text),
            Line("country", "country", text),
            made("currency", "@home_currency"),
            Line("employees", "numberofemployees", whole),
            Line("annual_revenue", "annualrevenue", money),
            Line("owner_id", "hubspot_owner_id", identifier),
            parent,
            optional("cross_reference", cross_reference, text),
            optional("strategic_value", "kam_strategic_value", number),
            optional("tier_override", "kam_tier_override", text),
            optional("tier_override_reason", "kam_tier_override_reason", text),
            optional("tier_override_until", "kam_tier_override_until", plain_date),
        ),
    )


def opportunities(zone: str, *, has_currency: bool) -> Mapping:
    """Deals. A deal without a currency of its own is in the home currency (the property exists in portals with
    several currencies only); its status and probability are those of its stage."""
    currency = (
        Line("currency", ("deal_currency_code", "@home_currency"), first_text)
        if has_currency
        else made("currency", "@home_currency")
    )
    return Mapping(
        Opportunity,
        (
            *ENVELOPE,
            made("account_id", "@account_id", identifier),
            Line("name", "dealname", text),
            Line("pipeline_id", "pipeline", identifier),
            Line("stage_id", "dealstage", identifier),
            made("status", "@status"),
            made("probability", "@probability", share(1)),
            Line("kind", "dealtype", one_of(_DEAL_TYPES)),
            Line("amount", "amount", money),
            currency,
            Line("close_on", "closedate", portal_date(zone)),
            Line("owner_id", "hubspot_owner_id", identifier),
            Line("loss_reason", "closed_lost_reason", text),
        ),
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


OWNERS = Mapping(User, (*ENVELOPE[:3], made("name", "@name"), made("is_active", "@active", boolean)))

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


EXCHANGE_RATES = Mapping(
    ExchangeRate,
    (
        made("source_id", "@id", identifier),
        made("currency", "@currency"),
        made("home_currency", "@home_currency"),
        made("valid_from", "@valid_from", date),
        made("numerator", "@numerator", exact_whole),
        made("denominator", "@denominator", exact_whole),
    ),
)


@dataclass(frozen=True)
class Engagement:
    """A kind of engagement: what it is called in one word (ids of ours begin with it), and its own lines."""

    kind: str
    word: str
    lines: tuple[Line, ...]

    @property
    def mapping(self) -> Mapping:
        shared = (
            Line("owner_id", "hubspot_owner_id", identifier),
            made("account_ids", "@account_ids"),
            made("person_ids", "@person_ids"),
            made("opportunity_id", "@opportunity_id", identifier),
        )
        return Mapping(Activity, (*ENVELOPE, *self.lines, *shared))


def _start(*columns: str) -> Line:
    return Line("starts_at", columns if len(columns) > 1 else columns[0], moment)


ENGAGEMENTS: Map[str, Engagement] = {
    e.kind: e
    for e in (
        Engagement(
            "calls",
            "call",
            (
                made("kind", "@kind"),
                Line("direction", "hs_call_direction", one_of({"INBOUND": "in", "OUTBOUND": "out"})),
                # A call that is logged without a status has taken place: planned ones are tasks.
                Line("status", "hs_call_status", word_or(_CALLS, otherwise="done", blank="done")),
                _start("hs_timestamp"),
                Line("ends_at", ("hs_timestamp", "hs_call_duration"), end_of_call),
            ),
        ),
        Engagement(
            "meetings",
            "meeting",
            (
                made("kind", "@kind"),
                made("is_calendar", "@calendar", boolean),
                Line(
                    "status",
                    "hs_meeting_outcome",
                    word_or(
                        {
                            "COMPLETED": "done",
                            "NO_SHOW": "cancelled",
                            "CANCELED": "cancelled",
                            "CANCELLED": "cancelled",
                        },
                        otherwise="planned",
                        blank="planned",
                    ),
                ),
                _start("hs_meeting_start_time", "hs_timestamp"),
                Line("ends_at", "hs_meeting_end_time", moment),
            ),
        ),
        Engagement(
            "emails",
            "email",
            (
                made("kind", "@kind"),
                Line("direction", "hs_email_direction", one_of({"EMAIL": "out", "INCOMING_EMAIL": "in"})),
                Line(
                    "status",
                    "hs_email_status",
                    word_or(
                        {"BOUNCED": "cancelled", "FAILED": "cancelled", "SCHEDULED": "planned", "SENDING": "planned"},
                        otherwise="done",
                        blank="done",
                    ),
                ),
                _start("hs_timestamp"),
            ),
        ),
        Engagement(
            "notes",
            "note",
            (made("kind", "@kind"), made("status", "@done"), _start("hs_timestamp")),
        ),
        Engagement(
            "tasks",
            "task",
            (
                Line(
                    "kind",
                    "hs_task_type",
                    word_or(
                        {"CALL": "call", "EMAIL": "email", "MEETING": "meeting", "TODO": "task"},
                        otherwise="task",
                        blank="task",
                    ),
                ),
                Line("status", "hs_task_status", word_or({"COMPLETED": "done"}, otherwise="planned", blank="planned")),
                _start("hs_timestamp"),
                Line("completed_at", "hs_task_completion_date", moment),
            ),
        ),
    )
}
