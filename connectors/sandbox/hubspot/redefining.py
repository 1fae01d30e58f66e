"""What an administrator does to a property that is in use: archives it, makes another in its stead, changes its type.

The internal name of a property cannot be changed: whoever wants another one makes a new property and archives the old
one, whose values wait for it to be restored. HubSpot's own properties stay as they are. What becomes of values that do
not fit a new type is not documented; here they stay, and no modified date moves.
https://knowledge.hubspot.com/properties/edit-properties and
https://knowledge.hubspot.com/properties/property-field-types-in-hubspot (read 2026-11-29)
"""

from __future__ import annotations

from dataclasses import replace

from connectors.sandbox.hubspot.definitions import FIELD_TYPES, Option, PropertyDefinition
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.portal import Portal


def archive_property(portal: Portal, kind: str, name: str) -> None:
    """It is in no list and on no record any more. Raises LookupError where there is no such property of the portal."""
    with portal.lock:
        _own(portal, portal.known(kind), name).archived_at = portal.now_ms()
        portal.changes += 1


def restore_property(portal: Portal, kind: str, name: str) -> None:
    """It is back, with its values. Raises LookupError where it is not archived."""
    with portal.lock:
        archived = portal.catalog.archived(portal.known(kind), name)
        if archived is None:
            raise LookupError(f"{kind} have no archived property {name}")
        archived.archived_at = None
        portal.changes += 1


def replace_property(portal: Portal, kind: str, name: str, new_name: str) -> None:
    """The nearest thing to a new name: another property, defined alike and empty, and the old one archived. Raises
    LookupError where there is no such property of the portal, ValueError where the name is taken."""
    with portal.lock:
        there = portal.known(kind)
        old, now = _own(portal, there, name), portal.now_ms()
        if portal.catalog.get(there, new_name) is not None:
            raise ValueError(f"{kind} have a property {new_name} already")
        portal.catalog.put(
            there, replace(old, name=new_name, options=list(old.options), created_at=now, updated_at=now)
        )
        archive_property(portal, kind, name)


def retype_property(
    portal: Portal, kind: str, name: str, type_: str, *, field_type: str, options: tuple[str, ...] = ()
) -> None:
    """Another type. Raises LookupError where there is no such property of the portal, ValueError for no such type."""
    if field_type not in FIELD_TYPES.get(type_, ()):
        raise ValueError(f"a property of type {type_} cannot have the field type {field_type}")
    with portal.lock:
        definition = _own(portal, portal.known(kind), name)
        definition.type, definition.field_type = type_, field_type
        definition.options = [Option(value, value, at) for at, value in enumerate(options)]
        definition.updated_at = portal.now_ms()
        portal.changes += 1


def _own(portal: Portal, kind: Kind, name: str) -> PropertyDefinition:
    definition = portal.catalog.get(kind, name)
    if definition is None or definition.hubspot_defined:
        raise LookupError(f"{kind.name} have no property {name} of the portal's own")
    return definition
