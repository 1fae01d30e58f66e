"""What follows from other fields of a case, contract, order, asset, relation, team member or measure."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.ids import number_of
from connectors.sandbox.salesforce.objects.agreement import CONTRACT_CODES, ORDER_CODES

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

Record = dict[str, Any]
Derivation = Callable[["Org", Record, Record | None, Mapping[str, Any]], None]


def _case(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    new["CaseNumber"] = new["CaseNumber"] or _number(new)
    statuses = org.table("CaseStatus")
    closed = any(statuses.value(row, "IsClosed") for row in statuses.where("MasterLabel", new["Status"]))
    new["IsClosed"] = closed
    if not closed:
        new["ClosedDate"] = None
    elif old is None or not old["IsClosed"]:
        new["ClosedDate"] = new["LastModifiedDate"] if old is None else org.now()
    if new["AccountId"] is None and given.get("ContactId"):
        new["AccountId"] = _looked_up(org, "Contact", new["ContactId"], "AccountId")


def _contract(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    new["ContractNumber"] = new["ContractNumber"] or _number(new)
    if new["StartDate"] and new["ContractTerm"] is not None:
        new["EndDate"] = end_of_term(dt.date.fromisoformat(new["StartDate"]), new["ContractTerm"]).isoformat()
    else:
        new["EndDate"] = None
    _status(org, new, old, given, CONTRACT_CODES)


def _order(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    new["OrderNumber"] = new["OrderNumber"] or _number(new)
    new["TotalAmount"] = new["TotalAmount"] or 0.0
    _status(org, new, old, given, ORDER_CODES)


def _status(org: Org, new: Record, old: Record | None, given: Mapping[str, Any], codes: Mapping[str, str]) -> None:
    """The category behind the status, and when and by whom it was activated."""
    new["StatusCode"] = codes.get(new["Status"], "Draft")
    if new["StatusCode"] != "Activated" or (old is not None and old["StatusCode"] == "Activated"):
        return
    new["ActivatedDate"] = given.get("ActivatedDate") or (new["LastModifiedDate"] if old is None else org.now())
    new["ActivatedById"] = given.get("ActivatedById") or (new["LastModifiedById"] if old is None else None)


def _asset(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del old, given
    new["ProductCode"] = _looked_up(org, "Product2", new.get("Product2Id"), "ProductCode")


def _entry(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del old, given
    for name in ("Name", "ProductCode"):
        new[name] = _looked_up(org, "Product2", new["Product2Id"], name)


def _relation(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del old, given
    account = _looked_up(org, "Contact", new["ContactId"], "AccountId")
    new["IsDirect"] = account is not None and account == new["AccountId"]


def _member(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del old, given
    new["Title"] = _looked_up(org, "User", new["UserId"], "Title")


def _measure(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del given
    for word in ("Current", "Target"):
        for kind in ("Currency", "Number", "Percent"):
            new[f"{word}{kind}Value"] = _amount(new[f"{word}Value"]) if new["ValueType"] == kind else None
    if (old["CurrentValue"] if old is not None else None) != new["CurrentValue"]:
        new["CurrentValueTimestamp"] = new["LastModifiedDate"] if old is None else org.now()


def sign(new: Record) -> None:
    """Who activated it is who wrote last, where that was not said: to be called once the stamps are set."""
    if new.get("ActivatedDate") is not None and new["ActivatedById"] is None:
        new["ActivatedById"] = new["LastModifiedById"]


DERIVATIONS: dict[str, Derivation] = {
    "AccountContactRelation": _relation,
    "AccountPlanObjectiveMeasure": _measure,
    "AccountTeamMember": _member,
    "Asset": _asset,
    "Case": _case,
    "Contract": _contract,
    "Order": _order,
    "PricebookEntry": _entry,
}
"""By object; what of it a loaded record states itself stands all the same."""

DEFAULTS: dict[str, Mapping[str, Any]] = {
    "AccountPlan": {"Status": "Not Started"},
    "Case": {"Status": "New", "Priority": "Medium"},
    "Contract": {"Status": "Draft"},
    "Order": {"Status": "Draft"},
}
"""What a new record says where nothing else is said."""


def end_of_term(start: dt.date, months: int) -> dt.date:
    """The last day of a contract of so many months: 2024-01-31 and one month give 2024-02-28."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return dt.date(year, month + 1, day) - dt.timedelta(days=1)


def _number(new: Record) -> str:
    return f"{number_of(str(new['Id'])):08d}"


def _looked_up(org: Org, sobject: str, record_id: str | None, name: str) -> Any:
    table = org.tables.get(sobject.lower())
    row = table.rows.get(record_id or "") if table is not None else None
    return table.value(row, name) if table is not None and row is not None else None


def _amount(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
