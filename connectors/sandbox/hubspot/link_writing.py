"""Associations as they are made, labelled and removed."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.hubspot.access import need_write
from connectors.sandbox.hubspot.asking import Ask, Reply, checked_object, id_of, listed
from connectors.sandbox.hubspot.association_types import HUBSPOT_DEFINED
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.linking import batch, ends
from connectors.sandbox.hubspot.objects import plain_type, type_keys
from connectors.sandbox.hubspot.refusals import Json, not_found

MOST_MADE, MOST_REMOVED = 2000, 100


def make_defaults(ask: Ask) -> Reply:
    """`POST …/batch/associate/default`: inputs `{from: {id}, to: {id}}`."""
    source, target = ends(ask, need_write)
    pairs = [_pair(entry) for entry in listed(ask.body("inputs"), "inputs", MOST_MADE, least=1)]
    return batch(ask, [result for pair in pairs for result in _made(ask, source, target, pair)], [])


def make_default(ask: Ask) -> Reply:
    """`PUT /crm/v4/objects/{from}/{id}/associations/default/{to}/{to_id}`."""
    source, target = ends(ask, need_write)
    return batch(ask, _made(ask, source, target, (ask.path["id"], ask.path["to_id"])), [])


def make_labelled(ask: Ask) -> Reply:
    """`POST …/batch/create`: inputs with `types`."""
    source, target = ends(ask, need_write)
    results: list[Json] = []
    for entry in listed(ask.body("inputs"), "inputs", MOST_MADE, least=1):
        from_id, to_id = _pair(entry, "types")
        keys = type_keys(ask, entry.get("types"), source, target)
        _associate(ask, source, target, (from_id, to_id), keys)
        results.append(_labels_body(ask, source, target, (from_id, to_id), keys))
    return Reply(201, batch(ask, results, []).body)


def make_labelled_one(ask: Ask) -> Reply:
    """`PUT /crm/v4/objects/{from}/{id}/associations/{to}/{to_id}`: the body is the list of types."""
    source, target = ends(ask, need_write)
    pair = ask.path["id"], ask.path["to_id"]
    keys = type_keys(ask, ask.entries(), source, target)
    _associate(ask, source, target, pair, keys)
    return Reply(201, _labels_body(ask, source, target, pair, keys))


def remove_labels(ask: Ask) -> Reply:
    """`POST …/batch/labels/archive`: inputs with `types`; what is linked stays linked, plainly."""
    source, target = ends(ask, need_write)
    for entry in listed(ask.body("inputs"), "inputs", MOST_REMOVED, least=1):
        from_id, to_id = _pair(entry, "types")
        keys = type_keys(ask, entry.get("types"), source, target)
        _check_there(ask, source, target, (from_id, to_id))
        ask.portal.unlabel(source.name, from_id, target.name, to_id, *keys)
    return Reply(204) if ask.version.startswith("v") else batch(ask, [], [])


def remove(ask: Ask) -> Reply:
    """`DELETE /crm/v4/objects/{from}/{id}/associations/{to}/{to_id}`: 204 however often."""
    source, target = ends(ask, need_write)
    _dissociate(ask, source, target, ask.path["id"], ask.path["to_id"])
    return Reply(204)


def remove_many(ask: Ask) -> Reply:
    """`POST …/batch/archive`: inputs `{from: {id}, to: [{id}]}`. The dated versions answer with a body."""
    source, target = ends(ask, need_write)
    for entry in listed(ask.body("inputs"), "inputs", MOST_REMOVED, least=1):
        told = checked_object(entry, ("from", "to"), "inputs")
        for to in listed(told, "to", MOST_MADE):
            _dissociate(ask, source, target, id_of(told.get("from"), "from"), id_of(to, "to"))
    return Reply(204) if ask.version.startswith("v") else batch(ask, [], [])


def _pair(entry: Any, *more: str) -> tuple[str, str]:
    told = checked_object(entry, ("from", "to", *more), "inputs")
    return id_of(told.get("from"), "from"), id_of(told.get("to"), "to")


def _made(ask: Ask, source: Kind, target: Kind, pair: tuple[str, str]) -> list[Json]:
    plain = plain_type(source, target)
    _associate(ask, source, target, pair, [])
    ends = ((pair[0], pair[1], plain), (pair[1], pair[0], ask.portal.associations.types[plain].inverse))
    return [
        {
            "from": {"id": from_id},
            "to": {"id": to_id},
            "associationSpec": {"associationCategory": HUBSPOT_DEFINED, "associationTypeId": type_id},
        }
        for from_id, to_id, type_id in ends
    ]


def _associate(ask: Ask, source: Kind, target: Kind, pair: tuple[str, str], types: list[int]) -> None:
    _check_there(ask, source, target, pair)
    ask.portal.associate(source.name, pair[0], target.name, pair[1], *types)


def _check_there(ask: Ask, source: Kind, target: Kind, pair: tuple[str, str]) -> None:
    for kind, record_id in ((source, pair[0]), (target, pair[1])):
        if ask.portal.shelf(kind).live(record_id) is None:
            raise not_found(record_id)


def _dissociate(ask: Ask, source: Kind, target: Kind, from_id: str, to_id: str) -> None:
    there = ask.portal.shelf(source).live(from_id), ask.portal.shelf(target).live(to_id)
    if None not in there:
        ask.portal.dissociate(source.name, from_id, target.name, to_id)


def _labels_body(ask: Ask, source: Kind, target: Kind, pair: tuple[str, str], keys: list[int]) -> Json:
    return {
        "fromObjectTypeId": source.type_id,
        "fromObjectId": int(pair[0]),
        "toObjectTypeId": target.type_id,
        "toObjectId": int(pair[1]),
        "labels": [label for key in keys if (label := ask.portal.associations.types[key].label)],
    }
