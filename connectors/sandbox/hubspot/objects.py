"""Single records and lists of them: list, get, create, update, archive, merge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.sandbox.hubspot.access import need_read, need_write
from connectors.sandbox.hubspot.asking import Ask, Reply, checked_object, known_kind, listed
from connectors.sandbox.hubspot.association_types import PLAIN
from connectors.sandbox.hubspot.checking import InvalidProperties
from connectors.sandbox.hubspot.kinds import CONTACTS, Kind
from connectors.sandbox.hubspot.locking import need_unlocked
from connectors.sandbox.hubspot.portal import Link
from connectors.sandbox.hubspot.record import BY_API, Record
from connectors.sandbox.hubspot.refusals import (
    Json,
    Refusal,
    error_body,
    invalid,
    invalid_values,
    not_found,
    unknown_to_sandbox,
)
from connectors.sandbox.hubspot.rendering import record_body, shown
from connectors.sandbox.hubspot.requiring import required_problems

DEFAULT_LIMIT = 10


def list_records(ask: Ask) -> Reply:
    """`GET /crm/v3/objects/{kind}`: ascending by id; `after` is the id the page begins with."""
    portal, kind = ask.portal, ask.kind()
    need_read(portal, kind)
    history = ask.many("propertiesWithHistory") if portal.settings.property_history else []
    most = portal.settings.history_page_limit if history else portal.settings.page_limit
    limit, archived = ask.limit(min(DEFAULT_LIMIT, most), most), ask.flag("archived")
    portal.empty_bin(kind)
    linked = _linked_kinds(ask)
    what = shown(portal, kind, ask.many("properties"), history, linked)
    cursor = portal.settings.cursor_is_last_id
    after = ask.whole("after", 0)
    if portal.settings.strange_cursor_status and after and after not in portal.shelf(kind).records:
        raise Refusal(portal.settings.strange_cursor_status, error_body("internal error", "INTERNAL_ERROR"))
    records, following = portal.shelf(kind).page(after, limit, archived=archived, cursor_is_last_id=cursor)
    body: Json = {"results": [record_body(portal, record, what, ask.host) for record in records]}
    if following is not None:
        body["paging"] = {"next": {"after": str(following), "link": _next_link(ask, str(following))}}
    return Reply(200, body)


def get_record(ask: Ask) -> Reply:
    """`GET /crm/v3/objects/{kind}/{id}`: an id that was merged away answers with the survivor."""
    portal, kind = ask.portal, ask.kind()
    need_read(portal, kind)
    portal.empty_bin(kind)
    shelf, record_id = portal.shelf(kind), ask.path["id"]
    record = shelf.binned(record_id) if ask.flag("archived") else shelf.resolved(record_id)
    if record is None:
        raise not_found(record_id)
    linked = _linked_kinds(ask)
    history = ask.many("propertiesWithHistory") if portal.settings.property_history else []
    what = shown(portal, kind, ask.many("properties"), history, linked)
    return Reply(200, record_body(portal, record, what, ask.host))


def create_record(ask: Ask) -> Reply:
    """`POST /crm/v3/objects/{kind}`."""
    kind = ask.kind()
    need_write(ask.portal, kind)
    body = ask.body("properties", "associations", "objectWriteTraceId")
    properties = property_texts(body)
    record = _refusing(lambda: made(ask, kind, properties, wanted_links(ask, kind, body)))
    return Reply(201, written_body(ask, record, properties))


def update_record(ask: Ask) -> Reply:
    """`PATCH /crm/v3/objects/{kind}/{id}`: resolves an id that was merged away."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    properties = property_texts(ask.body("properties", "objectWriteTraceId"))
    record = portal.shelf(kind).resolved(ask.path["id"])
    if record is None:
        raise not_found(ask.path["id"])
    need_unlocked(portal, kind, [record.id])
    problems = required_problems(ask, kind, properties, record)
    if problems:
        raise Refusal(400, invalid_values(problems))
    _refusing(lambda: portal.update(kind.name, record.id, properties, origin=BY_API))
    return Reply(200, written_body(ask, record, properties))


