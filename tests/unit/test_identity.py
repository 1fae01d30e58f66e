"""Account groups: merges, cross-references, parents, rings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kammodel.entities import Account
from kammodel.identity import AccountGroups, account_groups
from tests.unit.kam_world import crm, frame_of

Row = dict[str, Any]
SF15 = "001A00000000001"
SF18 = SF15 + "AAA"


def row(source_id: str, parent: str | None = None, source: str = "salesforce", **values: Any) -> Row:
    return {**crm(source), "source_id": source_id, "name": source_id.upper(), "parent_id": parent, **values}


def groups_of(*rows: Row, system_of_record: str | None = "salesforce") -> AccountGroups:
    return account_groups(frame_of(Account, list(rows)), system_of_record)


def roots(found: AccountGroups) -> dict[str, str]:
    """Account id -> id of its root, within whatever CRM."""
    ids = found.members.select("source_id", pl.col("group_id").str.split(":").list.get(2))
    return dict(ids.iter_rows())


def test_members_share_their_ultimate_parent() -> None:
    found = groups_of(row("a"), row("b", "a"), row("c", "b"), row("d"))
    assert roots(found) == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert found.groups["group_id"].to_list() == ["salesforce:org:a", "salesforce:org:d"]
    assert found.groups["members"].to_list() == [3, 1]
    assert found.members.filter("is_root")["source_id"].to_list() == ["a", "d"]


def test_a_deep_hierarchy_ends_at_its_top() -> None:
    chain = [row("n00"), *(row(f"n{k:02}", f"n{k - 1:02}") for k in range(1, 60))]
    assert set(roots(groups_of(*chain)).values()) == {"n00"}


@pytest.mark.parametrize("gone", [{"deleted": True}, None])
def test_a_deleted_or_unknown_parent_is_no_parent(gone: Row | None) -> None:
    """Reading 37."""
    parent = [row("p", **gone)] if gone else []
    found = groups_of(*parent, row("a", "p"), row("b", "a"))
    assert roots(found) == {"a": "a", "b": "a"}
    assert found.counts["parents_missing"] == 1
    assert not found.groups["is_ring"].any()


def test_a_ring_takes_its_smallest_id_and_tails_join_it() -> None:
    """Reading 37: b -> c -> d -> b, and a hangs on d although its own id is smaller."""
    found = groups_of(row("b", "c"), row("c", "d"), row("d", "b"), row("a", "d"), row("z", "a"))
    assert set(roots(found).values()) == {"b"}
    assert found.groups["is_ring"].to_list() == [True]


def test_a_self_parent_is_a_flagged_ring_of_one() -> None:
    found = groups_of(row("a", "a"), row("b", "a"), row("c"))
    assert roots(found) == {"a": "a", "b": "a", "c": "c"}
    assert found.groups["is_ring"].to_list() == [True, False]


def test_a_merged_account_stands_for_its_survivor_through_chains() -> None:
    gone = {"deleted": True}
    found = groups_of(
        row("a"), row("b", merged_into_id="c", **gone), row("c", merged_into_id="a", **gone), row("k", parent="b")
    )
    assert found.members["source_id"].to_list() == ["a", "k"]
    assert found.accounts.sort("source_id")["source_id"].to_list() == ["a", "b", "c", "k"]
    assert roots(found)["k"] == "a"


@pytest.mark.parametrize("into", ["nobody", "x", "d"])
def test_a_merged_account_without_a_live_survivor_is_out(into: str) -> None:
    """An unknown survivor, a ring of merges, a survivor that was deleted."""
    found = groups_of(row("a"), row("x", merged_into_id=into), row("d", deleted=True))
    assert found.accounts["source_id"].to_list() == ["a"]


def test_children_of_a_merged_parent_join_the_survivor() -> None:
    found = groups_of(row("a"), row("p", merged_into_id="a", deleted=True), row("k", "p"))
    assert roots(found) == {"a": "a", "k": "a"}


@pytest.mark.parametrize(
    ("on_hubspot", "on_salesforce"), [(SF18, None), (SF15, None), (f" {SF15} ", None), (None, "77")]
)
def test_a_cross_reference_on_either_side_makes_one_company(on_hubspot: str | None, on_salesforce: str | None) -> None:
    found = groups_of(row(SF18, cross_reference=on_salesforce), row("77", source="hubspot", cross_reference=on_hubspot))
    assert found.groups["group_id"].to_list() == [f"salesforce:org:{SF18}"]
    assert dict(found.members.select("source", "is_counted").iter_rows()) == {"hubspot": False, "salesforce": True}


def test_salesforce_ids_that_differ_in_case_only_are_two_accounts() -> None:
    found = groups_of(row("001a00000000001IAA"), row("77", source="hubspot", cross_reference=SF15))
    assert found.groups.height == 2


def test_a_company_that_one_crm_alone_holds_counts_from_there() -> None:
    """Its parent is linked, the company itself is not."""
    found = groups_of(
        row(SF18), row("77", source="hubspot", cross_reference=SF18), row("78", parent="77", source="hubspot")
    )
    assert set(roots(found).values()) == {SF18}
    counted = dict(found.members.select("source_id", "is_counted").iter_rows())
    assert counted == {SF18: True, "77": False, "78": True}


def test_the_system_of_record_is_a_setting() -> None:
    rows = (row(SF18), row("77", source="hubspot", cross_reference=SF18))
    assert groups_of(*rows, system_of_record="hubspot").groups["group_id"].item() == "hubspot:portal:77"
    assert groups_of(*rows, system_of_record=None).groups["group_id"].item() == "hubspot:portal:77"


def test_the_system_of_record_states_the_parent_and_the_other_fills_in() -> None:
    """Salesforce says b belongs to a; HubSpot says b belongs to c, and c to d: only the latter is news."""
    linked = {"source": "hubspot", "source_instance": "portal"}
    found = groups_of(
        row("a"),
        row("b", "a"),
        row("c"),
        row("d"),
        row("2", "3", **linked, cross_reference="b"),
        row("3", "4", **linked, cross_reference="c"),
        row("4", **linked, cross_reference="d"),
    )
    assert roots(found) == {"a": "a", "b": "a", "2": "a", "c": "d", "3": "d", "d": "d", "4": "d"}
    assert not found.groups["is_ring"].any()


def test_a_parent_that_is_the_same_company_is_no_ring() -> None:
    """Two HubSpot companies for one Salesforce account, one of them the other's parent."""
    found = groups_of(
        row(SF18),
        row("1", source="hubspot", cross_reference=SF18),
        row("2", parent="1", source="hubspot", cross_reference=SF18),
    )
    assert found.groups.select("members", "is_ring").row(0) == (3, False)


