"""Page layouts: listed and read over SOAP by a third-party client, replaced whole by a deploy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from simple_salesforce import Salesforce

from connectors.sandbox.salesforce.metadata.new_org import ACCOUNT_LAYOUT, PARTNER_LAYOUT
from connectors.sandbox.salesforce.settings import NIGHTLY_PERMISSIONS
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_package import NS, TIER, account, deployed, outcomes, problems, zipped
from tests.contract.salesforce_small_org import Desk, open_desk, small_org

SECTION = (
    "<layoutSections><customLabel>true</customLabel><detailHeading>true</detailHeading><editHeading>true</editHeading>"
    "<label>KAM</label><layoutColumns><layoutItems><behavior>Readonly</behavior><field>KAM_Tier__c</field>"
    "</layoutItems></layoutColumns><layoutColumns/><style>TwoColumnsLeftToRight</style></layoutSections>"
)
NAME = (
    "<layoutSections><label>Information</label><layoutColumns><layoutItems><behavior>Required</behavior>"
    "<field>Name</field></layoutItems></layoutColumns><style>OneColumn</style></layoutSections>"
)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


@pytest.fixture(scope="module")
def client(desk: Desk) -> Iterator[Salesforce]:
    """Its Metadata client has a transport of its own, hence the address; signed in to the org of this module."""
    desk.show(small_org())
    with signed_in(desk.url) as sf:
        sf.metadata_url = f"{desk.url}/services/Soap/m/59.0/"
        yield sf


def with_layout(inner: str, name: str = ACCOUNT_LAYOUT, file: str | None = None) -> bytes:
    layout = f"<Layout {NS}>{inner}</Layout>"
    files = account(TIER) | {f"layouts/{file or name}.layout": layout}
    return zipped(files, {"CustomField": ["Account.KAM_Tier__c"], "Layout": [file or name]})


def test_a_client_lists_and_reads_layouts(desk: Desk, client: Salesforce) -> None:
    """Special characters of a name are encoded; a managed layout says so; what does not exist is nil."""
    mdapi = client.mdapi
    listed = {one.fullName: one for one in mdapi.list_metadata([{"type": "Layout"}])}
    assert [(name, one.namespacePrefix, one.manageableState) for name, one in listed.items()] == [
        ("Account-Account Layout", None, "unmanaged"),
        ("Account-Partner %28EMEA%29 Layout", None, "unmanaged"),
        ("Account-acmebill__Billing Layout", "acmebill", "installed"),
    ]
    first, second, none = mdapi.Layout.read([*list(listed)[:2], "Account-Partner (EMEA) Layout"])
    names = [one.fullName for one in (first, second, none)]
    assert names == ["Account-Account Layout", "Account-Partner %28EMEA%29 Layout", None]
    assert [(section.label, section.style) for section in first.layoutSections] == [
        ("Account Information", "TwoColumnsTopToBottom"),
        ("Address Information", "TwoColumnsTopToBottom"),
        ("System Information", "TwoColumnsTopToBottom"),
        ("Description Information", "OneColumn"),
        ("Custom Links", "CustomLinks"),
    ]
    item = first.layoutSections[0].layoutColumns[0].layoutItems[1]
    assert (item.field, item.behavior) == ("Name", "Required")
    assert [one.relatedList for one in first.relatedLists][:2] == ["RelatedContactList", "RelatedOpportunityList"]
    actions = [one.quickActionName for one in first.quickActionList.quickActionListItems]
    assert (actions, first.summaryLayout.sizeX, first.excludeButtons) == (
        ["NewTask", "LogACall"],
        4,
        ["Submit", "Share"],
    )


def test_a_client_lists_what_was_deployed(desk: Desk, client: Salesforce) -> None:
    """Fields, list views and permission sets, up to three types at once; a field is read though nobody may see it."""
    deployed(desk, with_layout(NAME + SECTION))
    mdapi = client.mdapi
    queries = [{"type": kind} for kind in ("CustomField", "ListView", "PermissionSet")]
    names = [(one.type, one.fullName, one.fileName) for one in mdapi.list_metadata(queries)]
    assert ("CustomField", "Account.KAM_Tier__c", "objects/Account.object") in names
    field = mdapi.CustomField.read(["Account.KAM_Tier__c"])
    values = [(one.fullName, one.label) for one in field.valueSet.valueSetDefinition.value]
    assert (field.type, field.valueSet.restricted, values) == (
        "Picklist",
        True,
        [("key", "Key"), ("growth", "Growth")],
    )
    with pytest.raises(Exception, match="record limit reached"):
        mdapi.Layout.read(["Account-Account Layout"] * 11)
    with pytest.raises(Exception, match="takes 1 to 3 queries"):
        mdapi.list_metadata([*queries, {"type": "Layout"}])


def soap(desk: Desk, body: str) -> Any:
    token = str(desk.session.headers["Authorization"]).removeprefix("Bearer ")
    envelope = (
        f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" {NS}><e:Header><SessionHeader>'
        f"<sessionId>{token}</sessionId></SessionHeader></e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    url = f"{desk.url}/services/Soap/m/66.0"
    return desk.session.post(url, data=envelope, headers={"Content-Type": "text/xml"}, timeout=30)


def read_layout(desk: Desk, name: str) -> str:
    """What readMetadata says of a layout, its own name left out, as the file of a package would have it."""
    answer = soap(desk, f"<readMetadata><type>Layout</type><fullNames>{name}</fullNames></readMetadata>")
    root = ET.fromstring(answer.content)  # noqa: S314 - the sandbox's own answer
    record = next(one for one in root.iter() if one.tag.endswith("}records"))
    record.remove(record[0])
    return "".join(ET.tostring(child, encoding="unicode") for child in record)


def test_what_is_read_is_deployed_unchanged(desk: Desk) -> None:
    """Both layouts of the org itself: the round trip says `changed: false`."""
    desk.show(small_org())
    for name, file in ((ACCOUNT_LAYOUT, ACCOUNT_LAYOUT), (PARTNER_LAYOUT, "Account-Partner %28EMEA%29 Layout")):
        result = deployed(desk, with_layout(read_layout(desk, file), name, file))
        assert (result["status"], outcomes(result)[file]) == ("Succeeded", (False, False, False))


def test_a_deploy_replaces_a_layout_whole(desk: Desk) -> None:
    """What the file does not hold is gone; a new name makes a new layout."""
    desk.show(small_org())
    result = deployed(desk, with_layout(NAME + SECTION))
    assert outcomes(result)[ACCOUNT_LAYOUT] == (False, True, False)
    now = read_layout(desk, ACCOUNT_LAYOUT)
    assert ("KAM_Tier__c" in now, "Industry" in now, "relatedLists" in now) == (True, False, False)
    assert outcomes(deployed(desk, with_layout(NAME, "Account-Own"))) == {
        "Account.KAM_Tier__c": (False, False, False),
        "Account-Own": (True, True, False),
    }


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        (NAME + SECTION.replace("KAM_Tier__c", "KAM_X__c"), "no CustomField named Account.KAM_X__c found"),
        (NAME + SECTION.replace("Readonly", "ReadOnly"), "'ReadOnly' is not a valid value for the enum 'UiBehavior'"),
        (NAME + SECTION.replace("KAM_Tier__c", "Name"), "Duplicate layout item: Name"),
        (NAME + SECTION.replace("Readonly", "Edit").replace("KAM_Tier__c", "CreatedById"), "must be Readonly"),
        (NAME + SECTION.replace("<behavior>Readonly</behavior>", ""), "Field:KAM_Tier__c needs a behavior"),
        (NAME + SECTION.replace("<field>", "<emptySpace>true</emptySpace><field>"), "holds one of"),
        (NAME + SECTION.replace("<label>KAM</label>", ""), "Required field is missing: label"),
        (NAME + SECTION.replace("TwoColumnsLeftToRight", "OneColumn"), "has at most 1 columns: 2"),
        (NAME + SECTION.replace("<style>TwoColumnsLeftToRight</style>", ""), "Required field is missing: style"),
        (NAME + SECTION.replace("layoutItems>", "items>"), "items invalid at this location in type LayoutColumn"),
        (SECTION, "Layout must contain an item for required layout field: Name"),
        (NAME.replace("Required", "Edit"), "Field:Name must be Required"),
        (
            f"{NAME}<relatedLists><relatedList>RelatedX</relatedList></relatedLists>",
            "Cannot find related list:RelatedX",
        ),
        (f"{NAME}<emailDefault>no</emailDefault>", "'no' is not a valid value for the type xsd:boolean"),
        (
            f"{NAME}<quickActionList><quickActionListItems><quickActionName>Fly</quickActionName>"
            "</quickActionListItems></quickActionList>",
            "no QuickActionDefinition named Fly found",
        ),
    ],
)
def test_a_bad_layout_says_what_is_wrong(desk: Desk, inner: str, problem: str) -> None:
    """With its file; the layout stays as it was."""
    org = desk.show(small_org())
    before = org.metadata.layouts[ACCOUNT_LAYOUT]
    result = deployed(desk, with_layout(inner))
    assert [problem in one for one in problems(result)] == [True]
    assert result["details"]["componentFailures"][0]["fileName"] == f"layouts/{ACCOUNT_LAYOUT}.layout"
    assert org.metadata.layouts[ACCOUNT_LAYOUT] == before


def test_a_managed_layout_cannot_be_changed(desk: Desk) -> None:
    """Not even into what it is already."""
    desk.show(small_org())
    name = "Account-acmebill__Billing Layout"
    (problem,) = problems(deployed(desk, with_layout(read_layout(desk, name), name)))
    assert problem.startswith("Cannot modify managed object: entity=PageLayout, component=00h")


def test_reading_metadata_needs_a_permission(desk: Desk) -> None:
    """As deploying does; and the sandbox names what it cannot read."""
    desk.show(small_org(permissions=NIGHTLY_PERMISSIONS))
    refused = soap(desk, "<listMetadata><queries><type>Layout</type></queries></listMetadata>")
    assert (refused.status_code, "INSUFFICIENT_ACCESS" in refused.text) == (500, True)
    desk.show(small_org())
    gap = soap(desk, "<readMetadata><type>Profile</type><fullNames>Admin</fullNames></readMetadata>")
    assert (gap.status_code, gap.json()[0]["message"]) == (500, "sandbox: unknown metadata type Profile")
