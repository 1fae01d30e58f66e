"""Undo after people have edited: what they left alone is restored byte for byte, what they entered stays."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.hubspot.kinds import COMPANIES
from flows.pipeline.planning import plan
from kammodel.publish.fields import OURS
from kammodel.publish.rules import FieldRule, load_rules
from kammodel.store import approving
from kammodel.store.retention import drop_old_cells
from tests.pipeline.company import HOUR, Office, office
from tests.pipeline.mishaps import Killed, Stop
from tests.pipeline.published import company, type_in, undo_planned
from tests.seed import SEED

CRMS = ("salesforce", "hubspot")
TYPED = {"tier": "growth", "score": "12.5", "reason": "mine", "rfm": "999", "win_rate": "77", "open_cases": "41"}
"""What people enter, by field; kam writes none of it."""
Cells = dict[tuple[str, str], Any]


@pytest.fixture(params=CRMS)
def crm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(crm: str, tmp_path: Path) -> Iterator[Office]:
    """Before anything was written; one account holds a tier that a person chose."""
    with office(company(crm), tmp_path) as opened:
        opened.provision()
        opened.pull()
        type_in(opened, crm, min(opened.accounts(crm)), tier="strategic")
        yield opened


def stored(desk: Office, crm: str) -> Cells:
    """What stands in the CRM, as it keeps it: our fields, and those of others of each account."""
    org, portal = desk.served.company.org, desk.served.company.portal
    if crm == "salesforce" and org is not None:
        left_out = {"LastModifiedDate", "SystemModstamp", "LastModifiedById"}
        rows = {r["Id"]: r for r in org.records("Account")}
        return {(i, name): v for i, row in rows.items() for name, v in row.items() if name not in left_out}
    assert portal is not None
    records = portal.shelf(COMPANIES).records
    own = {f.hubspot_name for f in OURS}
    # HubSpot keeps a cleared property, empty, which reads as one that never was.
    return {(str(i), name): r.values.get(name) or None for i, r in records.items() for name in own | r.values.keys()}


def name_in(crm: str, key: str) -> str:
    return f"KAM_{key.title()}__c" if crm == "salesforce" else f"kam_{key}"


def people_edit(desk: Office, crm: str, chance: random.Random) -> set[tuple[str, str]]:
    """The cells that they entered something into, or cleared."""
    edited: set[tuple[str, str]] = set()
    held = {i: row for i, row in desk.held_by(crm).items() if row["tier"]}
    for account in chance.sample(sorted(held), min(8, len(held))):
        for key in chance.sample(sorted(TYPED), chance.randint(1, 3)):
            value = None if chance.random() < 0.3 else TYPED[key]
            if value != held[account][key]:
                is_number = value is not None and key in {"score", "win_rate", "open_cases"}
                given: Any = float(str(value)) if is_number and crm == "salesforce" else value
                type_in(desk, crm, account, **{key: given})
                edited.add((account, name_in(crm, key)))
    return edited


def undo(desk: Office, plan_id: str | None = None) -> str:
    """Of the newest plan, or of another one; gives the new plan."""
    with desk.store.transaction() as tx:
        name = plan_id or approving.recent_plans(tx, 1)[0].plan_id
    planned = undo_planned(desk, name)
    desk.apply()
    desk.clock.advance(HOUR)
    return planned.plan_id


def differing(one: Cells, other: Cells) -> set[tuple[str, str]]:
    return {place for place in one if one[place] != other.get(place)}


def test_what_people_left_alone_is_restored_and_what_they_edited_stays(desk: Office, crm: str) -> None:
    """And an undo of the undo writes again what it took back, and nothing else."""
    before = stored(desk, crm)
    desk.run()
    published = stored(desk, crm)
    edited = people_edit(desk, crm, random.Random(f"{SEED} {crm}"))
    after_edits = stored(desk, crm)
    assert len(edited) > 5
    first = undo(desk)
    undone = stored(desk, crm)
    # One that they cleared holds what it held before there was anything of ours.
    assert differing(undone, before) == {place for place in edited if after_edits[place] != before[place]}
    assert {place: undone[place] for place in edited} == {place: after_edits[place] for place in edited}
    undo(desk, first)
    assert differing(stored(desk, crm), published) == edited
    assert stored(desk, crm) == after_edits


def test_what_was_written_over_by_rule_is_given_back_as_it_was_spelled(desk: Office, crm: str) -> None:
    """More decimals than ours have, zeros that say nothing, blanks around a text."""
    default = load_rules()
    rules = default.model_copy(update={"fields": default.fields | {"score": "ours", "reason": "ours"}})
    one, other = sorted(desk.accounts(crm))[:2]
    typed = {one: ("12.55", "  mine "), other: ("170.50", "mine too")}
    for account, (score, reason) in typed.items():
        given: Any = float(score) if crm == "salesforce" else score
        type_in(desk, crm, account, score=given, reason=reason)
    before = stored(desk, crm)
    desk.score()
    plan(desk.connectors[0], desk.store, desk.config(), desk.clock.now, rules=rules)
    desk.apply()
    over = {(account, name_in(crm, key)) for account in typed for key in ("score", "reason")}
    assert over <= differing(before, stored(desk, crm))
    desk.clock.advance(HOUR)
    first = undo(desk)
    assert stored(desk, crm) == before
    undo(desk, first)
    assert over <= differing(before, stored(desk, crm))


def written_by_rule(desk: Office, **rules: FieldRule) -> str:
    """By a plan under which these fields are ours; gives its id."""
    default = load_rules()
    desk.score()
    made = plan(
        desk.connectors[0],
        desk.store,
        desk.config(),
        desk.clock.now,
        rules=default.model_copy(update={"fields": default.fields | rules}),
        full=True,
    )
    desk.apply()
    desk.clock.advance(HOUR)
    return made.plan_id


def test_what_was_given_back_to_a_person_stays_theirs_for_good(desk: Office, crm: str) -> None:
    """Also when the plans that tell of it have been forgotten."""
    account = min(desk.accounts(crm))
    type_in(desk, crm, account, reason="mine")
    undo(desk, written_by_rule(desk, reason="ours"))
    assert desk.held_by(crm)[account]["reason"] == "mine"
    with desk.store.transaction() as tx:
        assert drop_old_cells(tx, desk.clock.now() + HOUR) > 0
    for _ in range(2):
        written_by_rule(desk)
    assert desk.held_by(crm)[account]["reason"] == "mine"


def test_what_was_given_back_is_not_taken_by_the_undo_of_an_older_plan(desk: Office, crm: str) -> None:
    """It stood there before none of ours, or after it: who typed it has the last word."""
    account = max(desk.accounts(crm))
    first = written_by_rule(desk)
    mine = next(tier for tier in ("growth", "strategic") if tier != desk.held_by(crm)[account]["tier"])
    type_in(desk, crm, account, tier=mine)
    undo(desk, written_by_rule(desk, tier="ours"))
    assert desk.held_by(crm)[account]["tier"] == mine
    undo(desk, first)
    assert desk.held_by(crm)[account]["tier"] == mine


def test_an_undo_that_was_killed_is_finished_by_another(desk: Office, crm: str) -> None:
    """What was restored already stays as it is."""
    before = stored(desk, crm)
    desk.run()
    with desk.store.transaction() as tx:
        (published,) = approving.recent_plans(tx, 1)
    edited = people_edit(desk, crm, random.Random(f"{SEED} {crm} killed"))
    after_edits = stored(desk, crm)
    # Three looks, then the first of the calls that write.
    with pytest.raises(Killed), Stop(3, after=True).armed():
        undo(desk, published.plan_id)
    assert differing(stored(desk, crm), after_edits)
    desk.reconnect()
    desk.clock.advance(HOUR)
    undo(desk, published.plan_id)
    assert differing(stored(desk, crm), before) == {p for p in edited if after_edits[p] != before[p]}
