"""From two served CRMs to tiers in their fields: what is written, what is left alone, what survives a fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.errors import FieldsNotProvisioned
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in, two_crms
from flows.pipeline import apply, plan
from kammodel.errors import KamError
from kammodel.store.plans import cells_of
from tests.pipeline.company import HOUR, NOW, Office, office, small_book


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    with office(two_crms(small_book(), Clock(NOW)), tmp_path) as opened:
        opened.provision()
        yield opened


@pytest.fixture
def org_desk(tmp_path: Path) -> Iterator[Office]:
    with office(same_in(small_book(), Clock(NOW), "salesforce"), tmp_path) as opened:
        opened.provision()
        yield opened


def test_what_was_planned_stands_in_the_crms(desk: Office) -> None:
    """Every cell planned is written, every tier in the CRM is the one that was scored."""
    _, scored, plans, applied = desk.run()
    assert all(p.cells_to_write == a.written > 0 for p, a in zip(plans, applied, strict=True))
    for name in ("salesforce", "hubspot"):
        tiers = [fields["tier"] for fields in desk.held_by(name).values()]
        assert set(filter(None, tiers)) <= set(scored.tiers)
        assert any(tiers)


def test_a_run_after_no_change_writes_nothing(desk: Office) -> None:
    """Zero write calls, and what comes back is told as our own last writes."""
    desk.run()
    for served in (desk.served.salesforce, desk.served.hubspot):
        assert served is not None
        served.faults.clear()
    pulls, scored, plans, applied = desk.run()
    assert [p.cells_to_write for p in plans] == [0, 0]
    assert [a.calls for a in applied] == [0, 0]
    assert scored.appended == 0
    for receipt in pulls:
        accounts = next(s for s in receipt.streams if s.stream == "accounts")
        assert accounts.own_writes == accounts.read > 0
    for served in (desk.served.salesforce, desk.served.hubspot):
        assert served is not None
        calls = [f"{c.method} {c.path}" for c in served.faults.log]
        assert not [c for c in calls if c.startswith("PATCH") or "batch/update" in c]


def test_the_third_run_asks_for_no_field(desk: Office) -> None:
    """Once our own writes have come back and were compared, nothing is left to look at."""
    desk.run()
    desk.run()
    plans = desk.run()[2]
    assert [p.compared for p in plans] == [0, 0]


def test_a_persons_value_is_held(org_desk: Office) -> None:
    """What somebody typed over one of our values stays, and the other cells go on being written."""
    org_desk.run()
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


def test_missing_fields_are_named_with_the_command(tmp_path: Path) -> None:
    """Nothing is provisioned by a run: it stops with the command that an admin runs."""
    with office(same_in(small_book(), Clock(NOW), "salesforce"), tmp_path) as bare:
        bare.pull()
        bare.score()
        with pytest.raises(FieldsNotProvisioned, match=r"KAM_Tier__c.*kam provision --crm salesforce") as fault:
            bare.plan()
        assert fault.value.exit_code == 3


def test_an_apply_that_broke_goes_on_with_what_is_pending(org_desk: Office) -> None:
    """Cells that were written stay counted, the rest is written by the next apply, none twice."""
    org_desk.pull()
    org_desk.score()
    (made,) = org_desk.plan()
    assert org_desk.served.salesforce is not None
    org_desk.served.salesforce.faults.on_path("PATCH", "expired_token", times=4)
    with pytest.raises(KamError):
        org_desk.apply()
    org_desk.reconnect()
    org_desk.served.salesforce.faults.clear()
    (ended,) = org_desk.apply()
    assert ended.written == made.cells_to_write
    with org_desk.store.transaction() as tx:
        assert set(cells_of(tx, made.plan_id)["outcome"]) == {"written"}


def test_a_write_whose_answer_was_lost_is_ours_in_the_next_plan(org_desk: Office) -> None:
    """The CRM took it, we never heard: the next plan finds the value, and holds nothing back as a person's."""
    org_desk.pull()
    org_desk.score()
    org_desk.plan()
    assert org_desk.served.salesforce is not None
    org_desk.served.salesforce.faults.on_path("PATCH", "dropped_after", times=9)
    (unclear,) = org_desk.apply()
    assert (unclear.written, unclear.is_complete) == (0, False)
    org_desk.served.salesforce.faults.clear()
    org_desk.clock.advance(HOUR)
    _, _, (made,), (ended,) = org_desk.run()
    assert (made.cells_held, made.cells_to_write, ended.written) == (0, 0, 0)


def test_only_the_latest_plan_is_applied(org_desk: Office) -> None:
    """An older plan has been overtaken by one that looked at the same accounts."""
    org_desk.pull()
    org_desk.score()
    (old,) = org_desk.plan()
    org_desk.clock.advance(HOUR)
    org_desk.plan()
    with pytest.raises(KamError, match="not the latest"):
        apply(org_desk.connectors[0], org_desk.store, old.plan_id, org_desk.clock.now)


def test_a_full_comparison_reads_every_account(org_desk: Office) -> None:
    """`full` looks at accounts that nothing points to."""
    org_desk.run()
    org_desk.run()
    receipt = plan(org_desk.connectors[0], org_desk.store, org_desk.config(), org_desk.clock.now, full=True)
    assert receipt.compared == len(org_desk.accounts("salesforce"))
    assert receipt.known == 0


def test_a_value_that_a_merge_carried_over_is_no_persons(desk: Office) -> None:
    """The survivor holds what we wrote to the account merged into it: that is ours to replace."""
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
    assert [p.cells_held for p in desk.run()[2]] == [0, 0]


def test_what_somebody_typed_after_the_plan_is_not_overwritten(org_desk: Office) -> None:
    """A plan that lay for a while looks again before it writes; the next one holds the person's value."""
    org_desk.pull()
    org_desk.score()
    (made,) = org_desk.plan()
    org = org_desk.served.company.org
    assert org is not None
    with org_desk.store.transaction() as tx:
        cells = cells_of(tx, made.plan_id)
    account = cells.filter(field="tier", after="standard")["source_id"][0]
    org.update("Account", account, {"KAM_Tier__c": "strategic", "KAM_Score__c": 1.5})
    org_desk.clock.advance(HOUR)
    (ended,) = org_desk.apply()
    assert (ended.edited, ended.written) == (2, made.cells_to_write - 2)
    assert org_desk.held_by("salesforce")[account]["tier"] == "strategic"
    (again,) = org_desk.run()[2]
    assert again.cells_held == 2


def test_a_stage_that_means_something_else_reads_the_deals_again(tmp_path: Path) -> None:
    """HubSpot moves no deal's change stamp for it, and a won deal may be won no longer."""
    with office(same_in(small_book(), Clock(NOW), "hubspot"), tmp_path) as desk:
        desk.pull()
        portal = desk.served.company.portal
        assert portal is not None
        deals = portal.pipelines["deals"]
        third = Decimal("0.33")
        deals[0].stages[:] = [s if s.closed else replace(s, probability=third) for s in deals[0].stages]
        desk.clock.advance(HOUR)
        receipt = next(s for s in desk.pull()[0].streams if s.stream == "opportunities")
        assert (receipt.is_full, receipt.changed > 0) == (True, True)
