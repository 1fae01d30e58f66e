"""Provisioning an org beyond its fields: pages, a trial, a second user, what is in the way, and taking it away."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.errors import RequestRefused, TryAgainLater
from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.metadata.new_org import ACCOUNT_LAYOUT, MANAGED_LAYOUT, PARTNER_LAYOUT
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings
from connectors.sandbox.salesforce.settings import (
    NIGHTLY_PERMISSIONS,
)
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned
from tests.contract.salesforce_made import (
    ADMIN,
    LEFT_ALONE,
    LIST_VIEW,
    NAMES,
    NS,
    holders,
    on_layout,
    ours_in,
    parts,
)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_one_deployment_makes_list_view_sets_and_sections(front: Front) -> None:
    """All by name; a managed package's layout is left alone; ours are read-only on the page, theirs are not."""
    there = front.show(org())
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert front.asked("POST /services/data/v66.0/metadata/deployRequest") == 1
    assert parts(done, "list view") == {"KAM_Key_Accounts": "created"}
    assert parts(done, "permission set") == {"KAM_Integration": "created", "KAM_Reader": "created"}
    assert parts(done, "layout") == {
        "Account Layout": "changed",
        "Partner (EMEA) Layout": "changed",
        "acmebill__Billing Layout": "left alone",
    }
    assert LEFT_ALONE in done.parts
    shown = dict(on_layout(there, ACCOUNT_LAYOUT))
    assert set(shown) == set(NAMES) - {"KAM_Stamp__c"}
    assert (shown["KAM_Tier__c"], shown["KAM_Strategic_Value__c"]) == ("Readonly", "Edit")
    assert on_layout(there, MANAGED_LAYOUT) == []


def test_layouts_come_back_as_they_were_but_for_our_section(front: Front) -> None:
    """Sections, related lists, actions and the rest of a page survive its being replaced."""
    there = front.show(org())
    before = {name: ET.tostring(kept.xml) for name, kept in there.metadata.layouts.items()}
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        assert {name: ET.tostring(k.xml) for name, k in there.metadata.layouts.items()} != before
        connector.remove(FIELDS)
    assert {name: ET.tostring(kept.xml) for name, kept in there.metadata.layouts.items()} == before


def test_layouts_can_be_left_alone(front: Front) -> None:
    """Without layouts none is even read."""
    there = front.show(org())
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en", layouts=False)
    assert parts(done, "layout") == {}
    assert on_layout(there, ACCOUNT_LAYOUT) == []
    assert len(done.created) == 18


def test_a_layout_with_one_of_our_fields_is_people_s(front: Front) -> None:
    """Where somebody put our fields, or took some of them off the page, nothing is put back."""
    there = provisioned(front)
    kept = there.metadata.layouts[ACCOUNT_LAYOUT].xml
    for column in kept.iter(f"{NS}layoutColumns"):
        for item in column.findall(f"{NS}layoutItems"):
            if (item.findtext(f"{NS}field") or "").startswith("KAM_R"):
                column.remove(item)
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert parts(done, "layout")["Account Layout"] == "unchanged"
    assert front.asked("deployRequest") == 0
    assert len(on_layout(there, ACCOUNT_LAYOUT)) == 13


def test_a_layout_that_salesforce_refuses_does_not_stop_the_rest(front: Front) -> None:
    """It is spared, with Salesforce's reason, and everything else is deployed."""
    there = front.show(org())
    action = next(there.metadata.layouts[ACCOUNT_LAYOUT].xml.iter(f"{NS}quickActionName"))
    action.text = "Vanished_Action"
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    (spared,) = [part for part in done.parts if part.name == "Account Layout"]
    assert spared.done == "left alone"
    assert "Vanished_Action" in (spared.why or "")
    assert parts(done, "layout")["Partner (EMEA) Layout"] == "changed"
    assert on_layout(there, ACCOUNT_LAYOUT) == []
    assert len(on_layout(there, PARTNER_LAYOUT)) == 17


def test_what_an_admin_changed_stays(front: Front) -> None:
    """A longer text, another column of the list view, another right in the set: none of it is undone."""
    there = front.show(org(metadata=MetadataSettings(permission_set_deploys_replace=True)))
    there.add_field("Account", text("KAM_Rfm__c", "Mine", 80, custom=True))
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        view = there.metadata.list_views[LIST_VIEW].xml
        next(view.iter(f"{NS}columns")).text = "ACCOUNT.SITE"
        (reader,) = [r for r in there.records("PermissionSet") if r["Name"] == "KAM_Reader"]
        there.create("ObjectPermissions", {"ParentId": reader["Id"], "SobjectType": "Case", "PermissionsRead": True})
        connector.provision(FIELDS, "es")
    assert next(f.length for f in there.table("Account").fields if f.name == "KAM_Rfm__c") == 80
    assert "ACCOUNT.SITE" in {one.text for one in there.metadata.list_views[LIST_VIEW].xml.iter()}
    assert "Case" in {r["SobjectType"] for r in there.records("ObjectPermissions") if r["ParentId"] == reader["Id"]}


# Trial, second user


def test_a_trial_changes_nothing_and_says_what_would_be(front: Front) -> None:
    """Salesforce itself validates; nothing is deployed or assigned."""
    there = front.show(org())
    with connected(front) as connector:
        tried = connector.provision(FIELDS, "en", dry_run=True)
        assert ours_in(there) == set()
        assert holders(there) == []
        done = connector.provision(FIELDS, "en")
    assert tried.dry_run
    assert (tried.created, tried.parts) == (done.created, done.parts)


def test_a_trial_shows_what_would_fail(front: Front) -> None:
    """As the deployment itself would, and in the same line."""
    front.show(org(metadata=MetadataSettings(custom_fields_per_object=5)))
    with connected(front) as connector, pytest.raises(RequestRefused, match=r"the validation failed.*maximum number"):
        connector.provision(FIELDS, "en", dry_run=True)


def test_an_admin_provisions_for_the_nightly_user(front: Front) -> None:
    """The admin deploys; who writes at night gets the permission set, and can then use the fields."""
    there = front.show(org(permissions=NIGHTLY_PERMISSIONS))
    with connected(front, **ADMIN) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
        assert connector.missing_fields(FIELDS) == []
    assert holders(there) == [("KAM_Integration", there.integration_user_id)]


def test_somebody_else_s_change_of_the_setup_is_waited_for(front: Front) -> None:
    """Twice; after that a later run is asked for."""
    waits: list[float] = []
    front.show(org(metadata=MetadataSettings(setup_locked=2)))
    with connected(front, waits.append) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
    assert [wait for wait in waits if wait >= 10] == [10.0, 30.0]
    front.show(org(metadata=MetadataSettings(setup_locked=9)))
    with connected(front) as connector, pytest.raises(TryAgainLater, match="another change"):
        connector.provision(FIELDS, "en")


def test_a_page_instead_of_metadata_is_asked_for_again(front: Front) -> None:
    """HTML with status 200 is no empty list: what is there would be overwritten."""
    there = front.show(org())
    served, pages = front.app, [1, 1]

    async def behind_a_page(scope: Scope, receive: Receive, send: Send) -> None:
        assert served is not None
        if "/services/Soap/m/" in scope["path"] and pages:
            pages.pop()
            await Request(scope, receive).body()
            await HTMLResponse("<html><body><p>Maintenance</p></body></html>")(scope, receive, send)
        else:
            await served(scope, receive, send)

    app: ASGIApp = behind_a_page
    front.app = app
    with connected(front) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
    assert not pages
    assert len(on_layout(there, ACCOUNT_LAYOUT)) == 17
