"""Follows field paths over lookups, as far as the user may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.fields import Field, checkbox, email, phone, picklist, record_id, text
from connectors.sandbox.salesforce.objects import ELSEWHERE
from connectors.sandbox.salesforce.refusals import (
    no_such_column,
    no_such_object,
    no_such_relationship,
    unknown_to_sandbox,
)
from connectors.sandbox.salesforce.soql.syntax import Path, Select
from connectors.sandbox.salesforce.table import Row, Table

Getter = Callable[[Row], Any]
MAX_LEVELS = 5

# What a lookup to several objects offers: the pseudo-object Name.
NAME_FIELDS = {
    f.name.lower(): f
    for f in (
        record_id(),
        text("Name", "Name"),
        picklist("Type", "Type", ()),
        text("FirstName", "First Name"),
        text("LastName", "Last Name"),
        text("Title", "Title"),
        email("Email", "Email"),
        phone("Phone", "Phone"),
        text("Alias", "Alias"),
        text("Username", "Username"),
        checkbox("IsActive", "Active"),
    )
}


@dataclass(frozen=True)
class Column:
    """A resolved path: the field at its end, how to get it from a row, the object it belongs to."""

    field: Field
    get: Getter
    entity: str


@dataclass(frozen=True)
class Scope:
    """What a query may see: tables by lower-case name, one user's access, one statement."""

    tables: Mapping[str, Table]
    access: Access
    statement: Select

    def table(self) -> Table:
        """The object that is queried. Raises Refusal INVALID_TYPE."""
        name, at = self.statement.sobject, self.statement.sobject_at
        table = self.tables.get(name.lower())
        if table is None or not self.access.may(table.sobject, "Read"):
            if table is None and name.lower() in {one.lower() for one in ELSEWHERE}:
                raise unknown_to_sandbox(f"object {name}")
            raise no_such_object(self.statement.text, at, name)
        return table

    def visible(self, table: Table, name: str) -> Field | None:
        """A field of an object, if the user may see it."""
        field = table.field(name)
        return field if field is not None and self.access.reads(table.sobject, field) else None

    def column(self, table: Table, path: Path) -> Column:
        """The column at the end of a path. Raises Refusal INVALID_FIELD."""
        parts = path.parts
        if len(parts) > 1 and parts[0].lower() == table.name.lower():
            parts = parts[1:]  # SELECT Account.Name FROM Account means its own name.
        if len(parts) > MAX_LEVELS + 1:
            raise no_such_relationship(self.statement.text, path.at, path.text)
        return self._walk(table, parts, path)

    def _walk(self, table: Table, parts: tuple[str, ...], path: Path) -> Column:
        if len(parts) == 1:
            field = self.visible(table, parts[0])
            if field is None:
                raise no_such_column(self.statement.text, path.at, parts[0], table.name)
            return Column(field, table.getter(field.name), table.name)
        lookup = self.lookup(table, parts[0], path)
        place = table.position[lookup.name.lower()]
        if len(lookup.refers_to) > 1:
            return self._pointed(lookup, place, parts[1:], path)
        target = self.tables[lookup.refers_to[0].lower()]
        beyond = self._walk(target, parts[1:], path)
        rows, get = target.rows, beyond.get

        def follow(row: Row) -> Any:
            referred = rows.get(row[place])
            return None if referred is None else get(referred)

        return Column(beyond.field, follow, beyond.entity)

    def lookup(self, table: Table, name: str, path: Path) -> Field:
        """The lookup field of a relationship name, where user and sandbox know its target."""
        for field in table.fields:
            if field.relationship and field.relationship.lower() == name.lower() and self.visible(table, field.name):
                known = [self.tables[t.lower()] for t in field.refers_to if t.lower() in self.tables]
                if any(self.access.may(t.sobject, "Read") for t in known):
                    return field
        raise no_such_relationship(self.statement.text, path.at, name)

    def _pointed(self, lookup: Field, place: int, parts: tuple[str, ...], path: Path) -> Column:
        field = NAME_FIELDS.get(parts[0].lower())
        if field is None or len(parts) > 1:
            raise no_such_column(self.statement.text, path.at, parts[0], "Name")
        targets = [self.tables[t.lower()] for t in lookup.refers_to if t.lower() in self.tables]
        return Column(field, lambda row: named_value(targets, row[place], field.name), "Name")


def named_value(targets: list[Table], record_id: str | None, name: str) -> Any:
    """A value of the pseudo-object Name for a record of one of several objects."""
    for target in targets:
        row = target.rows.get(record_id) if record_id else None
        if row is not None:
            return target.name if name == "Type" else target.value(row, name)
    return None
