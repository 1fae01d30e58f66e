"""Describes: what a user may see of the objects and fields of an org."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.salesforce.fields import NUMBERS, SOAP_TYPES, TEXTS, Field
from connectors.sandbox.salesforce.table import Table, tables_at
from connectors.sandbox.salesforce.wire.call import Call, Json, Reply

_OF_EVERY_OBJECT: Json = {
    "activateable": False,
    "associateEntityType": None,
    "associateParentEntity": None,
    "custom": False,
    "customSetting": False,
    "deepCloneable": False,
    "deprecatedAndHidden": False,
    "feedEnabled": False,
    "hasSubtypes": False,
    "isInterface": False,
    "isSubtype": False,
    "queryable": True,
    "retrieveable": True,
}
_OF_EVERY_FIELD: Json = {
    "aiPredictionField": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "mask": None,
    "maskType": None,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}


def describe_global(call: Call) -> Reply:
    """All objects that the user may read."""
    known = tables_at(call.org.tables, call.version).values()
    tables = (t for t in known if call.access.may(t.sobject, "Read"))
    listed = [_summary(call, table) for table in sorted(tables, key=lambda t: t.name)]
    return Reply({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})


def basic_information(call: Call) -> Reply:
    """`sobjects/X`: the summary of an object, with recent items, of which there are none."""
    return Reply({"objectDescribe": _summary(call, call.table()), "recentItems": []})


def describe(call: Call) -> Reply:
    """One object, with the fields that the user may see."""
    table = call.table()
    fields = [_field(call, table, one) for one in table.fields if call.access.reads(table.sobject, one)]
    return Reply(
        {
            **_summary(call, table),
            "fields": fields,
            "childRelationships": _children(call, table),
            "recordTypeInfos": [_master_record_type(call, table)],
            "namedLayoutInfos": [],
            "supportedScopes": [{"label": f"All {table.sobject.plural.lower()}", "name": "everything"}],
            "actionOverrides": [],
            "compactLayoutable": not table.sobject.setup,
            "listviewable": None,
            "lookupLayoutable": None,
            "networkScopeFieldName": None,
            "sobjectDescribeOption": "FULL",
        }
    )


def _summary(call: Call, table: Table) -> Json:
    sobject, access = table.sobject, call.access
    here = f"{call.here}/sobjects/{table.name}"
    return {
        **_OF_EVERY_OBJECT,
        "createable": sobject.createable and access.may(sobject, "Create"),
        "deletable": sobject.deletable and access.may(sobject, "Delete"),
        "keyPrefix": sobject.prefix,
        "label": sobject.label,
        "labelPlural": sobject.plural,
        "layoutable": not sobject.setup,
        "mergeable": sobject.mergeable,
        "mruEnabled": not sobject.setup,
        "name": table.name,
        "replicateable": sobject.replicateable,
        "searchable": not sobject.setup,
        "triggerable": not sobject.setup,
        "undeletable": sobject.undeletable and sobject.deletable and table.field("IsDeleted") is not None,
        "updateable": sobject.updateable and access.may(sobject, "Edit"),
        "urls": {"sobject": here, "describe": f"{here}/describe", "rowTemplate": f"{here}/{{ID}}"},
    }


def _field(call: Call, table: Table, one: Field) -> Json:
    editable = call.access.writes(table.sobject, one)
    return {
        **_OF_EVERY_FIELD,
        **_nature(one),
        "compoundFieldName": one.compound if one.compound and table.field(one.compound) else None,
        "createable": one.createable and table.sobject.createable and editable,
        "updateable": one.updateable and table.sobject.updateable and editable,
    }


def _nature(one: Field) -> Json:
    """What is true of a field whoever looks."""
    return {
        "aggregatable": one.filterable and one.type != "boolean",
        "autoNumber": one.auto_number,
        "byteLength": one.length * 3 if one.type in TEXTS else one.length,
        "calculated": one.calculated,
        "caseSensitive": one.case_sensitive,
        "custom": one.custom,
        "defaultValue": one.default if one.type == "boolean" else None,
        "defaultedOnCreate": one.default is not None or one.name in {"OwnerId", "CurrencyIsoCode"} or one.derived,
        "digits": one.precision if one.type == "int" else 0,
        "externalId": one.external_id,
        "extraTypeInfo": _extra_type(one),
        "filterable": one.filterable,
        "groupable": one.filterable and one.type not in NUMBERS - {"int"} and one.type != "datetime",
        "idLookup": one.type == "id" or one.external_id or one.name in {"Name", "Email", "Username"},
        "inlineHelpText": one.help,
        "label": one.label,
        "length": one.length,
        "name": one.name,
        "nameField": one.name_field,
        "nillable": one.nillable,
        "permissionable": one.permissionable,
        "picklistValues": _picklist(one),
        "precision": one.precision if one.type in NUMBERS - {"int"} else 0,
        "restrictedPicklist": one.restricted,
        "scale": one.scale,
        "soapType": SOAP_TYPES.get(one.type, "xsd:string"),
        "sortable": one.sortable,
        "type": one.type,
        "unique": one.unique,
        **_reference(one),
    }


def _reference(one: Field) -> Json:
    return {
        "namePointing": len(one.refers_to) > 1,
        "polymorphicForeignKey": len(one.refers_to) > 1,
        "referenceTo": list(one.refers_to),
        "relationshipName": one.relationship,
        "searchPrefilterable": one.type == "reference",
    }


def _extra_type(one: Field) -> str | None:
    if one.type == "textarea":
        return "plaintextarea"
    return "personname" if one.name == "Name" and one.derived else None


def _picklist(one: Field) -> list[Json]:
    labels = dict(one.labels)
    return [
        {
            "active": True,
            "defaultValue": False,
            "label": labels.get(value, value),
            "validFor": None,
            "value": value,
        }
        for value in one.values
    ]


def _children(call: Call, table: Table) -> list[Json]:
    found: list[Json] = []
    for child, field, relationship, cascades in table.sobject.children:
        other = call.org.tables.get(child.lower())
        if other is not None and call.access.may(other.sobject, "Read"):
            row: dict[str, Any] = {"childSObject": other.name, "field": field, "relationshipName": relationship}
            empty: dict[str, Any] = {"junctionIdListNames": [], "junctionReferenceTo": []}
            rules = {"cascadeDelete": cascades, "deprecatedAndHidden": False, "restrictedDelete": False}
            found.append({**row, **rules, **empty})
    return found


def _master_record_type(call: Call, table: Table) -> Json:
    layout = f"{call.here}/sobjects/{table.name}/describe/layouts/012000000000000AAA"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": "012000000000000AAA",
        "urls": {"layout": layout},
    }
