"""The field history of accounts in the sandbox org: which changes it keeps, who sees them, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.salesforce.fields import number
from connectors.sandbox.salesforce.metadata.deleting import remove_field
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings
from tests.contract.salesforce_package import TIER, assign, deployed, outcomes, package, permission_set, problems
from tests.contract.salesforce_small_org import ACME, ANN, BETA, Desk, open_desk, small_org

AT = "2026-05-01T12:00:00.000+0000"
QUERY = "SELECT Field, OldValue, NewValue FROM AccountHistory WHERE AccountId = '{}' ORDER BY Id"
TRACKED = TIER.replace("<type>", "<trackHistory>true</trackHistory><type>")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def tier_package(fields: str = TRACKED) -> bytes:
    return package(fields, permission_set("KAM_Tier__c"), ("KAM_Tier__c",))


def rows(desk: Desk, account: str = ACME) -> list[tuple[Any, ...]]:
    return [(row["Field"], row["OldValue"], row["NewValue"]) for row in desk.query(QUERY.format(account))]


def tracked(desk: Desk) -> set[str]:
    asked = "SELECT QualifiedApiName, IsFieldHistoryTracked FROM FieldDefinition WHERE EntityDefinitionId = 'Account'"
    return {row["QualifiedApiName"] for row in desk.query(asked) if row["IsFieldHistoryTracked"]}


def test_changes_by_every_road_are_kept(desk: Desk) -> None:
    """By a person, by one call, by Collections; with both values and who it was; a value that stays leaves nothing."""
    org = desk.show(small_org())
    assert deployed(desk, tier_package())["success"]
    assign(desk)
    org.update("Account", ACME, {"KAM_Tier__c": "growth"}, by=ANN)
    desk.call("PATCH", f"sobjects/Account/{ACME}", json={"KAM_Tier__c": "key"})
    record: dict[str, Any] = {"attributes": {"type": "Account"}, "id": ACME, "KAM_Tier__c": None}
    desk.call("PATCH", "composite/sobjects", json={"allOrNone": False, "records": [record]})
    org.update("Account", ACME, {"KAM_Tier__c": None, "Phone": "1"})
    assert rows(desk) == [
        ("KAM_Tier__c", None, "growth"),
        ("KAM_Tier__c", "growth", "key"),
        ("KAM_Tier__c", "key", None),
    ]
    ours = org.integration_user_id
    told = desk.query("SELECT CreatedById, CreatedDate FROM AccountHistory WHERE Field IN ('KAM_Tier__c') ORDER BY Id")
    assert [(row["CreatedById"], row["CreatedDate"]) for row in told] == [(ANN, AT), (ours, AT), (ours, AT)]


def test_a_write_that_is_taken_back_leaves_nothing(desk: Desk) -> None:
    """All or none: one of two is refused."""
    org = desk.show(small_org(tracked_account_fields=frozenset({"Phone"})))
    records: list[dict[str, Any]] = [{"attributes": {"type": "Account"}, "id": i, "Phone": "1"} for i in (ACME, BETA)]
    records[1]["Name"] = None
    desk.call("PATCH", "composite/sobjects", json={"allOrNone": True, "records": records})
    assert org.records("AccountHistory") == []


def test_values_keep_their_type_and_long_ones_are_not_kept() -> None:
    """Numbers as numbers; of a long text only that it has changed; choices by their labels where the org does so."""
    org = small_org(
        tracked_account_fields=frozenset({"KAM_Score__c", "Description", "Rating"}), history_holds_labels=True
    )
    org.add_field("Account", number("KAM_Score__c", "Score", scale=1, custom=True))
    org.update("Account", ACME, {"KAM_Score__c": 7.5, "Description": "long", "Rating": "Hot"})
    kept = [(row["Field"], row["DataType"], row["NewValue"]) for row in org.records("AccountHistory")]
    assert kept == [("Description", "Text", None), ("KAM_Score__c", "Double", 7.5), ("Rating", "DynamicEnum", "Hot")]


def test_it_is_seen_where_the_field_is(desk: Desk) -> None:
    """By a user without field-level security on it, not; nor is it told that it is tracked."""
    org = desk.show(small_org())
    deployed(desk, tier_package())
    org.update("Account", ACME, {"KAM_Tier__c": "growth"})
    assert (rows(desk), tracked(desk)) == ([], set())
    assign(desk)
    assert (rows(desk), tracked(desk)) == ([("KAM_Tier__c", None, "growth")], {"KAM_Tier__c"})


@pytest.mark.parametrize("clause", ["OldValue = 'key'", "NewValue = 'key'"])
def test_values_cannot_be_filtered(desk: Desk, clause: str) -> None:
    """As describe says."""
    desk.show(small_org())
    answer = desk.get("query", q=f"SELECT Id FROM AccountHistory WHERE {clause}")
    assert answer[0]["errorCode"] == "INVALID_FIELD"


def test_definitions_are_asked_of_one_object(desk: Desk) -> None:
    """Without a filter they are refused."""
    desk.show(small_org())
    answer = desk.get("query", q="SELECT QualifiedApiName FROM FieldDefinition")
    assert answer[0]["errorCode"] == "MALFORMED_QUERY"


def test_it_goes_with_its_account_and_with_its_field(desk: Desk) -> None:
    """Into the bin and out of it; a deleted field takes its own along for good."""
    org = desk.show(small_org())
    deployed(desk, tier_package())
    assign(desk)
    org.update("Account", ACME, {"KAM_Tier__c": "growth"})
    org.delete("Account", ACME)
    assert rows(desk) == []
    org.undelete("Account", ACME)
    assert len(rows(desk)) == 1
    remove_field(org, org.table("Account"), "KAM_Tier__c", purge=False)
    assert rows(desk) == []


@pytest.mark.parametrize("refuses", [True, False])
def test_an_object_without_history_tracking(desk: Desk, *, refuses: bool) -> None:
    """It has no history to ask; a deploy of a tracked field fails, or passes and the field is not tracked."""
    org = desk.show(small_org(account_field_history=False, metadata=MetadataSettings(untracked_object_refuses=refuses)))
    result = deployed(desk, tier_package())
    assert problems(result)[:1] == (["The entity: Account does not have history tracking enabled"] if refuses else [])
    assert desk.get("query", q=QUERY.format(ACME))[0]["errorCode"] == "INVALID_TYPE"
    assert [one.name for one in org.table("Account").fields if one.track_history] == []


@pytest.mark.parametrize(("others", "fits"), [(19, True), (20, False)])
def test_an_object_has_twenty_tracked_fields(desk: Desk, others: int, *, fits: bool) -> None:
    """All of them together, standard ones too."""
    names = [one.name for one in small_org().table("Account").fields if one.type not in {"id", "reference", "datetime"}]
    desk.show(small_org(tracked_account_fields=frozenset(names[:others])))
    result = deployed(desk, tier_package())
    full = "exceeded the allowed number of fields to track on a given entity"
    assert problems(result)[:1] == ([] if fits else [full])


def test_a_definition_that_says_nothing_of_it_ends_the_tracking(desk: Desk) -> None:
    """A deployed field is as its file says."""
    org = desk.show(small_org())
    deployed(desk, tier_package())
    assert outcomes(deployed(desk, tier_package()))["Account.KAM_Tier__c"] == (False, False, False)
    assert outcomes(deployed(desk, tier_package(TIER)))["Account.KAM_Tier__c"] == (False, True, False)
    org.update("Account", ACME, {"KAM_Tier__c": "growth"})
    assert org.records("AccountHistory") == []


@pytest.mark.parametrize(("fields", "left"), [({"Phone"}, ["created"]), (set(), [])])
def test_a_new_account_leaves_a_row(fields: set[str], left: list[str]) -> None:
    """Where anything is tracked at all."""
    org = small_org(tracked_account_fields=frozenset(fields))
    org.create("Account", {"Name": "New"})
    assert [row["Field"] for row in org.records("AccountHistory")] == left
