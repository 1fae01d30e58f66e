"""Makes deals, with the history of their stages, amounts and close dates, out of a book."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from connectors.sandbox.book import Book, Deal
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.kinds import COMPANIES, DEALS
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import BY_USER, Record, Version
from connectors.sandbox.hubspot.stages import PIPELINE, stage_ids
from connectors.sandbox.hubspot.values import plain

_PRIMARY = 5
_SECOND_COMPANY_EVERY = 7
_TRACKED = ("dealstage", "amount", "closedate")


def deal_records(book: Book) -> Iterator[Record]:
    """The book's deals, archived where deleted."""
    zone, stages = ZoneInfo(book.timezone), stage_ids(book.stages)
    for deal in book.deals:
        yield _record(deal, zone, stages)


def link_deals(portal: Portal, book: Book, survivors: Mapping[int, int]) -> None:
    """Each deal's primary company; with the knob `second_companies` every seventh also has its parent, unmarked."""
    parents = {c.id: c.parent for c in book.companies if c.parent is not None}
    for deal in book.deals:
        if deal.company is None:
            continue
        owner = survivors.get(deal.company, deal.company)
        deal_id = hubspot_id("deals", deal.id)
        parent = parents.get(owner)
        if parent is not None and deal.id % _SECOND_COMPANY_EVERY == 0 and portal.settings.second_companies:
            other = hubspot_id("companies", survivors.get(parent, parent))
            portal.associations.add(DEALS, deal_id, COMPANIES, other, ())
        portal.associations.add(DEALS, deal_id, COMPANIES, hubspot_id("companies", owner), (_PRIMARY,))


def _record(deal: Deal, zone: dt.tzinfo, stages: Mapping[str, str]) -> Record:
    created, updated = ms_of(deal.created_at), ms_of(deal.updated_at)
    values = {
        "dealname": deal.name,
        "pipeline": PIPELINE,
        "hubspot_owner_id": str(hubspot_id("owners", deal.owner)),
        "deal_currency_code": deal.currency,
        "dealtype": _deal_type(deal.kind),
        "closed_lost_reason": deal.lost_reason,
    }
    history = _history(deal, zone, stages)
    values |= {name: versions[-1].value for name, versions in history.items()}
    # What had one value since the deal was made needs no history of its own.
    changed = {name: versions for name, versions in history.items() if len(versions) > 1 or versions[0].at != created}
    return Record(
        DEALS,
        hubspot_id("deals", deal.id),
        created,
        updated,
        {name: value for name, value in values.items() if value is not None and value != ""},
        changed or None,
        updated if deal.deleted else None,
    )


def _history(deal: Deal, zone: dt.tzinfo, stages: Mapping[str, str]) -> dict[str, list[Version]]:
    history: dict[str, list[Version]] = {}
    for change in deal.changes:
        at = ms_of(change.at)
        told = {
            "dealstage": stages[change.stage],
            "amount": "" if change.amount is None else plain(change.amount),
            "closedate": "" if change.close_on is None else _close_date(deal.id, change.close_on, zone),
        }
        for name in _TRACKED:
            versions = history.setdefault(name, [])
            if told[name] != (versions[-1].value if versions else ""):
                versions.append(Version(told[name], at, BY_USER))
    return {name: versions for name, versions in history.items() if versions}


def _close_date(number: int, day: dt.date, zone: dt.tzinfo) -> str:
    """An instant of that day in the portal's zone: its first or its last minute, which are other days in UTC."""
    time = dt.time(0, 0) if number % 2 else dt.time(23, 59)
    return iso(ms_of(dt.datetime.combine(day, time, zone)))


def _deal_type(kind: str | None) -> str | None:
    word = (kind or "").lower()
    if not word:
        return None
    if "renew" in word:
        return "renewal"
    return "newbusiness" if "new" in word else "existingbusiness"
