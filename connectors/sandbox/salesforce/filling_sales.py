"""Products, line items, contracts, orders, assets and plans of a book as an org holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connectors.sandbox.book import Book
from connectors.sandbox.salesforce.filling_marks import Record, put, stamps
from connectors.sandbox.salesforce.ids import ACCOUNT, OPPORTUNITY, USER, salesforce_id
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.surroundings import Asset, Contract, Item, Order, Plan, Product

STANDARD_BOOK = salesforce_id("01s", 1)
"""The price book that every org has; its entries are numbered as the products are."""

_OBJECTIVE_STATES = {"new": "New", "in progress": "In Progress", "closed": "Closed"}
_VALUE_TYPES = {"money": "Currency", "number": "Number", "percent": "Percent"}


def fill_sales(org: Org, book: Book) -> None:
    """Everything; what the org has no feature for is left out. Accounts and deals are there already."""
    around, home, since = book.around, book.home_currency, stamp(book.now.replace(year=book.now.year - 4))
    of_company = {company.id: company.currency or home for company in book.companies}
    of_deal = {deal.id: deal.currency or of_company.get(deal.company or 0, home) for deal in book.deals}
    if around.products:
        standard = {"Id": STANDARD_BOOK, "Name": "Standard Price Book", "IsActive": True, "IsStandard": True}
        put(org, "Pricebook2", [standard | {"CreatedDate": since}])
        put(org, "Product2", (_product(one, home, since) for one in around.products))
        put(org, "PricebookEntry", (_entry(one, home, since) for one in around.products))
    put(org, "OpportunityLineItem", (_item(one, of_deal) for one in around.items))
    put(org, "Contract", (_contract(one, of_company) for one in around.contracts))
    put(org, "Order", (_order(one, of_deal) for one in around.orders))
    names = {product.id: product.name for product in around.products}
    put(org, "Asset", (_asset(one, names, of_company) for one in around.assets))
    put(org, "AccountPlan", (_plan(one) for one in around.plans))
    put(org, "AccountPlanObjective", _objectives(around.plans))
    put(org, "AccountPlanObjectiveMeasure", _measures(around.plans, of_company))


def _product(product: Product, home: str, since: str) -> Record:
    return {
        "Id": salesforce_id("01t", product.id),
        "Name": product.name,
        "ProductCode": product.code,
        "IsActive": True,
        "CurrencyIsoCode": home,
        "CreatedDate": since,
    }


def _entry(product: Product, home: str, since: str) -> Record:
    return {
        "Id": salesforce_id("01u", product.id),
        "Pricebook2Id": STANDARD_BOOK,
        "Product2Id": salesforce_id("01t", product.id),
        "UnitPrice": product.price,
        "IsActive": True,
        "CurrencyIsoCode": home,
        "CreatedDate": since,
    }


def _item(item: Item, currency: Mapping[int, str]) -> Record:
    return {
        "Id": salesforce_id("00k", item.id),
        "OpportunityId": salesforce_id(OPPORTUNITY, item.deal),
        "PricebookEntryId": salesforce_id("01u", item.product),
        "Product2Id": salesforce_id("01t", item.product),
        "Quantity": item.quantity,
        "UnitPrice": item.price,
        "TotalPrice": item.quantity * item.price,
        "CurrencyIsoCode": currency[item.deal],
        "CreatedDate": stamp(item.at),
    }


def _contract(contract: Contract, currency: Mapping[int, str]) -> Record:
    return {
        "Id": salesforce_id("800", contract.id),
        "AccountId": salesforce_id(ACCOUNT, contract.company),
        "OwnerId": salesforce_id(USER, contract.owner),
        "StartDate": contract.start_on,
        "ContractTerm": contract.months,
        "Status": "Activated" if contract.signed else "Draft",
        "CompanySignedDate": contract.start_on if contract.signed else None,
        "CurrencyIsoCode": currency[contract.company],
        **stamps(contract.at, contract.at, contract.owner),
    }


def _order(order: Order, currency: Mapping[int, str]) -> Record:
    return {
        "Id": salesforce_id("801", order.id),
        "AccountId": salesforce_id(ACCOUNT, order.company),
        "OpportunityId": salesforce_id(OPPORTUNITY, order.deal),
        "ContractId": None if order.contract is None else salesforce_id("800", order.contract),
        "OwnerId": salesforce_id(USER, order.owner),
        "EffectiveDate": order.on,
        "Status": "Activated" if order.active else "Draft",
        "TotalAmount": order.amount,
        "CurrencyIsoCode": currency[order.deal],
        **stamps(order.at, order.at, order.owner),
    }


def _asset(asset: Asset, names: Mapping[int, str], currency: Mapping[int, str]) -> Record:
    return {
        "Id": salesforce_id("02i", asset.id),
        "AccountId": salesforce_id(ACCOUNT, asset.company),
        "Product2Id": salesforce_id("01t", asset.product),
        "Name": names.get(asset.product, "Asset"),
        "Status": "Installed",
        "Quantity": asset.quantity,
        "Price": asset.price,
        "InstallDate": asset.installed_on,
        "PurchaseDate": asset.installed_on,
        "UsageEndDate": asset.ends_on,
        "OwnerId": salesforce_id(USER, asset.owner),
        "CurrencyIsoCode": currency[asset.company],
        **stamps(asset.at, asset.at, asset.owner),
    }


def _plan(plan: Plan) -> Record:
    return {
        "Id": salesforce_id("1yA", plan.id),
        "AccountId": salesforce_id(ACCOUNT, plan.company),
        "Name": plan.name,
        "Status": "Active",
        "StartDate": plan.start_on,
        "EndDate": plan.end_on,
        "OwnerId": salesforce_id(USER, plan.owner),
        **stamps(plan.at, plan.at, plan.owner),
    }


def _objectives(plans: Iterable[Plan]) -> Iterator[Record]:
    for plan in plans:
        for objective in plan.objectives:
            yield {
                "Id": salesforce_id("1yB", objective.id),
                "AccountPlanId": salesforce_id("1yA", plan.id),
                "Name": objective.name,
                "Status": _OBJECTIVE_STATES[objective.state],
                "StartDate": plan.start_on,
                "EndDate": plan.end_on,
                "ObjectiveOwnerId": salesforce_id(USER, plan.owner),
                **stamps(plan.at, plan.at, plan.owner),
            }


def _measures(plans: Iterable[Plan], currency: Mapping[int, str]) -> Iterator[Record]:
    for plan in plans:
        for objective in plan.objectives:
            for measure in objective.measures:
                yield {
                    "Id": salesforce_id("1yC", measure.id),
                    "AccountPlanObjectiveId": salesforce_id("1yB", objective.id),
                    "Name": measure.name,
                    "ValueType": _VALUE_TYPES[measure.kind],
                    "CurrentValue": None if measure.current is None else str(measure.current),
                    "TargetValue": str(measure.target),
                    "CurrencyIsoCode": currency[plan.company],
                    **stamps(plan.at, plan.at, plan.owner),
                }
