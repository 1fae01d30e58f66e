"""Up to a hundred records a call: batch read, update, create, archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.sandbox.hubspot.access import need_read, need_write
from connectors.sandbox.hubspot.asking import Ask, Reply, checked_object, id_of, listed, texts
from connectors.sandbox.hubspot.checking import InvalidProperties
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.locking import need_unlocked
from connectors.sandbox.hubspot.objects import made, property_texts, wanted_links, written_body
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import BY_API, Record
from connectors.sandbox.hubspot.refusals import (
    Json,
    Refusal,
    duplicate_ids,
    invalid_values,
    missing_objects,
    unknown_to_sandbox,
)
from connectors.sandbox.hubspot.rendering import record_body, shown
from connectors.sandbox.hubspot.requiring import required_problems

MOST = 100
_INPUT = ("properties", "objectWriteTraceId")
Problems = list[dict[str, str]]


def batch_read(ask: Ask) -> Reply:
    """`POST …/batch/read`: ids that are not there make it a 207."""
    portal, kind = ask.portal, ask.kind()
    need_read(portal, kind)
    body = ask.body("inputs", "properties", "propertiesWithHistory", "idProperty")
    if body.get("idProperty"):
        raise unknown_to_sandbox("idProperty: records are read by id only")
    history = texts(body, "propertiesWithHistory") if portal.settings.property_history else []
    portal.empty_bin(kind)
    most = portal.settings.history_page_limit if history else MOST
    ids = [id_of(entry, "inputs") for entry in listed(body, "inputs", most)]
    shelf, archived = portal.shelf(kind), ask.flag("archived")
    what = shown(portal, kind, texts(body, "properties"), history)
    found = {i: shelf.binned(i) if archived else shelf.live(i) for i in dict.fromkeys(ids)}
    results = [record_body(portal, record, what) for record in found.values() if record is not None]
    lost = [i for i, record in found.items() if record is None]
    return _answer(portal, results, [missing_objects(kind.singular, lost)] if lost else [])


def batch_update(ask: Ask) -> Reply:
    """`POST …/batch/update`: one bad value refuses all, unless each input has a trace id of its own."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    inputs = listed(ask.body("inputs"), "inputs", MOST, least=1)
    ids = [id_of(entry, "inputs", *_INPUT) for entry in inputs]
    twice = [record_id for record_id, times in Counter(ids).items() if times > 1]
    if twice:
        raise duplicate_ids(twice)
    need_unlocked(portal, kind, ids)
    wanted = [property_texts(entry) for entry in inputs]
    records = [portal.shelf(kind).live(record_id) for record_id in ids]

    def problems(at: int) -> Problems:
        record = records[at]
        return [] if record is None else _problems(ask, wanted[at], record)

    errors = _checked(inputs, problems, by_trace=portal.settings.trace_ids_on_update)
    results: list[Json] = []
    for at, record in enumerate(records):
        if record is not None and at not in errors:
            portal.update(kind.name, record.id, wanted[at], origin=BY_API)
            results.append(_traced(written_body(ask, record, wanted[at]), inputs[at]))
    lost = [record_id for record_id, record in zip(ids, records, strict=True) if record is None]
    missing = [missing_objects(kind.singular, lost)] if lost else []
    return _answer(portal, results, [*errors.values(), *missing])


def batch_create(ask: Ask) -> Reply:
    """`POST …/batch/create`: 201, or 207 where single inputs with trace ids were refused."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    inputs = listed(ask.body("inputs"), "inputs", MOST, least=1)
    for entry in inputs:
        checked_object(entry, (*_INPUT, "associations"), "inputs")
    wanted = [property_texts(entry) for entry in inputs]
    links = [wanted_links(ask, kind, entry) for entry in inputs]

    def problems(at: int) -> Problems:
        missing = required_problems(ask, kind, wanted[at], None)
        try:
            portal.checked(kind, wanted[at], None)
        except InvalidProperties as refused:
            return [*missing, *refused.problems]
        return missing

    errors = _checked(inputs, problems, by_trace=True)
    created = [(at, made(ask, kind, properties, links[at])) for at, properties in enumerate(wanted) if at not in errors]
    results = [_traced(written_body(ask, record, wanted[at]), inputs[at]) for at, record in created]
    return _answer(portal, results, list(errors.values()), fine=201)


def batch_archive(ask: Ask) -> Reply:
    """`POST …/batch/archive`: always 204, whatever the ids were."""
    portal, kind = ask.portal, ask.kind()
    need_write(portal, kind)
    ids = [id_of(entry, "inputs") for entry in listed(ask.body("inputs"), "inputs", MOST)]
    need_unlocked(portal, kind, ids)
    for record_id in ids:
        record = portal.shelf(kind).live(record_id)
        if record is not None:
            portal.archive(kind.name, record.id)
    return Reply(204)


def _problems(ask: Ask, properties: Mapping[str, str], record: Record) -> Problems:
    missing = required_problems(ask, record.kind, properties, record)
    try:
        ask.portal.checked(record.kind, properties, record)
    except InvalidProperties as refused:
        return [*missing, *refused.problems]
    return missing


def _checked(inputs: Sequence[Json], problems: Callable[[int], Problems], *, by_trace: bool) -> dict[int, Json]:
    """Refused inputs by their place, as entries of a 207. Raises the 400 of the whole request without trace ids."""
    traces = [entry.get("objectWriteTraceId") for entry in inputs]
    found = {at: refused for at in range(len(inputs)) if (refused := problems(at))}
    traced = all(isinstance(t, str) and t for t in traces) and len(set(traces)) == len(traces)
    if found and not (by_trace and traced):
        raise Refusal(400, invalid_values([problem for refused in found.values() for problem in refused]))
    errors: dict[int, Json] = {}
    for at, refused in found.items():
        body = invalid_values(refused)
        del body["correlationId"]
        errors[at] = body | {"context": {"objectWriteTraceId": [traces[at]]}}
    return errors


def _traced(body: Json, entry: Any) -> Json:
    trace = entry.get("objectWriteTraceId")
    return body | ({"objectWriteTraceId": trace} if trace else {})


def _answer(portal: Portal, results: list[Json], errors: list[Json], fine: int = 200) -> Reply:
    """A batch's answer. Results come in no promised order: with the knob, the last one first."""
    now = iso(portal.now_ms())
    if portal.settings.shuffled_results:
        results.reverse()
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(207 if errors else fine, body)
