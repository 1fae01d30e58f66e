"""The same company in several CRMs: by file, cross-reference, domain and name; what contradicts is left apart."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from kammodel.entities import Account
from kammodel.identity import AccountGroups, account_groups
from tests.unit.kam_world import Row, frame_of

INSTANCE = {"salesforce": "org", "hubspot": "portal", "zoho": "zoho"}
Decision = tuple[str, str, str | None]


def sf(source_id: str, **values: Any) -> Row:
    return account("salesforce", source_id, **values)


def hs(source_id: str, **values: Any) -> Row:
    return account("hubspot", source_id, **values)


def account(source: str, source_id: str, **values: Any) -> Row:
    return {"source": source, "source_instance": INSTANCE[source], "source_id": source_id, "name": source_id, **values}


def found(*rows: Row, decisions: list[Decision] | None = None) -> AccountGroups:
    schema = {"left": pl.String, "right": pl.String, "decision": pl.String}
    given = None if decisions is None else pl.DataFrame(decisions, schema=schema, orient="row")
    return account_groups(frame_of(Account, list(rows)), "salesforce", given)


def groups(matched: AccountGroups) -> set[frozenset[str]]:
    """The ids that are together."""
    return {frozenset(ids) for ids in matched.members.group_by("group").agg("source_id")["source_id"]}


def together(*ids: str) -> set[frozenset[str]]:
    return {frozenset(ids)}


def matches(matched: AccountGroups) -> list[tuple[Any, ...]]:
    """Ids, rule, evidence, state, why."""
    ids = (pl.col(side).str.split(":").list.last() for side in ("left", "right"))
    return matched.matches.select(*ids, "rule", "evidence", "state", "why").rows()


def test_the_same_host_makes_one_company() -> None:
    both = found(sf("a", domain="acme.com"), hs("1", domain="https://www.ACME.com/es"), hs("2", domain="acme.es"))
    assert groups(both) == {frozenset({"a", "1"}), frozenset({"2"})}
    assert matches(both) == [("1", "a", "domain", "acme.com", "joined", None)]
    assert dict(both.members.select("source_id", "is_counted").iter_rows()) == {"a": True, "1": False, "2": True}


def test_the_same_name_in_the_same_country_makes_one_company() -> None:
    both = found(
        sf("a", name="Ácme, S.L.", country="España"),
        hs("1", name="ACME", country="ES"),
        hs("2", name="Acme", country="France"),
    )
    assert groups(both) == {frozenset({"a", "1"}), frozenset({"2"})}
    assert matches(both) == [("1", "a", "name", "acme (ES)", "joined", None)]


@pytest.mark.parametrize("shared", ["gmail.com", "https://www.linkedin.com/company/acme", "", None])
def test_an_address_of_everybody_says_nothing(shared: str | None) -> None:
    assert matches(found(sf("a", domain=shared), hs("1", domain=shared))) == []


def test_a_name_that_is_a_legal_form_only_says_nothing() -> None:
    assert matches(found(sf("a", name="S.L.", country="ES"), hs("1", name="S.L.", country="ES"))) == []


@pytest.mark.parametrize("field", ["domain", "name"])
def test_two_accounts_of_one_crm_are_never_joined(field: str) -> None:
    values = {"domain": "acme.com"} if field == "domain" else {"name": "Acme", "country": "ES"}
    assert groups(found(sf("a", **values), sf("b", **values))) == {frozenset({"a"}), frozenset({"b"})}


def test_one_that_could_be_two_is_shown_and_not_guessed() -> None:
    three = found(sf("a", domain="acme.com"), hs("1", domain="acme.com"), hs("2", domain="acme.com"))
    assert len(groups(three)) == 3
    assert matches(three) == [
        ("1", "a", "domain", "acme.com", "ambiguous", "several"),
        ("2", "a", "domain", "acme.com", "ambiguous", "several"),
    ]
    assert three.counts["matches_ambiguous"] == 2


def test_where_the_host_leaves_several_the_name_decides() -> None:
    """Two subsidiaries of one web site in each CRM."""
    site = {"domain": "acme.com", "country": "ES"}
    four = found(
        sf("a", name="Acme Sur", **site),
        sf("b", name="Acme Norte", **site),
        hs("1", name="Acme Sur SL", **site),
        hs("2", name="Acme Norte SL", **site),
    )
    assert groups(four) == {frozenset({"a", "1"}), frozenset({"b", "2"})}


def test_the_same_name_with_differing_hosts_is_shown() -> None:
    both = found(
        sf("a", name="Acme", country="ES", domain="acme.es"), hs("1", name="Acme", country="ES", domain="acme.com")
    )
    assert matches(both) == [("1", "a", "name", "acme (ES): acme.es, acme.com", "ambiguous", "domains_differ")]
    assert len(groups(both)) == 2


def test_the_same_name_with_a_host_below_the_other_is_one() -> None:
    both = found(
        sf("a", name="Acme", country="ES", domain="shop.acme.com"),
        hs("1", name="Acme", country="ES", domain="acme.com"),
    )
    assert groups(both) == together("a", "1")


def test_two_companies_of_one_name_that_have_found_theirs_are_no_question() -> None:
    name = {"name": "Acme", "country": "ES"}
    four = found(
        sf("a", domain="a.es", **name),
        hs("1", domain="a.es", **name),
        sf("b", domain="b.es", **name),
        hs("2", domain="b.es", **name),
    )
    assert groups(four) == {frozenset({"a", "1"}), frozenset({"b", "2"})}
    assert four.counts["matches_ambiguous"] == 0


def test_a_host_does_not_chain_two_companies_of_one_crm() -> None:
    """a is 1 by its cross-reference; 2 has the same host as a."""
    three = found(sf("a", domain="acme.com"), hs("1", cross_reference="a"), hs("2", domain="acme.com"))
    assert groups(three) == {frozenset({"a", "1"}), frozenset({"2"})}
    assert matches(three) == [
        ("1", "a", "cross_reference", "hubspot -> a", "joined", None),
        ("2", "a", "domain", "acme.com", "ambiguous", "taken"),
    ]


def test_a_third_crm_does_not_chain_two_companies_of_another() -> None:
    """a and z are one company with two hosts; each of them would bring a HubSpot company."""
    four = found(
        sf("a", domain="acme.com"),
        account("zoho", "z", domain="acme.es", cross_reference="a"),
        hs("1", domain="acme.com"),
        hs("2", domain="acme.es"),
    )
    assert groups(four) == {frozenset({"a", "z"}), frozenset({"1"}), frozenset({"2"})}
    assert [row[-1] for row in matches(four)] == ["chain", "chain", None]


def test_three_crms_with_one_host_are_one_company() -> None:
    three = found(sf("a", domain="acme.com"), hs("1", domain="acme.com"), account("zoho", "z", domain="acme.com"))
    assert groups(three) == together("a", "1", "z")


def test_a_reference_to_somebody_else_contradicts() -> None:
    """a says it is 999, which nobody knows; the host says it is 1."""
    both = found(sf("a", domain="acme.com", cross_reference="999"), hs("1", domain="acme.com"))
    assert matches(both) == [("1", "a", "domain", "acme.com", "ambiguous", "cross_reference")]
    assert len(groups(both)) == 2


def test_a_host_below_another_is_shown() -> None:
    both = found(sf("a", domain="shop.acme.com"), hs("1", domain="acme.com"))
    assert matches(both) == [("1", "a", "domain", "shop.acme.com, acme.com", "ambiguous", "subdomain")]


def test_the_same_name_where_a_country_is_unknown_is_shown() -> None:
    both = found(sf("a", name="Acme", country="ES"), hs("1", name="Acme"))
    assert matches(both) == [("1", "a", "name", "acme", "ambiguous", "country_unknown")]


def test_a_merged_account_matches_as_its_survivor_does() -> None:
    """The loser's own host says nothing any more."""
    gone = {"merged_into_id": "a", "deleted": True}
    rows = (sf("a", domain="acme.com"), sf("b", domain="old.com", **gone))
    assert groups(found(*rows, hs("1", domain="acme.com"))) == together("a", "1")
    assert matches(found(*rows, hs("1", domain="old.com"))) == []


