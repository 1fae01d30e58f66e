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
_IN_OBJECTS = {"fields": "CustomField", "listViews": "ListView"}
_ROOTS = {"objects": "CustomObject", "permissionsets": "PermissionSet", "layouts": "Layout"}
_KINDS = frozenset({"CustomObject", "CustomField", "ListView", "PermissionSet", "Layout"})
# Before the components of the package; after them. The plain name means before.
_BEFORE, _AFTER = ("destructiveChangesPre.xml", "destructiveChanges.xml"), ("destructiveChangesPost.xml",)
# What an .object file may hold and the sandbox does not take: using one is a gap of ours and says so.
_ELSEWHERE = frozenset(
    {
        "actionOverrides", "businessProcesses", "compactLayoutAssignment", "compactLayouts", "deploymentStatus",
        "enableActivities", "enableReports", "enableSearch", "externalSharingModel", "fieldSets", "gender", "indexes",
        "nameField", "recordTypes", "recordTypeTrackHistory", "searchLayouts", "sharingReasons", "validationRules",
        "visibility", "webLinks",
    }
)  # fmt: skip
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
class Deletion:
    """One thing to delete, and the manifest that says so."""

    kind: str
    name: str
    file: str


@dataclass(frozen=True)
class Package:
    """The components that the manifest names, those that it names in vain, and what is to be deleted."""

    components: list[Component]
    missing: list[tuple[str, str]] = field(default_factory=list)
    unlisted: list[Component] = field(default_factory=list)
    before: list[Deletion] = field(default_factory=list)
    after: list[Deletion] = field(default_factory=list)

    @property
    def manifests(self) -> list[str]:
        """The files that list components."""
        return ["package.xml", *dict.fromkeys(one.file for one in (*self.before, *self.after))]


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
    listed = _listed(files.pop("package.xml"), "package.xml")
    before, after = (_deletions(files, names) for names in (_BEFORE, _AFTER))
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
        before,
        after,
    )


def _deletions(files: dict[str, bytes], names: tuple[str, ...]) -> list[Deletion]:
    there = [name for name in names if name in files]
    return [Deletion(kind, member, name) for name in there for kind, member in _listed(files.pop(name), name)]


def _listed(content: bytes, file: str) -> list[tuple[str, str]]:
    manifest = parse_xml(content, file)
    if manifest.tag != NAMESPACE + "Package":
        raise BadPackage(f"{file}: the root must be Package in the metadata namespace")
    if text_of(manifest, "version") is None and file == "package.xml":
        raise BadPackage(f"{file}: No version specified")
    listed = []
    for types in manifest.findall(NAMESPACE + "types"):
        kind = text_of(types, "name") or ""
        if kind not in _KINDS:
            raise unknown_to_sandbox(f"metadata type {kind} in {file}")
        for member in types.findall(NAMESPACE + "members"):
            if (member.text or "").strip() == "*":
                if file != "package.xml":
                    raise BadPackage(f"{file}: wildcards are not supported")
                raise unknown_to_sandbox(f"wildcard in {file}")
            listed.append((kind, unquote((member.text or "").strip())))
    return listed


def _components(file: str, content: bytes) -> list[Component]:
    folder, _, rest = file.partition("/")
    ending = _FOLDERS.get(folder)
    if ending is None or not rest.endswith(ending):
        raise unknown_to_sandbox(f"file in a package: {file}")
    name, root = unquote(rest.removesuffix(ending)), parse_xml(content, file)
    if root.tag != NAMESPACE + _ROOTS[folder]:
        raise BadPackage(f"{file}: the root must be {_ROOTS[folder]} in the metadata namespace")
    if folder != "objects":
        return [Component(_ROOTS[folder], name, file, root)]
    found: list[Component] = []
    seen: list[str] = []
    for child in root:
        tag = tag_of(child)
        kind = _IN_OBJECTS.get(tag)
        if kind is None and tag not in _OF_OBJECT:
            if tag in _ELSEWHERE:
                raise unknown_to_sandbox(f"element {tag} in {file}")
            raise BadPackage(f"{file}: Element {child.tag} invalid at this location in type CustomObject")
        if tag in seen[:-1] and tag != seen[-1]:
            raise BadPackage(f"{file}: Element {child.tag} is duplicated at this location in type CustomObject")
        seen.append(tag)
        if kind is not None:
            found.append(Component(kind, f"{name}.{text_of(child, 'fullName') or ''}", file, child))
    return found
