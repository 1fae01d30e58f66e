"""Goals: what HubSpot's users are to reach in a period."""

from __future__ import annotations

from connectors.codecs import number, text
from connectors.hubspot.codecs import first_day, last_day, record_id
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, made, optional
from connectors.mapping import Line, Mapping
from kammodel.entities import Target

GOALS = Declared(
    "goals",
    "goal_targets",
    Mapping(
        Target,
        (
            *ENVELOPE,
            Line("owner_id", "hubspot_owner_id", record_id),
            Line("name", "hs_goal_name", text),
            optional("metric", "hs_goal_type", text),
            Line("starts_on", "hs_start_datetime", first_day),
            Line("ends_on", "hs_end_datetime", last_day),
            Line("target_value", "hs_target_amount", number),
            made("currency", "@home_currency"),
        ),
    ),
    "crm.objects.goals.read",
    silent=frozenset({"hs_goal_type"}),
)
"""Each row is one owner's target for one slice of time: a month of a year's quota, say.
https://developers.hubspot.com/docs/api-reference/latest/crm/objects/goals/guide (read 2026-11-28)"""
