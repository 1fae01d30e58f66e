"""What the people of a portal do between the pulls of a scripted run."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from connectors.sandbox.hubspot.kinds import CALLS, COMPANIES, CONTACTS, DEALS, TICKETS, Kind
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import Record
from connectors.sandbox.telling.hubspot import HubSpotDeeds
from tests.pipeline.steps import DAY, HOUR

MINUTE = dt.timedelta(minutes=1)
SHOWN_LATE = 30 * MINUTE
UNSEEN = 81_999_999_999
"""A call that comes into the portal with an old stamp, so that no increment shows it."""
REQUIRED = "country"


def work(portal: Portal) -> None:
    """Deals are opened, repriced, won and lost; calls are logged; an account moves, another gets an owner. Somebody
    overrides a tier, and somebody writes over one of ours."""
    deeds = HubSpotDeeds(portal)
    accounts, deals = [a for a in deeds.accounts() if a.alone], deeds.open_deals()
    deeds.add_deal(accounts[2].id, "Contrato marco", accounts[0].won)
    for deal in deals[:16]:
        deeds.set_amount(deal.id, deal.amount * 2)
    deeds.win(deals[1].id)
    deeds.lose(deals[2].id)
    for account in accounts[:16]:
        deeds.log_call(account.id, "Llamada")
    deeds.move(accounts[4].id, accounts[0].id)
    deeds.hand_over(accounts[5].id)
    portal.update("companies", accounts[6].id, {"kam_tier_override": "key", "kam_tier_override_reason": "Board"})
    portal.update("companies", accounts[7].id, {"kam_tier": "key"})
    portal.update("contacts", living(portal, CONTACTS)[0].id, {"jobtitle": "CFO", "hs_buying_role": "DECISION_MAKER"})
    portal.update("tickets", living(portal, TICKETS)[0].id, {"hs_ticket_priority": "HIGH"})
    # To be restored later, or not.
    portal.archive("companies", accounts[-1].id)
    portal.archive("deals", deals[-1].id)
    portal.clock.advance(HOUR)


def tidy_up(portal: Portal) -> None:
    """Records are archived, restored and merged. From now on a company needs a country, says the administrator: what
    has none is refused, a batch at a time. Links are read from a server that keeps the old limit."""
    deeds = HubSpotDeeds(portal)
    accounts, deals = [a for a in deeds.accounts() if a.alone], deeds.open_deals()
    portal.restore("companies", max(r.id for r in portal.shelf(COMPANIES).records.values() if r.archived_at))
    deeds.merge(accounts[1].id, accounts[-1].id)
    deeds.merge(accounts[2].id, accounts[-2].id)
    portal.archive("companies", accounts[-3].id)
    deeds.delete_deal(deals[-1].id)
    people = living(portal, CONTACTS)
    portal.merge("contacts", people[1].id, people[2].id)
    portal.archive("contacts", people[3].id)
    for company in living(portal, COMPANIES):
        if not company.values.get(REQUIRED):
            portal.update("companies", company.id, {REQUIRED: "Spain"})
    for account in (accounts[3], accounts[8], accounts[9]):
        deeds.add_deal(account.id, "Renovación", Decimal(1_000_000))
        deeds.win(max(deeds.open_deals(), key=lambda deal: int(deal.id)).id)
    portal.update("companies", accounts[3].id, {REQUIRED: ""})
    portal.settings.required_properties = {"companies": (REQUIRED,)}
    portal.settings.trace_ids_on_update = False
    portal.settings.association_batch_limit = 10
    portal.clock.advance(HOUR)


def edit_unseen(portal: Portal) -> None:
    """A minute before kam reads, a deal is changed and another one opened: search does not show it for half an hour.
    Two others that it shows are there no more: one is in the bin, one is gone for good."""
    deeds, deals = HubSpotDeeds(portal), living(portal, DEALS)
    for deal in deals[6:8]:
        portal.update("deals", deal.id, {"amount": "1234"})
    portal.settings.index_lag_s = SHOWN_LATE.total_seconds()
    portal.archive("deals", deals[6].id)
    portal.purge("deals", deals[7].id)
    portal.update("deals", deals[5].id, {"amount": "4321"})
    deeds.add_deal(deeds.accounts()[0].id, "Nachtrag", Decimal(50_000))
    portal.settings.index_lag_s = 0
    portal.clock.advance(MINUTE)


def wait_twenty_minutes(portal: Portal) -> None:
    """So long that an increment begins after those edits, and search does not show them yet."""
    portal.clock.advance(20 * MINUTE)


def relink(portal: Portal) -> None:
    """Links change, which moves no record's stamp; the refused company gets what it lacked."""
    deeds = HubSpotDeeds(portal)
    accounts, deals = deeds.accounts(), deeds.open_deals()
    person = living(portal, CONTACTS)[4]
    portal.associate("deals", deals[0].id, "companies", accounts[5].id, 5)
    portal.associate("calls", living(portal, CALLS)[0].id, "contacts", person.id)
    portal.associate("contacts", person.id, "companies", accounts[6].id)
    portal.dissociate("tickets", living(portal, TICKETS)[1].id, "companies", _company_of(portal, TICKETS, 1))
    for company in living(portal, COMPANIES):
        if not company.values.get(REQUIRED):
            portal.update("companies", company.id, {REQUIRED: "Spain"})
    deeds.win(deals[3].id)
    portal.settings.trace_ids_on_update = True
    portal.settings.association_batch_limit = 1000
    portal.clock.advance(DAY + HOUR)


def let_a_week_pass(portal: Portal) -> None:
    """Records go and come that neither the bin nor a stamp tells of."""
    portal.purge("calls", living(portal, CALLS)[7].id)
    portal.purge("deals", HubSpotDeeds(portal).open_deals()[3].id)
    some = living(portal, CALLS)[0]
    portal.load(CALLS, [replace(some.copy(), id=UNSEEN)])
    HubSpotDeeds(portal).win(HubSpotDeeds(portal).open_deals()[0].id)
    portal.clock.advance(8 * DAY)


def living(portal: Portal, kind: Kind) -> list[Record]:
    """Records that are not in the bin, by id."""
    records = portal.shelf(kind).records
    return [records[number] for number in sorted(records) if records[number].archived_at is None]


def _company_of(portal: Portal, kind: Kind, place: int) -> int:
    return min(portal.linked(living(portal, kind)[place], COMPANIES))
