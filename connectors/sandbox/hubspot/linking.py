"""Associations as they are read: for many records at once, for one, and which labels there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.sandbox.hubspot.access import need_read
from connectors.sandbox.hubspot.asking import Ask, Reply, id_of, listed
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.objects import plain_type
from connectors.sandbox.hubspot.refusals import Json, invalid, not_found
from connectors.sandbox.hubspot.rendering import inline_results, link_cursor, link_start


def read_links(ask: Ask) -> Reply:
    """`POST /crm/v4/associations/{from}/{to}/batch/read`: records without links make it a 207."""
    source, target = ends(ask, need_read)
    plain_type(source, target)
    results: list[Json] = []
    errors: list[Json] = []
    for entry in listed(ask.body("inputs"), "inputs", ask.portal.settings.association_batch_limit):
        origin = id_of(entry, "inputs", "after")
        page, following = _links(ask, (source, target), origin, after=entry.get("after"))
        if not page:
            errors.append(_unlinked(source, origin, target))
            continue
        result: Json = {"from": {"id": origin}, "to": page}
        if following:
            link = (
                f"{ask.host}/crm/v4/objects/{source.type_id}/{origin}/associations/{target.type_id}?after={following}"
            )
            result["paging"] = {"next": {"after": following, "link": link}}
        results.append(result)
    return batch(ask, results, errors)


def record_links(ask: Ask) -> Reply:
    """`GET /crm/v4/objects/{kind}/{id}/associations/{to}`."""
    source, target = ends(ask, need_read)
    plain_type(source, target)
    if ask.portal.shelf(source).live(ask.path["id"]) is None:
        raise not_found(ask.path["id"])
    most = ask.portal.settings.association_page_limit
    limit = ask.limit(most, most)
    page, following = _links(ask, (source, target), ask.path["id"], after=ask.one("after"), limit=limit)
    body: Json = {"results": page}
    if following:
        body["paging"] = {"next": {"after": following, "link": f"{ask.link}?limit={limit}&after={following}"}}
    return Reply(200, body)


def record_links_v3(ask: Ask) -> Reply:
    """`GET /crm/v3/objects/{kind}/{id}/associations/{to}`: where the paging link of inline associations leads."""
    source, target = ends(ask, need_read)
    plain_type(source, target)
    record = ask.portal.shelf(source).live(ask.path["id"])
    start = link_start(ask.one("after") or link_cursor(target, 0))
    if record is None or start is None:
        raise not_found(ask.path["id"])
    most = ask.portal.settings.association_page_limit
    limit = ask.limit(most, most)
    links = sorted(entry for entry in ask.portal.linked(record, target).items() if entry[0] >= start)
    body: Json = {"results": inline_results(ask.portal.associations.types, links[:limit])}
    if len(links) > limit:
        following = link_cursor(target, links[limit][0])
        body["paging"] = {"next": {"after": following, "link": f"{ask.link}?limit={limit}&after={following}"}}
    return Reply(200, body)


def labels(ask: Ask) -> Reply:
    """`GET /crm/v4/associations/{from}/{to}/labels`."""
    source, target = ends(ask, need_read)
    types = ask.portal.associations.types
    return Reply(200, {"results": types.bodies(tuple(type_.key for type_ in types.between(source, target)))})


def ends(ask: Ask, need: Callable[..., None]) -> tuple[Kind, Kind]:
    """The two kinds of the path; the token needs the scopes of both."""
    source, target = ask.kind("kind"), ask.kind("to")
    need(ask.portal, source)
    need(ask.portal, target)
    return source, target


def _links(
    ask: Ask, kinds: tuple[Kind, Kind], origin: str, *, after: Any, limit: int | None = None
) -> tuple[list[Json], str | None]:
    """A page of links in the order of ids, and the cursor to the next."""
    source, target = kinds
    start = 0 if after is None else link_start(str(after))
    if start is None:
        raise invalid(f"Invalid after {after}: it is no cursor of an association page")
    record = ask.portal.shelf(source).live(origin)
    linked = ask.portal.linked(record, target) if record is not None else {}
    if not linked:
        return [], None
    ids = sorted(linked) if start == 0 else sorted(i for i in linked if i >= start)
    size = limit or ask.portal.settings.association_page_limit
    following = link_cursor(target, ids[size]) if len(ids) > size else None
    bodies = ask.portal.associations.types.bodies
    page: list[Json] = [{"toObjectId": i, "associationTypes": bodies(linked[i])} for i in ids[:size]]
    return page, following


def _unlinked(source: Kind, origin: str, target: Kind) -> Json:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {target.singular} is associated with {source.singular} {origin}.",
        "context": {
            "fromObjectId": [origin],
            "fromObjectType": [source.singular],
            "toObjectType": [target.singular],
        },
    }


def batch(ask: Ask, results: list[Json], errors: list[Json]) -> Reply:
    """The answer to a batch of associations."""
    now = iso(ask.portal.now_ms())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(207 if errors else 200, body)
