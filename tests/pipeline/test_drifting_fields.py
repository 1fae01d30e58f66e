"""A field that is gone, hidden, under another name or of another type stops the pull before it reads: what stands on it
is named, no tier moves, nothing is written, and once the field is back all goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from connectors.errors import FieldRetyped, PermissionMissing
from connectors.mapping_file import MappingInvalid
from connectors.sandbox.hubspot.redefining import (
    archive_property,
    replace_property,
    restore_property,
    retype_property,
)
from connectors.sandbox.salesforce.redefining import rename_field, retype_field
from flows.pipeline.access import concerned
from flows.pipeline.reconciling import reconcile
from kammodel.dependents import BY_HAND, Dependents
from kammodel.entities import Opportunity
from kammodel.errors import KamError
from kammodel.tiering.criteria import CRITERIA
from tests.pipeline.company import HOUR
from tests.pipeline.drifting import HIDDEN, OURS, SCOPES, THEIRS, Crm, Desk, opened

Deed = Callable[[Desk], object]
CRMS: tuple[Crm, ...] = ("salesforce", "hubspot")
TEXT = "kam_tier_override_reason"
STRATEGIC = "criteria concerned: strategic; KPIs concerned: none"


@pytest.fixture(scope="module", params=CRMS)
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Each test leaves it as it was."""
    with opened(request.param, tmp_path_factory.mktemp("drift")) as there:
        yield there


@dataclass(frozen=True)
class Drift:
    """`told`: what the refusal says beside the names of the criteria."""

    does: Deed
    undoes: Deed
    fault: type[KamError]
    told: str


def _hides(desk: Desk, *hidden: str) -> None:
    desk.portal.settings.hidden_properties = frozenset(hidden)


def _loses_sight(desk: Desk, field: str) -> None:
    table = desk.org.table("FieldPermissions")
    for row in table.where("Field", f"Account.{field}"):
        table.drop(row[0])


def _of_salesforce(name: str, *, mapped: bool) -> dict[str, Drift]:
    other = name.replace("Value", "Values")
    back: Deed = lambda desk: desk.org.grant_field("Account", name)  # noqa: E731
    lost = MappingInvalid if mapped else PermissionMissing
    return {
        "hidden": Drift(lambda desk: _loses_sight(desk, name), back, lost, name),
        "renamed": Drift(
            lambda desk: rename_field(desk.org, "Account", name, other),
            lambda desk: rename_field(desk.org, "Account", other, name),
            lost,
            other if mapped else name,
        ),
        "of another type": Drift(
            lambda desk: retype_field(desk.org, "Account", name, "string"),
            lambda desk: retype_field(desk.org, "Account", name, "double", scale=1),
            lost,
            "of type string",
        ),
        "of another unit": Drift(
            lambda desk: retype_field(desk.org, "Account", name, "percent"),
            lambda desk: retype_field(desk.org, "Account", name, "double"),
            FieldRetyped,
            f"{name} was of type double and is percent now",
        ),
    }


def _of_hubspot(name: str, *, mapped: bool) -> dict[str, Drift]:
    back: Deed = lambda desk: restore_property(desk.portal, "companies", name)  # noqa: E731
    lost = MappingInvalid if mapped else PermissionMissing
    return {
        "gone": Drift(lambda desk: archive_property(desk.portal, "companies", name), back, lost, name),
        "hidden": Drift(lambda desk: _hides(desk, f"companies.{name}"), _hides, lost, name),
        "another in its stead": Drift(
            lambda desk: replace_property(desk.portal, "companies", name, f"{name}_{desk.portal.changes}"),
            back,
            lost,
            name,
        ),
        "of another type": Drift(
            lambda desk: retype_property(desk.portal, "companies", name, "string", field_type="text"),
            lambda desk: retype_property(desk.portal, "companies", name, "number", field_type="number"),
            lost,
            "of type string",
        ),
    }


def drifts(desk: Desk) -> dict[str, Drift]:
    names = THEIRS if desk.mapped else OURS
    of = _of_salesforce if desk.crm == "salesforce" else _of_hubspot
    return of(names[desk.crm], mapped=desk.mapped)


