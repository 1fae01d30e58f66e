"""The feeds of deleted and updated ids, and the limits of the org."""

from __future__ import annotations

import datetime as dt

from connectors.sandbox.salesforce import recycling
from connectors.sandbox.salesforce.instants import parsed_stamp, stamp
from connectors.sandbox.salesforce.refusals import error
from connectors.sandbox.salesforce.table import Span, Table
from connectors.sandbox.salesforce.wire.call import Call, Reply

_DELETED_DAYS, _UPDATED_DAYS = 15, 30


def deleted(call: Call) -> Reply:
    """Ids that were deleted in a window, with the time of it; undeleted ones are not among them."""
    table = _replicated(call)
    start, end = _window(call, _DELETED_DAYS)
    log = call.org.deletions.get(table.name, {})
    known_since = recycling.deletions_since(call.org)
    inside = sorted((at, one) for one, at in log.items() if max(start, known_since) <= at < end)
    _check_count(call, len(inside))
    return Reply(
        {
            "deletedRecords": [{"id": one, "deletedDate": at} for at, one in inside],
            "earliestDateAvailable": known_since,
            "latestDateCovered": _covered(call, end),
        }
    )


def updated(call: Call) -> Reply:
    """Ids of live rows whose SystemModstamp lies in a window."""
    table = _replicated(call)
    start, end = _window(call, _UPDATED_DAYS)
    rows, _ = table.span(Span(stamps=(start, end)), call.org.now())
    place = table.stamp_at
    ids = [row[0] for row in rows if start <= row[place] < end and not table.deleted(row)]
    _check_count(call, len(ids))
    return Reply({"ids": ids, "latestDateCovered": _covered(call, end)})


def _replicated(call: Call) -> Table:
    """The object of the path. Raises Refusal where no feed is kept of it, as its describe says."""
    table = call.table()
    if not table.sobject.replicateable:
        raise error(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {table.name} does not support replication")
    return table


def _window(call: Call, days: int) -> tuple[str, str]:
    """Start and end, cut to the minute. Raises Refusal."""
    ends = []
    for name in ("start", "end"):
        read = parsed_stamp(call.params.get(name, ""), zone_needed=True)
        if read is None:
            raise error(400, "INVALID_REPLICATION_DATE", f"{name}: a date and time with a zone is needed")
        ends.append(read[:16] + ":00.000+0000")
    start, end = ends
    if start >= end:
        raise error(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate")
    if start < stamp(call.org.clock.now() - dt.timedelta(days=days)):
        raise error(400, "INVALID_REPLICATION_DATE", f"startDate before org replication enabled or {days} days ago")
    return start, end


def _covered(call: Call, end: str) -> str:
    return min(end, call.org.now())


def _check_count(call: Call, count: int) -> None:
    limit = call.org.settings.feed_ids
    if count > limit:
        raise error(400, "EXCEEDED_ID_LIMIT", f"exceeded limit of {limit} IDs; please narrow the range")
