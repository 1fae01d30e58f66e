"""The org as it will be once the steps planned so far are done: what a later component is checked against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.field_history import tracked_fields
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.metadata.shapes import Problem
from connectors.sandbox.salesforce.objects.history import OF
from connectors.sandbox.salesforce.table import Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

LIMITS = {"Professional Edition": 100, "Enterprise Edition": 500, "Developer Edition": 500, "Unlimited Edition": 800}
"""Custom fields that an object may have, by edition. Not looked up in the vendor's documentation: a knob overrides."""


@dataclass(frozen=True)
class Step:
    """One component, checked: what doing it changes, and how. `warning`: there is nothing to do, and why."""

    kind: str
    name: str
    file: str
    apply: Callable[[], None]
    created: bool = False
    changed: bool = False
    deleted: bool = False
    warning: str | None = None


@dataclass
class Future:
    """None stands for what will be gone. Names of fields are looked up without regard to case."""

    org: Org
    fields: dict[tuple[str, str], Field | None] = field(default_factory=dict)
    layouts: dict[str, ET.Element] = field(default_factory=dict)
    list_views: dict[str, ET.Element | None] = field(default_factory=dict)
    buried: Counter[str] = field(default_factory=Counter)

    def table(self, sobject: str) -> Table:
        """An object that can be customized. Raises Problem."""
        table = self.org.tables.get(sobject.lower())
        if table is None or table.sobject.setup:
            raise Problem(f"Entity: {sobject} of type CustomObject does not exist or cannot be customized")
        return table

    def field(self, table: Table, name: str) -> Field | None:
        """A field of an object."""
        key = (table.name, name.lower())
        return self.fields[key] if key in self.fields else table.field(name)

    def put_field(self, table: Table, new: Field) -> None:
        """A field that will be there. Raises Problem where the object is full."""
        if self.field(table, new.name) is None:
            check_room(self.org, table, self.custom_fields(table) + self.buried[table.name])
        self.fields[table.name, new.name.lower()] = new

    def custom_fields(self, table: Table) -> int:
        """How many custom fields an object will have, those deleted before not counted."""
        names = {one.name.lower() for one in table.fields if one.custom}
        for (sobject, name), one in self.fields.items():
            if sobject == table.name:
                names = names | {name} if one is not None else names - {name}
        return len(names)

    def layout_names(self) -> set[str]:
        """The layouts of the org."""
        return {*self.org.metadata.layouts, *self.layouts}

    def layout(self, name: str) -> ET.Element | None:
        """A layout."""
        held = self.org.metadata.layouts.get(name)
        return self.layouts.get(name, held.xml if held else None)

    def list_view_names(self) -> set[str]:
        """The list views of the org, those that will be gone too."""
        return {*self.org.metadata.list_views, *self.list_views}

    def list_view(self, name: str) -> ET.Element | None:
        """A list view; None where there is none or it will be gone."""
        held = self.org.metadata.list_views.get(name)
        return self.list_views.get(name, held.xml if held else None)


def field_limit(org: Org) -> int:
    """Custom fields that an object of this org may have."""
    knobs = org.settings.metadata
    return LIMITS.get(knobs.edition, 500) if knobs.custom_fields_per_object is None else knobs.custom_fields_per_object


def check_room(org: Org, table: Table, there: int) -> None:
    """Raise Problem where an object has no room for one more custom field. The wording is not confirmed."""
    limit = field_limit(org)
    if there + org.metadata.counting(table.name, org.clock.now()) >= limit:
        raise Problem(f"You have reached the maximum number of custom fields for {table.name}: {limit}")


def check_tracking(future: Future, table: Table, new: Field) -> Field:
    """The field as it will be: not tracked where its object has no history. Raises Problem, in words that deploys were
    reported with."""
    if not new.track_history:
        return new
    if OF.get(table.name, "").lower() not in future.org.tables:
        if future.org.settings.metadata.untracked_object_refuses:
            raise Problem(f"The entity: {table.name} does not have history tracking enabled")
        return replace(new, track_history=False)
    names = set(tracked_fields(future.org, table))
    for (sobject, _), one in future.fields.items():
        if sobject == table.name and one is not None:
            names = names | {one.name} if one.track_history else names - {one.name}
    if len(names | {new.name}) > future.org.settings.metadata.tracked_fields_per_object:
        raise Problem("exceeded the allowed number of fields to track on a given entity")
    return new
