"""Our two permission sets as Metadata API components: field-level security for the nightly user, and for people.

Shapes after https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_permissionset.htm (read
2026-11-28). Whether a deployment replaces a set or adds to it has changed between versions: a set that is there is
deployed with all that it holds, which comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from connectors.salesforce.provisioning.components import SET, Component
from connectors.salesforce.provisioning.custom_fields import full_name
from connectors.salesforce.provisioning.markup import Element, children, join, made, say, state, told
from kammodel.publish.fields import CustomField, Words

INTEGRATION, READER = "KAM_Integration", "KAM_Reader"
"""For the user that kam signs in as, and for people."""
_LABELS = {
    INTEGRATION: Words("KAM integration", "Integración KAM"),
    READER: Words("KAM reader", "Lector KAM"),
}
_DESCRIPTIONS = {
    INTEGRATION: Words(
        "For the user that kam signs in as: writes the KAM fields, reads those that people fill in.",
        "Para el usuario con el que kam entra: escribe los campos KAM y lee los que rellenan las personas.",
    ),
    READER: Words(
        "For people: reads the KAM fields, fills in tier override and strategic value.",
        "Para las personas: lee los campos KAM y rellena el nivel manual y el valor estratégico.",
    ),
}


def set_component(name: str, fields: Sequence[CustomField], language: str, there: Element | None = None) -> Component:
    """The set as it shall be; what an admin added to it stays."""
    node = made("PermissionSet") if there is None else deepcopy(there)
    state(node, "description", _DESCRIPTIONS[name].in_(language))
    _join_fields(node, name, fields)
    if there is None:
        say(node, "hasActivationRequired", "false")
    state(node, "label", _LABELS[name].in_(language))
    return Component(SET, name, node)


def _join_fields(node: Element, name: str, fields: Sequence[CustomField]) -> None:
    granted = {told(entry, "field"): entry for entry in children(node, "fieldPermissions")}
    for field in fields:
        entry = granted.get(full_name(field))
        if entry is None:
            entry = made("fieldPermissions")
            join(node, entry)
        editable = field.ours if name == INTEGRATION else not field.ours
        state(entry, "editable", "true" if editable else "false")
        state(entry, "field", full_name(field))
        state(entry, "readable", "true")
