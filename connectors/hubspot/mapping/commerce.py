"""Line items of deals, products, and the rates of their currencies."""

from __future__ import annotations

from connectors.codecs import date, identifier, money, number, text
from connectors.hubspot.codecs import discount_share, exact_whole, is_active, plain_date, price_less_discount, record_id
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, Link, made, optional
from connectors.mapping import Line, Mapping
from kammodel.entities import ExchangeRate, LineItem, Product

_PRICE = ("price", "discount", "hs_discount_percentage")


def line_items(*, many_currencies: bool) -> Declared:
    """Line items. Their price is that of the price list; a discount is an amount for each unit, or a percentage."""
    currency = (
        optional("currency", "hs_line_item_currency_code", text)
        if many_currencies
        else made("currency", "@home_currency")
    )
    mapping = Mapping(
        LineItem,
        (
            *ENVELOPE,
            made("opportunity_id", "@opportunity_id", identifier),
            optional("product_id", "hs_product_id", record_id),
            Line("quantity", "quantity", number),
            Line("list_price", "price", money),
            Line("unit_price", _PRICE, price_less_discount),
            Line("discount_share", _PRICE, discount_share),
            # Calculated, and only out of the item's own properties: an edit of these moves the stamp.
            Line("amount", "amount", money),
            currency,
            optional("service_on", "hs_recurring_billing_start_date", plain_date),
        ),
    )
    return Declared(
        "line_items",
        "line_items",
        mapping,
        "crm.objects.line_items.read",
        links=(Link("deals", "@opportunity_id"),),
        silent=frozenset({"hs_discount_percentage", "hs_recurring_billing_start_date"}),
    )


PRODUCTS = Declared(
    "products",
    "products",
    Mapping(
        Product,
        (
            *ENVELOPE,
            Line("name", "name", text),
            optional("code", "hs_sku", text),
            optional("family", "hs_product_type", text),
            optional("is_active", "hs_status", is_active),
        ),
    ),
    "crm.objects.products.read or e-commerce",
    silent=frozenset({"hs_product_type", "hs_status"}),
)


EXCHANGE_RATES = Mapping(
    ExchangeRate,
    (
        made("source_id", "@id", identifier),
        made("currency", "@currency"),
        made("home_currency", "@home_currency"),
        made("valid_from", "@valid_from", date),
        made("numerator", "@numerator", exact_whole),
        made("denominator", "@denominator", exact_whole),
    ),
)
