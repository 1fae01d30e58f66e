"""Keyed hashes, what speaks of whom, and how rows of what was forgotten are told from others."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import polars as pl
import pytest

from connectors.codecs import boolean, identifier, text
from connectors.emails import NO_EMAILS, Emails
from connectors.hubspot import mapping as hubspot
from connectors.mapping import Line, Mapping, normalize
from connectors.mapping_file import is_private
from connectors.salesforce import mapping as salesforce
from kammodel.entities import ENTITIES, Account, Activity, Case, Opportunity, Person, Sourced, polars_schema
from kammodel.privacy.hashing import HashKey, hashed_addresses
from kammodel.privacy.references import REFERENCES, references_of, sifted
from kammodel.privacy.suppression import ENTRIES, Suppressed, record_hash, suppressed

SECRET = "sixteen or more characters"
KEY = HashKey(SECRET)
SOURCE, INSTANCE = "hubspot", "146"
OUR_OWN = {"owner_id", "user_id", "stage_id", "pipeline_id", "product_id", "source_id"}
"""Columns that name users, stages and products: nobody's at a customer."""


def test_an_address_is_hashed_with_the_key_alone() -> None:
    """HMAC-SHA256 of the trimmed lower-case address, as hexadecimal digits."""
    expected = hmac.new(SECRET.encode(), b"ada@example.com", hashlib.sha256).hexdigest()
    assert KEY.of_address("  Ada@Example.COM ") == expected
    assert HashKey(SECRET + "!").of_address("ada@example.com") != expected
    assert hashed_addresses(pl.Series(["Ada@example.com", None, expected]), KEY).to_list() == [expected, None, expected]


def test_records_of_different_kinds_and_places_have_different_hashes() -> None:
    """No two of kind, CRM, org and id are taken for each other."""
    records = [
        ("person", "s", "1", "2"),
        ("account", "s", "1", "2"),
        ("person", "s1", "", "2"),
        ("person", "s", "12", ""),
    ]
    assert len({KEY.of_record(*record) for record in records}) == 4


def test_a_key_shows_itself_nowhere_and_is_not_short() -> None:
    """Neither in a text nor in the mark by which it is known again."""
    assert SECRET not in f"{KEY!r} {KEY} {KEY.mark}"
    assert KEY.mark == HashKey(SECRET).mark != HashKey(SECRET + "!").mark
    with pytest.raises(ValueError, match="16 characters"):
        HashKey("fifteen letters")


def test_every_column_that_names_a_record_is_declared() -> None:
    """One that is added later, and not said what to do with, would keep the id of somebody forgotten."""
    named = {(one.entity, one.column) for one in REFERENCES}
    for entity in ENTITIES:
        columns = {c for c in polars_schema(entity) if c.endswith(("_id", "_ids")) or c == "cross_reference"}
        assert columns - OUR_OWN == {column for of, column in named if of is entity}, entity


def rows(entity: type[Sourced], *given: dict[str, Any]) -> pl.DataFrame:
    columns = ["source_id", *(one.column for one in references_of(entity))]
    return pl.DataFrame([{c: row.get(c) for c in columns} for row in given], schema=dict.fromkeys(columns, pl.String))


def test_a_part_goes_and_a_link_is_emptied() -> None:
    """A deal of a forgotten account goes, a case of a forgotten person stays without the name; others are untouched."""
    deals = rows(
        Opportunity, {"source_id": "1", "account_id": "a"}, {"source_id": "2", "account_id": "b"}, {"source_id": "3"}
    )
    found = sifted(Opportunity, deals, {"account_id": {"a": "why"}})
    assert (found.kept["source_id"].to_list(), found.dropped.rows()) == (["2", "3"], [("1", "why")])
    cases = rows(Case, {"source_id": "1", "account_id": "b", "person_id": "p"}, {"source_id": "2", "person_id": "q"})
    found = sifted(Case, cases, {"person_id": {"p": "why"}})
    assert found.kept["person_id"].to_list() == [None, "q"]
    assert (found.cleaned.to_list(), found.dropped.height) == (["1"], 0)


@pytest.mark.parametrize(
    ("activity", "hits", "left"),
    [
        ({"account_ids": "a;b", "person_ids": "p"}, {"account_ids": "a"}, ("b", "p")),
        ({"account_ids": "a", "person_ids": "p;q"}, {"person_ids": "p"}, ("a", "q")),
        ({"account_ids": "a", "person_ids": "p"}, {"person_ids": "p"}, ("a", None)),
        ({"account_ids": "a", "person_ids": "p"}, {"account_ids": "a"}, None),
        ({"opportunity_id": "o", "person_ids": "p"}, {"opportunity_id": "o"}, None),
        ({"account_ids": "b", "opportunity_id": "o"}, {"opportunity_id": "o"}, ("b", None)),
        ({"person_ids": "p"}, {"person_ids": "p"}, (None, None)),
        ({"account_ids": "ab;a"}, {"account_ids": "b"}, ("ab;a", None)),
    ],
)
def test_an_activity_stays_with_whoever_else_took_part(
    activity: dict[str, str], hits: dict[str, str], left: tuple[str | None, str | None] | None
) -> None:
    """One that was with a forgotten account alone goes; one with nobody but us and a forgotten person stays, empty."""
    given = rows(Activity, {"source_id": "1", **activity})
    found = sifted(Activity, given, {column: {id_: "why"} for column, id_ in hits.items()})
    assert found.kept.select("account_ids", "person_ids").rows() == ([] if left is None else [left])


