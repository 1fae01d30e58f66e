"""Values HubSpot computes when a record is read; they change without moving its modified date."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.association_types import PRIMARY
from connectors.sandbox.hubspot.instants import iso, parse_ms
from connectors.sandbox.hubspot.kinds import (
    CALLS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LINE_ITEMS,
    MEETINGS,
    NOTES,
    TASKS,
    TICKETS,
    Kind,
)
from connectors.sandbox.hubspot.reference import rate_in_force
from connectors.sandbox.hubspot.values import plain

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.hubspot.record import Record
    from connectors.sandbox.hubspot.reference import PipelineStage

Calculation = Callable[["Portal", "Record"], str | None]
ENTERED = "hs_v2_date_entered_"
EXITED = "hs_v2_date_exited_"
ENTERED_CURRENT = "hs_v2_date_entered_current_stage"


def calculation_of(kind: Kind, name: str) -> Calculation | None:
    """How a property is computed; None where it is not."""
    found = _CALCULATIONS.get((kind.name, name))
    if found is None and kind is DEALS and name.startswith((ENTERED, EXITED)):
        return lambda _, deal: _stage_date(deal, name)
    return found


def expanded(share: Decimal) -> str:
    """A share as HubSpot writes one: all digits of the binary double nearest to it."""
    return format(Decimal(float(share)), "f")


def _stage(portal: Portal, deal: Record) -> PipelineStage | None:
    return portal.stage(DEALS, deal.values.get("dealstage", ""))


def _is_closed(portal: Portal, deal: Record) -> str | None:
    stage = _stage(portal, deal)
    return None if stage is None else str(stage.closed).lower()


def _is_closed_won(portal: Portal, deal: Record) -> str | None:
    stage = _stage(portal, deal)
    return None if stage is None else str(stage.won).lower()


def _is_closed_lost(portal: Portal, deal: Record) -> str | None:
    stage = _stage(portal, deal)
    return None if stage is None else str(stage.closed and not stage.won).lower()


def _probability(portal: Portal, deal: Record) -> str | None:
    stage = _stage(portal, deal)
    return None if stage is None or stage.probability is None else expanded(stage.probability)


def _amount(deal: Record) -> Decimal | None:
    text = deal.values.get("amount")
    return Decimal(text) if text else None


def _rate(portal: Portal, deal: Record) -> Decimal | None:
    currency = deal.values.get("deal_currency_code", "")
    return rate_in_force(portal.account, portal.rates, currency, portal.now_ms())


def _exchange_rate(portal: Portal, deal: Record) -> str | None:
    rate = _rate(portal, deal)
    return None if rate is None else plain(rate)


def _home_amount(portal: Portal, deal: Record) -> str | None:
    amount, rate = _amount(deal), _rate(portal, deal)
    return None if amount is None or rate is None else plain(amount * rate)


def _closed_amount(portal: Portal, deal: Record) -> str | None:
    stage, amount = _stage(portal, deal), _amount(deal)
    if stage is None or not stage.won:
        return "0"
    return None if amount is None else plain(amount)


def _projected_amount(portal: Portal, deal: Record) -> str | None:
    stage, amount = _stage(portal, deal), _amount(deal)
    if stage is None or stage.probability is None or amount is None:
        return None
    return plain(amount * stage.probability)


def _primary_company(portal: Portal, record: Record) -> str | None:
    return _first_company(portal, record, PRIMARY[record.kind.name, COMPANIES.name].key)


def _parent(portal: Portal, company: Record) -> str | None:
    return _first_company(portal, company, 14)


def _first_company(portal: Portal, record: Record, key: int) -> str | None:
    """The first live company that is linked under a type."""
    shelf = portal.shelf(COMPANIES)
    for company_id, types in portal.associations.of(record.kind, record.id, COMPANIES).items():
        if key in types and shelf.live(company_id) is not None:
            return str(company_id)
    return None


def _children(portal: Portal, company: Record) -> str | None:
    children = sum(13 in types for types in portal.linked(company, COMPANIES).values())
    return str(children)


def _count(target: Kind) -> Calculation:
    def count(portal: Portal, record: Record) -> str | None:
        return str(len(portal.linked(record, target))) if portal.linked(record, target) else None

    return count


def _open_deals(portal: Portal, company: Record) -> str | None:
    deals = (portal.shelf(DEALS).live(i) for i in portal.linked(company, DEALS))
    stages = [_stage(portal, deal) for deal in deals if deal is not None]
    return str(sum(stage is not None and not stage.closed for stage in stages))


def _total_revenue(portal: Portal, company: Record) -> str | None:
    """Of every deal that was won and is linked, primary or not, in the company's currency."""
    deals = (portal.shelf(DEALS).live(i) for i in portal.linked(company, DEALS))
    won = [deal for deal in deals if deal is not None and _is_closed_won(portal, deal) == "true"]
    amounts = [Decimal(amount) for deal in won if (amount := _home_amount(portal, deal))]
    return plain(sum(amounts, Decimal(0))) if amounts else None


