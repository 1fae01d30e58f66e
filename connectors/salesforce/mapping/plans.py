"""Account plans with their objectives and measures: objects of API 62 and later, where sales account plans are on.

https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-accountplanobjective.html
and sforce_api_objects_accountplanobjectivemeasure.htm (read 2026-11-28)
"""

from __future__ import annotations

from connectors.codecs import one_of, text
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import day, first_number, record_id
from connectors.salesforce.mapping.declaring import ENVELOPE, currency_line, optional
from kammodel.entities import AccountPlan, PlanMeasure, PlanObjective

PLANS = Mapping(
    AccountPlan,
    (
        *ENVELOPE,
        Line("account_id", "AccountId", record_id),
        optional("name", "Name", text),
        optional("status", "Status", text),
        optional("starts_on", "StartDate", day),
        optional("ends_on", "EndDate", day),
        optional("owner_id", "OwnerId", record_id),
    ),
)

OBJECTIVES = Mapping(
    PlanObjective,
    (
        *ENVELOPE,
        Line("plan_id", "AccountPlanId", record_id),
        optional("name", "Name", text),
        optional("status", "Status", text),
        optional("starts_on", "StartDate", day),
        optional("ends_on", "EndDate", day),
        optional("owner_id", "ObjectiveOwnerId", record_id),
    ),
)

_UNITS = {"currency": "money", "percent": "percent", "number": "number"}


def measures(*, many_currencies: bool) -> Mapping:
    """Measures. What a person typed is text; Salesforce offers it as a number in the field of its type."""
    return Mapping(
        PlanMeasure,
        (
            *ENVELOPE,
            Line("objective_id", "AccountPlanObjectiveId", record_id),
            optional("name", "Name", text),
            optional("unit", "ValueType", one_of(_UNITS)),
            optional("target_value", _typed("Target"), first_number),
            optional("current_value", _typed("Current"), first_number),
            currency_line(many=many_currencies),
        ),
    )


def _typed(word: str) -> tuple[str, ...]:
    return tuple(f"{word}{unit}Value" for unit in ("Currency", "Percent", "Number"))
