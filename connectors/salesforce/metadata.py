"""Our fields as Metadata API files: one package with the fields and two permission sets, ready to deploy.

Shapes after https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm and
.../meta_permissionset.htm (read 2026-11-23). Texts go through an XML writer, never through string pasting.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kammodel.publish.fields import CustomField, Words

INTEGRATION, READER = "KAM_Integration", "KAM_Reader"
"""The two permission sets: for the user that kam signs in as, and for people."""
_NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
_KIND = "Account"
_TYPES = {"picklist": "Picklist", "number": "Number", "percent": "Percent", "text": "Text", "date": "Date"}
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
_LONGEST_HELP = 510
"""Characters of an inline help text."""
_STAMP = (2026, 1, 1, 0, 0, 0)
"""Of the files in the archive: equal contents give equal archives."""


def package_files(fields: Sequence[CustomField], language: str, version: str) -> dict[str, bytes]:
    """Path to content of every file of the package, in Metadata API format."""
    return {
        "package.xml": _manifest(fields, version),
        f"objects/{_KIND}.object": _object(fields, language),
        **{f"permissionsets/{name}.permissionset": _permissions(name, fields, language) for name in _LABELS},
    }


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files as the archive that a deployment takes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _manifest(fields: Sequence[CustomField], version: str) -> bytes:
    root = Element("Package", xmlns=_NAMESPACE)
    members = {"CustomField": [f"{_KIND}.{f.salesforce_name}" for f in fields], "PermissionSet": list(_LABELS)}
    for kind, names in members.items():
        types = SubElement(root, "types")
        for name in names:
            _say(types, "members", name)
        _say(types, "name", kind)
    _say(root, "version", version)
    return _written(root)


def _object(fields: Sequence[CustomField], language: str) -> bytes:
    root = Element("CustomObject", xmlns=_NAMESPACE)
    for field in fields:
        _field(SubElement(root, "fields"), field, language)
    return _written(root)


def _field(node: Element, field: CustomField, language: str) -> None:
    _say(node, "fullName", field.salesforce_name)
    _say(node, "inlineHelpText", field.help.in_(language)[:_LONGEST_HELP])
    _say(node, "label", field.label.in_(language))
    if field.kind == "text":
        _say(node, "length", str(field.length))
    if field.kind in {"number", "percent"}:
        _say(node, "precision", str(field.precision))
    # Never required: a required field takes no permission, and would stop people from saving an account.
    _say(node, "required", "false")
    if field.kind in {"number", "percent"}:
        _say(node, "scale", str(field.scale))
    _say(node, "type", _TYPES[field.kind])
    if field.options:
        _values(SubElement(node, "valueSet"), field, language)


def _values(node: Element, field: CustomField, language: str) -> None:
    _say(node, "restricted", "true")
    definition = SubElement(node, "valueSetDefinition")
    _say(definition, "sorted", "false")
    for value, words in field.options:
        option = SubElement(definition, "value")
        _say(option, "fullName", value)
        _say(option, "default", "false")
        _say(option, "label", words.in_(language))


def _permissions(name: str, fields: Sequence[CustomField], language: str) -> bytes:
    root = Element("PermissionSet", xmlns=_NAMESPACE)
    _say(root, "description", _DESCRIPTIONS[name].in_(language))
    for field in fields:
        editable = field.ours if name == INTEGRATION else not field.ours
        permission = SubElement(root, "fieldPermissions")
        _say(permission, "editable", "true" if editable else "false")
        _say(permission, "field", f"{_KIND}.{field.salesforce_name}")
        _say(permission, "readable", "true")
    _say(root, "hasActivationRequired", "false")
    _say(root, "label", _LABELS[name].in_(language))
    return _written(root)


def _say(node: Element, name: str, text: str) -> None:
    SubElement(node, name).text = text


def _written(root: Element) -> bytes:
    indent(root, "    ")
    content: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return content + b"\n"
