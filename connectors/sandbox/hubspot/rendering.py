"""Records as HubSpot sends them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from connectors.sandbox.hubspot.association_types import AssociationTypes, inline_type
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.kinds import EMAILS, Kind
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import BY_HUBSPOT, SYSTEM_NAMES, Record, Version
from connectors.sandbox.hubspot.refusals import Json

UI_DOMAIN = "app-eu1.hubspot.com"
_INLINE = 100
_EMAIL_SCOPE = "sales-email-read"
_EMAIL_CONTENT = frozenset({"hs_email_subject", "hs_email_text", "hs_email_html", "hs_email_headers"})


Unstored = Callable[[Record], str | None]


@dataclass(frozen=True)
class Shown:
    """What is shown of each record: names of properties, of histories, and kinds of linked records.

    `names` come with how each is read where no value is stored.
    """

    names: tuple[tuple[str, Unstored | None], ...]
    history: tuple[str, ...] = ()
    linked: tuple[Kind, ...] = ()


def shown(
    portal: Portal, kind: Kind, names: Sequence[str], history: Sequence[str] = (), linked: Iterable[Kind] = ()
) -> Shown:
    """The defaults where no property is asked for; unknown ones are left out without a word.

    So is what is written in emails, unless the token has a scope of its own for that.
    """
    wanted = _seen(portal, kind, portal.catalog.readable(kind, names) if names else kind.default_properties)
    if kind is EMAILS and _EMAIL_SCOPE not in portal.settings.scopes:
        wanted = [name for name in wanted if name not in _EMAIL_CONTENT]
    every = dict.fromkeys((*wanted, *kind.system_properties))
    read = tuple((name, portal.unstored(kind, name)) for name in every)
    return Shown(read, tuple(_seen(portal, kind, portal.catalog.readable(kind, history))), tuple(linked))


def _seen(portal: Portal, kind: Kind, names: Iterable[str]) -> list[str]:
    """Those that the token may see: HubSpot leaves out others without a word."""
    return [name for name in names if f"{kind.name}.{name}" not in portal.settings.hidden_properties]


def record_body(portal: Portal, record: Record, what: Shown, host: str = "") -> Json:
    """One record as it is now."""
    kind = record.kind
    body: Json = {
        "id": str(record.id),
        "properties": _properties(record, what, "" if portal.settings.cleared_reads_as_empty else None),
    }
    if what.history:
        body["propertiesWithHistory"] = {name: _history(portal, record, name) for name in what.history}
    told = record.values.get(kind.created_property) if portal.settings.created_at_follows_property else None
    body["createdAt"] = told or iso(record.created)
    body["updatedAt"] = iso(record.modified)
    body["archived"] = record.archived_at is not None
    if record.archived_at is not None:
        body["archivedAt"] = iso(record.archived_at)
    body["url"] = f"https://{UI_DOMAIN}/contacts/{portal.settings.portal_id}/record/{kind.type_id}/{record.id}"
    links = {target.inline_name: inline for target in what.linked if (inline := _inline(portal, record, target, host))}
    if links:
        body["associations"] = links
    return body


def _properties(record: Record, what: Shown, cleared: str | None) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, unstored in what.names:
        value = record.values.get(name)
        if value is None:
            found[name] = unstored(record) if unstored else None
        else:
            found[name] = value or cleared
    return found


def link_cursor(target: Kind, record_id: int) -> str:
    """The `after` of association pages: base64 of `0-2-7502`."""
    return base64.b64encode(f"{target.type_id}-{record_id}".encode()).decode()


def link_start(cursor: str) -> int | None:
    """The record id inside an association cursor; None where it is not one of ours."""
    try:
        last = base64.b64decode(cursor, validate=True).decode("ascii").rpartition("-")[2]
    except (ValueError, UnicodeDecodeError):
        return None
    return int(last) if last.isdigit() else None


def inline_results(types: AssociationTypes, links: Iterable[tuple[int, tuple[int, ...]]]) -> list[Json]:
    """Links as v3 words them: one entry for each association type of each record."""
    return [{"id": str(to_id), "type": inline_type(types[key])} for to_id, keys in links for key in keys]


def _history(portal: Portal, record: Record, name: str) -> list[Json]:
    """The newest value first."""
    versions = record.versions(name)
    if not versions and name in SYSTEM_NAMES:
        value = portal.value(record, name)
        return [] if value is None else [Version(value, record.modified, BY_HUBSPOT).as_json()]
    return [version.as_json() for version in reversed(versions)]


def _inline(portal: Portal, record: Record, target: Kind, host: str) -> Json | None:
    """The first hundred links to a kind, one entry for each association type."""
    links = sorted(portal.linked(record, target).items())
    if not links:
        return None
    results = inline_results(portal.associations.types, links[:_INLINE])
    body: Json = {"results": results}
    if len(links) > _INLINE:
        after = link_cursor(target, links[_INLINE][0])
        link = f"{host}/crm/v3/objects/{record.kind.type_id}/{record.id}/associations/{target.type_id}?after={after}"
        body["paging"] = {"next": {"after": after, "link": link}}
    return body