def refused(desk: Desk, fault: type[KamError], told: str) -> None:
    with pytest.raises(fault, match=re.escape(told)) as caught:
        desk.pull()
    assert STRATEGIC in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mapped", [False, True], ids=["ours", "theirs"])
def test_whatever_becomes_of_a_field_no_tier_moves_for_it(desk: Desk, *, mapped: bool) -> None:
    """Each time the pull is refused, and nothing is what it was not; then all is well again."""
    desk.mapped = mapped
    desk.pull()
    before, rated = desk.stands(), desk.ratings()
    assert rated
    for drift in drifts(desk).values():
        drift.does(desk)
        refused(desk, drift.fault, drift.told)
        drift.undoes(desk)
    assert desk.stands() == before
    assert desk.pull().streams
    assert desk.ratings() == rated


def test_a_type_that_reads_the_same_is_noted_and_read_again(desk: Desk) -> None:
    """Once: the next pull reads what changed."""
    desk.mapped = desk.crm == "salesforce"
    desk.pull()
    rated = desk.ratings()
    if desk.mapped:
        retype_field(desk.org, "Account", THEIRS[desk.crm], "currency", scale=1)
        told = "Rating_Value__c was double, is currency now"
    else:
        retype_property(desk.portal, "companies", TEXT, "enumeration", field_type="select", options=("a",))
        told = f"{TEXT} was string, is enumeration now"
    first, second = (next(s for s in desk.pull().streams if s.stream == "accounts") for _ in range(2))
    assert (first.is_full, second.is_full, second.note) == (True, False, None)
    assert told in str(first.note)
    assert desk.ratings() == rated
    if desk.mapped:
        retype_field(desk.org, "Account", THEIRS[desk.crm], "double", scale=1)


def test_what_an_administrator_meant_is_accepted_by_name(desk: Desk) -> None:
    """With --full what is there is read as it is, and the next pull finds nothing odd; so it is with what is back."""
    desk.mapped = desk.crm == "salesforce"
    desk.pull()
    drift = drifts(desk)["of another unit" if desk.mapped else "of another type"]
    drift.does(desk)
    refused(desk, drift.fault, drift.told)
    desk.pull(full=True)
    assert bool(desk.ratings()) is desk.mapped
    assert not next(s for s in desk.pull().streams if s.stream == "accounts").is_full
    drift.undoes(desk)
    if desk.mapped:
        refused(desk, FieldRetyped, "was of type percent and is double now")
        desk.pull(full=True)
    desk.pull()
    assert desk.ratings()


@pytest.mark.parametrize("desk", ["hubspot"], indirect=True)
def test_a_property_of_hubspots_own_that_is_hidden_is_missed(desk: Desk) -> None:
    """It is asked for all the same, and left out of the answer: without a word its column would empty deal by deal.
    Taken as lost, and then back, all of it is read again."""
    desk.mapped = False
    desk.pull()
    before, amounts = desk.stands(), desk.office.store.read(Opportunity, ["source_id", "amount"]).sort("source_id")
    _hides(desk, "deals.amount")
    told = "hubspot opportunities: amount could be read before and cannot be now: opportunities.amount: not among the"
    with pytest.raises(PermissionMissing, match=told) as caught:
        desk.pull()
    assert "criteria concerned: volume, potential, loyalty, service_need; KPIs concerned: revenue_ttm" in str(
        caught.value
    )
    assert desk.stands() == before
    desk.pull(full=True)
    assert desk.office.store.read(Opportunity, ["amount"])["amount"].count() == 0
    assert not any(one.is_full for one in desk.pull().streams if one.stream == "opportunities")
    _hides(desk)
    back = next(one for one in desk.pull().streams if one.stream == "opportunities")
    assert (back.is_full, back.note) == (True, "loaded in full: shown again: amount")
    assert desk.office.store.read(Opportunity, ["source_id", "amount"]).sort("source_id").equals(amounts)


