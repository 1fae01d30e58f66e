"""How rows end in the sandbox org: cascades, the end of the recycle bin, purges, merges, and the feeds that tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import RowRefused
from tests.contract.salesforce_small_org import ACME, ANN, BETA, GONE, NOW, OPEN, WON, ZOE, Desk, open_desk, small_org

AT = "2026-05-01T12:00:00.000+0000"
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def busy_org(**knobs: Any) -> tuple[Org, dict[str, str]]:
    """Acme with one row of each object that hangs on an account, its contact Zoe or its open deal; ids by object."""
    org = small_org(**knobs)
    made = {"Case": org.create("Case", {"AccountId": ACME, "ContactId": ZOE})}
    made["Task"] = org.create("Task", {"WhatId": made["Case"]})
    made["Contract"] = org.create("Contract", {"AccountId": ACME, "StartDate": "2026-01-01", "ContractTerm": 12})
    made["Order"] = org.create("Order", {"AccountId": ACME, "EffectiveDate": "2026-01-01"})
    made["Asset"] = org.create("Asset", {"AccountId": ACME, "Name": "Pump"})
    made["AccountTeamMember"] = org.create("AccountTeamMember", {"AccountId": ACME, "UserId": ANN})
    made["AccountContactRelation"] = org.create("AccountContactRelation", {"AccountId": ACME, "ContactId": ZOE})
    made["OpportunityContactRole"] = org.create("OpportunityContactRole", {"OpportunityId": OPEN, "ContactId": ZOE})
    item = {"OpportunityId": OPEN, "Quantity": 2, "UnitPrice": 40}
    made["OpportunityLineItem"] = org.create("OpportunityLineItem", item)
    made["OpportunityFieldHistory"] = org.records("OpportunityFieldHistory")[0]["Id"]
    return org, made


def deleted(org: Org, made: dict[str, str]) -> dict[str, bool | None]:
    """Whether each row is in the bin; None for one that is gone."""
    found = {name: org.record(name, record_id) for name, record_id in made.items()}
    return {name: None if record is None else record["IsDeleted"] for name, record in found.items()}


def feed(desk: Desk, sobject: str, kind: str = "deleted", days: int = 14) -> Any:
    """The feed of an object over the last days, up to now."""
    assert desk.app is not None
    now = desk.app.org.clock.now()
    return desk.get(f"sobjects/{sobject}/{kind}", start=(now - days * DAY).isoformat(), end=now.isoformat())


def test_an_account_takes_all_that_hangs_on_it_along_and_brings_it_back() -> None:
    """Cases with their tasks, agreements, assets, people's parts and deals with theirs; the amount stays whole."""
    org, made = busy_org()
    org.create("OpportunityLineItem", {"OpportunityId": OPEN, "Quantity": 1, "UnitPrice": 10})
    assert deleted(org, made) == dict.fromkeys(made, False)
    org.delete("Account", ACME)
    assert deleted(org, made) == dict.fromkeys(made, True)
    histories = len(org.records("OpportunityHistory"))
    org.undelete("Account", ACME)
    assert deleted(org, made) == dict.fromkeys(made, False)
    deal = org.record("Opportunity", OPEN)
    assert deal is not None
    assert (deal["Amount"], deal["IsDeleted"]) == (90.0, False)
    assert len(org.records("OpportunityHistory")) == histories


def test_a_plan_takes_its_objectives_and_measures_along() -> None:
    """It does not go with its account, which it only looks up."""
    org = small_org()
    plan = org.create("AccountPlan", {"AccountId": ACME, "Name": "Plan"})
    objective = org.create("AccountPlanObjective", {"AccountPlanId": plan, "Name": "Grow"})
    measure = org.create("AccountPlanObjectiveMeasure", {"AccountPlanObjectiveId": objective, "Name": "m"})
    made = {"AccountPlan": plan, "AccountPlanObjective": objective, "AccountPlanObjectiveMeasure": measure}
    org.delete("Account", ACME)
    assert deleted(org, made) == dict.fromkeys(made, False)
    org.delete("AccountPlan", plan)
    assert deleted(org, made) == dict.fromkeys(made, True)


def test_an_account_in_use_may_refuse_to_go() -> None:
    """By the knob: with a case, and with an activated contract; a draft does not hold it."""
    org = small_org(accounts_in_use_stay=True)
    case = org.create("Case", {"AccountId": ACME})
    contract = org.create("Contract", {"AccountId": ACME, "Status": "Activated"})
    with pytest.raises(RowRefused, match=r"DELETE_FAILED.*following cases\.: 00000001"):
        org.delete("Account", ACME)
    org.delete("Case", case)
    with pytest.raises(RowRefused, match=r"DELETE_FAILED.*activated contracts\.: 00000001"):
        org.delete("Account", ACME)
    org.update("Contract", contract, {"Status": "Draft"})
    org.delete("Account", ACME)
    assert deleted(org, {"Contract": contract}) == {"Contract": True}


def test_a_team_member_deleted_alone_is_gone_without_a_trace(desk: Desk) -> None:
    """No bin, no feed: only comparing ids shows it. With its account it goes through the bin like all others."""
    org, made = busy_org()
    desk.show(org)
    org.delete("AccountTeamMember", made["AccountTeamMember"])
    assert org.record("AccountTeamMember", made["AccountTeamMember"]) is None
    assert desk.query("SELECT Id FROM AccountTeamMember", "queryAll") == []
    org.clock.advance(DAY)
    assert feed(desk, "AccountTeamMember")["deletedRecords"] == []


