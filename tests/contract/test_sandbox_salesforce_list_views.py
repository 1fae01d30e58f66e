"""List views that are deployed with the fields they show: kept, compared, and refused with file and problem."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.salesforce_package import SCORE, TIER, account, deployed, outcomes, problems, zipped
from tests.contract.salesforce_small_org import Desk, open_desk, small_org

VIEW = (
    "<listViews><fullName>KAM_Key</fullName><booleanFilter>1 AND (2 OR NOT 1)</booleanFilter>"
    "<columns>ACCOUNT.NAME</columns><columns>KAM_Tier__c</columns><columns>CORE.USERS.ALIAS</columns>"
    "<filterScope>Everything</filterScope>"
    "<filters><field>KAM_Tier__c</field><operation>equals</operation><value>key,growth</value></filters>"
    "<filters><field>ACCOUNT.EMPLOYEES</field><operation>greaterThan</operation><value>50</value></filters>"
    "<label>Key accounts</label></listViews>"
)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def with_view(view: str) -> bytes:
    return zipped(
        account(TIER + view),
        {"CustomField": ["Account.KAM_Tier__c"], "ListView": ["Account.KAM_Key"]},
    )


def test_a_list_view_is_kept(desk: Desk) -> None:
    """Created, then unchanged whatever the order of its parts, then changed."""
    desk.show(small_org())
    assert outcomes(deployed(desk, with_view(VIEW)))["Account.KAM_Key"] == (True, True, False)
    label = "<label>Key accounts</label>"
    moved = VIEW.replace(label, "").replace("</fullName><boo", f"</fullName>{label}<boo")
    assert outcomes(deployed(desk, with_view(moved)))["Account.KAM_Key"] == (False, False, False)
    renamed = with_view(VIEW.replace(label, "<label>Cuentas clave</label>"))
    assert outcomes(deployed(desk, renamed))["Account.KAM_Key"] == (False, True, False)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<columns>ACCOUNT.NAME", "<columns>Name", "Could not resolve list view column: Name"),
        ("<columns>KAM_Tier__c", "<columns>KAM_Nothing__c", "Could not resolve list view column: KAM_Nothing__c"),
        ("<columns>CORE.USERS.ALIAS", "<columns>ACCOUNT.NAME", "Duplicate list view column: ACCOUNT.NAME"),
        ("key,growth", "key,gold", "Picklist value: gold in picklist: KAM_Tier__c not found"),
        (">equals<", ">is<", "'is' is not a valid value for the enum 'FilterOperation'"),
        (">equals<", ">includes<", "Operation includes is not valid for field KAM_Tier__c"),
        (">50<", ">many<", "Filter value many is not a number for field ACCOUNT.EMPLOYEES"),
        ("Everything", "All", "'All' is not a valid value for the enum 'FilterScope'"),
        ("<filterScope>Everything</filterScope>", "", "Required field is missing: filterScope"),
        ("1 AND (2 OR NOT 1)", "1 AND 3", "Invalid filter logic: 1 AND 3"),
        ("1 AND (2 OR NOT 1)", "1 AND", "Invalid filter logic: 1 AND"),
        ("1 AND (2 OR NOT 1)", "1", "Invalid filter logic: 1"),
        ("<label>Key", "<name>x</name><label>Key", "name invalid at this location in type ListView"),
        ("</filters><label>", "</filters><columns>SALES</columns><label>", "columns is duplicated at this location"),
    ],
)
def test_a_bad_list_view_says_what_is_wrong(desk: Desk, old: str, new: str, problem: str) -> None:
    """With the file that it is in; nothing of the package stays."""
    org = desk.show(small_org())
    result = deployed(desk, with_view(VIEW.replace(old, new, 1)))
    assert [problem in one for one in problems(result)] == [True]
    assert result["details"]["componentFailures"][0]["fileName"] == "objects/Account.object"
    assert (org.metadata.list_views, org.table("Account").field("KAM_Tier__c")) == ({}, None)


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ("<field/>", "field invalid at this location in type CustomObject"),
        (f"{TIER}<label>x</label>{SCORE.format(5)}", "fields is duplicated at this location in type CustomObject"),
    ],
)
def test_a_file_of_wrong_shape_fails_the_deploy(desk: Desk, inner: str, problem: str) -> None:
    """As a whole, naming file and element."""
    desk.show(small_org())
    result = deployed(desk, zipped(account(inner)))
    assert result["status"] == "Failed"
    assert result["errorMessage"].startswith("objects/Account.object: Element ")
    assert problem in result["errorMessage"]