@pytest.mark.parametrize("gone", [{"deleted": True}, {"merged_into_id": "nobody"}])
def test_who_is_gone_matches_nobody(gone: Row) -> None:
    assert matches(found(sf("a", domain="acme.com", **gone), hs("1", domain="acme.com"))) == []


@pytest.mark.parametrize(
    ("left", "right"),
    [("salesforce:a", "hubspot:1"), ("hubspot:portal:1", "salesforce:org:a"), ("a", " 1 "), ("b", "1")],
)
def test_a_confirmed_pair_is_one_company(left: str, right: str) -> None:
    """By any name of either, a merged account's too, and in either order."""
    rows = (sf("a"), sf("b", merged_into_id="a", deleted=True), hs("1"))
    both = found(*rows, decisions=[(left, right, "confirm")])
    assert groups(both) == together("a", "1")
    assert matches(both) == [("1", "a", "file", "matches.csv", "confirmed", None)]


def test_a_decision_ends_an_ambiguity() -> None:
    rows = (sf("a", domain="acme.com"), hs("1", domain="acme.com"), hs("2", domain="acme.com"))
    three = found(*rows, decisions=[("a", "1", "confirm"), ("a", "2", "forbid")])
    assert groups(three) == {frozenset({"a", "1"}), frozenset({"2"})}
    assert [row[4] for row in matches(three)] == ["confirmed", "forbidden"]
    assert three.counts["matches_ambiguous"] == 0


