"""Refuses to pull where a CRM hides what tiers stand on, or what it showed before: no row may grow old unseen.

Nor is anything read where what was forgotten could not be told from the rest.
"""

from __future__ import annotations

from connectors.contract import Connector, Identity, Stream
from connectors.errors import PermissionMissing
from kammodel.dependents import dependents_of
from kammodel.store import Store
from kammodel.store.control import load_bookmark, save_bookmark
from kammodel.store.suppressing import load_suppressed

ESSENTIAL = "opportunities"
"""Without deals nobody has a tier; accounts are asked for by the connectors themselves."""
MOST_KPIS = 8
"""Named in a line; criteria, which are what tiers stand on, are all named."""
_WITHOUT = "to go on without, run: kam pull --crm {crm} --full"


def check_access(connector: Connector, store: Store, identity: Identity, *, full: bool) -> None:
    """Raises PermissionMissing, naming what to grant, before anything is read; NotConfigured without the KAM_HASH_KEY
    that what was forgotten is known by.

    Streams other than deals may be missing from the start: what depends on them is unavailable, and the
    receipt says so. One that was read before, or a field of it, may not vanish in silence. `full` accepts
    that they are gone (an org can switch a feature off): a stream is then as one that never was read, and one that
    lost fields is read again without them.
    """
    with store.transaction() as tx:
        load_suppressed(tx, identity.source, identity.instance)
    closed = connector.unavailable()
    if ESSENTIAL in closed:
        raise PermissionMissing(f"{identity.source}: nothing can be tiered without {ESSENTIAL}: {closed[ESSENTIAL]}")
    with store.transaction() as tx:
        marks = (load_bookmark(tx, identity.source, identity.instance, name) for name in sorted(closed))
        known = [mark for mark in marks if mark is not None and (mark.watermark or mark.resume_point)]
        for mark in known if full else ():
            mark.watermark = mark.slice_since = mark.slice_until = mark.resume_point = None
            save_bookmark(tx, mark)
        names = [mark.stream for mark in known]
    if full:
        return
    for name in names:
        raise PermissionMissing(
            f"{identity.source} {name} could be read before and cannot be now: {closed[name]}; "
            f"{_WITHOUT.format(crm=identity.source)}"
        )
    for stream in connector.streams():
        _check_columns(stream, closed, store, identity)


def _check_columns(stream: Stream, closed: dict[str, str], store: Store, identity: Identity) -> None:
    hidden = {name: why for name, why in closed.items() if name.startswith(f"{stream.name}.")}
    if not hidden:
        return
    with store.transaction() as tx:
        mark = load_bookmark(tx, identity.source, identity.instance, stream.name)
        lost = set(filter(None, mark.columns.split(","))) - stream.columns if mark is not None else set()
    if lost:
        name, why = next(iter(sorted(hidden.items())))
        raise PermissionMissing(
            f"{identity.source} {stream.name}: {', '.join(sorted(lost))} could be read before and cannot be now: "
            f"{name}: {why}; {_concerned(stream, lost)}{_WITHOUT.format(crm=identity.source)}"
        )


def _concerned(stream: Stream, columns: set[str]) -> str:
    """The KPIs and criteria that stand on columns of the stream's entity, as part of a line; empty where none do."""
    found = dependents_of(stream.mappings[0].entity, columns)
    if not found.kpis:
        return ""
    first, more = found.kpis[:MOST_KPIS], len(found.kpis) - MOST_KPIS
    kpis = ", ".join(first) + (f" and {more} more" if more > 0 else "")
    return f"KPIs concerned: {kpis}; criteria concerned: {', '.join(found.criteria) or 'none'}; "