def known(*records: tuple[str, str], address: str | None = None) -> Suppressed:
    hashes = [(record_hash(KEY, kind, SOURCE, INSTANCE, id_), kind) for kind, id_ in records]
    entries = [(hash_, kind, None, KEY.of_address(address) if address else None, KEY.mark) for hash_, kind in hashes]
    return suppressed(pl.DataFrame(entries, schema=ENTRIES, orient="row"), KEY, SOURCE, INSTANCE)


def test_a_forgotten_record_is_told_by_its_hash() -> None:
    """By its own id, or by that of what it belongs to; an id of another kind is none of its own."""
    persons = rows(Person, {"source_id": "1"}, {"source_id": "2", "account_id": "9"}, {"source_id": "9"})
    persons = persons.with_columns(email_hash=pl.lit(None, pl.String), email=pl.lit(None, pl.String))
    found = known(("person", "1"), ("account", "9")).sift(Person, persons)
    assert found.kept["source_id"].to_list() == ["9"]


def test_the_same_person_under_another_id_is_told_by_the_address() -> None:
    """Kept as a hash, or as it is."""
    persons = rows(Person, {"source_id": "2"}, {"source_id": "3"}, {"source_id": "4"}).with_columns(
        email_hash=pl.Series([KEY.of_address("ada@example.com"), None, None]),
        email=pl.Series([None, "Ada@example.com", "bob@example.com"]),
    )
    found = known(("person", "1"), address="ada@example.com").sift(Person, persons)
    assert found.kept["source_id"].to_list() == ["4"]


def test_an_account_is_told_where_the_other_crm_names_it() -> None:
    """There it stands by its id alone."""
    accounts = rows(Account, {"source_id": "1", "cross_reference": "001"}, {"source_id": "2", "cross_reference": "002"})
    found = known(("account_elsewhere", "001")).sift(Account, accounts)
    assert found.kept["cross_reference"].to_list() == [None, "002"]


def test_a_row_that_cannot_be_read_and_names_somebody_forgotten_is_not_kept() -> None:
    """Wherever in the row."""
    raws = [{"id": "7", "persons": "1;5"}, {"id": "8", "persons": "11"}]
    rejects = pl.DataFrame({"source_id": ["7", "8"], "raw": [json.dumps(raw) for raw in raws]})
    assert known(("person", "1")).sift_rejects(Activity, rejects)["source_id"].to_list() == ["8"]


def asked_for(emails: Emails) -> list[set[str]]:
    """The address fields of contacts that are asked of each CRM."""
    org = salesforce.declared("X__c", many_currencies=True, insist=False, emails=emails)
    portal = hubspot.declared("x", "UTC", many_currencies=True, insist=False, emails=emails)
    streams = [next(one for one in streams if one.name == "contacts") for streams in (org, portal)]
    return [
        {field for field in one.mapping.asked() if "mail" in field.lower()} - {"HasOptedOutOfEmail", "hs_email_optout"}
        for one in streams
    ]


def test_addresses_are_not_asked_for_without_a_key() -> None:
    """With one they are, and are read as hashes alone; only the switch keeps them."""
    assert asked_for(NO_EMAILS) == [set(), set()]
    assert asked_for(Emails(KEY)) == asked_for(Emails(kept=True)) == [{"Email"}, {"email"}]
    ours = [
        [line.ours for line in emails.lines("Email")]
        for emails in (Emails(KEY), Emails(KEY, kept=True), Emails(kept=True))
    ]
    assert ours == [["email_hash"], ["email_hash", "email"], ["email"]]


def test_another_key_is_another_mapping() -> None:
    """So that everything is read again: hashes of two keys do not go together."""
    marks = {Mapping(Person, Emails(key).lines("Email")).fingerprint() for key in (KEY, HashKey(SECRET + "!"))}
    assert len(marks) == 2


def test_what_is_set_aside_has_the_hash_in_place_of_the_address() -> None:
    """And gives the same hash when it is tried again."""
    lines = (Line("source_id", "Id", identifier), Line("title", "Title", text), Line("has_opted_out", "Out", boolean))
    mapping = Mapping(Person, (*lines, *Emails(KEY).lines("Email")))
    raw = pl.DataFrame({"Id": ["1"], "Title": ["CFO"], "Out": ["perhaps"], "Email": ["Ada@example.com"]})
    (kept,) = normalize(raw, mapping).rejects["raw"]
    expected = KEY.of_address("ada@example.com")
    assert json.loads(kept) == {"Id": "1", "Title": "CFO", "Out": "perhaps", "Email": expected}
    again = normalize(pl.DataFrame([json.loads(kept) | {"Out": "true"}]), mapping).rows
    assert again["email_hash"].to_list() == [expected]


@pytest.mark.parametrize(
    ("kind", "field", "private"),
    [
        ("Contact", "LastName", True),
        ("Contact", "Email", True),
        ("contacts", "work_email", True),
        ("contacts", "mobilephone", True),
        ("emails", "hs_email_html", True),
        ("Task", "Description", True),
        ("tickets", "content", True),
        ("Contact", "Job_Function__c", False),
        ("contacts", "department_name", False),
        ("Account", "Description", False),
        ("emails", "hs_email_status", False),
    ],
)
def test_no_column_may_be_pointed_at_what_is_private(kind: str, field: str, private: bool) -> None:
    """Names and addresses of persons, bodies and subjects."""
    assert is_private(kind, field) is private
