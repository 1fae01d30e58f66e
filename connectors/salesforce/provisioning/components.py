"""A package to deploy: components, and those to delete, as the files of an archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.salesforce.provisioning.markup import Element, made, say, written

KIND = "Account"
FIELD, LIST_VIEW, SET, LAYOUT = "CustomField", "ListView", "PermissionSet", "Layout"
_FOLDERS = {SET: ("permissionsets", "permissionset"), LAYOUT: ("layouts", "layout")}
_STAMP = (2026, 1, 1, 0, 0, 0)
"""Of the files in the archive: equal contents give equal archives."""


@dataclass(frozen=True)
class Component:
    """A kind of metadata, a full name in the spelling of the Metadata API, and the XML of it."""

    kind: str
    name: str
    xml: Element


def package_files(
    components: Iterable[Component], version: str, doomed: Iterable[tuple[str, str]] = ()
) -> dict[str, bytes]:
    """Path to content of every file. `doomed`: kind and name of what is deleted after the rest was deployed."""
    listed, condemned = list(components), list(doomed)
    files = {"package.xml": _manifest([(c.kind, c.name) for c in listed], version)}
    parts = [c for c in listed if c.kind not in _FOLDERS]
    if parts:
        root = made("CustomObject")
        # Fields before the list view that shows them: elements of one name have to stand together.
        root.extend(c.xml for c in sorted(parts, key=lambda c: c.kind))
        files[f"objects/{KIND}.object"] = written(root)
    for one in listed:
        if one.kind in _FOLDERS:
            folder, ending = _FOLDERS[one.kind]
            # A layout's own texts may hold blanks that count.
            files[f"{folder}/{one.name}.{ending}"] = written(one.xml, laid_out=one.kind != LAYOUT)
    if condemned:
        files["destructiveChangesPost.xml"] = _manifest(condemned, None)
    return files


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files as the archive that a deployment takes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _manifest(members: Iterable[tuple[str, str]], version: str | None) -> bytes:
    root = made("Package")
    by_kind: dict[str, list[str]] = {}
    for kind, name in members:
        by_kind.setdefault(kind, []).append(name)
    for kind, names in by_kind.items():
        types = made("types")
        root.append(types)
        for name in names:
            say(types, "members", name)
        say(types, "name", kind)
    if version is not None:
        say(root, "version", version)
    return written(root)
