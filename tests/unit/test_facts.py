"""Deals and touches as known at the cut; as of 30 June 2026 in Madrid, two hours ahead of UTC."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kammodel.entities import Account
from kammodel.facts import Sources
from kammodel.facts.cut import cut
from kammodel.facts.deals import Deals, deals
from kammodel.facts.revenue import revenue
from kammodel.facts.touches import Touches, touches
from kammodel.identity import account_groups
from tests.unit.kam_world import AS_OF, STAMP, World, at, on

Row = dict[str, Any]
MIDNIGHT = at("2026-06-30T21:59:59.999999")


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def sources(world: World, synced_at: dt.datetime | None = STAMP) -> Sources:
    found = world.inputs()
    groups = account_groups(found.of(Account), "salesforce")
    return found.sources(groups, cut(AS_OF, "Europe/Madrid", synced_at), "EUR")


def deals_of(world: World, synced_at: dt.datetime | None = STAMP) -> Deals:
    return deals(sources(world, synced_at))


def touches_of(world: World, synced_at: dt.datetime | None = STAMP) -> Touches:
    return touches(sources(world, synced_at))


def only(world: World, synced_at: dt.datetime | None = STAMP) -> Row:
    return deals_of(world, synced_at).deals.row(0, named=True)


def test_the_cut_is_the_end_of_the_day_in_its_zone() -> None:
    """Reading 3."""
    assert cut(AS_OF, "Europe/Madrid", STAMP).at == MIDNIGHT
    assert cut(AS_OF, "Europe/Madrid", None).at == MIDNIGHT


def test_the_cut_is_no_later_than_the_last_sync() -> None:
    moment = cut(AS_OF, "Europe/Madrid", at("2026-06-30T10:00"))
    assert moment.at == at("2026-06-30T10:00")
    assert moment.last_full_day == on("2026-06-29")
    assert cut(AS_OF, "Europe/Madrid", STAMP).last_full_day == AS_OF


def test_what_was_recorded_after_the_cut_did_not_exist(world: World) -> None:
    """Reading 5: even if dated before it; a deal without a time of creation did exist."""
    world.deal("a", 1, close_on=on("2026-06-01"), created_at=at("2026-06-30T22:00"))
    world.deal("a", 2, close_on=on("2026-06-01"), created_at=MIDNIGHT)
    world.deal("a", 3, close_on=on("2026-06-01"), created_at=None)
    assert deals_of(world).deals["amount"].to_list() == [20_000, 30_000]


def test_deleted_and_merged_deals_are_out(world: World) -> None:
    world.deal("a", 1, close_on=on("2026-06-01"), deleted=True)
    world.deal("a", 2, close_on=on("2026-06-01"), merged_into_id="deal-9")
    assert deals_of(world).deals.is_empty()


def test_deals_without_a_live_account_are_counted_as_orphans(world: World) -> None:
    world.account("gone", deleted=True)
    for account in (None, "gone", "nobody", "a"):
        world.deal(account, 1, close_on=on("2026-06-01"))
    found = deals_of(world)
    assert (found.deals.height, found.counts["opportunities_orphaned"]) == (1, 3)


def test_deals_of_a_merged_account_are_its_survivors(world: World) -> None:
    world.account("b", merged_into_id="a", deleted=True)
    world.deal("b", 1, close_on=on("2026-06-01"))
    assert deals_of(world).deals["group"].to_list() == [0]


def test_the_other_crm_counts_only_what_it_alone_holds(world: World) -> None:
    world.account("7", source="hubspot", cross_reference="a")
    world.account("8", source="hubspot", parent_id="7")
    world.deal("a", 1, close_on=on("2026-06-01"))
    world.deal("7", 2, source="hubspot", close_on=on("2026-06-01"))
    world.deal("8", 4, source="hubspot", close_on=on("2026-06-01"))
    found = deals_of(world)
    assert sorted(found.deals["amount"].to_list()) == [10_000, 40_000]
    assert found.counts["opportunities_of_linked_accounts"] == 1


def test_a_deal_closed_later_was_open_as_its_history_says(world: World) -> None:
    """Reading 4: amount, probability and close date of the last row at or before the cut."""
    world.deal("a", 900, source_id="d", status="won", close_on=on("2026-08-01"), updated_at=at("2026-08-01T09:00"))
    world.event("d", "2026-01-01T09:00", "open", 100, probability=0.1, close_on=on("2026-05-01"))
    world.event("d", "2026-06-30T21:59:59.999999", "open", 200, probability=0.4, close_on=on("2026-09-01"))
    world.event("d", "2026-06-30T22:00", "open", 300, probability=0.8, close_on=on("2026-10-01"))
    world.event("d", "2026-08-01T09:00", "won", 900, probability=1.0, close_on=on("2026-08-01"))
    row = only(world)
    assert (row["status"], row["amount"], row["probability"]) == ("open", 2_000_000, 0.4)
    assert (row["expected_on"], row["closed_on"]) == (on("2026-09-01"), None)


def test_a_deal_closed_later_without_history_has_no_probability(world: World) -> None:
    """Reading 4: today's amount."""
    world.deal("a", 900, close_on=on("2026-08-01"), updated_at=at("2026-08-01T09:00"), probability=1.0)
    row = only(world)
    assert (row["status"], row["amount"], row["probability"]) == ("open", 9_000_000, None)
    assert row["expected_on"] == on("2026-08-01")


