"""What `kam provision` makes in an org, as its setup shows it."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from connectors.contract import Part, Provisioned
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import (
    ADMIN_CLIENT_ID,
    ADMIN_CLIENT_SECRET,
)
from kammodel.publish.fields import FIELDS

NS = "{http://soap.sforce.com/2006/04/metadata}"
NAMES = tuple(f.salesforce_name for f in FIELDS)
ALPHA = salesforce_id("001", 1)
LIST_VIEW = "Account.KAM_Key_Accounts"
ADMIN: dict[str, Any] = {"admin_client_id": ADMIN_CLIENT_ID, "admin_client_secret": SecretStr(ADMIN_CLIENT_SECRET)}
LEFT_ALONE = Part("layout", "acmebill__Billing Layout", "left alone", "it belongs to the package acmebill")


def on_layout(there: Org, name: str) -> list[tuple[str | None, str | None]]:
    """Fields of ours on a layout, with who may edit them there."""
    items = there.metadata.layouts[name].xml.iter(f"{NS}layoutItems")
    rows = [(item.findtext(f"{NS}field"), item.findtext(f"{NS}behavior")) for item in items]
    return [row for row in rows if (row[0] or "").startswith("KAM_")]


def ours_in(there: Org) -> set[str]:
    """Everything of ours that an org has, by kind and name."""
    fields = {f"field {f.name}" for f in there.table("Account").fields if f.name.startswith("KAM_")}
    sets = {f"set {r['Name']}" for r in there.records("PermissionSet") if r["Name"].startswith("KAM_")}
    views = {f"view {name}" for name in there.metadata.list_views if "KAM_" in name}
    pages = {f"page {name}" for name in there.metadata.layouts if on_layout(there, name)}
    labels = {
        f"section {name}"
        for name, kept in there.metadata.layouts.items()
        if "KAM" in {node.text for node in kept.xml.iter(f"{NS}label")}
    }
    return fields | sets | views | pages | labels


def holders(there: Org) -> list[tuple[str, str]]:
    """Who holds which of our permission sets."""
    ours = {r["Id"]: r["Name"] for r in there.records("PermissionSet") if r["Name"].startswith("KAM_")}
    rows = there.records("PermissionSetAssignment")
    return [(ours[r["PermissionSetId"]], r["AssigneeId"]) for r in rows if r["PermissionSetId"] in ours]


def parts(done: Provisioned, kind: str) -> dict[str, str]:
    return {part.name: part.done for part in done.parts if part.kind == kind}