def test_a_merge_moves_every_kind_of_child_and_doubles_none() -> None:
    """Each is the winner's, re-stamped; a member or relation that the winner has already goes to the bin instead."""
    org, made = busy_org()
    twin = org.create("AccountTeamMember", {"AccountId": BETA, "UserId": ANN})
    new = org.create("Contact", {"LastName": "New", "AccountId": ACME})
    org.create("AccountContactRelation", {"AccountId": BETA, "ContactId": ZOE})
    org.clock.advance(DAY)
    org.merge("Account", BETA, [ACME])
    later = "2026-05-02T12:00:00.000+0000"
    for name in ("Case", "Contract", "Order", "Asset"):
        record = org.record(name, made[name])
        assert record is not None
        assert (record["AccountId"], record["SystemModstamp"], record["IsDeleted"]) == (BETA, later, False), name
    members = [row["Id"] for row in org.records("AccountTeamMember") if not row["IsDeleted"]]
    assert members == [twin]
    relations = [row for row in org.records("AccountContactRelation") if not row["IsDeleted"]]
    related = {(row["AccountId"], row["ContactId"], row["IsDirect"]) for row in relations}
    assert (len(relations), related) == (2, {(BETA, ZOE, True), (BETA, new, True)})


def test_rows_leave_the_bin_by_themselves_after_fifteen_days(desk: Desk) -> None:
    """Then queryAll does not show them, and the feed of deleted ids has forgotten them too by that time."""
    org = desk.show(small_org())
    org.delete("Opportunity", WON)
    soql = "SELECT Id FROM Opportunity WHERE IsDeleted = true"
    org.clock.advance(15 * DAY)
    assert [row["Id"] for row in desk.query(soql, "queryAll")] == [WON]
    org.clock.advance(dt.timedelta(seconds=1))
    assert desk.query(soql, "queryAll") == []
    assert org.record("Opportunity", WON) is None
    # A loaded row counts from when it was loaded.
    assert org.record("Account", GONE) is None


def test_an_undeleted_row_stays() -> None:
    """Also when its fifteen days are over; deleted again it has fifteen more, and others do not wait for it."""
    org = small_org()
    org.delete("Opportunity", WON)
    org.undelete("Opportunity", WON)
    org.clock.advance(5 * DAY)
    org.delete("Opportunity", OPEN)
    org.clock.advance(5 * DAY)
    org.delete("Opportunity", WON)
    org.clock.advance(11 * DAY)
    assert (org.record("Opportunity", OPEN), org.record("Opportunity", WON) is None) == (None, False)
    org.clock.advance(5 * DAY)
    assert org.record("Opportunity", WON) is None


@pytest.mark.parametrize("how", ["purge", "empty_bin"])
def test_what_is_purged_is_told_by_the_feed_alone(desk: Desk, how: str) -> None:
    """For fifteen days from its deletion; queryAll shows nothing at once."""
    org = desk.show(small_org())
    org.delete("Opportunity", WON)
    if how == "purge":
        org.purge("Opportunity", WON)
    else:
        # The opportunity, and the account that was loaded deleted.
        assert org.empty_bin() == 2
    org.clock.advance(14 * DAY)
    assert desk.query("SELECT Id FROM Opportunity WHERE IsDeleted = true", "queryAll") == []
    assert feed(desk, "Opportunity", days=15)["deletedRecords"] == [{"id": WON, "deletedDate": AT}]
    org.clock.advance(2 * DAY)
    answer = feed(desk, "Opportunity", days=15)
    assert (answer["deletedRecords"], answer["earliestDateAvailable"]) == ([], "2026-05-02T12:00:00.000+0000")


def test_a_trimmed_log_says_since_when_it_is_whole(desk: Desk) -> None:
    """earliestDateAvailable moves up to the knob's hours, and older deletions are missing without an error."""
    org = desk.show(small_org(delete_log_hours=2))
    org.delete("Opportunity", WON)
    org.clock.advance(dt.timedelta(hours=3))
    org.delete("Opportunity", OPEN)
    org.clock.advance(dt.timedelta(minutes=1))
    answer = feed(desk, "Opportunity")
    assert [row["id"] for row in answer["deletedRecords"]] == [OPEN]
    assert answer["earliestDateAvailable"] == "2026-05-01T13:01:00.000+0000"


def test_no_feed_is_kept_of_an_object_that_says_so(desk: Desk) -> None:
    """Statuses are not replicateable; field history is, by the date of its rows."""
    org = desk.show(small_org())
    org.update("Opportunity", OPEN, {"Amount": 120})
    org.clock.advance(DAY)
    assert feed(desk, "CaseStatus", "updated")[0]["errorCode"] == "INVALID_TYPE_FOR_OPERATION"
    [row] = org.records("OpportunityFieldHistory")
    assert feed(desk, "OpportunityFieldHistory", "updated")["ids"] == [row["Id"]]


def test_a_bin_that_keeps_everything_can_be_had() -> None:
    """With None as its days."""
    org = small_org(recycle_bin_days=None)
    org.clock.advance(400 * DAY)
    assert org.record("Account", GONE) is not None
    assert org.clock.now() == NOW + 400 * DAY
