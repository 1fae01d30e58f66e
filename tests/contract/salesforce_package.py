"""Packages for the Metadata API, and deploying them to the sandbox."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from tests.contract.salesforce_small_org import Desk

Json = dict[str, Any]
NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
TIER = (
    "<fields><fullName>KAM_Tier__c</fullName><label>KAM Tier</label><type>Picklist</type><valueSet>"
    "<restricted>true</restricted><valueSetDefinition><sorted>false</sorted>"
    "<value><fullName>key</fullName><default>false</default><label>Key</label></value>"
    "<value><fullName>growth</fullName><default>false</default><label>Growth</label></value>"
    "</valueSetDefinition></valueSet></fields>"
)
SCORE = (
    "<fields><fullName>KAM_Score__c</fullName><label>KAM Score</label><type>Number</type>"
    "<precision>{}</precision><scale>1</scale></fields>"
)


def manifest(members: Mapping[str, Iterable[str]]) -> str:
    """A package.xml, or a list of things to delete."""
    types = "".join(
        f"<types>{''.join(f'<members>{name}</members>' for name in names)}<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return f"<Package {NS}>{types}<version>66.0</version></Package>"


def zipped(files: Mapping[str, str], members: Mapping[str, Iterable[str]] | None = None) -> bytes:
    """A zip of files, with the package.xml that lists the members."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in {**files, "package.xml": manifest(members or {})}.items():
            archive.writestr(name, text)
    return held.getvalue()


def account(inner: str) -> dict[str, str]:
    """The file that holds fields and list views of Account."""
    return {"objects/Account.object": f"<CustomObject {NS}>{inner}</CustomObject>"}


def permission_set(*fields: str, edit: str = "true") -> str:
    """The permission set KAM, which shows fields of Account."""
    entries = "".join(
        f"<fieldPermissions><editable>{edit}</editable><field>Account.{one}</field><readable>true</readable>"
        "</fieldPermissions>"
        for one in fields
    )
    return f"<PermissionSet {NS}><label>KAM</label>{entries}</PermissionSet>"


def package(fields: str, permissions: str | None, members: tuple[str, ...] = ("KAM_Tier__c", "KAM_Score__c")) -> bytes:
    """A zip with fields of Account and, if wanted, the permission set KAM."""
    files, listed = account(fields), {"CustomField": [f"Account.{one}" for one in members]}
    if permissions is not None:
        files["permissionsets/KAM.permissionset"] = permissions
        listed["PermissionSet"] = ["KAM"]
    return zipped(files, listed)


WHOLE = package(TIER + SCORE.format(5), permission_set("KAM_Tier__c", "KAM_Score__c"))


def started(desk: Desk, content: bytes, **options: Any) -> Any:
    """The answer to a deploy request."""
    asked = {"deployOptions": {"singlePackage": True, "rollbackOnError": True, **options}}
    parts: Any = {
        "json": (None, json.dumps(asked), "application/json"),
        "file": ("deploy.zip", content, "application/zip"),
    }
    return desk.call("POST", "metadata/deployRequest", files=parts)


def deployed(desk: Desk, content: bytes, **options: Any) -> Json:
    """The result of a deploy when it has ended."""
    path = f"metadata/deployRequest/{started(desk, content, **options).json()['id']}"
    for _ in range(10):
        result: Json = desk.get(path, includeDetails="true")["deployResult"]
        if result["done"]:
            return result
    raise AssertionError("the deploy did not end")


def problems(result: Json) -> list[str]:
    """What is wrong with its components."""
    return [one["problem"] for one in result["details"]["componentFailures"]]


def outcomes(result: Json) -> dict[str, tuple[bool, bool, bool]]:
    """Per component that went well: created, changed, deleted."""
    done = result["details"]["componentSuccesses"]
    return {one["fullName"]: (one["created"], one["changed"], one["deleted"]) for one in done if one["componentType"]}


def assign(desk: Desk) -> Any:
    """Give the permission set KAM to the integration user."""
    (held,) = desk.query("SELECT Id FROM PermissionSet WHERE Name = 'KAM'")
    (user,) = desk.query("SELECT Id FROM User WHERE Alias = 'kamint'")
    body = {"AssigneeId": user["Id"], "PermissionSetId": held["Id"]}
    return desk.call("POST", "sobjects/PermissionSetAssignment", json=body)