def test_a_reference_to_a_merged_account_means_its_survivor() -> None:
    found = groups_of(
        row("a"), row("b", merged_into_id="a", deleted=True), row("7", source="hubspot", cross_reference="b")
    )
    assert roots(found) == {"a": "a", "7": "a"}


def test_a_merged_accounts_own_reference_is_its_survivors() -> None:
    gone = {"merged_into_id": "a", "deleted": True, "cross_reference": "7"}
    found = groups_of(row("a"), row("b", **gone), row("7", source="hubspot"))
    assert roots(found) == {"a": "a", "7": "a"}


def test_a_reference_within_one_crm_or_to_nobody_ties_nothing() -> None:
    found = groups_of(row("a", cross_reference="b"), row("b"), row("c", cross_reference="nobody"))
    assert found.groups.height == 3


def test_a_reference_on_a_deleted_row_ties_nothing() -> None:
    found = groups_of(row("a"), row("7", source="hubspot", cross_reference="a", deleted=True))
    assert found.members["source_id"].to_list() == ["a"]


def test_two_accounts_of_one_name_are_two() -> None:
    """Reading 37."""
    assert groups_of(row("a", name="Acme"), row("b", name="Acme")).groups.height == 2


def test_what_a_person_typed_is_the_root_companys() -> None:
    """Type, rating and override of the root; a linked row fills what the system of record leaves open."""
    day = dt.date(2027, 1, 1)
    found = groups_of(
        row("a", type="customer"),
        row("b", "a", type="partner", tier_override="strategic"),
        row("7", source="hubspot", cross_reference="a", type="other", strategic_value=7.0, tier_override="key"),
        row("c", tier_override="growth", tier_override_until=day, tier_override_reason="because"),
    )
    columns = ("name", "type", "strategic_value", "tier_override", "tier_override_reason", "tier_override_until")
    assert found.groups.select(columns).rows() == [
        ("A", "customer", 7.0, "key", None, None),
        ("C", None, None, "growth", "because", day),
    ]
    assert found.counts["overrides_on_members"] == 1


def test_order_of_rows_means_nothing() -> None:
    rows = [row("b", "c"), row("c", "b"), row("a", "c"), row("7", source="hubspot", cross_reference="a"), row("k", "a")]
    straight, reverse = groups_of(*rows), groups_of(*reversed(rows))
    assert straight.members.equals(reverse.members)
    assert straight.groups.equals(reverse.groups)


def test_no_accounts_are_no_groups() -> None:
    found = groups_of()
    assert (found.groups.height, found.members.height) == (0, 0)
    assert found.groups.schema["group"] == pl.UInt32
