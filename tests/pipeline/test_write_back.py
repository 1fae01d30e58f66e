"""From two served CRMs to tiers in their fields: what is written, what is left alone, what survives a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.errors import FieldsNotProvisioned
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, same_in, two_crms
from connectors.sandbox.salesforce.settings import OrgSettings, ValidationRule
from flows.pipeline import apply, plan
from flows.results import ApplyReceipt, PlanReceipt, PullReceipt, ScoreReceipt
from kammodel.errors import KamError
from kammodel.store.plans import cells_of
from tests.pipeline.company import HOUR, NOW, Office, office, small_book
from tests.pipeline.salesforce_desk import LEAN

SIZE = 40
_CRMS = ("salesforce", "hubspot")


@dataclass(frozen=True)
class Story:
    """Four runs, hours apart, in which nobody does anything. `held`: our fields after the first of them, by CRM;
    `calls`: those that the second one made."""

    desk: Office
    runs: list[tuple[list[PullReceipt], ScoreReceipt, list[PlanReceipt], list[ApplyReceipt]]]
    held: dict[str, dict[str, dict[str, str | None]]]
    calls: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    company = two_crms(small_book(SIZE), Clock(NOW), org_settings=OrgSettings(**LEAN))
    with office(company, tmp_path_factory.mktemp("story")) as desk:
        desk.provision()
        first = desk.run()
        held = {name: desk.held_by(name) for name in _CRMS}
        logs = [served.faults for served in (desk.served.salesforce, desk.served.hubspot) if served is not None]
        for log in logs:
            log.clear()
        second = desk.run()
        calls = [f"{call.method} {call.path}" for log in logs for call in log.log]
        desk.clock.advance(HOUR)
        yield Story(desk, [first, second, desk.run(), desk.run()], held, calls)


def org_alone() -> Company:
    return same_in(small_book(SIZE), Clock(NOW), "salesforce", org_settings=OrgSettings(**LEAN))


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlanReceipt]:
    """The file of a store in which everything is read, scored and planned, and the plan."""
    folder = tmp_path_factory.mktemp("planned")
    with office(org_alone(), folder) as desk:
        desk.provision()
        desk.pull()
        desk.score()
        (made,) = desk.plan()
    return folder / "kam.db", made


@pytest.fixture
def org_desk(planned: tuple[Path, PlanReceipt], tmp_path: Path) -> Iterator[Office]:
    """The moment after that plan was made; nothing is written yet."""
    with office(org_alone(), tmp_path, planned[0]) as opened:
        opened.provision()
        yield opened


def test_what_was_planned_stands_in_the_crms(story: Story) -> None:
    """Every cell planned is written, every tier in the CRM is the one that was scored."""
    _, scored, plans, applied = story.runs[0]
    assert all(p.cells_to_write == a.written > 0 for p, a in zip(plans, applied, strict=True))
    for name in _CRMS:
        tiers = [fields["tier"] for fields in story.held[name].values()]
        assert set(filter(None, tiers)) <= set(scored.tiers)
        assert any(tiers)


def test_a_run_after_no_change_writes_nothing(story: Story) -> None:
    """Zero write calls, and what comes back is told as our own last writes."""
    pulls, scored, plans, applied = story.runs[1]
    assert [p.cells_to_write for p in plans] == [0, 0]
    assert [a.calls for a in applied] == [0, 0]
    assert scored.appended == 0
    for receipt in pulls:
        accounts = next(s for s in receipt.streams if s.stream == "accounts")
        assert accounts.own_writes == accounts.read > 0
    assert story.calls
    assert not [c for c in story.calls if c.startswith("PATCH") or "batch/update" in c]


def test_a_later_run_asks_for_no_field(story: Story) -> None:
    """Once our own writes have come back and were compared, nothing is left to look at, though HubSpot's hours are
    looked at again."""
    assert [p.compared for run in story.runs[2:] for p in run[2]] == [0] * 4


def test_a_full_comparison_reads_every_account(story: Story) -> None:
    """`full` looks at accounts that nothing points to."""
    desk = story.desk
    receipt = plan(desk.connectors[0], desk.store, desk.config(), desk.clock.now, full=True)
    assert receipt.compared == len(desk.accounts("salesforce"))
    assert receipt.known == 0


def test_a_persons_value_is_held(org_desk: Office) -> None:
    """What somebody typed over one of our values stays, and the other cells go on being written."""
    org_desk.apply()
    org_desk.clock.advance(HOUR)
    org = org_desk.served.company.org
    assert org is not None
    account = next(id_ for id_, f in org_desk.held_by("salesforce").items() if f["tier"] == "standard")
    org.update("Account", account, {"KAM_Tier__c": "strategic"})
    org_desk.clock.advance(HOUR)
    (plan_,) = org_desk.run()[2]
    assert (plan_.cells_held, plan_.cells_to_write) == (1, 0)
    assert org_desk.held_by("salesforce")[account]["tier"] == "strategic"
    org.update("Account", account, {"KAM_Tier__c": None})
    org_desk.clock.advance(HOUR)
    (plan_,) = org_desk.run()[2]
    assert plan_.cells_held == 0
    assert org_desk.held_by("salesforce")[account]["tier"] == "standard"


def test_missing_fields_are_named_with_the_command(planned: tuple[Path, PlanReceipt], tmp_path: Path) -> None:
    """Nothing is provisioned by a run: it stops with the command that an admin runs."""
    with office(org_alone(), tmp_path, planned[0]) as bare:
        with pytest.raises(FieldsNotProvisioned, match=r"KAM_Tier__c.*kam provision --crm salesforce") as fault:
            bare.plan()
        assert fault.value.exit_code == 3


def test_an_apply_that_broke_goes_on_with_what_is_pending(org_desk: Office, planned: tuple[Path, PlanReceipt]) -> None:
    """Cells that were written stay counted, the rest is written by the next apply, none twice."""
    made = planned[1]
    assert org_desk.served.salesforce is not None
    org_desk.served.salesforce.faults.on_path("/composite", "expired_token", times=4)
    with pytest.raises(KamError):
        org_desk.apply()
    org_desk.reconnect()
    org_desk.served.salesforce.faults.clear()
    (ended,) = org_desk.apply()
    assert ended.written == made.cells_to_write
    with org_desk.store.transaction() as tx:
        assert set(cells_of(tx, made.plan_id)["outcome"]) == {"written"}


def test_a_write_whose_answer_was_lost_is_looked_for(org_desk: Office, planned: tuple[Path, PlanReceipt]) -> None:
    """The CRM took it, we never heard: it is seen there, and not sent a second time."""
    assert org_desk.served.salesforce is not None
    org_desk.served.salesforce.faults.on_path("/composite", "dropped_after")
    (ended,) = org_desk.apply()
    assert (ended.written, ended.is_complete) == (planned[1].cells_to_write, True)
    assert sum(call.path.endswith("/composite") for call in org_desk.served.salesforce.faults.log) == 1


def test_a_write_of_which_nothing_was_heard_is_ours_in_the_next_plan(org_desk: Office) -> None:
    """The CRM took it and went away: the next plan finds the value, and holds nothing back as a person's."""
    assert org_desk.served.salesforce is not None
    faults = org_desk.served.salesforce.faults
    org_desk.connectors[0].identify()
    # The first call is the look at the accounts, the second one writes them.
    faults.at(1, "dropped_after")
    faults.at(2, "503", times=6)
    (unclear,) = org_desk.apply()
    assert (unclear.written, unclear.is_complete) == (0, False)
    faults.clear()
    org_desk.clock.advance(HOUR)
    _, _, (made,), (ended,) = org_desk.run()
    assert (made.cells_held, made.cells_to_write, ended.written) == (0, 0, 0)


