"""Line items make up the amount of their opportunity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce import rules
from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


def roll_up(org: Org, opportunity_id: str, by: str | None) -> None:
    """Amount and quantity of a live opportunity from its live items; without any the amount stays as it was."""
    deals = org.table("Opportunity")
    row = deals.rows.get(opportunity_id)
    if row is None or deals.deleted(row):
        return
    items = org.table("OpportunityLineItem")
    live = [item for item in items.where("OpportunityId", opportunity_id) if not items.deleted(item)]
    old = deals.record_of(row)
    new = old | {"HasOpportunityLineItem": bool(live)}
    if live:
        new["Amount"] = round(sum(items.value(item, "TotalPrice") for item in live), 2)
        new["TotalOpportunityQuantity"] = sum(items.value(item, "Quantity") for item in live)
    rules.derive(org, deals, new, old, {})
    if new == old:
        return
    now = org.now()
    new.update(LastModifiedDate=now, LastModifiedById=by or org.admin_user_id, SystemModstamp=now)
    org.save(deals, new, old, by)


def note_items(org: Org, table: Table, rows: Iterable[Row]) -> None:
    """Opportunities of loaded items have items; their amounts stand as loaded, and nothing is re-stamped."""
    deals = org.table("Opportunity")
    flag, quantity = deals.position["hasopportunitylineitem"], deals.position["totalopportunityquantity"]
    of, count = table.position["opportunityid"], table.position["quantity"]
    for row in rows:
        deal = deals.rows.get(row[of])
        if deal is not None and not table.deleted(row):
            # The first one that is loaded ends what the opportunity itself said.
            deal[quantity] = (deal[quantity] or 0.0) + row[count] if deal[flag] else row[count]
            deal[flag] = True
