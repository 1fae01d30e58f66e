"""Our components joined with those that an org has: nothing of theirs is lost, shortened or torn apart."""

from __future__ import annotations

import pytest

from connectors.contract import Finding
from connectors.errors import AnswerUnclear
from connectors.salesforce.provisioning import layouts
from connectors.salesforce.provisioning.components import Component, package_files
from connectors.salesforce.provisioning.custom_fields import field_component, mismatch
from connectors.salesforce.provisioning.list_view import view_component
from connectors.salesforce.provisioning.markup import Element, comes_back, parsed, same, tag, told
from connectors.salesforce.provisioning.permission_sets import READER, set_component
from connectors.salesforce.provisioning.preflight import is_usable, of_account
from kammodel.publish.fields import FIELDS

FIELD = {field.key: field for field in FIELDS}
NAMES = {field.salesforce_name for field in FIELDS}
LAYOUT = """<layoutSections><customLabel>false</customLabel><label>Account Information</label>
<layoutColumns><layoutItems><behavior>Required</behavior><field>Name</field></layoutItems></layoutColumns>
<style>OneColumn</style></layoutSections>
<layoutSections><label>Custom Links</label><style>CustomLinks</style></layoutSections>
<relatedLists><relatedList>RelatedContactList</relatedList></relatedLists>"""


def xml(root: str, inner: str) -> Element:
    return parsed(f'<{root} xmlns="http://soap.sforce.com/2006/04/metadata">{inner}</{root}>'.encode(), "a test")


def texts(node: Element, path: str) -> list[str | None]:
    return [one.text for one in node.findall("/".join(tag(step) for step in path.split("/")))]


def test_a_text_field_that_is_longer_stays_so() -> None:
    """An org's 255 characters are not cut to our 3; label and help become ours, all else stays."""
    there = xml(
        "fields",
        "<fullName>KAM_Rfm__c</fullName><externalId>true</externalId><label>Old</label><length>255</length>"
        "<trackHistory>true</trackHistory><type>Text</type>",
    )
    new = field_component(FIELD["rfm"], "es", there).xml
    assert [told(new, name) for name in ("length", "label", "externalId", "trackHistory")] == [
        "255",
        "RFM KAM",
        "true",
        "true",
    ]


@pytest.mark.parametrize(
    ("there", "digits"),
    [((5, 0), ("6", "1")), ((18, 2), ("18", "2")), ((18, 0), ("18", "0")), ((4, 1), ("5", "1"))],
)
def test_a_number_keeps_its_digits_on_both_sides(there: tuple[int, int], digits: tuple[str, str]) -> None:
    """The score needs 4 before and 1 after the point; where both do not fit into 18, what is there stays."""
    inner = f"<precision>{there[0]}</precision><scale>{there[1]}</scale><type>Number</type>"
    new = field_component(FIELD["score"], "en", xml("fields", inner)).xml
    assert (told(new, "precision"), told(new, "scale")) == digits


def test_values_that_an_admin_added_stay_and_ours_stand_beside_them() -> None:
    """One list without a gap, theirs first: Salesforce refuses elements of one name that are torn apart."""
    there = xml(
        "fields",
        "<type>Picklist</type><valueSet><restricted>false</restricted><valueSetDefinition><value><fullName>house"
        "</fullName><default>false</default><label>House</label></value><sorted>false</sorted></valueSetDefinition>"
        "</valueSet>",
    )
    new = field_component(FIELD["quadrant"], "en", there).xml
    values = texts(new, "valueSet/valueSetDefinition/value/fullName")
    assert values == ["house", "key", "development", "maintenance", "opportunistic"]
    definition = new.find("/".join(tag(step) for step in ("valueSet", "valueSetDefinition")))
    assert definition is not None
    assert [one.tag for one in definition] == [tag("value")] * 5 + [tag("sorted")]
    assert texts(new, "valueSet/restricted") == ["false"]


