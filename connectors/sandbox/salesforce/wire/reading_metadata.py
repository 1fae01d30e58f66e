"""listMetadata and readMetadata of SOAP: what components there are, and each of them whole.

Shapes after the vendor's WSDL, version 63 (read 2026-11-28); the wordings of the limits are not confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connectors.sandbox.salesforce.metadata.layout import full_name
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, tag_of
from connectors.sandbox.salesforce.metadata.rendering import field_xml
from connectors.sandbox.salesforce.metadata.rendering_sets import permission_set_xml
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import error, unknown_to_sandbox

_MOST_QUERIES, _MOST_NAMES = 3, 10


@dataclass(frozen=True)
class _Listed:
    """One line of a listing."""

    kind: str
    name: str
    file: str
    id: str
    created: str
    changed: str
    namespace: str | None = None


def list_metadata(org: Org, operation: ET.Element) -> str:
    """The results of listMetadata, as XML. Raises Refusal."""
    kinds = [one.findtext(NAMESPACE + "type") or "" for one in operation.findall(NAMESPACE + "queries")]
    if not 1 <= len(kinds) <= _MOST_QUERIES:
        raise error(400, "LIMIT_EXCEEDED", f"listMetadata takes 1 to {_MOST_QUERIES} queries: {len(kinds)}")
    return "".join(_file_properties(org, one) for kind in kinds for one in _lister(kind)(org))


def read_metadata(org: Org, operation: ET.Element) -> str:
    """The result of readMetadata, as XML: a nil record for a name that does not exist. Raises Refusal."""
    kind = (operation.findtext(NAMESPACE + "type") or "").strip()
    names = [(one.text or "").strip() for one in operation.findall(NAMESPACE + "fullNames")]
    if len(names) > _MOST_NAMES:
        why = f"record limit reached. cannot submit more than {_MOST_NAMES} records in this operation"
        raise error(400, "EXCEEDED_ID_LIMIT", why)
    _lister(kind)
    return f"<result>{''.join(_record(kind, name, _found(org, kind, name)) for name in names)}</result>"


def _found(org: Org, kind: str, name: str) -> ET.Element | None:
    held = org.metadata
    if kind == "Layout":
        return next((kept.xml for known, kept in held.layouts.items() if full_name(known) == name), None)
    if kind == "ListView":
        return held.list_views[name].xml if name in held.list_views else None
    if kind == "CustomField":
        sobject, _, field_name = name.partition(".")
        table = org.tables.get(sobject.lower())
        field = table.field(field_name) if table is not None else None
        return field_xml(field) if field is not None and field.custom else None
    if kind == "PermissionSet":
        return permission_set_xml(org, name)
    raise unknown_to_sandbox(f"readMetadata of {kind}")


def _record(kind: str, name: str, xml: ET.Element | None) -> str:
    if xml is None:
        return '<records xsi:nil="true"/>'
    inner = "".join(_text(child) for child in xml)
    return f'<records xsi:type="{kind}"><fullName>{escape(name)}</fullName>{inner}</records>'


def _text(xml: ET.Element) -> str:
    tag = tag_of(xml)
    inner = "".join(_text(child) for child in xml) if len(xml) else escape(xml.text or "")
    return f"<{tag}>{inner}</{tag}>" if inner else f"<{tag}/>"


def _file_properties(org: Org, one: _Listed) -> str:
    by = f"ById>{org.admin_user_id}</", "ByName>Admin</"
    parts = (
        "".join(f"<created{who}created{who.partition('>')[0]}>" for who in by),
        f"<createdDate>{one.created}</createdDate><fileName>{escape(one.file)}</fileName>",
        f"<fullName>{escape(one.name)}</fullName><id>{one.id}</id>",
        "".join(f"<lastModified{who}lastModified{who.partition('>')[0]}>" for who in by),
        f"<lastModifiedDate>{one.changed}</lastModifiedDate>",
        f"<manageableState>{'installed' if one.namespace else 'unmanaged'}</manageableState>",
        f"<namespacePrefix>{one.namespace}</namespacePrefix>" if one.namespace else "",
        f"<type>{one.kind}</type>",
    )
    return f"<result>{''.join(parts)}</result>"


def _layouts(org: Org) -> Iterator[_Listed]:
    for name, kept in sorted(org.metadata.layouts.items()):
        full = full_name(name)
        yield _Listed(
            "Layout", full, f"layouts/{full}.layout", kept.id, kept.created, kept.changed, namespace=kept.namespace
        )


def _list_views(org: Org) -> Iterator[_Listed]:
    for name, kept in sorted(org.metadata.list_views.items()):
        file = f"objects/{name.partition('.')[0]}.object"
        yield _Listed("ListView", name, file, kept.id, kept.created, kept.changed)


def _custom_fields(org: Org) -> Iterator[_Listed]:
    for table in org.tables.values():
        for one in table.fields:
            if one.custom:
                name, field_id = f"{table.name}.{one.name}", org.metadata.field_id(table.name, one.name)
                yield _Listed("CustomField", name, f"objects/{table.name}.object", field_id, org.now(), org.now())


def _permission_sets(org: Org) -> Iterator[_Listed]:
    sets = org.table("PermissionSet")
    for row in sets.where("IsOwnedByProfile", False):
        one = sets.record_of(row)
        file = f"permissionsets/{one['Name']}.permissionset"
        stamps = one["CreatedDate"], one["LastModifiedDate"]
        yield _Listed("PermissionSet", one["Name"], file, one["Id"], *stamps)


_LISTERS: dict[str, Callable[[Org], Iterator[_Listed]]] = {
    "CustomField": _custom_fields,
    "Layout": _layouts,
    "ListView": _list_views,
    "PermissionSet": _permission_sets,
}


def _lister(kind: str) -> Callable[[Org], Iterator[_Listed]]:
    if kind not in _LISTERS:
        raise unknown_to_sandbox(f"metadata type {kind}")
    return _LISTERS[kind]
