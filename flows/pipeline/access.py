"""Refuses to pull where a CRM hides what tiers stand on, or what it showed before: no row may grow old unseen.

Nor is anything read where what was forgotten could not be told from the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import polars as pl

from connectors.contract import Connector, Identity, RecallsStages, Stream
from connectors.errors import FieldRetyped, PermissionMissing
from connectors.mapping_file import MappingInvalid
from kammodel.dependents import ACCOUNTS, Dependents, dependents_of, dependents_of_streams
from kammodel.entities import Bookmark, PipelineStage
from kammodel.store import Store
from kammodel.store.control import load_bookmark, save_bookmark
from kammodel.store.suppressing import load_suppressed

ESSENTIAL = "opportunities"
"""Without deals nobody has a tier; accounts are asked for by the connectors themselves."""
MOST_KPIS = 5
"""Named in a line; criteria, which are what tiers stand on, are all named."""
_GONE = "the CRM does not have, or hides from this user, what filled them"
_WITHOUT = "to go on without, run: kam pull --crm {crm} --full"
_AS_IT_IS = (
    "give it its type back, or, if its values mean the same as before, take it as it is: kam pull --crm {crm} --full"
)


def check_access(connector: Connector, store: Store, identity: Identity, *, full: bool) -> None:
    """Raises PermissionMissing, naming what to grant, before anything is read; FieldRetyped where a field means
    something else now; NotConfigured without the KAM_HASH_KEY that what was forgotten is known by.

    Streams other than deals may be missing from the start: what depends on them is unavailable, and the
    receipt says so. One that was read before, or a field of it, may not vanish or change its type in silence. `full`
    accepts that (an org can switch a feature off): a stream is then as one that never was read, and one that lost
    fields, or has them of another type, is read again as it is.
    """
    with store.transaction() as tx:
        load_suppressed(tx, identity.source, identity.instance)
    streams = streams_of(connector, store, identity)
    closed = connector.unavailable()
    if ESSENTIAL in closed:
        told = concerned(dependents_of_streams({ESSENTIAL}))
        raise PermissionMissing(
            f"{identity.source}: nothing can be tiered without {ESSENTIAL}: {closed[ESSENTIAL]}; {told}".rstrip("; ")
        )
    with store.transaction() as tx:
        marks = (load_bookmark(tx, identity.source, identity.instance, name) for name in sorted(closed))
        known = [mark for mark in marks if mark is not None and (mark.watermark or mark.resume_point)]
        for mark in known if full else ():
            mark.watermark = mark.slice_since = mark.slice_until = mark.resume_point = None
            save_bookmark(tx, mark)
        names = [mark.stream for mark in known]
    if full:
        return
    if names:
        raise PermissionMissing(
            f"{identity.source} {', '.join(names)} could be read before and cannot be now: "
            f"{'; '.join(_told(names, closed))}; {concerned(dependents_of_streams(names))}"
            f"{_WITHOUT.format(crm=identity.source)}"
        )
    for stream in streams:
        before = _mark_of(stream.name, store, identity)
        # One that is to be read in full anyway, as asked before, is taken as it is.
        if before is not None and (before.watermark or before.resume_point):
            _check_columns(stream, closed, before)
            _check_types(stream, before)


def streams_of(connector: Connector, store: Store, identity: Identity) -> tuple[Stream, ...]:
    """The streams of a connector. Where a field that the mapping file names is no longer there, or no longer fits, the
    MappingInvalid says what stands on the column that it filled before; where accounts are, or nothing at all may be
    read, the PermissionMissing says what stands on them."""
    try:
        streams = connector.streams()
    except PermissionMissing as fault:
        fault.args = (f"{fault}; {concerned(dependents_of_streams({ACCOUNTS}))}".rstrip("; "),)
        raise
    except MappingInvalid as fault:
        stream, column, *_ = (*fault.place, "", "")
        mark = _mark_of(stream, store, identity) if fault.entity is not None else None
        if fault.entity is not None and mark is not None and column in mark.columns.split(","):
            told = concerned(dependents_of(fault.entity, {column}))
            fault.args = (f"{fault}; it could be read before; {told}".rstrip("; "),)
        raise
    if isinstance(connector, RecallsStages):
        own = (pl.col("source") == identity.source) & (pl.col("source_instance") == identity.instance)
        connector.recall(store.read(PipelineStage).filter(own))
    return streams


def concerned(found: Dependents) -> str:
    """The criteria, some of the KPIs, and what is decided by hand, as part of a line; empty where there are none."""
    first, more = found.kpis[:MOST_KPIS], len(found.kpis) - MOST_KPIS
    kpis = ", ".join(first) + (f" and {more} more" if more > 0 else "")
    by_hand = f"concerned beside criteria: {', '.join(found.by_hand)}; " if found.by_hand else ""
    if not found.kpis and not found.criteria:
        return by_hand
    return f"criteria concerned: {', '.join(found.criteria) or 'none'}; KPIs concerned: {kpis or 'none'}; {by_hand}"


def _mark_of(stream: str, store: Store, identity: Identity) -> Bookmark | None:
    with store.transaction() as tx:
        found = load_bookmark(tx, identity.source, identity.instance, stream)
        return None if found is None else Bookmark(**found.model_dump())


def _check_columns(stream: Stream, closed: Mapping[str, str], mark: Bookmark) -> None:
    """Columns that the mapping has lost; and fields that it asks for, and that are no longer shown."""
    prefix = f"{stream.name}."
    hidden = {name.removeprefix(prefix): why for name, why in closed.items() if name.startswith(prefix)}
    unseen = sorted(mark.types.keys() & hidden.keys())
    lost = set(filter(None, mark.columns.split(","))) - stream.columns if hidden else set()
    lost = lost.union(*(stream.made_of(field) for field in unseen))
    vanished = set(mark.columns.split(",")) & stream.left_out - lost
    if lost or vanished:
        told = "; ".join(_told([prefix + name for name in unseen or sorted(hidden)[:1]], closed) if lost else [_GONE])
        lost |= vanished
        raise PermissionMissing(
            f"{mark.source} {stream.name}: {', '.join(sorted(lost))} could be read before and cannot be now: "
            f"{told}; {_standing(stream, lost)}{_WITHOUT.format(crm=mark.source)}"
        )


def _check_types(stream: Stream, mark: Bookmark) -> None:
    """Fields that had another type when they were last read, of which not every value reads the same."""
    changed = [one for one in stream.retyped(mark.types) if mark.types[one.field] not in one.alike]
    if changed:
        told = ", ".join(f"{one.field} was of type {mark.types[one.field]} and is {one.type} now" for one in changed)
        columns = frozenset[str]().union(*(stream.made_of(one.field) for one in changed))
        raise FieldRetyped(
            f"{mark.source} {stream.name}: {told}, read as {', '.join(sorted(columns))}; "
            f"{_standing(stream, columns)}{_AS_IT_IS.format(crm=mark.source)}"
        )


def _standing(stream: Stream, columns: Collection[str]) -> str:
    return concerned(dependents_of(stream.mappings[0].entity, columns))


def _told(names: Iterable[str], closed: Mapping[str, str]) -> list[str]:
    return [f"{name}: {closed[name]}" for name in names]
