"""Opens a package: the manifest, and each component's XML."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.refusals import unknown_to_sandbox

NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
_FOLDERS = {"objects": ".object", "permissionsets": ".permissionset", "layouts": ".layout"}
_IN_OBJECTS = {"fields": "CustomField", "listViews": "ListView", "compactLayouts": "CompactLayout"}
# What an .object file says about the object itself, which a deploy of fields leaves alone.
_OF_OBJECT = frozenset({"label", "pluralLabel", "enableHistory", "enableFeeds", "sharingModel", "description"})


class BadPackage(Exception):
    """The package cannot be read; nothing in it is looked at."""


@dataclass(frozen=True)
class Component:
    """One thing to deploy. `kind` is a metadata type, `name` its full name."""

    kind: str
    name: str
    file: str
    xml: ET.Element

    def text(self, tag: str) -> str | None:
        """The text of an element below; None where it is absent or empty."""
        return text_of(self.xml, tag)


@dataclass(frozen=True)
class Package:
    """The components that the manifest names, and those that it names in vain."""

    components: list[Component]
    missing: list[tuple[str, str]] = field(default_factory=list)
    unlisted: list[Component] = field(default_factory=list)


def text_of(xml: ET.Element, tag: str) -> str | None:
    """The text of a child element; None where it is absent or empty."""
    found = xml.findtext(NAMESPACE + tag)
    return found.strip() if found and found.strip() else None


def tag_of(xml: ET.Element) -> str:
    """The name of an element of the metadata namespace."""
    return xml.tag.removeprefix(NAMESPACE)


def parse_xml(body: bytes, file: str) -> ET.Element:
    """The root of an XML document without a DTD. Raises BadPackage."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadPackage(f"{file}: DOCTYPE is not allowed")
    try:
        return ET.fromstring(body)  # noqa: S314 - documents with a DTD, the risk that is meant, are refused above
    except ET.ParseError as problem:
        raise BadPackage(f"{file}: Error parsing file: {problem}") from problem


def opened(body: bytes) -> Package:
    """Read a zip with its package.xml at the root. Raises BadPackage; Refusal for what the sandbox does not know."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except zipfile.BadZipFile as problem:
        raise BadPackage("The zip file is not a valid zip") from problem
    with archive:
        files = {one: archive.read(one) for one in archive.namelist() if not one.endswith("/")}
    if "package.xml" not in files:
        raise BadPackage("No package.xml found")
    listed = _listed(parse_xml(files.pop("package.xml"), "package.xml"))
    found: list[Component] = []
    for file, content in files.items():
        found += _components(file, content)
    by_name = {(one.kind, one.name): one for one in found}
    whole = {name for kind, name in listed if kind == "CustomObject"}
    wanted = [key for key in listed if key[0] != "CustomObject"]
    wanted += [key for key in by_name if key[0] in _IN_OBJECTS.values() and key[1].split(".")[0] in whole]
    wanted = list(dict.fromkeys(wanted))
    return Package(
        [by_name[key] for key in wanted if key in by_name],
        [key for key in wanted if key not in by_name],
        [one for key, one in by_name.items() if key not in wanted and key[0] not in _IN_OBJECTS.values()],
    )


def _listed(manifest: ET.Element) -> list[tuple[str, str]]:
    if manifest.tag != NAMESPACE + "Package":
        raise BadPackage("package.xml: the root must be Package in the metadata namespace")
    if text_of(manifest, "version") is None:
        raise BadPackage("package.xml: No version specified")
    listed = []
    for types in manifest.findall(NAMESPACE + "types"):
        kind = text_of(types, "name") or ""
        if kind not in {"CustomObject", "CustomField", "ListView", "CompactLayout", "PermissionSet", "Layout"}:
            raise unknown_to_sandbox(f"metadata type {kind}")
        for member in types.findall(NAMESPACE + "members"):
            if (member.text or "").strip() == "*":
                raise unknown_to_sandbox("wildcard in package.xml")
            listed.append((kind, unquote((member.text or "").strip())))
    return listed


def _components(file: str, content: bytes) -> list[Component]:
    folder, _, rest = file.partition("/")
    ending = _FOLDERS.get(folder)
    if ending is None or not rest.endswith(ending):
        raise unknown_to_sandbox(f"file in a package: {file}")
    name, root = unquote(rest.removesuffix(ending)), parse_xml(content, file)
    if folder == "permissionsets":
        return [Component("PermissionSet", name, file, root)]
    if folder == "layouts":
        return [Component("Layout", name, file, root)]
    found = []
    for child in root:
        kind = _IN_OBJECTS.get(tag_of(child))
        if kind is None and tag_of(child) not in _OF_OBJECT:
            raise unknown_to_sandbox(f"element {tag_of(child)} in {file}")
        if kind is not None:
            found.append(Component(kind, f"{name}.{text_of(child, 'fullName') or ''}", file, child))
    return found
