"""What a property is: its definition, its options, its group, and how HubSpot writes them as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.hubspot.instants import iso

PROPERTY_TYPES = ("bool", "date", "datetime", "enumeration", "number", "phone_number", "string")
FIELD_TYPES: dict[str, tuple[str, ...]] = {
    "bool": ("booleancheckbox", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "phone_number": ("phonenumber",),
    "string": ("text", "textarea", "file", "html", "phonenumber", "calculation_equation"),
}
NUMBER_DISPLAY_HINTS = ("currency", "duration", "formatted", "percentage", "probability", "unformatted")


@dataclass(slots=True)
class Option:
    """One choice of an enumeration."""

    value: str
    label: str
    display_order: int = -1
    hidden: bool = False
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it stands in `options`."""
        return {
            "label": self.label,
            "value": self.value,
            "description": self.description,
            "displayOrder": self.display_order,
            "hidden": self.hidden,
        }


@dataclass(slots=True)
class Group:
    """A property group."""

    name: str
    label: str
    display_order: int = -1
    archived: bool = False

    def as_json(self) -> dict[str, Any]:
        """As the groups endpoints answer it."""
        return {
            "name": self.name,
            "label": self.label,
            "displayOrder": self.display_order,
            "archived": self.archived,
        }


@dataclass(slots=True)
class PropertyDefinition:
    """A property of one kind of record. `calculated` values are computed when read and bump nothing."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    options: list[Option] = field(default_factory=list)
    description: str = ""
    display_order: int = -1
    calculated: bool = False
    external_options: bool = False
    unique: bool = False
    hidden: bool = False
    hubspot_defined: bool = True
    form_field: bool = False
    read_only_value: bool = False
    referenced_object_type: str | None = None
    calculation_formula: str | None = None
    show_currency_symbol: bool | None = None
    currency_property_name: str | None = None
    number_display_hint: str | None = None
    created_at: int = 0
    updated_at: int = 0
    archived_at: int | None = None
    usable_from: int = 0

    @property
    def many_valued(self) -> bool:
        """Whether values are `;`-joined options."""
        return self.type == "enumeration" and self.field_type == "checkbox"

    def as_json(self) -> dict[str, Any]:
        """As the properties endpoints answer it; optional keys only where they are set."""
        body: dict[str, Any] = {
            "updatedAt": iso(self.updated_at),
            "createdAt": iso(self.created_at),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [option.as_json() for option in self.options],
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "archived": self.archived_at is not None,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": self._modification(),
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
        }
        return body | {key: value for key, value in self._optional().items() if value is not None}

    def _modification(self) -> dict[str, bool]:
        return {
            "archivable": not self.hubspot_defined,
            "readOnlyDefinition": self.hubspot_defined,
            "readOnlyOptions": self.hubspot_defined,
            "readOnlyValue": self.read_only_value or self.calculated,
        }

    def _optional(self) -> dict[str, Any]:
        return {
            "referencedObjectType": self.referenced_object_type,
            "calculationFormula": self.calculation_formula,
            "showCurrencySymbol": self.show_currency_symbol,
            "currencyPropertyName": self.currency_property_name,
            "numberDisplayHint": self.number_display_hint,
            "archivedAt": None if self.archived_at is None else iso(self.archived_at),
        }