@pytest.mark.parametrize(
    ("kind", "told", "criteria"),
    [
        ("Case", "could be read before and cannot be now", "service_need"),
        ("Opportunity", "nothing can be tiered without opportunities", "volume, potential, loyalty, service_need"),
        ("Account", "(no object Account|companies cannot be read): ", ", ".join(one.key for one in CRITERIA)),
    ],
)
def test_a_whole_stream_that_is_lost_names_what_stands_on_it(desk: Desk, kind: str, told: str, criteria: str) -> None:
    """With at most a handful of KPIs by name; it is back once it may be read again."""
    desk.mapped = False
    desk.pull()
    before = desk.stands()
    scope = {"Case": "tickets", "Opportunity": "crm.objects.deals.read", "Account": "crm.objects.companies.read"}[kind]
    if desk.crm == "salesforce":
        desk.org.settings.hidden_objects = HIDDEN | {kind}
    else:
        desk.portal.settings.scopes = SCOPES - {scope}
    with pytest.raises(PermissionMissing, match=told) as caught:
        desk.pull()
    assert f"criteria concerned: {criteria}; KPIs concerned: " in str(caught.value)
    assert re.search(r"KPIs concerned: (\w+, ){4}\w+ and \d+ more", str(caught.value))
    if desk.crm == "salesforce":
        desk.org.settings.hidden_objects = HIDDEN
    else:
        desk.portal.settings.scopes = SCOPES
    assert desk.stands() == before
    assert desk.pull().streams


@pytest.mark.parametrize("part", ["", "_Reason", "_Until"])
def test_what_people_decide_by_hand_stands_on_fields_too(desk: Desk, part: str) -> None:
    """No KPI or criterion is made of an override; without it a tier would move all the same."""
    desk.mapped = False
    desk.pull()
    before, name, column = desk.stands(), f"KAM_Tier_Override{part}", f"tier_override{part.lower()}"
    if desk.crm == "salesforce":
        _loses_sight(desk, f"{name}__c")
    else:
        _hides(desk, f"companies.{name.lower()}")
    with pytest.raises(PermissionMissing, match=rf"accounts: {column} could be read before") as caught:
        desk.pull()
    assert f"concerned beside criteria: {BY_HAND[column]}; to go on without" in str(caught.value)
    assert desk.stands() == before
    if desk.crm == "salesforce":
        desk.org.grant_field("Account", f"{name}__c")
    else:
        _hides(desk)
    desk.pull()


def test_at_most_a_handful_of_kpis_is_named() -> None:
    """Criteria are what tiers stand on: all of them are. Where nothing stands on a field nothing is said."""
    many = tuple("abcdefg")
    told = "criteria concerned: volume, potential; KPIs concerned: a, b, c, d, e and 2 more; "
    assert concerned(Dependents(many, ("volume", "potential"))) == told
    assert concerned(Dependents(many[:1], ())) == "criteria concerned: none; KPIs concerned: a; "
    assert concerned(Dependents((), ())) == ""
    by_hand = "criteria concerned: none; KPIs concerned: a; concerned beside criteria: tiers set by hand; "
    assert concerned(Dependents(many[:1], (), ("tiers set by hand",))) == by_hand


@pytest.mark.parametrize("desk", ["hubspot"], indirect=True)
def test_a_property_that_few_portals_have_does_not_vanish_unseen(desk: Desk) -> None:
    """Where it never was, nothing is said; where account groups stood on it, it stops the pull."""
    name = "salesforceaccountid"
    company, *_ = desk.portal.shelf(desk.portal.known("companies")).live_ids()
    desk.portal.update("companies", company, {name: "001000000000000AAA"})
    desk.office.clock.advance(HOUR)
    desk.pull()
    _hides(desk, f"companies.{name}")
    with pytest.raises(PermissionMissing, match=r"cross_reference could be read before.*criteria concerned: volume"):
        desk.pull()
    _hides(desk)
    desk.pull()


@pytest.mark.parametrize("desk", ["salesforce"], indirect=True)
def test_a_repair_reads_nothing_that_a_pull_would_not(desk: Desk) -> None:
    """Counting goes on: it looks at no field."""
    desk.pull()
    retype_field(desk.org, "Account", OURS[desk.crm], "percent")
    desk.office.reconnect()
    (connector,) = desk.office.connectors
    with pytest.raises(FieldRetyped, match=STRATEGIC):
        reconcile(connector, desk.office.store, desk.office.clock.now, repair=True)
    assert reconcile(connector, desk.office.store, desk.office.clock.now).repaired == 0
    retype_field(desk.org, "Account", OURS[desk.crm], "double")
    desk.pull()
