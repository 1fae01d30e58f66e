"""Contracts, orders, assets, line items, products, and the rates of their currencies."""

from __future__ import annotations

from connectors.codecs import boolean, date, identifier, instant, money, number, share, text, whole
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import day, exact_whole, record_id
from connectors.salesforce.mapping.declaring import ENVELOPE, currency_line, made, optional
from kammodel.entities import Asset, Contract, ExchangeRate, LineItem, Order, Product


def contracts(*, many_currencies: bool) -> Mapping:
    """Contracts. What they are worth stands in no standard field. OwnerExpirationNotice is no term of notice: it says
    when the owner is reminded."""
    return Mapping(
        Contract,
        (
            *ENVELOPE,
            Line("account_id", "AccountId", record_id),
            optional("owner_id", "OwnerId", record_id),
            optional("status", "Status", text),
            optional("starts_on", "StartDate", day),
            optional("ends_on", "EndDate", day),
            optional("term_months", "ContractTerm", whole),
            currency_line(many=many_currencies),
            optional("activated_at", "ActivatedDate", instant),
        ),
    )


def orders(*, many_currencies: bool) -> Mapping:
    """Orders. The opportunity is named where an org lets orders have one."""
    return Mapping(
        Order,
        (
            *ENVELOPE,
            Line("account_id", "AccountId", record_id),
            optional("contract_id", "ContractId", record_id),
            optional("opportunity_id", "OpportunityId", record_id),
            optional("kind", "Type", text),
            optional("status", "Status", text),
            optional("status_code", "StatusCode", text),
            optional("effective_on", "EffectiveDate", day),
            optional("ends_on", "EndDate", day),
            optional("amount", "TotalAmount", money),
            currency_line(many=many_currencies),
            optional("activated_at", "ActivatedDate", instant),
        ),
    )


def assets(*, many_currencies: bool) -> Mapping:
    """What accounts have."""
    return Mapping(
        Asset,
        (
            *ENVELOPE,
            Line("account_id", "AccountId", record_id),
            optional("product_id", "Product2Id", record_id),
            optional("status", "Status", text),
            optional("quantity", "Quantity", number),
            optional("price", "Price", money),
            currency_line(many=many_currencies),
            optional("purchased_on", "PurchaseDate", day),
            optional("installed_on", "InstallDate", day),
            optional("usage_ends_on", "UsageEndDate", day),
        ),
    )


def line_items(*, many_currencies: bool) -> Mapping:
    """The products of opportunities. Salesforce states the discount in percent."""
    return Mapping(
        LineItem,
        (
            *ENVELOPE,
            Line("opportunity_id", "OpportunityId", record_id),
            optional("product_id", "Product2Id", record_id),
            optional("quantity", "Quantity", number),
            optional("list_price", "ListPrice", money),
            optional("unit_price", "UnitPrice", money),
            optional("discount_share", "Discount", share(100)),
            optional("amount", "TotalPrice", money),
            currency_line(many=many_currencies),
            optional("service_on", "ServiceDate", day),
        ),
    )


PRODUCTS = Mapping(
    Product,
    (
        *ENVELOPE,
        Line("name", "Name", text),
        optional("code", "ProductCode", text),
        optional("family", "Family", text),
        optional("is_active", "IsActive", boolean),
    ),
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
