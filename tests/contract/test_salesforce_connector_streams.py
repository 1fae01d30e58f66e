"""The Salesforce connector reads what stands around accounts and deals: what an org has of it, from where it is put."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.contract import Slice
from connectors.mapping_file import Choice, MappingInvalid, Overrides
from connectors.salesforce.connector import SalesforceConnector
from connectors.sandbox.salesforce import fields as f
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from tests.contract.hubspot_copy import Copy, read_all, stream_of
from tests.contract.hubspot_world import NOW
from tests.contract.salesforce_connected import HOUR, SECOND, Front, connected, open_front, org

ALPHA, IBERIA = salesforce_id("001", 1), salesforce_id("001", 2)
CARLA, ANN = salesforce_id("003", 1), salesforce_id("005", 1)
DEAL = salesforce_id("006", 7)
EVERYTHING = Slice(None, NOW + dt.timedelta(days=900))
AROUND = {
    "contacts": "person",
    "cases": "support_case",
    "opportunity_contact_roles": "opportunity_person",
    "account_contact_relations": "account_person",
    "account_team_members": "team_member",
    "contracts": "contract",
    "orders": "sales_order",
    "assets": "asset",
    "opportunity_line_items": "line_item",
    "products": "product",
    "opportunity_field_history": "opportunity_field_change",
    "account_plans": "account_plan",
    "account_plan_objectives": "plan_objective",
    "account_plan_measures": "plan_measure",
}
FEATURES = {
    "contacts_to_multiple_accounts": "account_contact_relations",
    "account_teams": "account_team_members",
    "contracts": "contracts",
    "orders": "orders",
    "assets": "assets",
    "opportunity_field_history": "opportunity_field_history",
    "account_plans": "account_plans",
}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def furnish(there: Org) -> dict[str, str]:
    """One record of each kind that the small book leaves out; their ids."""
    day = "2026-10-01"
    made = {"case": there.create("Case", {"AccountId": ALPHA, "ContactId": CARLA, "Status": "New", "Priority": "High"})}
    made["role"] = there.create(
        "OpportunityContactRole", {"OpportunityId": DEAL, "ContactId": CARLA, "Role": "Evaluator"}
    )
    member = {"AccountId": ALPHA, "UserId": ANN, "TeamMemberRole": "Sales Rep"}
    made["member"] = there.create("AccountTeamMember", member)
    terms = {"AccountId": ALPHA, "Status": "Draft", "StartDate": day, "ContractTerm": 3}
    made["contract"] = there.create("Contract", terms)
    made["order"] = there.create("Order", {"AccountId": ALPHA, "Status": "Draft", "EffectiveDate": day})
    made["product"] = there.create("Product2", {"Name": "Base", "IsActive": True, "ProductCode": "B"})
    owned = {"AccountId": ALPHA, "Name": "Base", "Product2Id": made["product"], "Quantity": 2, "Price": 50}
    made["asset"] = there.create("Asset", owned)
    made["plan"] = there.create("AccountPlan", {"Name": "2026", "AccountId": ALPHA, "EndDate": "2026-12-31"})
    aim = {"Name": "Grow", "AccountPlanId": made["plan"], "ObjectiveOwnerId": ANN}
    made["objective"] = there.create("AccountPlanObjective", aim)
    made["task"] = there.create(
        "Task", {"Subject": "s", "WhatId": made["case"], "Status": "Completed", "ActivityDate": day}
    )
    return made


def test_what_stands_around_accounts_is_read(front: Front) -> None:
    """Every stream is served, each row lands in its table and is readable, and the lot costs few describes."""
    there = front.show(org())
    made = furnish(there)
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING)
        assert set(AROUND) <= {s.name for s in connector.streams()}
        assert {name.split(".")[0] for name in connector.unavailable()} == {"accounts"}
    assert copy.rejects == []
    case, plan = copy.rows("support_case")[made["case"]], copy.rows("account_plan")[made["plan"]]
    assert (case["account_id"], case["person_id"], case["is_closed"], case["priority"]) == (ALPHA, CARLA, False, "High")
    assert (plan["account_id"], plan["ends_on"]) == (ALPHA, dt.date(2026, 12, 31))
    assert copy.rows("opportunity_person")[made["role"]]["role"] == "Evaluator"
    assert copy.rows("team_member")[made["member"]]["user_id"] == ANN
    assert copy.rows("contract")[made["contract"]]["term_months"] == 3
    assert copy.rows("sales_order")[made["order"]]["effective_on"] == dt.date(2026, 10, 1)
    assert copy.rows("asset")[made["asset"]]["price"] == 500_000
    assert copy.rows("product")[made["product"]]["code"] == "B"
    assert copy.rows("plan_objective")[made["objective"]]["plan_id"] == made["plan"]
    task = copy.rows("activity")[made["task"]]
    assert (task["case_id"], task["account_ids"]) == (made["case"], None)
    assert copy.rows("person")[CARLA]["account_id"] == ALPHA
    assert front.asked("/describe") == 0
    assert front.asked("/composite/batch") == 1


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_that_is_off_is_told_and_not_fatal(front: Front, feature: str) -> None:
    """What depends on it is unavailable, not empty."""
    front.show(org(**{feature: False}))
    with connected(front) as connector:
        assert FEATURES[feature] not in {s.name for s in connector.streams()}
        told = connector.unavailable()[FEATURES[feature]]
        assert told.startswith("not switched on in this org, or hidden from this user: grant read access to the object")
        assert "tasks" in {s.name for s in connector.streams()}


def test_hidden_cases_and_fields_are_told(front: Front) -> None:
    """An object that every org has is hidden, a field costs its column."""
    front.show(org(hidden_objects=frozenset({"Case"}), hidden_fields=frozenset({"Contact.Title"})))
    with connected(front) as connector:
        told = connector.unavailable()
        assert "cases" not in {s.name for s in connector.streams()}
        assert told["cases"].endswith("grant read access to the object Case, if the org has it")
        assert "field-level security" in told["contacts.Title"]
        assert "title" not in stream_of(connector, "contacts").columns


def test_increment_of_everything_equals_a_full_load(front: Front) -> None:
    """After changes and deletions of every kind, full plus increment is what a full load would be."""
    there = front.show(org())
    made = furnish(there)
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING, tuple(AROUND))
        there.clock.advance(HOUR)
        there.update("Case", made["case"], {"Status": "Closed"})
        there.update("Contact", CARLA, {"Title": "CFO"})
        there.update("Opportunity", DEAL, {"Amount": 4_711})
        there.delete("Asset", made["asset"])
        there.delete("OpportunityContactRole", made["role"])
        there.create("OpportunityContactRole", {"OpportunityId": DEAL, "ContactId": CARLA, "Role": "Influencer"})
        span = Slice(NOW + SECOND, NOW + HOUR + SECOND)
        copy.read = 0
        read_all(connector, copy, span, tuple(AROUND))
        again = read_all(connector, Copy(), EVERYTHING, tuple(AROUND))
    assert copy.tables == again.tables
    assert copy.rows("support_case")[made["case"]]["closed_at"] == NOW + HOUR
    assert copy.rows("asset")[made["asset"]]["deleted"]
    assert copy.read < 20


def test_fields_that_move_no_stamp_are_named(front: Front) -> None:
    """Contract.Status turns with the calendar, a formula with other records; what is stamped drifts not."""
    there = front.show(org())
    there.add_field("Opportunity", f.money("ARR__c", "ARR"))
    there.add_formula("Account", f.number("Health__c", "Health", calculated=True), lambda row: len(str(row["Name"])))
    chosen = {"accounts": {"strategic_value": "Health__c"}, "opportunities": {"amount": "ARR__c"}}
    with told(front, chosen) as connector:
        drifting = {s.name: s.drifting for s in connector.streams() if s.drifting}
        rows = read_all(connector, Copy(), EVERYTHING, ("accounts",)).rows("account")
    assert drifting == {"accounts": ("Health__c",), "contracts": ("Status",)}
    assert rows[ALPHA]["strategic_value"] == float(len(rows[ALPHA]["name"]))


@contextmanager
def told(front: Front, chosen: dict[str, dict[str, str]]) -> Iterator[SalesforceConnector]:
    """A connector with a mapping file."""
    streams = {name: {ours: Choice(field=field) for ours, field in columns.items()} for name, columns in chosen.items()}
    with connected(front, overrides=Overrides("map.toml", "salesforce", streams)) as connector:
        yield connector


def test_a_mapping_file_reads_an_orgs_own_fields(front: Front) -> None:
    """The chosen field fills the column, in full loads and increments; the past of amounts is said to be unknown."""
    there = front.show(org())
    there.add_field("Opportunity", f.money("ARR__c", "ARR"))
    there.update("Opportunity", DEAL, {"ARR__c": 123})
    with told(front, {"opportunities": {"amount": "arr__c"}}) as connector:
        copy = read_all(connector, Copy(), EVERYTHING, ("opportunities", "opportunity_history"))
        assert copy.rows("opportunity")[DEAL]["amount"] == 1_230_000
        assert {e["amount"] for e in copy.rows("opportunity_stage_event").values()} == {None}
        assert "arr__c" in connector.unavailable()["opportunity_history.amount"]
        fingerprint = stream_of(connector, "opportunities").fingerprint
    with connected(front) as connector:
        assert stream_of(connector, "opportunities").fingerprint != fingerprint


def test_a_mapping_file_says_where_cases_keep_their_service_level(front: Front) -> None:
    """Entitlements have records of their own; what an org writes on the case can be read."""
    there = front.show(org())
    there.add_field("Case", f.moment("Answered__c", "Answered"))
    there.add_field("Case", f.number("Reopened__c", "Reopened", 3, 0))
    case = there.create("Case", {"Subject": "x", "Answered__c": "2026-11-01T10:00:00Z", "Reopened__c": 2})
    with told(front, {"cases": {"first_response_at": "Answered__c", "reopened_n": "Reopened__c"}}) as connector:
        row = read_all(connector, Copy(), EVERYTHING, ("cases",)).rows("support_case")[case]
    assert (row["first_response_at"].day, row["reopened_n"], row["is_sla_met"]) == (1, 2, None)


@pytest.mark.parametrize(
    ("hidden", "chosen", "said"),
    [
        (False, {"opportunities": {"amount": "ARRR__c"}}, r"opportunities\.amount: .*did you mean ARR__c\?"),
        (True, {"opportunities": {"amount": "ARR__c"}}, r"opportunities\.amount: .*no field ARR__c .*field-level"),
        (False, {"opportunities": {"close_on": "ARR__c"}}, r"close_on: ARR__c is of type currency"),
        (False, {"opportunties": {"amount": "ARR__c"}}, r"opportunties: .*did you mean opportunities\?"),
    ],
)
def test_a_mapping_file_that_does_not_fit_the_org_is_refused(
    front: Front, hidden: bool, chosen: dict[str, dict[str, str]], said: str
) -> None:
    """Before anything is read, in one line, exit 3."""
    there = front.show(org(**({"hidden_fields": frozenset({"Opportunity.ARR__c"})} if hidden else {})))
    there.add_field("Opportunity", f.money("ARR__c", "ARR"))
    with told(front, chosen) as connector, pytest.raises(MappingInvalid, match=said) as caught:
        connector.streams()
    assert caught.value.exit_code == 3


def test_a_stream_that_is_off_needs_no_choice(front: Front) -> None:
    """Choices for what an org does not have wait until it has it."""
    front.show(org(contracts=False))
    with told(front, {"contracts": {"status": "Anything__c"}}) as connector:
        assert "contracts" in connector.unavailable()
