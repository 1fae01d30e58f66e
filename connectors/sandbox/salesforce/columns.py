"""New columns of an object: custom fields, and those whose values are worked out when they are read.

The latter change without any stamp moving. Formula fields are so, and so is Contract.Status once a contract has run
out, though no describe says it of that one (https://github.com/estuary/connectors, commits of 2025-10; object
reference, system fields; both read 2026-11-28).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.objects.agreement import CONTRACT_CODES
from connectors.sandbox.salesforce.table import Formula, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

_RUNNING, _OVER = "Activated", "Expired"


def add_field(org: Org, table: Table, new: Field) -> None:
    """A new column, or a new definition of one; values that waited for it are filled in."""
    if table.field(new.name):
        table.replace_field(new)
    else:
        table.add_field(new)
        place = table.position[new.name.lower()]
        for record_id, value in org.waiting.pop((table.name, new.name), {}).items():
            table.rows[record_id][place] = value
    org.changes += 1


def add_formula(org: Org, table: Table, new: Field, formula: Formula) -> None:
    """A column that describe tells of as calculated, and that nobody writes."""
    add_field(org, table, replace(new.fixed, calculated=True, nillable=new.type != "boolean"))
    table.formulas[new.name.lower()] = formula


def let_contracts_expire(org: Org, contracts: Table) -> None:
    """An activated contract reads as expired from the day after its end, while the org's knob says so."""
    for name in ("Status", "StatusCode"):
        contracts.formulas[name.lower()] = _followed(org, name)


def _followed(org: Org, name: str) -> Formula:
    def value(record: Mapping[str, Any]) -> Any:
        if not org.settings.contracts_expire or CONTRACT_CODES.get(record["Status"]) != _RUNNING:
            return record[name]
        today = org.clock.now().astimezone(org.zone).date().isoformat()
        return _OVER if record["EndDate"] and record["EndDate"] < today else record[name]

    return value