def test_what_a_crm_refuses_is_told_with_what_to_do(org_desk: Office) -> None:
    """A validation rule of the org refuses every account: the receipt has its code, how often, and a hint."""
    there = org_desk.served.company.org
    assert there is not None
    there.settings.validation_rules.append(ValidationRule("Account", bool))
    (done,) = org_desk.apply()
    assert (done.written, list(done.faults)) == (0, ["FIELD_CUSTOM_VALIDATION_EXCEPTION"])
    assert "exempt the user" in done.hints["FIELD_CUSTOM_VALIDATION_EXCEPTION"]


def test_only_the_latest_plan_is_applied(org_desk: Office, planned: tuple[Path, PlanReceipt]) -> None:
    """An older plan has been overtaken by one that looked at the same accounts."""
    old = planned[1]
    org_desk.clock.advance(HOUR)
    org_desk.plan()
    with pytest.raises(KamError, match="not the latest"):
        apply(org_desk.connectors[0], org_desk.store, old.plan_id, org_desk.clock.now)


def test_a_value_that_a_merge_carried_over_is_no_persons(tmp_path: Path) -> None:
    """The survivor holds what we wrote to the account merged into it: that is ours to replace."""
    with office(same_in(small_book(SIZE), Clock(NOW), "hubspot"), tmp_path) as desk:
        desk.provision()
        desk.run()
        portal = desk.served.company.portal
        assert portal is not None
        held = desk.held_by("hubspot")
        touched = [id_ for id_, fields in held.items() if fields["days_since_touch"] is not None]
        never = [id_ for id_, fields in held.items() if fields["days_since_touch"] is None]
        desk.clock.advance(HOUR)
        assert never
        for winner, loser in zip(never, reversed(touched), strict=False):
            portal.merge("companies", winner, loser)
        # Days since the last touch, carried over, are others by now.
        desk.clock.advance(960 * HOUR)
        assert [p.cells_held for p in desk.run()[2]] == [0]


def test_what_somebody_typed_after_the_plan_is_not_overwritten(
    org_desk: Office, planned: tuple[Path, PlanReceipt]
) -> None:
    """An apply looks again before it writes, however new the plan is; the next plan holds the person's value."""
    made = planned[1]
    org = org_desk.served.company.org
    assert org is not None
    with org_desk.store.transaction() as tx:
        cells = cells_of(tx, made.plan_id)
    account = cells.filter(field="tier", after="standard")["source_id"][0]
    org.update("Account", account, {"KAM_Tier__c": "strategic", "KAM_Score__c": 1.5})
    (ended,) = org_desk.apply()
    assert (ended.edited, ended.written) == (2, made.cells_to_write - 2)
    assert org_desk.held_by("salesforce")[account]["tier"] == "strategic"
    (again,) = org_desk.run()[2]
    assert again.cells_held == 2


def test_a_stage_that_means_something_else_reads_the_deals_again(tmp_path: Path) -> None:
    """HubSpot moves no deal's change stamp for it, and a won deal may be won no longer."""
    with office(same_in(small_book(SIZE), Clock(NOW), "hubspot"), tmp_path) as desk:
        desk.pull()
        portal = desk.served.company.portal
        assert portal is not None
        deals = portal.pipelines["deals"]
        third = Decimal("0.33")
        deals[0].stages[:] = [s if s.closed else replace(s, probability=third) for s in deals[0].stages]
        desk.clock.advance(HOUR)
        receipt = next(s for s in desk.pull()[0].streams if s.stream == "opportunities")
        assert (receipt.is_full, receipt.changed > 0) == (True, True)
