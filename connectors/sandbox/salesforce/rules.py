"""What an org fills in and checks before a record is saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.derivations import DEFAULTS, DERIVATIONS
from connectors.sandbox.salesforce.instants import instant, midnight, stamp
from connectors.sandbox.salesforce.objects.opportunity import FORECAST_NAMES
from connectors.sandbox.salesforce.pricing import priced
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.table import Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

Record = dict[str, Any]
_CATEGORIES = {label: category for category, label in FORECAST_NAMES.items()}
_STATED = "it is stated by the record itself"


def fresh(org: Org, table: Table, given: Mapping[str, Any], by: str) -> Record:
    """A new record: defaults, owner and stamps under what was given."""
    now = org.now()
    start = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
    start |= {"CreatedById": by, "LastModifiedById": by, "OwnerId": by, "CurrencyIsoCode": org.home_currency}
    start |= {"Task": {"Status": "Not Started", "Priority": "Normal", "TaskSubtype": "Task"}}.get(
        table.name, DEFAULTS.get(table.name, {})
    )
    record = {one.name: start.get(one.name, one.default) for one in table.fields}
    return {**record, **given}


def derive(org: Org, table: Table, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    """Fill in what follows from other fields. `given` are the values that were written."""
    derivation = _DERIVED.get(table.name)
    if derivation:
        derivation(org, new, old, given)


def check(org: Org, table: Table, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    """Raise RowRefused where a rule that spans fields or records forbids the save."""
    missing = [
        f.name for f in table.fields if not f.nillable and new[f.name] is None and f.createable and f.type != "boolean"
    ]
    if missing:
        raise RowRefused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
    for name, value in given.items():
        if value is not None and (old is None or old[name] != value):
            _check_reference(org, table, name, value)
    _check_parent(table, new, given)
    _check_unique(table, new, given)
    for rule in org.settings.validation_rules:
        if rule.active and rule.sobject == table.name and rule.refuses(new):
            raise RowRefused("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field] if rule.field else [])


def activity_account(org: Org, record: Mapping[str, Any]) -> str | None:
    """The account of an activity: what it is about, or that one's account, or else the account of who it is with.

    Of opportunities and contracts only: an activity about a case has no account unless its contact has one.
    """
    what, who = record.get("WhatId"), record.get("WhoId")
    if what and what.startswith("001"):
        return str(what)
    for name, ref in (("Opportunity", what), ("Contract", what), ("Contact", who)):
        table = org.tables.get(name.lower())
        row = table.rows.get(ref) if table is not None and ref else None
        account = table.value(row, "AccountId") if table is not None and row is not None else None
        if account:
            return str(account)
    return None


def _check_reference(org: Org, table: Table, name: str, value: Any) -> None:
    field = table.field(name)
    if field is None or field.type != "reference" or not field.refers_to:
        return
    targets = [org.tables[target.lower()] for target in field.refers_to if target.lower() in org.tables]
    holder = next((t for t in targets if value in t.rows), None)
    if holder is None:
        if not any(value.startswith(t.sobject.prefix) for t in targets):
            raise RowRefused("FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {value}", [name])
        raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    row = holder.rows[value]
    if holder.deleted(row):
        raise RowRefused("ENTITY_IS_DELETED", "entity is deleted", [name])
    if name == "OwnerId" and not holder.value(row, "IsActive"):
        message = f"operation performed with inactive user [{value}] as owner of {table.name.lower()}"
        raise RowRefused("INACTIVE_OWNER_OR_USER", message, [name])


def _check_parent(table: Table, new: Record, given: Mapping[str, Any]) -> None:
    if "ParentId" not in given or table.field("ParentId") is None or table.name != "Account":
        return
    seen, parent = {new["Id"]}, new["ParentId"]
    while parent is not None:
        if parent in seen:
            raise RowRefused("CIRCULAR_DEPENDENCY", "attempt to create a circular hierarchy of accounts", ["ParentId"])
        seen.add(parent)
        row = table.rows.get(parent)
        parent = table.value(row, "ParentId") if row is not None else None


_UNIQUE_TOGETHER = {
    "PermissionSetAssignment": ("PermissionSetId", "AssigneeId"),
    "FieldPermissions": ("ParentId", "Field"),
    "ObjectPermissions": ("ParentId", "SobjectType"),
    "PermissionSet": ("Name",),
    "AccountContactRelation": ("AccountId", "ContactId"),
}


def _check_unique(table: Table, new: Record, given: Mapping[str, Any]) -> None:
    keys: list[tuple[str, ...]] = [(f.name,) for f in table.fields if f.unique and given.get(f.name) is not None]
    together = _UNIQUE_TOGETHER.get(table.name)
    if together and any(name in given for name in together):
        keys.append(together)
    for key in keys:
        places = [(table.position[name.lower()], new[name]) for name in key]
        for row in table.rows.values():
            if row[0] != new["Id"] and all(_alike(row[at], value) for at, value in places) and not table.deleted(row):
                message = f"duplicate value found: {key[0]} duplicates value on record with id: {row[0]}"
                raise RowRefused("DUPLICATE_VALUE", message, list(key))


def _alike(one: Any, other: Any) -> bool:
    return one == other or (isinstance(one, str) and isinstance(other, str) and one.lower() == other.lower())


# What follows from what, per object.


def _named(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del org, old, given
    new["Name"] = " ".join(part for part in (new["FirstName"], new["LastName"]) if part) or None


def _opportunity(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    stages = org.table("OpportunityStage")
    if old is None or old["StageName"] != new["StageName"]:
        stage = next(iter(stages.where("MasterLabel", new["StageName"])), None)
        if stage is not None:
            new["IsClosed"], new["IsWon"] = stages.value(stage, "IsClosed"), stages.value(stage, "IsWon")
            if given.get("Probability") is None:
                new["Probability"] = stages.value(stage, "DefaultProbability")
            if given.get("ForecastCategoryName") is None:
                new["ForecastCategoryName"] = stages.value(stage, "ForecastCategoryName")
        elif new["StageName"] is not None and _STATED not in given:
            message = f"Stage: bad value for restricted picklist field: {new['StageName']}"
            raise RowRefused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["StageName"])
        if old is not None:
            new["LastStageChangeDate"] = org.now()
    if old is not None and old["HasOpportunityLineItem"] and "Amount" in given:
        # Items make up the amount: writing it is no error and changes nothing.
        new["Amount"] = old["Amount"]
    new["ForecastCategory"] = _CATEGORIES.get(new["ForecastCategoryName"], new["ForecastCategory"])
    amount, probability = new["Amount"], new["Probability"]
    new["ExpectedRevenue"] = None if amount is None or probability is None else round(amount * probability / 100, 2)
    if old is None:
        new["PushCount"] = new["PushCount"] or 0
    elif old["CloseDate"] and new["CloseDate"] and new["CloseDate"][:7] > old["CloseDate"][:7]:
        new["PushCount"] = (old["PushCount"] or 0) + 1


def _task(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    statuses = org.table("TaskStatus")
    closing = any(statuses.value(row, "IsClosed") for row in statuses.where("MasterLabel", new["Status"]))
    new["IsClosed"] = closing or (_STATED in given and bool(given.get("IsClosed")))
    new["IsHighPriority"] = new["Priority"] == "High"
    if new["IsClosed"] and new["CompletedDateTime"] is None:
        new["CompletedDateTime"] = new["LastModifiedDate"] if _STATED in given else org.now()
    _activity(org, new, old, given)


def _event(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    start = new["StartDateTime"] or new["ActivityDateTime"]
    if start is None and new["ActivityDate"]:
        start = midnight(dt.date.fromisoformat(new["ActivityDate"]), org.zone)
    if start is not None:
        new["StartDateTime"] = new["ActivityDateTime"] = start
        new["ActivityDate"] = given.get("ActivityDate") or instant(start).astimezone(org.zone).date().isoformat()
        if new["DurationInMinutes"] is None and new["EndDateTime"]:
            new["DurationInMinutes"] = int((instant(new["EndDateTime"]) - instant(start)).total_seconds() // 60)
        elif new["DurationInMinutes"] is not None:
            new["EndDateTime"] = stamp(instant(start) + dt.timedelta(minutes=new["DurationInMinutes"]))
    elif _STATED not in given:
        raise RowRefused("REQUIRED_FIELD_MISSING", "Required fields are missing: [DurationInMinutes, ActivityDateTime]")
    new["EventSubtype"] = new["EventSubtype"] or "Event"
    _activity(org, new, old, given)


def _activity(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    if old is None or old["WhatId"] != new["WhatId"] or old["WhoId"] != new["WhoId"]:
        new["AccountId"] = given.get("AccountId") or activity_account(org, new)


def _field_permission(org: Org, new: Record, old: Record | None, given: Mapping[str, Any]) -> None:
    del old, given
    sobject, _, name = str(new["Field"]).partition(".")
    table = org.tables.get(sobject.lower())
    field = table.field(name) if table is not None else None
    if field is None or new["SobjectType"] != sobject or not field.permissionable:
        message = f"Field Name: bad value for restricted picklist field: {new['Field']}"
        raise RowRefused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ["Field"])
    if new["PermissionsEdit"] and (field.derived or not new["PermissionsRead"]):
        raise RowRefused("FIELD_INTEGRITY_EXCEPTION", f"Edit on {new['Field']} depends on Read", ["PermissionsEdit"])


_DERIVED: dict[str, Callable[[Org, Record, Record | None, Mapping[str, Any]], None]] = {
    "User": _named,
    "Contact": _named,
    "Opportunity": _opportunity,
    "Task": _task,
    "Event": _event,
    "FieldPermissions": _field_permission,
    "OpportunityLineItem": priced,
    **DERIVATIONS,
}


def derive_loaded(org: Org, table: Table, record: Record, given: Mapping[str, Any]) -> None:
    """The same for a record that is loaded as it is: what it states itself stands."""
    derive(org, table, record, None, {**given, _STATED: True})
    record.update(given)
