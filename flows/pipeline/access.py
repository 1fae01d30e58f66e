"""Refuses to pull where a CRM hides what tiers stand on, or what it showed before: no row may grow old unseen."""

from __future__ import annotations

from connectors.contract import Connector, Identity, Stream
from connectors.errors import PermissionMissing
from kammodel.store import Store
from kammodel.store.control import load_bookmark

ESSENTIAL = "opportunities"
"""Without deals nobody has a tier; accounts are asked for by the connectors themselves."""


def check_access(connector: Connector, store: Store, identity: Identity, *, full: bool) -> None:
    """Raises PermissionMissing, naming what to grant, before anything is read.

    Streams other than deals may be missing from the start: what depends on them is unavailable, and the
    receipt says so. One that was read before, or a field of it, may not vanish in silence. `full` accepts
    that fields are gone: the stream is then read again without them.
    """
    closed = connector.unavailable()
    if ESSENTIAL in closed:
        raise PermissionMissing(f"{identity.source}: nothing can be tiered without {ESSENTIAL}: {closed[ESSENTIAL]}")
    with store.transaction() as tx:
        known = {name: load_bookmark(tx, identity.source, identity.instance, name) for name in closed}
    for name, mark in known.items():
        if mark is not None:
            raise PermissionMissing(f"{identity.source} {name} could be read before and cannot be now: {closed[name]}")
    if not full:
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
            f"{name}: {why}; to go on without, run: kam pull --crm {identity.source} --full"
        )