def _time_to_close(portal: Portal, ticket: Record) -> str | None:
    del portal
    closed = parse_ms(ticket.values.get("closed_date", ""))
    return None if closed is None else str(closed - ticket.created)


def _last_activity(portal: Portal, record: Record) -> str | None:
    now = iso(portal.now_ms())
    moments = []
    for kind in (CALLS, EMAILS, MEETINGS, NOTES, TASKS):
        found = (portal.shelf(kind).live(i) for i in portal.linked(record, kind))
        moments += [r.values["hs_timestamp"] for r in found if r is not None and r.values.get("hs_timestamp")]
    return max((m for m in moments if m <= now), default=None)


def _entered_current(portal: Portal, deal: Record) -> str | None:
    del portal
    versions = deal.versions("dealstage")
    return iso(versions[-1].at) if versions else None


def _stage_date(deal: Record, name: str) -> str | None:
    """Only the latest visit to a stage is kept: that is why a sequence needs the history."""
    versions = deal.versions("dealstage")
    stage = name.removeprefix(ENTERED).removeprefix(EXITED)
    at = [i for i, version in enumerate(versions) if version.value == stage]
    if not at:
        return None
    if name.startswith(ENTERED):
        return iso(versions[at[-1]].at)
    return iso(versions[at[-1] + 1].at) if at[-1] + 1 < len(versions) else None


_CALCULATIONS: dict[tuple[str, str], Calculation] = {
    (DEALS.name, "hs_is_closed"): _is_closed,
    (DEALS.name, "hs_is_closed_won"): _is_closed_won,
    (DEALS.name, "hs_is_closed_lost"): _is_closed_lost,
    (DEALS.name, "hs_deal_stage_probability"): _probability,
    (DEALS.name, "hs_deal_stage_probability_shadow"): _probability,
    (DEALS.name, "hs_exchange_rate"): _exchange_rate,
    (DEALS.name, "amount_in_home_currency"): _home_amount,
    (DEALS.name, "hs_closed_amount"): _closed_amount,
    (DEALS.name, "hs_projected_amount"): _projected_amount,
    (DEALS.name, "hs_primary_associated_company"): _primary_company,
    (DEALS.name, "hs_num_of_associated_line_items"): _count(LINE_ITEMS),
    (DEALS.name, "notes_last_updated"): _last_activity,
    (DEALS.name, ENTERED_CURRENT): _entered_current,
    (COMPANIES.name, "hs_parent_company_id"): _parent,
    (COMPANIES.name, "hs_num_child_companies"): _children,
    (COMPANIES.name, "num_associated_deals"): _count(DEALS),
    (COMPANIES.name, "num_associated_contacts"): _count(CONTACTS),
    (COMPANIES.name, "hs_num_open_deals"): _open_deals,
    (COMPANIES.name, "notes_last_updated"): _last_activity,
    (COMPANIES.name, "total_revenue"): _total_revenue,
    (TICKETS.name, "time_to_close"): _time_to_close,
    (CONTACTS.name, "associatedcompanyid"): _primary_company,
}