@pytest.mark.parametrize(
    "evidence", [{"domain": "acme.com"}, {"name": "Acme", "country": "ES"}, {"cross_reference": "1"}]
)
def test_a_forbidden_pair_is_joined_by_no_rule(evidence: Row) -> None:
    of_hubspot = {k: v for k, v in evidence.items() if k != "cross_reference"}
    both = found(sf("a", **evidence), hs("1", **of_hubspot), decisions=[("a", "1", "forbid")])
    assert len(groups(both)) == 2
    assert matches(both) == [("1", "a", "file", "matches.csv", "forbidden", None)]


def test_a_forbidden_pair_is_not_joined_through_a_third() -> None:
    rows = (sf("a", domain="acme.com"), hs("1", domain="acme.com"), account("zoho", "z", domain="acme.com"))
    three = found(*rows, decisions=[("a", "z", "forbid")])
    assert len(groups(three)) == 3
    assert [row[-2:] for row in matches(three)] == [
        ("ambiguous", "forbidden"),
        ("ambiguous", "forbidden"),
        ("forbidden", None),
    ]


def test_of_two_contrary_decisions_the_one_that_keeps_apart_holds() -> None:
    both = found(sf("a"), hs("1"), decisions=[("a", "1", "confirm"), ("1", "a", "forbid")])
    assert len(groups(both)) == 2


def test_a_decision_about_nobody_or_within_one_crm_is_counted_and_does_nothing() -> None:
    """A bare id that two CRMs have names nobody."""
    three = found(
        sf("a"),
        sf("b"),
        hs("a"),
        decisions=[("salesforce:a", "salesforce:b", "confirm"), ("b", "nobody", "confirm"), ("b", "a", "confirm")],
    )
    assert three.groups.height == 3
    assert (three.counts["matches_within_one_crm"], three.counts["matches_of_unknown_accounts"]) == (1, 2)


def test_a_line_without_a_decision_decides_nothing() -> None:
    both = found(sf("a", domain="acme.com"), hs("1", domain="acme.com"), decisions=[("a", "1", None)])
    assert [row[4] for row in matches(both)] == ["joined"]


def test_crowds_are_counted_and_not_listed_one_by_one() -> None:
    """Seven companies of a portal at one host: five are listed, two are counted."""
    crowd = found(sf("a", domain="acme.com"), *(hs(str(n), domain="acme.com") for n in range(7)))
    assert crowd.matches.height == 5
    assert crowd.counts["matches_not_listed"] == 2


def test_a_match_ties_groups_as_any_company_does() -> None:
    """b belongs to a in Salesforce, 2 to 1 in HubSpot; only the heads have a host."""
    four = found(sf("a", domain="acme.com"), sf("b", parent_id="a"), hs("1", domain="acme.com"), hs("2", parent_id="1"))
    assert groups(four) == together("a", "b", "1", "2")
    assert four.groups["group_id"].to_list() == ["salesforce:org:a"]


def test_the_system_of_record_turns_no_pair_round() -> None:
    rows = frame_of(Account, [sf("a", domain="acme.com"), hs("1", domain="acme.com"), hs("2", domain="acme.com")])
    said = [account_groups(rows, crm).matches.drop("left_group", "right_group") for crm in ("salesforce", "hubspot")]
    assert said[0].equals(said[1])
