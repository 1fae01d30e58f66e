"""What HubSpot writes on a deal or a ticket by itself when somebody writes to it."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.kinds import DEALS, TICKETS

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.hubspot.record import Record


def closing_values(portal: Portal, deal: Record, kept: Mapping[str, str], now: str) -> dict[str, str]:
    """The close date of a deal that enters a closed stage is now, unless the same write says otherwise.

    Going from one closed stage to another leaves it.
    """
    entered = portal.stage(DEALS, kept.get("dealstage", ""))
    left = portal.stage(DEALS, deal.values.get("dealstage", ""))
    if entered is None or not entered.closed or (left is not None and left.closed) or "closedate" in kept:
        return {}
    return {"closedate": now}


def ticket_values(portal: Portal, ticket: Record, kept: Mapping[str, str], now: str) -> dict[str, str]:
    """The close date of a ticket is when it enters a closed stage, and nothing once it is open again."""
    if "hs_pipeline_stage" not in kept or "closed_date" in kept:
        return {}
    entered = portal.stage(TICKETS, kept["hs_pipeline_stage"])
    left = portal.stage(TICKETS, ticket.values.get("hs_pipeline_stage", ""))
    was_closed = left is not None and left.closed
    if entered is None or entered.closed == was_closed:
        return {}
    return {"closed_date": now if entered.closed else ""}


def month_end(now: dt.datetime, timezone: dt.tzinfo) -> str:
    """The close date of a new deal that names none: the last day of the month, at the same time of day."""
    local = now.astimezone(timezone)
    last_day = calendar.monthrange(local.year, local.month)[1]
    return iso(ms_of(local.replace(day=last_day)))
