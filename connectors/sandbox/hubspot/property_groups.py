"""Property groups: list, get, create, change, delete."""

from __future__ import annotations

from connectors.sandbox.hubspot.access import need, need_definitions
from connectors.sandbox.hubspot.asking import Ask, Reply
from connectors.sandbox.hubspot.definitions import Group
from connectors.sandbox.hubspot.refusals import Refusal, error_body, invalid, not_found


def list_groups(ask: Ask) -> Reply:
    """`GET /crm/v3/properties/{kind}/groups`."""
    kind = ask.kind()
    need_definitions(ask.portal, kind)
    return Reply(200, {"results": [group.as_json() for group in ask.portal.catalog.groups(kind)]})


def get_group(ask: Ask) -> Reply:
    """`GET /crm/v3/properties/{kind}/groups/{name}`."""
    kind = ask.kind()
    need_definitions(ask.portal, kind)
    return Reply(200, _existing(ask).as_json())


def create_group(ask: Ask) -> Reply:
    """`POST /crm/v3/properties/{kind}/groups`: 409 where the name is taken."""
    kind = ask.kind()
    need(ask.portal, *kind.schema_scopes)
    body = ask.body("name", "label", "displayOrder")
    name, label = body.get("name"), body.get("label")
    if not isinstance(name, str) or not name or not isinstance(label, str) or not label:
        raise invalid("Some required fields were not set: name and label are needed")
    if ask.portal.catalog.group(kind, name) is not None:
        raise Refusal(409, error_body(f"A property group named '{name}' already exists.", "OBJECT_ALREADY_EXISTS"))
    group = Group(name, label, int(body.get("displayOrder", -1)))
    ask.portal.catalog.put_group(kind, group)
    return Reply(201, group.as_json())


def change_group(ask: Ask) -> Reply:
    """`PATCH /crm/v3/properties/{kind}/groups/{name}`."""
    need(ask.portal, *ask.kind().schema_scopes)
    group = _existing(ask)
    body = ask.body("label", "displayOrder")
    group.label = str(body.get("label", group.label))
    group.display_order = int(body.get("displayOrder", group.display_order))
    return Reply(200, group.as_json())


def delete_group(ask: Ask) -> Reply:
    """`DELETE /crm/v3/properties/{kind}/groups/{name}`: refused while properties in use are in it."""
    kind = ask.kind()
    need(ask.portal, *kind.schema_scopes)
    group = _existing(ask)
    if any(definition.group == group.name for definition in ask.portal.catalog.all(kind)):
        raise invalid(
            f"The group {group.name} has active properties",
            subCategory="PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
        )
    ask.portal.catalog.drop_group(kind, group.name)
    return Reply(204)


def _existing(ask: Ask) -> Group:
    group = ask.portal.catalog.group(ask.kind(), ask.path["name"])
    if group is None:
        raise not_found(ask.path["name"])
    return group