def test_what_is_as_it_shall_be_is_the_same() -> None:
    """Joining our field with itself changes nothing, so that a second run deploys nothing."""
    for field in FIELDS:
        first = field_component(field, "en").xml
        assert same(field_component(field, "en", first).xml, first)
        assert not same(field_component(field, "es", first).xml, first)


@pytest.mark.parametrize(
    ("key", "inner", "why"),
    [
        ("score", "<type>Text</type>", "KAM_Score__c exists with type Text, kam needs Number"),
        ("score", "<formula>1</formula><type>Number</type>", "KAM_Score__c exists as a formula"),
        ("rfm", "<type>Text</type><unique>true</unique>", "KAM_Rfm__c exists and is unique"),
        ("rfm", "<type>Text</type><required>true</required>", "KAM_Rfm__c exists and is required"),
        ("tier", "<type>Picklist</type><valueSet><valueSetName>T</valueSetName></valueSet>", "global value set"),
        ("tier", "<type>Picklist</type>", None),
    ],
)
def test_a_field_that_cannot_serve_is_named_with_the_reason(key: str, inner: str, why: str | None) -> None:
    """Another type, a formula, unique, required, or values that belong to the whole org."""
    found = mismatch(xml("fields", inner), FIELD[key])
    assert found is None if why is None else why in (found or "")


def test_what_an_admin_added_to_a_permission_set_stays() -> None:
    """A deployment may replace the set: it is sent with all that it holds."""
    there = xml(
        "PermissionSet",
        "<fieldPermissions><editable>true</editable><field>Account.KAM_Score__c</field><readable>true</readable>"
        "</fieldPermissions><label>x</label><objectPermissions><allowRead>true</allowRead><object>Case</object>"
        "</objectPermissions>",
    )
    new = set_component(READER, [FIELD["score"], FIELD["tier_override"]], "en", there).xml
    assert texts(new, "fieldPermissions/field") == ["Account.KAM_Score__c", "Account.KAM_Tier_Override__c"]
    assert texts(new, "fieldPermissions/editable") == ["false", "true"]
    assert texts(new, "objectPermissions/object") == ["Case"]


def test_the_list_view_shows_strategic_and_key_accounts() -> None:
    """Name, tier, score, reason, revenue, win rate, days since touch, owner; people's changes to it stay."""
    made = view_component(FIELDS, "en")
    assert made is not None
    assert texts(made.xml, "columns") == [
        "ACCOUNT.NAME",
        "KAM_Tier__c",
        "KAM_Score__c",
        "KAM_Reason__c",
        "KAM_Revenue_Ttm__c",
        "KAM_Win_Rate__c",
        "KAM_Days_Since_Touch__c",
        "CORE.USERS.ALIAS",
    ]
    assert texts(made.xml, "filters/value") == ["strategic,key"]
    theirs = xml("listViews", "<columns>SALES</columns><filterScope>Mine</filterScope><label>Mine</label>")
    kept = view_component(FIELDS, "es", theirs)
    assert kept is not None
    assert (texts(kept.xml, "columns"), told(kept.xml, "label")) == (["SALES"], "Cuentas clave")
    assert view_component([FIELD["score"]], "en") is None


def test_our_section_goes_in_and_comes_out_again() -> None:
    """After the first section; ours to read, theirs to edit; taking it out leaves the layout that was there."""
    there = xml("Layout", LAYOUT)
    shown = layouts.with_section(there, FIELDS)
    assert texts(shown, "layoutSections/label") == ["Account Information", "KAM", "Custom Links"]
    items = shown.findall(f".//{tag('layoutItems')}")
    behaviour = {told(item, "field"): told(item, "behavior") for item in items}
    assert (behaviour["KAM_Tier__c"], behaviour["KAM_Tier_Override__c"]) == ("Readonly", "Edit")
    assert set(behaviour) == {"Name", *NAMES} - {"KAM_Stamp__c"}
    assert layouts.shows(shown, NAMES)
    assert not layouts.shows(there, NAMES)
    assert same(layouts.without_fields(shown, NAMES), there)


