"""Makes calls, emails, meetings, notes and tasks, with whom they were, out of a book."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sandbox.book import Book, Touch
from connectors.sandbox.hubspot.ids import TOUCH_KINDS, hubspot_id
from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS, TICKETS, Kind, kind_of
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import Record

_MINUTE_MS = 60_000


def load_touches(portal: Portal, book: Book, survivors: Mapping[int, int]) -> None:
    """All touches, linked to company, deal, ticket and people.

    HubSpot links an engagement to the company of its deal or its contact by itself; so does this.
    """
    kinds = {touch: _kind(name) for touch, name in TOUCH_KINDS.items()}
    records: dict[str, list[Record]] = {touch: [] for touch in TOUCH_KINDS}
    owners = {deal.id: deal.company for deal in book.deals}
    employers = {person.id: person.company for person in book.people}
    for touch in book.touches:
        kind = kinds[touch.kind]
        record_id = hubspot_id(kind.name, touch.id)
        records[touch.kind].append(_record(touch, kind, record_id))
        company = _company(touch, owners, employers)
        if company is not None:
            company_id = hubspot_id("companies", survivors.get(company, company))
            portal.associations.add(kind, record_id, COMPANIES, company_id, ())
        if touch.deal is not None:
            portal.associations.add(kind, record_id, DEALS, hubspot_id("deals", touch.deal), ())
        if touch.issue is not None:
            portal.associations.add(kind, record_id, TICKETS, hubspot_id("tickets", touch.issue), ())
        for person in touch.people:
            portal.associations.add(kind, record_id, CONTACTS, hubspot_id("contacts", person), ())
    for touch_kind, made in records.items():
        portal.load(kinds[touch_kind], made)


def _kind(name: str) -> Kind:
    kind = kind_of(name)
    if kind is None:
        raise LookupError(f"no kind of record is called {name}")
    return kind


def _company(touch: Touch, owners: Mapping[int, int | None], employers: Mapping[int, int]) -> int | None:
    if touch.company is not None:
        return touch.company
    if touch.deal is not None and owners.get(touch.deal) is not None:
        return owners[touch.deal]
    return next((employers[person] for person in touch.people if person in employers), None)


def _record(touch: Touch, kind: Kind, record_id: int) -> Record:
    shared = {"hs_timestamp": iso(ms_of(touch.at)), "hubspot_owner_id": str(hubspot_id("owners", touch.owner))}
    values = {name: value for name, value in (shared | _values(touch)).items() if value}
    updated = ms_of(touch.updated_at)
    archived = updated if touch.deleted else None
    return Record(kind, record_id, ms_of(touch.created_at), updated, values, archived_at=archived)


def _values(touch: Touch) -> dict[str, str]:
    start = ms_of(touch.at)
    length = (touch.minutes or 0) * _MINUTE_MS
    if touch.kind == "call":
        return {
            "hs_call_title": touch.subject,
            "hs_call_status": "COMPLETED" if touch.done else "QUEUED",
            "hs_call_duration": str(length) if length else "",
            "hs_call_direction": _direction(touch, "INBOUND", "OUTBOUND"),
        }
    if touch.kind == "meeting":
        return {
            "hs_meeting_title": touch.subject,
            "hs_meeting_outcome": "COMPLETED" if touch.done else "SCHEDULED",
            "hs_meeting_start_time": iso(start),
            "hs_meeting_end_time": iso(start + length) if length else "",
        }
    if touch.kind == "email":
        return {
            "hs_email_subject": touch.subject,
            "hs_email_status": "SENT" if touch.done else "SCHEDULED",
            "hs_email_direction": _direction(touch, "INCOMING_EMAIL", "EMAIL"),
        }
    if touch.kind == "note":
        return {"hs_note_body": touch.subject}
    return {
        "hs_task_subject": touch.subject,
        "hs_task_type": "TODO",
        "hs_task_status": "COMPLETED" if touch.done else "NOT_STARTED",
        "hs_task_completion_date": iso(start) if touch.done else "",
    }


def _direction(touch: Touch, inbound: str, outbound: str) -> str:
    if touch.inbound is None:
        return ""
    return inbound if touch.inbound else outbound
