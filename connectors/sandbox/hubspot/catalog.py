"""The properties and property groups a portal has, kind by kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sandbox.hubspot.builtin import builtin_groups, builtin_properties
from connectors.sandbox.hubspot.definitions import Group, Option, PropertyDefinition
from connectors.sandbox.hubspot.kinds import KINDS, Kind


class Catalog:
    """Definitions by kind and name. Archived ones stay, so that creating their name restores them."""

    def __init__(self) -> None:
        self._definitions: dict[str, dict[str, PropertyDefinition]] = {}
        self._groups: dict[str, dict[str, Group]] = {}
        for kind in KINDS:
            self._definitions[kind.name] = {d.name: d for d in builtin_properties(kind)}
            self._groups[kind.name] = {g.name: g for g in builtin_groups(kind)}

    def get(self, kind: Kind, name: str) -> PropertyDefinition | None:
        """The definition of a property in use."""
        definition = self._definitions[kind.name].get(name)
        return definition if definition is not None and definition.archived_at is None else None

    def archived(self, kind: Kind, name: str) -> PropertyDefinition | None:
        """The definition of an archived property."""
        definition = self._definitions[kind.name].get(name)
        return definition if definition is not None and definition.archived_at is not None else None

    def all(self, kind: Kind, *, archived: bool = False) -> list[PropertyDefinition]:
        """Definitions in use, or archived, by name."""
        found = [d for d in self._definitions[kind.name].values() if (d.archived_at is not None) == archived]
        return sorted(found, key=lambda d: d.name)

    def custom(self, kind: Kind) -> int:
        """How many properties in use were made by the portal."""
        return sum(not definition.hubspot_defined for definition in self.all(kind))

    def readable(self, kind: Kind, names: Iterable[str]) -> list[str]:
        """The names that exist, once each: HubSpot leaves out unknown ones without a word."""
        return [name for name in dict.fromkeys(names) if self.get(kind, name) is not None]

    def put(self, kind: Kind, definition: PropertyDefinition) -> None:
        """Add or replace a definition."""
        self._definitions[kind.name][definition.name] = definition

    def remove(self, kind: Kind, name: str) -> None:
        """Take a property out for good: this portal's plan or set-up does not have it."""
        del self._definitions[kind.name][name]

    def group(self, kind: Kind, name: str) -> Group | None:
        """A group in use."""
        return self._groups[kind.name].get(name)

    def groups(self, kind: Kind) -> list[Group]:
        """All groups of a kind, by name."""
        return sorted(self._groups[kind.name].values(), key=lambda g: g.name)

    def put_group(self, kind: Kind, group: Group) -> None:
        """Add or replace a group."""
        self._groups[kind.name][group.name] = group

    def drop_group(self, kind: Kind, name: str) -> None:
        """Delete a group."""
        self._groups[kind.name].pop(name, None)

    def allow(self, kind: Kind, name: str, values: Mapping[str, str]) -> None:
        """Add options (value -> label) to an enumeration."""
        options = self._definitions[kind.name][name].options
        have = {option.value for option in options}
        for value, label in values.items():
            if value not in have:
                options.append(Option(value, label, len(options)))


def options_of(rows: Iterable[Mapping[str, Any]]) -> list[Option]:
    """Options out of a request body, checked before."""
    return [
        Option(
            value=str(row["value"]),
            label=str(row["label"]),
            display_order=int(row.get("displayOrder", -1)),
            hidden=bool(row.get("hidden", False)),
            description=str(row.get("description") or ""),
        )
        for row in rows
    ]
