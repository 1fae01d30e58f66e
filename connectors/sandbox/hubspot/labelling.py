"""The labels that a portal defines for associations: create, change, delete.

https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associations-schema/guide (read 2026-11-28)
"""

from __future__ import annotations

from connectors.sandbox.hubspot.access import need_write
from connectors.sandbox.hubspot.asking import Ask, Reply
from connectors.sandbox.hubspot.association_types import USER_DEFINED, AssociationType
from connectors.sandbox.hubspot.linking import ends
from connectors.sandbox.hubspot.objects import plain_type
from connectors.sandbox.hubspot.refusals import invalid, not_found

_MOST = 10


def create_label(ask: Ask) -> Reply:
    """`POST /crm/v4/associations/{from}/{to}/labels`: answers with the type of each direction. Ten for two kinds."""
    source, target = ends(ask, need_write)
    plain_type(source, target)
    body = ask.body("label", "name", "inverseLabel")
    label, name = body.get("label"), body.get("name")
    if not isinstance(label, str) or not label or not isinstance(name, str) or not name:
        raise invalid("Some required fields were not set: label and name are needed")
    types = ask.portal.associations.types
    own = [type_ for type_ in types.between(source, target) if type_.category == USER_DEFINED]
    if len(own) >= _MOST or any(label == type_.label or name == type_.name for type_ in own):
        raise invalid(f"The label {label} cannot be made: it exists, or there are {_MOST} already")
    inverse = body.get("inverseLabel")
    made = types.define(source, target, label, inverse_label=None if inverse is None else str(inverse), name=name)
    ask.portal.changes += 1
    return Reply(200, {"results": types.bodies(tuple(dict.fromkeys((made.key, made.inverse))))})


def change_label(ask: Ask) -> Reply:
    """`PUT /crm/v4/associations/{from}/{to}/labels`: other words for a type; 204."""
    source, target = ends(ask, need_write)
    body = ask.body("associationTypeId", "label", "inverseLabel")
    type_ = ask.portal.associations.types.find(USER_DEFINED, body.get("associationTypeId"))
    label, inverse = body.get("label"), body.get("inverseLabel")
    if type_ is None or (type_.source, type_.target) != (source, target) or not isinstance(label, str) or not label:
        raise invalid("associationTypeId or label is not one of this pair of objects")
    ask.portal.associations.types.relabel(type_, label, None if inverse is None else str(inverse))
    return Reply(204)


def delete_label(ask: Ask) -> Reply:
    """`DELETE /crm/v4/associations/{from}/{to}/labels/{type_id}`: the links stay, without it."""
    source, target = ends(ask, need_write)
    type_ = _numbered(ask, ask.path["type_id"])
    if type_ is None or (type_.source, type_.target) != (source, target):
        raise not_found(ask.path["type_id"])
    ask.portal.associations.undefine(type_)
    ask.portal.changes += 1
    return Reply(204)


def _numbered(ask: Ask, number: str) -> AssociationType | None:
    known = int(number) if number.isascii() and number.isdigit() else None
    return ask.portal.associations.types.find(USER_DEFINED, known)
