"""Opportunities, their past, and the stages they go through."""

from __future__ import annotations

from connectors.codecs import identifier, instant, money, one_of, share, text, whole
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import day, equals, outcome, record_id
from connectors.salesforce.mapping.declaring import CREATED, ENVELOPE, ID, UPDATED, currency_line, made, optional
from kammodel.entities import Opportunity, OpportunityFieldChange, OpportunityStageEvent, PipelineStage

KINDS = {
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


FORECAST = {
    "omitted": "omitted",
    "pipeline": "pipeline",
    "bestcase": "best_case",
    "mostlikely": "most_likely",
    "forecast": "commit",
    "closed": "closed",
}
"""Values of ForecastCategory: the label of Forecast is Commit."""


def opportunities(*, many_currencies: bool) -> Mapping:
    """Opportunities. Their status is that of their stage, as Salesforce keeps it on the record itself."""
    return Mapping(
        Opportunity,
        (
            *ENVELOPE,
            Line("account_id", "AccountId", record_id),
            optional("name", "Name", text),
            Line("stage_id", "StageName", identifier),
            Line("status", ("IsClosed", "IsWon"), outcome),
            optional("is_omitted", "ForecastCategory", equals("Omitted")),
            optional("forecast_category", "ForecastCategory", one_of(FORECAST)),
            optional("kind", "Type", one_of(KINDS)),
            optional("amount", "Amount", money),
            currency_line(many=many_currencies),
            optional("probability", "Probability", share(100)),
            Line("close_on", "CloseDate", day),
            optional("owner_id", "OwnerId", record_id),
            optional("lead_source", "LeadSource", text),
        ),
    )


HISTORY = Mapping(
    OpportunityStageEvent,
    (
        *ENVELOPE,
        Line("opportunity_id", "OpportunityId", record_id),
        Line("changed_at", "CreatedDate", instant),
        Line("stage_id", "StageName", identifier),
        made("status", "@status"),
        optional("amount", "Amount", money),
        optional("probability", "Probability", share(100)),
        optional("close_on", "CloseDate", day),
        optional("prev_amount", "PrevAmount", money),
        optional("prev_close_on", "PrevCloseDate", day),
    ),
)
"""A snapshot that Salesforce takes whenever stage, amount, probability or close date of an opportunity changes. What
was before is stated since Winter '21 (API 50) only."""

FIELD_HISTORY = Mapping(
    OpportunityFieldChange,
    (
        *ENVELOPE,
        Line("opportunity_id", "OpportunityId", record_id),
        Line("field", "Field", identifier),
        Line("changed_at", "CreatedDate", instant),
        optional("old_value", "OldValue", text),
        optional("new_value", "NewValue", text),
    ),
)
"""Changes of the fields whose history an org tracks, for about two years."""

STAGES = Mapping(
    PipelineStage,
    (
        ID,
        CREATED,
        UPDATED,
        # Records hold the API name; orgs that never renamed a stage have the label in both.
        Line("stage_id", "@stage", identifier, derived=True),
        Line("name", "MasterLabel", text),
        optional("position", "SortOrder", whole),
        Line("status", ("IsClosed", "IsWon"), outcome),
        optional("probability", "DefaultProbability", share(100)),
    ),
)
