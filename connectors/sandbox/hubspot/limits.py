"""How much of a portal's limits is used: records, properties, pipelines, association labels.

https://developers.hubspot.com/docs/api-reference/latest/crm/limits-tracking/guide (read 2026-11-28)
"""

from __future__ import annotations

from connectors.sandbox.hubspot.access import need
from connectors.sandbox.hubspot.asking import Ask, Reply, known_kind
from connectors.sandbox.hubspot.association_types import USER_DEFINED
from connectors.sandbox.hubspot.kinds import KINDS, Kind
from connectors.sandbox.hubspot.refusals import Json

_CALCULATED, _PIPELINES, _LABELS, _ALL_PROPERTIES = 25, 15, 10, 10_000


def records(ask: Ask) -> Reply:
    """`GET /crm/v3/limits/records`: how many of each kind there are. Counting is cheap."""
    _need_any(ask)
    most = ask.portal.settings.record_limit
    used = {kind: len(ask.portal.shelf(kind).live_ids()) for kind in _kinds(ask)}
    return Reply(200, _by_kind(used, most))


def pipelines(ask: Ask) -> Reply:
    """`GET /crm/v3/limits/pipelines`."""
    _need_any(ask)
    found = {known_kind(name): len(pipelines_) for name, pipelines_ in ask.portal.pipelines.items()}
    return Reply(200, _by_kind(found, _PIPELINES))


def custom_properties(ask: Ask) -> Reply:
    """`GET /crm/v3/limits/custom-properties`."""
    _need_any(ask)
    used = {kind: ask.portal.catalog.custom(kind) for kind in _kinds(ask)}
    most = ask.portal.settings.custom_property_limit
    return Reply(200, {"byObjectType": _entries(used, most), **_overall(sum(used.values()), _ALL_PROPERTIES)})


def calculated_properties(ask: Ask) -> Reply:
    """`GET /crm/v3/limits/calculated-properties`: only what the portal defined itself counts."""
    _need_any(ask)
    catalog = ask.portal.catalog
    used = {kind: sum(d.calculated and not d.hubspot_defined for d in catalog.all(kind)) for kind in _kinds(ask)}
    entries = [_named(kind) | {"usage": count} for kind, count in used.items()]
    return Reply(200, {"byObjectType": entries, **_overall(sum(used.values()), _CALCULATED)})


def labels(ask: Ask) -> Reply:
    """`GET /crm/v3/limits/associations/labels`: of the pairs of kinds that have any."""
    _need_any(ask)
    start, end = ask.one("fromObjectTypeId"), ask.one("toObjectTypeId")
    results = [
        body
        for source in _kinds(ask)
        for target in _kinds(ask)
        if start in {None, source.type_id} and end in {None, target.type_id} and (body := _labels(ask, source, target))
    ]
    return Reply(200, {"results": results})


def _labels(ask: Ask, source: Kind, target: Kind) -> Json | None:
    types = ask.portal.associations.types.between(source, target)
    own = [type_.label for type_ in types if type_.category == USER_DEFINED]
    if not own:
        return None
    ends = {"fromObjectType": _named(source), "toObjectType": _named(target)}
    return {**ends, "allLabels": own, "limit": _LABELS, "usage": len(own), "percentage": _share(len(own), _LABELS)}


def _need_any(ask: Ask) -> None:
    need(ask.portal, *(scope for kind in KINDS for scope in (*kind.read_scopes, *kind.write_scopes)))


def _kinds(ask: Ask) -> list[Kind]:
    return [kind for kind in KINDS if kind.name not in ask.portal.settings.absent_kinds]


def _by_kind(used: dict[Kind, int], most: int) -> Json:
    return {
        "hubspotDefinedObjectTypes": _entries(used, most),
        "customObjectTypes": {"byObjectType": [], **_overall(0, most)},
    }


def _entries(used: dict[Kind, int], most: int) -> list[Json]:
    return [
        _named(kind) | {"limit": most, "usage": count, "percentage": _share(count, most)}
        for kind, count in used.items()
    ]


def _named(kind: Kind) -> Json:
    singular = kind.singular.replace("_", " ").capitalize()
    plural = kind.name.replace("_", " ").capitalize()
    return {"objectTypeId": kind.type_id, "singularLabel": singular, "pluralLabel": plural}


def _overall(used: int, most: int) -> Json:
    return {"overallLimit": most, "overallUsage": used, "overallPercentage": _share(used, most)}


def _share(used: int, most: int) -> float:
    return round(100 * used / most, 2) if most else 100.0
