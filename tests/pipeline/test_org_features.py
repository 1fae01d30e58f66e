"""What a Salesforce org works out itself, keeps in its own way or does not have: figures are right all the same."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import PermissionMissing
from connectors.mapping_file import Choice, Overrides
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.fields import number
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.setup import use_rates
from kammodel.entities import Account, Contract
from kammodel.scoring import Known, ScoringConfig, known_kpis, read_inputs
from kammodel.tiering import load_policy
from tests.contract.salesforce_connected import HOUR, SECOND, Front, org
from tests.pipeline.salesforce_desk import LEAN, Desk, of, opened

DAY = 24 * HOUR
ALPHA, HOSTILE = (salesforce_id("001", n) for n in (1, 6))
CALL = {"Subject": "x", "Status": "Completed", "TaskSubtype": "Call", "ActivityDate": "2026-11-01"}


def known(desk: Desk) -> Known:
    config = ScoringConfig(
        as_of=desk.there.clock.now().date(),
        timezone="Europe/Madrid",
        reporting_currency="EUR",
        system_of_record="salesforce",
        language="en",
        policy=load_policy(None),
        release="test",
    )
    return known_kpis(read_inputs(desk.store), config)


def figure(found: Known, account: str, kpi: str) -> Any:
    """A KPI of the group of an account."""
    group = found.grouping.accounts.filter(source_id=account)["group"][0]
    return found.kpis.filter(group=group)[kpi][0]


def test_a_task_about_a_case_counts_for_the_account_of_the_case(front: Front, tmp_path: Path) -> None:
    """Salesforce leaves its AccountId empty, and it names nobody."""
    with opened(front, tmp_path, org(**LEAN)) as desk:
        case = desk.there.create("Case", {"AccountId": HOSTILE, "Status": "New"})
        desk.there.create("Task", {**CALL, "WhatId": case})
        desk.pull()
        found = known(desk)
    assert figure(found, HOSTILE, "touches_without_person_90d") == 1
    assert (found.counts["activities_by_case"], found.counts["activities_orphaned"]) == (1, 0)


def test_a_task_with_a_contact_only_counts_for_the_account_of_the_contact(front: Front, tmp_path: Path) -> None:
    """Logged when the contact had no account yet: its AccountId stays empty, and the contact says where it belongs."""
    with opened(front, tmp_path, org(**LEAN)) as desk:
        contact = desk.there.create("Contact", {"LastName": "New"})
        desk.there.create("Task", {**CALL, "WhoId": contact})
        desk.there.update("Contact", contact, {"AccountId": HOSTILE})
        desk.pull()
        found = known(desk)
    assert figure(found, HOSTILE, "days_since_last_touch") == 1
    assert (found.counts["activities_by_person"], found.counts["activities_orphaned"]) == (1, 0)


def test_a_formula_is_read_again_after_a_day(front: Front, tmp_path: Path) -> None:
    """It changes without moving a stamp, so that increments miss it; the receipt says how old its values were."""
    health = {"now": 3.0}
    mapped = Overrides("map.toml", "salesforce", {"accounts": {"strategic_value": Choice(field="Health__c")}})
    with opened(front, tmp_path, org(**LEAN)) as desk:
        desk.there.add_formula("Account", number("Health__c", "Health", custom=True), lambda _: health["now"])
        desk.there.grant_field("Account", "Health__c", edit=False)
        desk.pull(overrides=mapped)
        health["now"] = 8.0
        desk.there.clock.advance(23 * HOUR)
        receipt = of(desk.pull(overrides=mapped), "accounts")
        assert (receipt.is_full, desk.row(Account, ALPHA)["strategic_value"]) == (False, 3.0)
        desk.there.clock.advance(HOUR)
        receipt = of(desk.pull(overrides=mapped), "accounts")
        # The clock less the five minutes in which rows of a long transaction may come late.
        assert receipt.note == "loaded in full: Health__c as of 2026-11-02 11:55 UTC"
        assert (receipt.is_full, desk.row(Account, ALPHA)["strategic_value"]) == (True, 8.0)
        assert not of(desk.pull(overrides=mapped), "accounts").is_full


def test_a_contract_that_runs_out_is_seen_within_a_day(front: Front, tmp_path: Path) -> None:
    """Its status turns on its day though nobody touches it, and describe does not call it calculated."""
    with opened(front, tmp_path, org(**{**LEAN, "contracts": True})) as desk:
        terms = {"AccountId": ALPHA, "Status": "Draft", "StartDate": "2026-10-03", "ContractTerm": 1}
        contract = desk.there.create("Contract", terms)
        desk.there.update("Contract", contract, {"Status": "Activated"})
        desk.pull()
        before = desk.row(Contract, contract)
        assert (before["status"], before["ends_on"]) == ("Activated", dt.date(2026, 11, 2))
        desk.there.clock.advance(DAY)
        receipt = of(desk.pull(), "contracts")
        assert receipt.note == "loaded in full: Status as of 2026-11-02 11:55 UTC"
        after = desk.row(Contract, contract)
        assert (after["status"], after["updated_at"]) == ("Expired", before["updated_at"])


def test_what_an_org_has_not_switched_on_is_left_out(front: Front, tmp_path: Path) -> None:
    """The pull succeeds, and its receipt names each stream that it could not read and why: nothing is made up."""
    with opened(front, tmp_path, org(**LEAN)) as desk:
        receipt = desk.pull()
    missing = {name for name, why in receipt.unavailable.items() if why.startswith("not switched on in this org")}
    assert missing == {
        "account_contact_relations",
        "account_team_members",
        "account_plans",
        "account_plan_objectives",
        "account_plan_measures",
        "contracts",
        "orders",
        "assets",
        "opportunity_field_history",
    }
    assert missing.isdisjoint(s.stream for s in receipt.streams)
    assert ({s.state for s in receipt.streams}, of(receipt, "accounts").read) == ({"closed"}, 6)


def test_an_object_that_vanishes_is_given_up_only_when_asked(front: Front, tmp_path: Path) -> None:
    """The pull stops before anything is read, or its rows would grow old unseen; once it may be seen again, all of it
    is read."""
    with opened(front, tmp_path, org(**{**LEAN, "assets": True})) as desk:
        desk.there.create("Asset", {"AccountId": ALPHA, "Name": "Base"})
        desk.pull()
        desk.there.settings.hidden_objects = frozenset({"Asset"})
        with pytest.raises(PermissionMissing, match=r"assets could be read before .* kam pull --crm salesforce --full"):
            desk.pull()
        assert desk.front.asked("/queryAll") == 0
        assert "assets" in desk.pull(full=True).unavailable
        desk.there.clock.advance(HOUR)
        assert "assets" in desk.pull().unavailable
        desk.there.create("Asset", {"AccountId": ALPHA, "Name": "More"})
        desk.there.settings.hidden_objects = frozenset()
        desk.there.clock.advance(HOUR)
        receipt = of(desk.pull(), "assets")
        assert (receipt.is_full, receipt.read, receipt.inserted) == (True, 2, 1)


def test_a_field_that_vanishes_is_given_up_only_when_asked(front: Front, loaded: Path, tmp_path: Path) -> None:
    """The pull says how to go on without it, and then does: its column is emptied, not left as it was."""
    with opened(front, tmp_path, org(**LEAN), loaded) as desk:
        assert desk.row(Account, ALPHA)["industry"] == "Machine Tools"
        desk.there.settings.hidden_fields = frozenset({"Account.Industry"})
        with pytest.raises(PermissionMissing, match=r"industry could be read .* kam pull --crm salesforce --full"):
            desk.pull()
        receipt = desk.pull(full=True)
        assert "accounts.Industry" in receipt.unavailable
        assert desk.row(Account, ALPHA)["industry"] is None
        desk.there.clock.advance(HOUR)
        assert not of(desk.pull(), "accounts").is_full


@pytest.mark.parametrize("sizes", [Sizes(), Sizes(bulk_from=5, page_rows=4, job_rows=4)], ids=["pages", "jobs"])
def test_amounts_count_at_the_rate_of_their_day(front: Front, tmp_path: Path, sizes: Sizes) -> None:
    """Salesforce states units per corporate unit; the rate in force on the close date counts, the first one since
    ever, and a rate that is corrected later counts as if it had always been so."""
    rates = {"EUR": [("1900-01-01", 1.0)], "USD": [("2026-03-01", 1.25), ("2026-07-01", 1.6)]}
    won = {"Name": "Deal", "AccountId": HOSTILE, "StageName": "Won", "CreatedDate": "2025-11-03T08:00:00.000+0000"}
    deals = [("USD", "2025-12-31"), ("USD", "2026-06-30"), ("USD", "2026-07-01"), ("EUR", "2026-07-01")]
    with opened(front, tmp_path, org(query_page_rows=5, **LEAN)) as desk:
        use_rates(desk.there, rates)
        desk.there.load(
            "Opportunity",
            [
                {**won, "Id": salesforce_id("006", 100 + n), "CurrencyIsoCode": code, "Amount": 1_000, "CloseDate": day}
                for n, (code, day) in enumerate(deals)
            ],
        )
        desk.pull(sizes=sizes)
        assert (desk.front.asked("/jobs/query/") > 0) == (sizes.bulk_from == 5)
        # 800 + 800 + 625 + 1,000
        assert figure(known(desk), HOSTILE, "revenue_ttm") == 32_250_000
        use_rates(desk.there, {**rates, "USD": [("2026-03-01", 1.25), ("2026-07-01", 2.0)]})
        desk.there.clock.advance(SECOND)
        desk.pull(sizes=sizes)
        # 800 + 800 + 500 + 1,000
        assert figure(known(desk), HOSTILE, "revenue_ttm") == 31_000_000
