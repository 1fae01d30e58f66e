"""The declared streams: our columns <- Salesforce's fields.

Optional lines are cut where the org lacks the field or hides it from us; of a line with several fields those stay
that are there. Columns named `@...` are made by the connector (`@none` is empty: it keeps a line that has a default).
Formula fields, and those that behave like one, are never read: they change without moving the change stamp, so that
an incremental copy of them goes stale. Neither are subjects and descriptions.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/ (read 2026-11-23)
"""

from __future__ import annotations

from connectors.codecs import Codec, boolean, date, identifier, instant, money, number, one_of, share, text, whole
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import (
    ACCOUNT,
    CONTACT,
    OPPORTUNITY,
    day,
    day_unless_plain,
    equals,
    exact_whole,
    first_word,
    none_of,
    outcome,
    record_id,
    record_of,
    task_status,
    web_host,
)
from kammodel.entities import Account, Activity, ExchangeRate, Opportunity, OpportunityStageEvent, PipelineStage, User
from kammodel.publish.fields import FIELDS

OURS = {f.key: f.salesforce_name for f in FIELDS}
STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
"""Change stamps, the best first: SystemModstamp also moves where a process changes a record, not a person."""

_ACCOUNT_TYPES = {
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
_KINDS = {
    "new business": "new",
    "new customer": "new",
    "existing business": "expansion",
    "existing customer - upgrade": "expansion",
    "expansion": "expansion",
    "upsell": "expansion",
    "add-on business": "expansion",
    "renewal": "renewal",
}
"""Values of the standard picklist in old and new orgs. A replacement or downgrade is none of the three."""
_TASKS = {"call": "call", "email": "email", "list email": "mass_email", "linkedin": "message", "meeting": "meeting"}
_EVENTS = {"call": "call", "email": "email"}
_DIRECTIONS = {"inbound": "in", "outbound": "out"}


def optional(ours: str, theirs: str | tuple[str, ...], codec: Codec) -> Line:
    return Line(ours, theirs, codec, optional=True)


def made(ours: str, theirs: str, codec: Codec = text) -> Line:
    return Line(ours, theirs, codec, derived=True)


_ID = Line("source_id", "Id", record_id)
_CREATED, _UPDATED = optional("created_at", "CreatedDate", instant), optional("updated_at", STAMPS[0], instant)
_DELETED = optional("deleted", "IsDeleted", boolean)
_ENVELOPE = (_ID, _CREATED, _UPDATED, _DELETED)


def currency_line(*, many: bool) -> Line:
    """The currency of a record's amounts. The field exists in orgs with several currencies only."""
    return optional("currency", "CurrencyIsoCode", text) if many else made("currency", "@home_currency")


def accounts(cross_reference: str, *, many_currencies: bool) -> Mapping:
    """Accounts, the losers of merges among them (deleted, MasterRecordId is the winner)."""
    return Mapping(
        Account,
        (
            *_ENVELOPE,
            Line("name", "Name", text),
            optional("domain", "Website", web_host),
            optional("type", "Type", one_of(_ACCOUNT_TYPES, otherwise="other")),
            optional("industry", "Industry", text),
            optional("country", "BillingCountry", text),
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


def opportunities(*, many_currencies: bool) -> Mapping:
    """Opportunities. Their status is that of their stage, as Salesforce keeps it on the record itself."""
    return Mapping(
        Opportunity,
        (
            *_ENVELOPE,
            Line("account_id", "AccountId", record_id),
            optional("name", "Name", text),
            Line("stage_id", "StageName", identifier),
            Line("status", ("IsClosed", "IsWon"), outcome),
            optional("is_omitted", "ForecastCategory", equals("Omitted")),
            optional("kind", "Type", one_of(_KINDS)),
            optional("amount", "Amount", money),
            currency_line(many=many_currencies),
            optional("probability", "Probability", share(100)),
            Line("close_on", "CloseDate", day),
            optional("owner_id", "OwnerId", record_id),
        ),
    )


HISTORY = Mapping(
    OpportunityStageEvent,
    (
        *_ENVELOPE,
        Line("opportunity_id", "OpportunityId", record_id),
        Line("changed_at", "CreatedDate", instant),
        Line("stage_id", "StageName", identifier),
        made("status", "@status"),
        optional("amount", "Amount", money),
        optional("probability", "Probability", share(100)),
        optional("close_on", "CloseDate", day),
    ),
)
"""A snapshot that Salesforce takes whenever stage, amount, probability or close date of an opportunity changes."""

STAGES = Mapping(
    PipelineStage,
    (
        _ID,
        _CREATED,
        _UPDATED,
        # Records hold the API name; orgs that never renamed a stage have the label in both.
        Line("stage_id", "@stage", identifier, derived=True),
        Line("name", "MasterLabel", text),
        optional("position", "SortOrder", whole),
        Line("status", ("IsClosed", "IsWon"), outcome),
        optional("probability", "DefaultProbability", share(100)),
    ),
)

USERS = Mapping(User, (_ID, _CREATED, _UPDATED, Line("name", "Name", text), optional("is_active", "IsActive", boolean)))

TASKS = Mapping(
    Activity,
    (
        *_ENVELOPE,
        # The subtype says how the task was made, the type what a person called it: `Task` says nothing.
        optional("kind", ("TaskSubtype", "Type", "@none"), first_word(_TASKS, otherwise="task")),
        optional("direction", "CallType", one_of(_DIRECTIONS)),
        Line("status", "IsClosed", task_status),
        # The date of a logged call or e-mail is its own; that of a plain task is when it is due (kam-readings 1).
        optional("occurred_on", ("ActivityDate", "TaskSubtype"), day_unless_plain),
        optional("due_on", "ActivityDate", day),
        optional("completed_at", "CompletedDateTime", instant),
        optional("owner_id", "OwnerId", record_id),
        optional("account_ids", ("AccountId", "WhatId"), record_of(ACCOUNT)),
        optional("opportunity_id", "WhatId", record_of(OPPORTUNITY)),
        optional("person_ids", "WhoId", record_of(CONTACT)),
        optional("is_counted", "IsRecurrence", none_of),
    ),
)

EVENTS = Mapping(
    Activity,
    (
        *_ENVELOPE,
        optional("kind", ("Type", "@none"), first_word(_EVENTS, otherwise="meeting")),
        made("status", "@planned"),
        made("is_calendar", "@calendar", boolean),
        optional("occurred_on", "ActivityDate", day),
        optional("starts_at", "StartDateTime", instant),
        optional("ends_at", "EndDateTime", instant),
        optional("owner_id", "OwnerId", record_id),
        optional("account_ids", ("AccountId", "WhatId"), record_of(ACCOUNT)),
        optional("opportunity_id", "WhatId", record_of(OPPORTUNITY)),
        optional("person_ids", "WhoId", record_of(CONTACT)),
        # The master of a series is no meeting, and neither is an invitee's copy of one.
        optional("is_counted", ("IsChild", "IsRecurrence"), none_of),
    ),
)
"""Meetings. One that was not deleted took place: Salesforce knows no cancelled ones."""

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


def cut(mapping: Mapping, there: set[str]) -> Mapping:
    """The mapping for an org whose object has these fields: optional lines lose the fields that are not there."""
    return Mapping(mapping.entity, tuple(kept for line in mapping.lines if (kept := _kept(line, there)) is not None))


def _kept(line: Line, there: set[str]) -> Line | None:
    if line.derived or not line.optional:
        return line
    columns = tuple(c for c in line.columns if c in there or _is_made(c))
    if not columns:
        return None
    return Line(line.ours, columns if len(columns) > 1 else columns[0], line.codec, optional=True)


def asked(mapping: Mapping) -> list[str]:
    """The fields to ask of Salesforce: those of the lines, less the columns that we make."""
    return [name for name in mapping.asked() if not _is_made(name)]


def required(mapping: Mapping) -> set[str]:
    """The fields without which the stream makes no sense."""
    return set(asked(mapping)) - mapping.optional()


def _is_made(column: str) -> bool:
    return column.startswith("@")
