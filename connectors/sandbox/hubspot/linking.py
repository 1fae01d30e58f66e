"""Associations v4: read for many records at once, for one, labels, and how links are made and removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.sandbox.hubspot.access import need_read, need_write
from connectors.sandbox.hubspot.asking import Ask, Reply, checked_object, id_of, listed
from connectors.sandbox.hubspot.associations import CATEGORY, TYPES, types_between
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.objects import plain_type, type_ids
from connectors.sandbox.hubspot.refusals import Json, invalid, not_found
from connectors.sandbox.hubspot.rendering import inline_results, link_cursor, link_start

MOST_MADE, MOST_REMOVED = 2000, 100


def read_links(ask: Ask) -> Reply:
    """`POST /crm/v4/associations/{from}/{to}/batch/read`: records without links make it a 207."""
    source, target = _ends(ask, need_read)
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
    return _batch(ask, results, errors)


def record_links(ask: Ask) -> Reply:
    """`GET /crm/v4/objects/{kind}/{id}/associations/{to}`."""
    source, target = _ends(ask, need_read)
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
    source, target = _ends(ask, need_read)
    plain_type(source, target)
    record = ask.portal.shelf(source).live(ask.path["id"])
    start = link_start(ask.one("after") or link_cursor(target, 0))
    if record is None or start is None:
        raise not_found(ask.path["id"])
    most = ask.portal.settings.association_page_limit
    limit = ask.limit(most, most)
    links = sorted(entry for entry in ask.portal.linked(record, target).items() if entry[0] >= start)
    body: Json = {"results": inline_results(links[:limit])}
    if len(links) > limit:
        following = link_cursor(target, links[limit][0])
        body["paging"] = {"next": {"after": following, "link": f"{ask.link}?limit={limit}&after={following}"}}
    return Reply(200, body)


def labels(ask: Ask) -> Reply:
    """`GET /crm/v4/associations/{from}/{to}/labels`."""
    source, target = _ends(ask, need_read)
    return Reply(200, {"results": [_type_body(type_.id) for type_ in types_between(source, target)]})


def make_defaults(ask: Ask) -> Reply:
    """`POST …/batch/associate/default`: inputs `{from: {id}, to: {id}}`."""
    source, target = _ends(ask, need_write)
    pairs = [_pair(entry) for entry in listed(ask.body("inputs"), "inputs", MOST_MADE, least=1)]
    return _batch(ask, [result for pair in pairs for result in _made(ask, source, target, pair)], [])


def make_default(ask: Ask) -> Reply:
    """`PUT /crm/v4/objects/{from}/{id}/associations/default/{to}/{to_id}`."""
    source, target = _ends(ask, need_write)
    return _batch(ask, _made(ask, source, target, (ask.path["id"], ask.path["to_id"])), [])


def make_labelled(ask: Ask) -> Reply:
    """`POST …/batch/create`: inputs with `types`."""
    source, target = _ends(ask, need_write)
    results: list[Json] = []
    for entry in listed(ask.body("inputs"), "inputs", MOST_MADE, least=1):
        from_id, to_id = _pair(entry, "types")
        types = type_ids(entry.get("types"), source, target)
        _associate(ask, source, target, (from_id, to_id), types)
        results.append(
            {
                "fromObjectTypeId": source.type_id,
                "fromObjectId": int(from_id),
                "toObjectTypeId": target.type_id,
                "toObjectId": int(to_id),
                "labels": [label for t in types if (label := TYPES[t].label)],
            }
        )
    reply = _batch(ask, results, [])
    return Reply(201, reply.body)


def remove(ask: Ask) -> Reply:
    """`DELETE /crm/v4/objects/{from}/{id}/associations/{to}/{to_id}`: 204 however often."""
    source, target = _ends(ask, need_write)
    _dissociate(ask, source, target, ask.path["id"], ask.path["to_id"])
    return Reply(204)


def remove_many(ask: Ask) -> Reply:
    """`POST …/batch/archive`: inputs `{from: {id}, to: [{id}]}`. The dated versions answer with a body."""
    source, target = _ends(ask, need_write)
    for entry in listed(ask.body("inputs"), "inputs", MOST_REMOVED, least=1):
        told = checked_object(entry, ("from", "to"), "inputs")
        for to in listed(told, "to", MOST_MADE):
            _dissociate(ask, source, target, id_of(told.get("from"), "from"), id_of(to, "to"))
    return Reply(204) if ask.version.startswith("v") else _batch(ask, [], [])


def _ends(ask: Ask, need: Callable[..., None]) -> tuple[Kind, Kind]:
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
    ids = sorted(i for i in linked if i >= start)
    size = limit or ask.portal.settings.association_page_limit
    following = link_cursor(target, ids[size]) if len(ids) > size else None
    page = [{"toObjectId": i, "associationTypes": [_type_body(t) for t in linked[i]]} for i in ids[:size]]
    return page, following


def _type_body(type_id: int) -> Json:
    return {"category": CATEGORY, "typeId": type_id, "label": TYPES[type_id].label}


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


def _pair(entry: Any, *more: str) -> tuple[str, str]:
    told = checked_object(entry, ("from", "to", *more), "inputs")
    return id_of(told.get("from"), "from"), id_of(told.get("to"), "to")


def _made(ask: Ask, source: Kind, target: Kind, pair: tuple[str, str]) -> list[Json]:
    plain = plain_type(source, target)
    _associate(ask, source, target, pair, [])
    ends = ((pair[0], pair[1], plain), (pair[1], pair[0], TYPES[plain].inverse))
    return [
        {
            "from": {"id": from_id},
            "to": {"id": to_id},
            "associationSpec": {"associationCategory": CATEGORY, "associationTypeId": type_id},
        }
        for from_id, to_id, type_id in ends
    ]


def _associate(ask: Ask, source: Kind, target: Kind, pair: tuple[str, str], types: list[int]) -> None:
    for kind, record_id in ((source, pair[0]), (target, pair[1])):
        if ask.portal.shelf(kind).live(record_id) is None:
            raise not_found(record_id)
    ask.portal.associate(source.name, pair[0], target.name, pair[1], *types)


def _dissociate(ask: Ask, source: Kind, target: Kind, from_id: str, to_id: str) -> None:
    there = ask.portal.shelf(source).live(from_id), ask.portal.shelf(target).live(to_id)
    if None not in there:
        ask.portal.dissociate(source.name, from_id, target.name, to_id)


def _batch(ask: Ask, results: list[Json], errors: list[Json]) -> Reply:
    now = iso(ask.portal.now_ms())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(207 if errors else 200, body)
