"""Objects whose rows are worked out for each query: automation, limits, and what the caller may do.

https://developer.salesforce.com/docs/platform/field-reference/references/field-reference/ (ApexTrigger,
FlowDefinitionView), .../api_tooling/tooling_api_objects_validationrule.htm, ..._entitylimit.htm (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.sandbox.salesforce import fields as f
from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.field_history import tracked_fields
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.metadata.future import field_limit
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import error
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS
from connectors.sandbox.salesforce.table import Table

_STAMP = f.moment("SystemModstamp", "System Modstamp").required.fixed


def _entity(name: str, relationship: str) -> f.Field:
    """A lookup by DurableId, which is a text and no record id."""
    return f.text(name, name, refers_to=("EntityDefinition",), relationship=relationship)


_ENTITY = _entity("EntityDefinitionId", "EntityDefinition")
_SETUP = ("ViewSetup",)


def _sobject(name: str, prefix: str, *fields: f.Field, reads: tuple[str, ...] = _SETUP) -> f.SObject:
    return f.SObject(
        name=name,
        label=name,
        plural=name,
        prefix=prefix,
        setup=True,
        createable=False,
        updateable=False,
        deletable=False,
        replicateable=False,
        read_permissions=reads,
        fields=(*fields, _STAMP),
    )


# The key of a row comes first: here the DurableId, which for a standard object is its name.
ENTITY_DEFINITION = _sobject(
    "EntityDefinition",
    "4ie",
    f.text("DurableId", "Durable ID").required,
    f.text("QualifiedApiName", "Qualified API Name", 70),
    f.text("Label", "Label", 80),
    f.text("KeyPrefix", "Key Prefix", 3),
    reads=(),
)
VALIDATION_RULE = _sobject(
    "ValidationRule",
    "03d",
    f.record_id(),
    f.text("ValidationName", "Validation Name", 40),
    _ENTITY,
    f.checkbox("Active", "Active"),
    f.text("Description", "Description"),
    f.text("ErrorDisplayField", "Error Display Field"),
    f.text("ErrorMessage", "Error Message"),
    f.text("NamespacePrefix", "Namespace Prefix", 15),
)
_USAGES = ("BeforeInsert", "AfterInsert", "BeforeUpdate", "AfterUpdate", "BeforeDelete", "AfterDelete", "AfterUndelete")
APEX_TRIGGER = _sobject(
    "ApexTrigger",
    "01q",
    f.record_id(),
    f.text("Name", "Name", name_field=True),
    f.text("TableEnumOrId", "Custom Object Definition ID", 40),
    _ENTITY,
    f.text("Status", "Status", 40),
    f.text("NamespacePrefix", "Namespace Prefix", 15),
    *(f.checkbox(f"Usage{usage}", usage) for usage in _USAGES),
)
ENTITY_LIMIT = _sobject(
    "EntityLimit",
    "5bG",
    f.text("DurableId", "Durable ID").required,
    _ENTITY,
    f.text("Type", "Type"),
    f.text("Label", "Label"),
    f.integer("Max", "Max"),
    f.integer("Remaining", "Remaining"),
)
FLOW_DEFINITION_VIEW = _sobject(
    "FlowDefinitionView",
    "3dd",
    f.record_id(),
    f.text("DurableId", "Durable ID"),
    f.text("ApiName", "Flow API Name"),
    f.text("Label", "Flow Label"),
    f.text("ProcessType", "Process Type"),
    f.text("TriggerType", "Trigger"),
    f.text("RecordTriggerType", "Record Trigger Type"),
    _entity("TriggerObjectOrEventId", "TriggerObjectOrEvent"),
    f.text("TriggerObjectOrEventLabel", "Trigger Object or Event Label"),
    f.text("NamespacePrefix", "Namespace Prefix", 15),
    f.text("ActiveVersionId", "Active Flow Version API Name or ID"),
    f.checkbox("IsActive", "Active"),
)
FIELD_DEFINITION = _sobject(
    "FieldDefinition",
    "000",
    f.text("DurableId", "Durable ID").required,
    f.text("QualifiedApiName", "Qualified API Name", 70),
    f.text("Label", "Label", 80),
    _ENTITY,
    f.checkbox("IsFieldHistoryTracked", "Is Field History Tracked"),
    reads=(),
)
USER_PERMISSION_ACCESS = _sobject(
    "UserPermissionAccess",
    "000",
    f.record_id(),
    *(f.checkbox(f"Permissions{name}", name) for name in sorted(ALL_PERMISSIONS)),
    reads=(),
)

Rows = Callable[[Org, Access], Iterable[Mapping[str, Any]]]


def by_rest(org: Org, access: Access, soql: str) -> dict[str, Table]:
    """The worked-out objects that plain REST knows and a statement names."""
    return _worked_out(org, access, soql, _BY_REST)


def by_tooling(org: Org, access: Access, soql: str) -> dict[str, Table]:
    """The worked-out objects that Tooling knows and a statement names."""
    return _worked_out(org, access, soql, _BY_TOOLING)


def _worked_out(org: Org, access: Access, soql: str, known: Iterable[tuple[f.SObject, Rows]]) -> dict[str, Table]:
    asked, found = soql.lower(), dict[str, Table]()
    if "fielddefinition" in asked and not any(name in asked for name in ("entitydefinition", "durableid")):
        # The real one names the columns; its wording is not confirmed.
        raise error(400, "MALFORMED_QUERY", "FieldDefinition needs a filter on EntityDefinition or DurableId")
    for sobject, rows in known:
        if sobject.name.lower() in asked:
            found |= _table(org, access, sobject, rows)
    return found | _table(org, access, ENTITY_DEFINITION, _entities) if found else found


def _table(org: Org, access: Access, sobject: f.SObject, rows: Rows) -> dict[str, Table]:
    table = Table(sobject)
    key, now = sobject.fields[0].name, org.now()
    records = (
        {key: salesforce_id(sobject.prefix, place), "SystemModstamp": now, **row}
        for place, row in enumerate(rows(org, access), 1)
    )
    table.load(table.row_of(record) for record in records)
    return {sobject.name.lower(): table}


def _entities(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    for table in org.tables.values():
        if access.may(table.sobject, "Read"):
            names = {"DurableId": table.name, "QualifiedApiName": table.name, "Label": table.sobject.label}
            yield {**names, "KeyPrefix": table.sobject.prefix}


def _validation_rules(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    del access
    for rule in org.settings.validation_rules:
        yield {
            "ValidationName": rule.name,
            "EntityDefinitionId": rule.sobject,
            "Active": rule.active,
            "ErrorDisplayField": rule.field or "Top of Page",
            "ErrorMessage": rule.message,
        }


def _apex_triggers(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    del access
    for one in org.settings.metadata.apex_triggers:
        yield {
            **{f"Usage{usage}": False for usage in _USAGES},
            "Name": one.name,
            "TableEnumOrId": one.sobject,
            "EntityDefinitionId": one.sobject,
            "Status": "Active" if one.is_active else "Inactive",
            "NamespacePrefix": one.namespace,
            "UsageBeforeUpdate": one.before_update,
            "UsageAfterUpdate": one.after_update,
        }


def _flows(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    del access
    for place, one in enumerate(org.settings.metadata.flows, 1):
        yield {
            "DurableId": salesforce_id("300", place),
            "ApiName": one.api_name,
            "Label": one.label,
            "ProcessType": "AutoLaunchedFlow",
            "TriggerType": one.trigger_type,
            "RecordTriggerType": one.record_trigger_type,
            "TriggerObjectOrEventId": one.sobject,
            "TriggerObjectOrEventLabel": one.sobject,
            "NamespacePrefix": one.namespace,
            "ActiveVersionId": salesforce_id("301", place) if one.is_active else None,
            "IsActive": one.is_active,
        }


def _limits(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    del access
    most = field_limit(org)
    for table in org.tables.values():
        if not table.sobject.setup:
            used = sum(one.custom for one in table.fields) + org.metadata.counting(table.name, org.clock.now())
            yield {
                "DurableId": f"{table.name}.CustomFields",
                "EntityDefinitionId": table.name,
                "Type": "CustomFields",
                "Label": "Custom Fields",
                "Max": most,
                "Remaining": max(0, most - used),
            }


def _own_permissions(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    del org
    yield {f"Permissions{name}": name in access.permissions for name in ALL_PERMISSIONS}


def _field_definitions(org: Org, access: Access) -> Iterable[Mapping[str, Any]]:
    for table in org.tables.values():
        tracked = tracked_fields(org, table)
        for one in table.fields:
            if access.may(table.sobject, "Read") and access.reads(table.sobject, one):
                yield {
                    "DurableId": f"{table.name}.{one.name}",
                    "QualifiedApiName": one.name,
                    "Label": one.label,
                    "EntityDefinitionId": table.name,
                    "IsFieldHistoryTracked": one.name in tracked,
                }


_BY_REST = (
    (FLOW_DEFINITION_VIEW, _flows),
    (USER_PERMISSION_ACCESS, _own_permissions),
    (FIELD_DEFINITION, _field_definitions),
)
_BY_TOOLING = (
    (VALIDATION_RULE, _validation_rules),
    (APEX_TRIGGER, _apex_triggers),
    (ENTITY_LIMIT, _limits),
    (FIELD_DEFINITION, _field_definitions),
    (FLOW_DEFINITION_VIEW, _flows),
)