def test_a_deal_backdated_after_the_cut_was_open_then(world: World) -> None:
    """It was won in July with a close date in June: at the end of June nobody knew."""
    world.deal("a", 900, source_id="d", close_on=on("2026-06-15"), updated_at=at("2026-07-05T09:00"))
    world.event("d", "2026-06-01T09:00", "open", 500, probability=0.5, close_on=on("2026-06-30"))
    world.event("d", "2026-07-05T09:00", "won", 900, probability=1.0, close_on=on("2026-06-15"))
    assert only(world)["status"] == "open"


def test_a_deal_that_was_lost_and_won_back_later_was_lost_then(world: World) -> None:
    world.deal("a", 900, source_id="d", close_on=on("2026-08-15"), updated_at=at("2026-08-15T09:00"))
    world.event("d", "2026-06-10T09:00", "lost", 700, close_on=on("2026-06-10"))
    world.event("d", "2026-08-15T09:00", "won", 900, close_on=on("2026-08-15"))
    row = only(world)
    assert (row["status"], row["closed_on"], row["amount"]) == ("lost", on("2026-06-10"), 7_000_000)


def test_history_up_to_the_cut_leaves_todays_row_as_it_is(world: World) -> None:
    """An amount corrected without a history row counts as it stands."""
    world.deal("a", 901, source_id="d", close_on=on("2026-06-10"))
    world.event("d", "2026-06-10T09:00", "won", 900, close_on=on("2026-06-10"))
    assert only(world)["amount"] == 9_010_000


@pytest.mark.parametrize("by_history", [True, False])
def test_a_won_deal_dated_in_the_future_counts_on_the_day_it_was_closed(world: World, *, by_history: bool) -> None:
    """Reading 4: by the stage history (23:30 UTC is the next day in Madrid), else by its last change."""
    world.deal("a", 900, source_id="d", close_on=on("2026-12-31"), updated_at=at("2026-06-20T10:00"))
    if by_history:
        world.event("d", "2026-05-01T09:00", "open", 900)
        world.event("d", "2026-06-10T23:30", "won", 900)
        world.event("d", "2026-06-15T09:00", "won", 800)
    assert only(world)["closed_on"] == (on("2026-06-11") if by_history else on("2026-06-20"))


def test_a_deal_closed_on_an_unknown_day_is_in_no_window(world: World) -> None:
    """Reading 19."""
    world.deal("a", 900, close_on=None)
    found = deals_of(world)
    assert found.deals.select("status", "closed_on").row(0) == ("won", None)
    assert found.counts["closed_on_unknown_day"] == 1
    assert revenue(sources(world)).days.is_empty()


def test_values_that_may_be_newer_than_the_day_are_counted(world: World) -> None:
    """No history, and changed since: reconstructed from today's values."""
    world.deal("a", 1, close_on=on("2026-06-01"), updated_at=at("2026-09-01T00:00"))
    world.deal("a", 2, close_on=on("2026-06-01"), updated_at=at("2026-06-01T00:00"))
    assert deals_of(world).counts["opportunities_reconstructed"] == 1


def test_days_of_creation_are_local(world: World) -> None:
    """Reading 2: 22:30 UTC is the next day in Madrid; a close date is a date and is never shifted."""
    world.deal("a", 1, close_on=on("2026-06-01"), created_at=at("2026-05-01T22:30"))
    assert only(world)["created_on"] == on("2026-05-02")
    assert only(world)["closed_on"] == on("2026-06-01")


