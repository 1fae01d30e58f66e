"""The CRMs that can be named on the command line and in a flow's form, and the streams of theirs that have a past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kammodel.errors import KamError


class Crm(StrEnum):
    """The CRMs that can be read and written."""

    salesforce = "salesforce"
    hubspot = "hubspot"


class StreamName(StrEnum):
    """The streams of either CRM that are read by what was changed, so that past months of them can be read again."""

    accounts = "accounts"
    opportunities = "opportunities"
    opportunity_history = "opportunity_history"
    opportunity_line_items = "opportunity_line_items"
    opportunity_contact_roles = "opportunity_contact_roles"
    opportunity_field_history = "opportunity_field_history"
    line_items = "line_items"
    products = "products"
    tasks = "tasks"
    events = "events"
    calls = "calls"
    meetings = "meetings"
    emails = "emails"
    notes = "notes"
    communications = "communications"
    contacts = "contacts"
    users = "users"
    account_contact_relations = "account_contact_relations"
    account_team_members = "account_team_members"
    cases = "cases"
    tickets = "tickets"
    contracts = "contracts"
    orders = "orders"
    assets = "assets"
    goals = "goals"
    account_plans = "account_plans"
    account_plan_objectives = "account_plan_objectives"
    account_plan_measures = "account_plan_measures"


_WHOLE = {"pipeline_stages", "exchange_rates"}
_OF_BOTH = {"accounts", "opportunities", "tasks", "contacts", "products"}
_OF_HUBSPOT = {"line_items", "calls", "meetings", "emails", "notes", "communications", "tickets", "goals"}
SERVED = {
    Crm.salesforce: frozenset({*StreamName} - _OF_HUBSPOT | _WHOLE),
    Crm.hubspot: frozenset(_OF_BOTH | _OF_HUBSPOT | _WHOLE | {"owners"}),
}
"""By CRM, the streams that its connector declares, those included that every pull reads whole. An org or a portal may
lack some of them."""


@dataclass(frozen=True)
class Sharing:
    """Which of the streams that were named each CRM reads, all of them where none was. `passed_over`: a line for each
    CRM that lacks some."""

    streams: dict[str, tuple[str, ...]]
    passed_over: tuple[str, ...] = ()

    @property
    def crms(self) -> tuple[str, ...]:
        """Those that read something."""
        return tuple(self.streams)


def shared_out(crms: Sequence[str], streams: Sequence[str]) -> Sharing:
    """Who of several CRMs reads what. A CRM that is alone is asked for all of it, and says itself what it lacks.

    Raises KamError for a stream that none of them has.
    """
    named = tuple(streams)
    if len(crms) < 2:
        return Sharing(dict.fromkeys(crms, named))
    served = {crm: SERVED[Crm(crm)] for crm in crms}
    for name in named:
        if not any(name in there for there in served.values()):
            have = "; ".join(f"{crm} has {', '.join(sorted(there))}" for crm, there in served.items())
            raise KamError(f"there is no stream named {name}: {have}")
    read = {crm: tuple(name for name in named if name in there) for crm, there in served.items()}
    lines = [_passed_over(crm, own, [name for name in named if name not in own]) for crm, own in read.items()]
    return Sharing({crm: own for crm, own in read.items() if own or not named}, tuple(filter(None, lines)))


def _passed_over(crm: str, own: Sequence[str], lacking: Sequence[str]) -> str | None:
    if not lacking:
        return None
    told = f"it has no {', '.join(lacking)}"
    return f"{crm}: {told}; {', '.join(own)} alone" if own else f"{crm}: passed over, {told}"
