"""Makes products, line items of deals and sales goals out of a book's surroundings."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from connectors.sandbox.book import Book
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.kinds import DEALS, GOAL_TARGETS, LINE_ITEMS, PRODUCTS
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import Record
from connectors.sandbox.hubspot.values import plain
from connectors.sandbox.surroundings import Item, Plan, Product

_KNOWN_FOR = dt.timedelta(days=1_000)
_FAMILY = "5a4db0c5-0000-4000-8000-0000000090a1"


def load_sales(portal: Portal, book: Book) -> None:
    """Products, the items of deals, and one goal for each seller and year who has plans with figures in money."""
    around = book.around
    portal.load(PRODUCTS, (_product(one, ms_of(book.now - _KNOWN_FOR)) for one in around.products))
    products = {product.id: product for product in around.products}
    currencies = {deal.id: deal.currency for deal in book.deals}
    portal.load(LINE_ITEMS, (_item(one, products[one.product], currencies[one.deal]) for one in around.items))
    for one in around.items:
        portal.associations.add(LINE_ITEMS, hubspot_id("line_items", one.id), DEALS, hubspot_id("deals", one.deal), ())
    portal.load(GOAL_TARGETS, _goals(portal, around.plans))


def _product(product: Product, at: int) -> Record:
    values = {"name": product.name, "hs_sku": product.code, "price": plain(product.price), "hs_status": "active"}
    return Record(PRODUCTS, hubspot_id("products", product.id), at, at, values)


def _item(item: Item, product: Product, currency: str | None) -> Record:
    at = ms_of(item.at)
    values = {
        "name": product.name,
        "hs_sku": product.code,
        "hs_product_id": str(hubspot_id("products", product.id)),
        "quantity": str(item.quantity),
        "price": plain(item.price),
        "amount": plain(item.quantity * item.price),
        "hs_line_item_currency_code": currency,
    }
    kept = {name: value for name, value in values.items() if value}
    return Record(LINE_ITEMS, hubspot_id("line_items", item.id), at, at, kept)


def _goals(portal: Portal, plans: Iterable[Plan]) -> Iterator[Record]:
    """Goals in HubSpot are quotas of users: a seller's is the sum of what their plans are to bring in money."""
    of: dict[tuple[int, dt.date, dt.date], list[Plan]] = defaultdict(list)
    for plan in plans:
        of[plan.owner, plan.start_on, plan.end_on].append(plan)
    for number, ((owner, start, end), owned) in enumerate(sorted(of.items()), start=1):
        at = ms_of(min(plan.at for plan in owned))
        values = {
            "hs_goal_name": f"New business {start.year}",
            "hs_goal_type": "sales_quota",
            "hs_milestone": "yearly",
            "hs_target_amount": plain(_sum(owned, "target")),
            "hs_kpi_value": plain(_sum(owned, "current")),
            "hs_start_datetime": iso(_midnight(portal, start)),
            "hs_end_datetime": iso(_midnight(portal, end + dt.timedelta(days=1)) - 1),
            "hs_group_correlation_uuid": _FAMILY,
            "hs_goal_target_group_id": str(owner),
            "hubspot_owner_id": str(hubspot_id("owners", owner)),
        }
        yield Record(GOAL_TARGETS, hubspot_id("goal_targets", number), at, at, values)


def _sum(plans: Iterable[Plan], name: str) -> Decimal:
    measures = (measure for plan in plans for objective in plan.objectives for measure in objective.measures)
    return sum((getattr(measure, name) or Decimal(0) for measure in measures if measure.kind == "money"), Decimal(0))


def _midnight(portal: Portal, day: dt.date) -> int:
    return ms_of(dt.datetime.combine(day, dt.time(), portal.account.timezone))
