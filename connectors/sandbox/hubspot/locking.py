"""Records that are locked for a while after a write: 423, as in mass updates of the same records."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.troubles import troubled


def need_unlocked(portal: Portal, kind: Kind, ids: Iterable[int | str]) -> None:
    """Raises the 423 of a call that writes to a record which is locked yet; nothing of it is done."""
    for record_id in ids:
        record = portal.shelf(kind).live(record_id)
        if record is not None and portal.locks.get((kind.name, record.id), 0) > portal.now_ms():
            raise troubled(423)
