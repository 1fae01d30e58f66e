"""Executives, roles, who talks with whom: by hand, as of 30 June 2026; 90 days begin on 2 April, 180 on 2 January."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import AccountPerson, OpportunityPerson, Person, User
from kammodel.scoring import known_kpis
from tests.unit.kam_world import CONFIG, World, at, figure, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a", owner_id="ana")
    for user in ("ana", "luis", "eva"):
        made.add(User, user)
    return made


def person(world: World, source_id: str, title: str | None = None, **values: Any) -> None:
    world.add(Person, source_id, **{"account_id": "a", "title": title, **values})


@pytest.mark.parametrize(
    "title",
    [
        "CEO",
        "Chief Revenue Officer",
        "VP Procurement",
        "Senior Vice-President, Sales",
        "Co-founder",
        "Owner",
        "Managing Director",
        "Director General",
        "Directora general adjunta",
        "Consejero Delegado",
        "Vicepresidenta de compras",
        "Presidente",
        "Socio-director",
        "Gerente General",
        "Propietaria",
    ],
)
def test_titles_of_executives(world: World, title: str) -> None:
    """Reading 26, in both languages."""
    person(world, "p", title)
    assert world.kpi("execs_known") == 1


@pytest.mark.parametrize(
    "title",
    [
        "Directora de Compras",
        "Product Owner",
        "Assistant to the CEO",
        "Head of Operations",
        "Coordinator",
        "Zoo keeper",
        None,
    ],
)
def test_titles_of_others(world: World, title: str | None) -> None:
    person(world, "p", title)
    assert (world.kpi("execs_known"), world.kpi("contacts_known")) == (0, 1)


def test_the_words_are_a_file(world: World) -> None:
    """A list that words.csv names replaces ours."""
    person(world, "p", "Vorstand")
    person(world, "q", "CEO")
    assert world.kpi("execs_known") == 1
    world.give("words", list="executive_title", word="vorstand")
    world.give("words", list="executive_title", word="Geschäftsführer")
    assert world.kpi("execs_known") == 1
    assert world.kpi("days_since_last_exec") == "never"
    world.touch("a", "2026-06-20", person_ids="p")
    assert world.kpi("days_since_last_exec") == 10


def test_noted_buyers_and_sponsors_are_executives(world: World) -> None:
    person(world, "p", "Buyer", buying_roles="BUDGET_HOLDER;END_USER")
    person(world, "q")
    world.add(AccountPerson, "r", account_id="a", person_id="q", roles="Executive Sponsor;Other")
    assert world.kpi("execs_known") == 2


def test_gone_persons_are_not_known(world: World) -> None:
    person(world, "deleted", "CEO", deleted=True)
    person(world, "merged", "CEO", merged_into_id="p")
    person(world, "later", "CEO", created_at=at("2026-07-02T00:00"))
    assert (world.kpi("contacts_known"), world.kpi("exec_coverage")) == (0, "no_executives")


def test_related_persons_are_known_while_the_relation_lasts(world: World) -> None:
    world.account("b")
    person(world, "p", "CEO", account_id="b")
    person(world, "q", "CEO", account_id="b")
    world.add(AccountPerson, "r", account_id="a", person_id="p", is_active=True, until_on=on("2026-06-30"))
    world.add(AccountPerson, "s", account_id="a", person_id="q", until_on=on("2026-06-29"))
    assert (world.kpi("execs_known", "a"), world.kpi("execs_known", "b")) == (1, 2)


@pytest.mark.parametrize(("since", "known"), [("2026-06-30", 1), ("2026-07-01", 0)])
def test_a_relation_that_begins_later_is_none_yet(world: World, since: str, known: int) -> None:
    world.account("b")
    person(world, "p", account_id="b")
    world.add(AccountPerson, "r", account_id="a", person_id="p", since_on=on(since))
    assert world.kpi("contacts_known", "a") == known


def test_executives_are_covered_by_touches_of_half_a_year(world: World) -> None:
    for name in ("ceo", "cfo", "coo"):
        person(world, name, name.upper())
    person(world, "clerk", "Clerk")
    world.touch("a", "2026-01-02", person_ids="ceo;clerk", kind="meeting")
    world.touch("a", "2026-01-01", person_ids="cfo")
    world.touch("a", "2026-05-01", person_ids="clerk")
    assert (world.kpi("execs_touched_180d"), world.kpi("exec_coverage")) == (1, 0.333333)
    assert world.kpi("days_since_last_exec") == 179
    assert (world.kpi("exec_touches_90d"), world.kpi("exec_meetings_180d")) == (0, 1)


def test_executives_of_contacts_never_read_are_unknown(world: World) -> None:
    day = known_kpis(world.inputs(salesforce=("opportunities", "tasks", "events")), CONFIG)
    assert [figure(day, name, "a") for name in ("execs_known", "exec_coverage", "contact_role_coverage")] == [
        "not_read"
    ] * 3


def test_one_person_is_a_single_thread(world: World) -> None:
    assert world.kpi("single_threaded") == 1
    world.touch("a", "2026-06-01", person_ids="p")
    world.touch("a", "2026-06-01", person_ids="q", kind="email")
    assert world.kpi("single_threaded") == 1
    world.touch("a", "2026-06-02", person_ids="q")
    assert world.kpi("single_threaded") == 0


def test_roles_are_noted_in_three_places_or_inferred_from_titles(world: World) -> None:
    person(world, "p", buying_roles="CHAMPION")
    person(world, "q", "IT manager")
    person(world, "r", "Nobody")
    assert (world.kpi("contact_role_coverage"), world.kpi("roles_inferred_share")) == (0.5, 0.5)
    world.deal("a", 1, source_id="d")
    world.add(OpportunityPerson, "one", opportunity_id="d", person_id="r", role="Economic Buyer")
    world.add(AccountPerson, "two", account_id="a", person_id="r", roles="Business User")
    assert (world.kpi("contact_role_coverage"), world.kpi("roles_inferred_share")) == (1.0, 0.25)


def test_required_roles_are_a_file(world: World) -> None:
    person(world, "p", buying_roles="CHAMPION")
    world.give("words", list="required_role", word="champion")
    assert world.kpi("contact_role_coverage") == 1.0


def test_nobody_on_file_covers_no_role(world: World) -> None:
    assert (world.kpi("contact_role_coverage"), world.kpi("roles_inferred_share")) == ("no_contacts", "no_roles")
    person(world, "p")
    assert (world.kpi("contact_role_coverage"), world.kpi("roles_inferred_share")) == (0.0, "no_roles")


def test_the_key_account_managers_share_of_touches(world: World) -> None:
    assert world.kpi("kam_share_of_touches_90d") == "no_touches"
    world.touch("a", "2026-06-01", owner_id="ana")
    world.touch("a", "2026-06-01", owner_id="luis")
    world.touch("a", "2026-06-02", owner_id="luis", kind="meeting")
    world.touch("a", "2026-06-02", owner_id="ana", kind="meeting")
    world.touch("a", "2026-04-01", owner_id="luis")
    assert world.kpi("kam_share_of_touches_90d") == 0.666667


def test_who_is_assigned_manages_the_account_before_its_owner(world: World) -> None:
    world.touch("a", "2026-06-01", owner_id="luis")
    world.touch("a", "2026-06-02", owner_id="ana")
    world.touch("a", "2026-06-03", owner_id="ana")
    world.give("assignments", account="a", user="luis", role="kam", share=60.0)
    world.give("assignments", account="a", user="ana", role="kam", share=40.0)
    world.give("assignments", account="a", user="ana", role="csm")
    assert world.kpi("kam_share_of_touches_90d") == 0.333333


def test_nobodys_account_has_no_managers_share() -> None:
    world = World()
    world.account("a")
    world.touch("a", "2026-06-01")
    assert world.kpi("kam_share_of_touches_90d") == "no_kam"


def test_changes_of_the_manager_need_a_history(world: World) -> None:
    assert world.kpi("owner_changes_12m") == "no_history"
    for user, since in (("ana", "2025-01-01"), ("luis", "2025-06-30"), ("luis", "2025-10-01"), ("eva", "2025-12-01")):
        world.give("assignments", account="a", user=user, role="kam", starts_on=on(since))
    world.give("assignments", account="a", user="ana", role="kam", starts_on=on("2026-07-01"))
    assert world.kpi("owner_changes_12m") == 1


def test_functions_of_ours_that_touched_the_account(world: World) -> None:
    world.touch("a", "2026-06-01", owner_id="ana")
    assert world.kpi("internal_functions_90d") == "not_given"
    for user, function in (("ana", "Sales"), ("luis", "sales"), ("eva", "logistics")):
        world.give("team", user=user, function=function)
    assert world.kpi("internal_functions_90d") == 1
    world.touch("a", "2026-06-01", owner_id="luis")
    world.touch("a", "2026-06-01", owner_id="eva")
    world.touch("a", "2026-06-01", owner_id="somebody")
    assert world.kpi("internal_functions_90d") == 2


def test_directions_that_are_unknown_are_no_part_of_the_ratio(world: World) -> None:
    assert (world.kpi("inbound_ratio_90d"), world.kpi("direction_known_share_90d")) == ("no_direction", "no_touches")
    world.touch("a", "2026-06-01")
    assert (world.kpi("inbound_ratio_90d"), world.kpi("direction_known_share_90d")) == ("no_direction", 0.0)
    for direction in ("in", "out", "out", None):
        world.touch("a", "2026-06-02", kind="email", direction=direction)
    world.touch("a", "2026-06-03", kind="meeting", direction="in")
    world.touch("a", "2026-04-01", direction="in")
    world.touch("a", "2026-06-04", direction="in", person_ids=None)
    assert (world.kpi("inbound_ratio_90d"), world.kpi("direction_known_share_90d")) == (0.5, 0.5)


def test_touches_by_channel(world: World) -> None:
    for day, kind in (
        ("2026-06-30", "call"),
        ("2026-06-01", "email"),
        ("2026-05-31", "meeting"),
        ("2026-05-31", "email"),
    ):
        world.touch("a", day, kind=kind)
    names = ("touches_30d", "calls_30d", "emails_30d", "meetings_30d", "calls_90d", "emails_90d", "meetings_90d")
    assert [world.kpi(name) for name in names] == [2, 1, 1, 0, 1, 2, 1]