def test_a_section_that_people_filled_stays_without_our_fields() -> None:
    """What they put into our section, and our fields in theirs: only our fields go."""
    mixed = xml(
        "Layout",
        "<layoutSections><label>KAM</label><layoutColumns><layoutItems><field>KAM_Tier__c</field></layoutItems>"
        "<layoutItems><field>Rating</field></layoutItems></layoutColumns></layoutSections>"
        "<layoutSections><label>Plan</label><layoutColumns><layoutItems><field>KAM_Score__c</field></layoutItems>"
        "</layoutColumns></layoutSections>",
    )
    left = layouts.without_fields(mixed, NAMES)
    assert texts(left, "layoutSections/label") == ["KAM", "Plan"]
    assert texts(left, "layoutSections/layoutColumns/layoutItems/field") == ["Rating"]


@pytest.mark.parametrize(
    ("inner", "safe"),
    [
        (LAYOUT, True),
        ("<layoutSections><label> blanks  that count </label></layoutSections>", True),
        ('<layoutSections kind="x"><label>a</label></layoutSections>', False),
        ("<layoutSections>text <label>between</label></layoutSections>", False),
        ('<layoutSections xmlns="urn:other"><label>a</label></layoutSections>', False),
        ("<layoutSections><label>a&#13;b</label></layoutSections>", False),
    ],
)
def test_only_what_can_be_given_back_is_touched(inner: str, safe: bool) -> None:
    """Attributes, text between elements, another namespace and line ends that change: the layout is left alone."""
    assert comes_back(xml("Layout", inner)) is safe


@pytest.mark.parametrize("raw", [b"<html><body>", b"<!DOCTYPE html><html></html>", b"", b"<a>&b;</a>"])
def test_a_page_or_half_an_answer_is_no_answer(raw: bytes) -> None:
    """It is asked for again, and never read as a short list; entities are not even looked at."""
    with pytest.raises(AnswerUnclear):
        parsed(raw, "the SOAP call x")


def test_files_name_layouts_as_listed_and_deletions_come_last() -> None:
    """A layout's file is named as its full name; what goes is deleted after the rest is there."""
    there = xml("Layout", LAYOUT)
    files = package_files(
        [Component("Layout", "Account-A %28b%29", there)], "66.0", [("CustomField", "Account.KAM_Rfm__c")]
    )
    assert set(files) == {"package.xml", "layouts/Account-A %28b%29.layout", "destructiveChangesPost.xml"}
    assert same(parsed(files["layouts/Account-A %28b%29.layout"], "x"), there)
    assert b"<version>66.0</version>" in files["package.xml"]
    assert b"version>" not in files["destructiveChangesPost.xml"].replace(b"?xml version=", b"")


def test_record_types_hide_values_from_people() -> None:
    """Values made by an API are in no record type: told where there is more than the master one."""
    told = {"updateable": True, "recordTypeInfos": [{"master": True}]}
    assert list(of_account(told, FIELDS)) == []
    (found,) = of_account({**told, "recordTypeInfos": [{"master": True}, {"master": False}]}, FIELDS)
    assert (found.grade, found.about) == ("warning", "provision")
    assert "KAM_Tier_Override__c" in found.text
    assert list(of_account({}, FIELDS)) == [
        Finding("unknown", "run", "Salesforce does not say whether kam's user may edit Account")
    ]


def test_ours_have_to_be_editable_and_theirs_to_be_seen() -> None:
    """As describe shows them to kam's user; where it says nothing of editing, the write will tell."""
    assert is_usable({"updateable": True}, FIELD["score"])
    assert is_usable({}, FIELD["score"])
    assert not is_usable({"updateable": False}, FIELD["score"])
    assert is_usable({"updateable": False}, FIELD["tier_override"])
    assert not is_usable(None, FIELD["tier_override"])