def archive_record(ask: Ask) -> Reply:
    """`DELETE /crm/v3/objects/{kind}/{id}`: 204 however often."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    need_unlocked(portal, kind, [ask.path["id"]])
    if portal.shelf(kind).live(ask.path["id"]) is not None:
        portal.archive(kind.name, ask.path["id"])
    return Reply(204)


def merge(ask: Ask) -> Reply:
    """`POST /crm/v3/objects/{kind}/merge`: answers with the survivor."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    body = ask.body("primaryObjectId", "objectIdToMerge")
    primary, loser = str(body.get("primaryObjectId", "")), str(body.get("objectIdToMerge", ""))
    for record_id in (primary, loser):
        if portal.shelf(kind).live(record_id) is None:
            raise not_found(record_id)
    try:
        survivor = portal.merge(kind.name, primary, loser)
    except LookupError as fault:
        raise invalid(str(fault)) from fault
    return Reply(200, record_body(portal, survivor, shown(portal, kind, ())))


def purge_person(ask: Ask) -> Reply:
    """`POST /crm/v3/objects/contacts/gdpr-delete`: gone from every list, at once here, within 30 days there."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    body = ask.body("objectId", "idProperty")
    if kind is not CONTACTS or body.get("idProperty") is not None:
        raise unknown_to_sandbox("gdpr-delete of another kind than contacts, or by another property than the id")
    record_id = str(body.get("objectId", ""))
    if portal.shelf(kind).live(record_id) is not None:
        portal.purge(kind.name, record_id)
    return Reply(204)


def made(ask: Ask, kind: Kind, properties: Mapping[str, str], links: list[Link]) -> Record:
    """A new record. Raises InvalidProperties, or a Refusal for a link to nothing."""
    portal = ask.portal
    problems = required_problems(ask, kind, properties, None)
    if problems:
        raise InvalidProperties(problems)
    for to_kind, to_id, *_ in links:
        if portal.shelf(known_kind(str(to_kind))).live(to_id) is None:
            raise not_found(str(to_id))
    return portal.create(kind.name, properties, links, origin=BY_API)


def written_body(ask: Ask, record: Record, properties: Mapping[str, str]) -> Json:
    """A written record: the answer shows what was written, and the system's own."""
    return record_body(ask.portal, record, shown(ask.portal, record.kind, tuple(properties) or ("hs_object_id",)))


def property_texts(body: Json) -> dict[str, str]:
    """The properties of a write as text: numbers and truth values are taken too, null is not."""
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise invalid("Invalid input JSON: properties is no object")
    return {name: _text(name, value) for name, value in properties.items()}


def wanted_links(ask: Ask, kind: Kind, body: Json) -> list[Link]:
    """The `associations` of a create: `{to: {id}, types: [{associationCategory, associationTypeId}]}`."""
    links: list[Link] = []
    for entry in listed(body, "associations", 1000):
        checked_object(entry, ("to", "types"), "associations")
        to = checked_object(entry.get("to"), ("id",), "associations.to")
        types = type_keys(ask, entry.get("types"), kind)
        target = ask.portal.associations.types[types[0]].target
        links.append((target.name, str(to.get("id")), tuple(types)))
    return links


def type_keys(ask: Ask, entries: Any, source: Kind, target: Kind | None = None) -> list[int]:
    """Keys of the association types of a request, which must start at `source` (and lead to `target`)."""
    if not isinstance(entries, list) or not entries:
        raise invalid("Invalid input JSON: types is no list, or empty")
    found: list[int] = []
    for entry in entries:
        told = checked_object(entry, ("associationCategory", "associationTypeId"), "types")
        type_ = ask.portal.associations.types.find(told.get("associationCategory"), told.get("associationTypeId"))
        if type_ is None or type_.source is not source:
            raise invalid(f"One or more association types are not valid for {source.singular}")
        if type_.target is not (target or type_.target):
            raise invalid(f"Association type {type_.id} does not lead to {target and target.singular}")
        found.append(type_.key)
    return found


def plain_type(source: Kind, target: Kind) -> int:
    """The unlabelled type between two kinds. Raises a Refusal where they cannot be linked."""
    type_ = PLAIN.get((source.name, target.name))
    if type_ is None:
        raise invalid(f"No association type exists from {source.singular} to {target.singular}")
    return type_.key


def _linked_kinds(ask: Ask) -> list[Kind]:
    """The kinds whose links are asked for; the token needs their scopes too."""
    kinds = [ask.known(word) for word in ask.many("associations")]
    for kind in kinds:
        need_read(ask.portal, kind)
    return kinds


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise invalid(f"Invalid input JSON: the value of {name} is neither text, number nor truth value")


def _refusing(write: Any) -> Any:
    try:
        return write()
    except InvalidProperties as refused:
        raise Refusal(400, invalid_values(refused.problems)) from refused


def _next_link(ask: Ask, after: str) -> str:
    kept = [(name, value) for name, values in ask.query.items() if name != "after" for value in values]
    return f"{ask.link}?{urlencode([*kept, ('after', after)])}"
