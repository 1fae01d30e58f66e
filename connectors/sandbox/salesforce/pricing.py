"""What product, price book and arithmetic say of a line item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.refusals import RowRefused

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

Record = dict[str, Any]


def priced(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    """Fill in product, name, currency and list price of an item, and work out its unit price or its total.

    A total that is written sets the unit price; else quantity times unit price is the total, the list price standing
    in for a unit price. Raises RowRefused where there is none of them.
    """
    _describe(org, new)
    _total(new, old, given)


def _describe(org: Org, new: Record) -> None:
    entries, products = org.table("PricebookEntry"), org.table("Product2")
    entry = entries.rows.get(new["PricebookEntryId"] or "")
    if entry is not None:
        new["Product2Id"] = new["Product2Id"] or entries.value(entry, "Product2Id")
        new["ListPrice"] = entries.value(entry, "UnitPrice")
    product = products.rows.get(new["Product2Id"] or "")
    if product is not None:
        new["ProductCode"] = products.value(product, "ProductCode")
    deals = org.table("Opportunity")
    deal = deals.rows.get(new["OpportunityId"] or "")
    if deal is not None:
        of = products.value(product, "Name") if product is not None else None
        new["Name"] = " ".join(part for part in (deals.value(deal, "Name"), of) if part)[:376]
        if "CurrencyIsoCode" in new:
            new["CurrencyIsoCode"] = deals.value(deal, "CurrencyIsoCode")


def _total(new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    quantity = new["Quantity"]
    if quantity and given.get("TotalPrice") is not None:
        new["UnitPrice"] = given.get("UnitPrice") or round(new["TotalPrice"] / quantity, 2)
    elif quantity:
        if new["UnitPrice"] is None:
            new["UnitPrice"] = new["ListPrice"]
        # A record that is loaded stands as it is.
        if new["UnitPrice"] is None and "Id" in given:
            return
        if new["UnitPrice"] is None:
            raise RowRefused("REQUIRED_FIELD_MISSING", "Required fields are missing: [UnitPrice]", ["UnitPrice"])
        if old is None or {"UnitPrice", "Quantity"} & given.keys():
            new["TotalPrice"] = round(new["UnitPrice"] * quantity, 2)
