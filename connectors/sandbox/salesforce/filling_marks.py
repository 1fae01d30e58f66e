"""What every record of a filled org carries: who made and changed it and when; and how it gets in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from connectors.sandbox.salesforce.ids import USER, salesforce_id
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.org import Org

Record = dict[str, Any]


def stamps(created: dt.datetime, updated: dt.datetime, by: int) -> Record:
    """The audit fields of a record that a seller made and last changed."""
    user_id = salesforce_id(USER, by)
    first, last = stamp(created), stamp(updated)
    return {
        "CreatedDate": first,
        "CreatedById": user_id,
        "LastModifiedDate": last,
        "LastModifiedById": user_id,
        "SystemModstamp": last,
    }


def put(org: Org, sobject: str, records: Iterable[Record]) -> None:
    """Load records into an object, as far as the org has it and its fields: features may be off."""
    table = org.tables.get(sobject.lower())
    if table is not None:
        known = {one.name for one in table.fields}
        org.load(sobject, ({name: value for name, value in one.items() if name in known} for one in records))