def test_purchase_days_are_distinct_with_gaps_within_the_group(world: World) -> None:
    world.account("b")
    for account, day in (("a", "2026-01-01"), ("a", "2026-01-11"), ("a", "2026-01-11"), ("b", "2026-02-01")):
        world.deal(account, 5, close_on=on(day))
    world.deal("a", 0, close_on=on("2026-03-01"))
    assert revenue(sources(world)).days.rows() == [
        (0, on("2026-01-01"), None),
        (0, on("2026-01-11"), 10),
        (1, on("2026-02-01"), None),
    ]


def days(found: Touches) -> list[dt.date]:
    return found.touches.sort("day")["day"].to_list()


def test_a_touch_counts_on_the_day_that_the_crm_states(world: World) -> None:
    """Reading 1: its own date, never shifted, and not the day on which it was ticked off."""
    world.touch("a", "2026-06-10", completed_at=at("2026-06-12T10:00"), starts_at=at("2026-06-09T10:00"))
    assert days(touches_of(world)) == [on("2026-06-10")]


def test_a_plain_task_counts_on_the_day_it_was_completed(world: World) -> None:
    """Readings 1 and 2: due on the 1st, completed at 22:30 UTC, which is the 13th in Madrid."""
    told = {"occurred_on": None, "starts_at": at("2026-06-01T08:00"), "completed_at": at("2026-06-12T22:30")}
    world.touch("7", "2026-06-01", source="hubspot", source_id="task:1", **told)
    world.account("7", source="hubspot")
    assert days(touches_of(world)) == [on("2026-06-13")]


def test_a_task_without_a_completion_counts_when_it_was_due(world: World) -> None:
    """Old tasks are closed without a time: the due day stands in."""
    world.touch("a", "2026-06-01", occurred_on=None, due_on=on("2026-06-11"))
    assert days(touches_of(world)) == [on("2026-06-11")]


def test_a_touch_without_a_date_counts_on_the_local_day_of_its_start(world: World) -> None:
    world.touch("a", "2026-06-01", occurred_on=None, starts_at=at("2026-06-12T22:30"))
    assert days(touches_of(world)) == [on("2026-06-13")]


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"kind": "note"}, False),
        ({"kind": "task"}, False),
        ({"kind": "mass_email"}, False),
        ({"kind": "email"}, True),
        ({"status": "planned"}, False),
        ({"status": "cancelled"}, False),
        ({"is_counted": False}, False),
        ({"deleted": True}, False),
        ({"created_at": at("2026-07-01T00:00")}, False),
        ({"completed_at": at("2026-07-01T00:00")}, False),
    ],
)
def test_only_done_calls_mails_and_meetings_count(world: World, values: Row, *, counts: bool) -> None:
    """Readings 20 and 22."""
    world.touch("a", "2026-06-10", **values)
    assert touches_of(world).touches.height == int(counts)


def test_a_done_touch_dated_after_the_day_is_ignored(world: World) -> None:
    world.touch("a", "2026-07-01")
    assert touches_of(world).touches.is_empty()


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"status": "planned"}, True),
        ({"status": None}, True),
        ({"status": "cancelled"}, False),
        ({"status": "planned", "starts_at": at("2026-06-30T09:00"), "ends_at": at("2026-06-30T10:00")}, True),
        ({"status": "done", "starts_at": at("2026-06-30T21:00"), "ends_at": at("2026-06-30T22:30")}, False),
    ],
)
def test_a_meeting_is_done_once_over_unless_cancelled(world: World, values: Row, *, counts: bool) -> None:
    """Reading 22."""
    world.touch("a", "2026-06-30", **{"kind": "meeting", **values})
    assert touches_of(world).touches.height == int(counts)


def test_a_meeting_without_a_time_is_over_when_its_day_is(world: World) -> None:
    world.touch("a", "2026-06-30", kind="meeting", status="planned")
    assert touches_of(world, synced_at=at("2026-06-30T10:00")).touches.is_empty()


def test_a_task_of_type_meeting_is_done_when_it_is_closed(world: World) -> None:
    """Reading 22: its day passing does not hold the meeting."""
    world.touch("a", "2026-06-10", kind="meeting", status="planned", is_calendar=False)
    assert touches_of(world).touches.is_empty()


def test_a_call_in_the_calendar_is_done_once_over(world: World) -> None:
    """Salesforce never says so of an event."""
    times = {"starts_at": at("2026-06-10T09:00"), "ends_at": at("2026-06-10T10:00")}
    world.touch("a", "2026-06-10", status="planned", is_calendar=True, **times)
    world.touch("a", "2026-06-11", status="planned", **times)
    assert days(touches_of(world)) == [on("2026-06-10")]


def test_a_touch_names_its_accounts_else_its_deals_counts(world: World) -> None:
    """Reading 22; two accounts of one group are one touch, two groups are two."""
    world.account("b", parent_id="a")
    world.account("c")
    world.deal("c", 1, source_id="d")
    world.touch("a;b;c", "2026-06-10")
    world.touch(None, "2026-06-11", opportunity_id="d")
    world.touch("a", "2026-06-12", opportunity_id="d")
    world.touch(None, "2026-06-13")
    world.touch("nobody", "2026-06-14", opportunity_id="d")
    found = touches_of(world)
    assert found.touches.select("group", "day").sort("day", "group").rows() == [
        (0, on("2026-06-10")),
        (1, on("2026-06-10")),
        (1, on("2026-06-11")),
        (0, on("2026-06-12")),
    ]
    assert found.counts["activities_orphaned"] == 2


def test_a_touch_without_account_and_deal_is_its_cases_else_its_persons(world: World) -> None:
    """Reading 22: account, deal, case, person, the first that leads to an account; both ways are counted."""
    for name in ("c", "d", "e"):
        world.account(name)
    world.deal(None, 1, source_id="orphan")
    world.deal("c", 1, source_id="deal")
    world.case("case", "d")
    world.case("nobody's", None)
    world.person("person", "e")
    world.person("second", "d")
    world.touch(None, "2026-06-10", case_id="case", person_ids="person")
    world.touch(None, "2026-06-11", case_id="case", person_ids="person", opportunity_id="deal")
    world.touch("a", "2026-06-12", case_id="case")
    world.touch(None, "2026-06-13", case_id="nobody's", person_ids="person")
    world.touch(None, "2026-06-14", opportunity_id="orphan", case_id="case")
    world.touch(None, "2026-06-15", person_ids="person;second")
    world.touch(None, "2026-06-16", case_id="unknown", person_ids="unknown")
    found = touches_of(world)
    a, c, d, e = range(4)
    assert found.touches.select(pl.col("day").dt.day(), "group").sort("day", "group").rows() == [
        (10, d),
        (11, c),
        (12, a),
        (13, e),
        (14, d),
        (15, d),
        (15, e),
    ]
    told = ("activities_by_case", "activities_by_person", "activities_orphaned")
    assert [found.counts[name] for name in told] == [2, 2, 1]


def test_a_case_of_another_crm_leads_nowhere(world: World) -> None:
    """Ids are a CRM's own: the same one elsewhere is another record."""
    world.account("1", source="hubspot")
    world.case("case", "1", source="hubspot")
    world.touch(None, "2026-06-10", case_id="case")
    assert touches_of(world).counts["activities_orphaned"] == 1


def test_a_touch_is_counted_once_per_day_kind_owner_and_persons(world: World) -> None:
    """Reading 21."""
    world.touch("a", "2026-06-10")
    world.touch("a", "2026-06-10")
    world.touch("a", "2026-06-10", owner_id="another")
    world.touch("a", "2026-06-10", kind="email")
    world.touch("a", "2026-06-10", person_ids="person;second")
    world.touch("a", "2026-06-11")
    assert touches_of(world).touches.height == 5


def test_a_meeting_is_one_whoever_owns_it(world: World) -> None:
    """Reading 21."""
    world.touch("a", "2026-06-10", kind="meeting")
    world.touch("a", "2026-06-10", kind="meeting", owner_id="another")
    assert touches_of(world).touches.height == 1


def test_touches_without_a_person_stand_apart(world: World) -> None:
    """Reading 20."""
    world.touch("a", "2026-06-10", person_ids=None)
    world.touch("a", "2026-06-10", person_ids="")
    assert touches_of(world).touches["has_person"].to_list() == [False, False]


def test_contacts_are_persons_of_calls_and_meetings(world: World) -> None:
    world.touch("a", "2026-06-10", person_ids="p;q")
    world.touch("a", "2026-06-12", kind="meeting", person_ids="q")
    world.touch("a", "2026-06-14", kind="email", person_ids="r")
    assert touches_of(world).contacts["last_on"].sort().to_list() == [on("2026-06-10"), on("2026-06-12")]


def test_touches_of_a_linked_account_are_not_counted_twice(world: World) -> None:
    world.account("7", source="hubspot", cross_reference="a")
    world.touch("a", "2026-06-10")
    world.touch("7", "2026-06-10", source="hubspot")
    found = touches_of(world)
    assert (found.touches.height, found.counts["activities_of_linked_accounts"]) == (1, 1)


def test_facts_of_an_empty_book_are_empty() -> None:
    assert deals_of(World()).deals.is_empty()
    assert touches_of(World()).touches.schema["group"] == pl.UInt32
