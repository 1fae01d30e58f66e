"""What a mapping file may choose in an org, and what is refused with the field and column named."""

from typing import Any

import polars as pl
import pytest

from connectors.mapping import normalize
from connectors.mapping_file import Choice, MappingInvalid, Overrides
from connectors.salesforce.frames import text_frame
from connectors.salesforce.mapping import Declared, asked, cut, declared
from connectors.salesforce.mapping.overriding import pointed, unknown_past

FIELDS: dict[str, dict[str, Any]] = {
    name: {"name": name, "type": kind, "referenceTo": list(leads)}
    for name, kind, *leads in (
        ("Id", "id"),
        ("Name", "string"),
        ("OwnerId", "reference", "User", "Group"),
        ("ParentId", "reference", "Account"),
        ("AccountId", "reference", "Account"),
        ("Rating__c", "double"),
        ("Stars__c", "picklist"),
        ("Coach__c", "reference", "User"),
        ("Friend__c", "reference", "Contact"),
        ("Since__c", "date"),
        ("Moment__c", "datetime"),
        ("Where__c", "location"),
        ("ARR__c", "currency"),
        ("Chance__c", "percent"),
        ("KAM_Score__c", "double"),
        ("Type", "picklist"),
        ("TaskSubtype", "picklist"),
        ("StageName", "picklist"),
        ("IsClosed", "boolean"),
        ("IsWon", "boolean"),
        ("CloseDate", "date"),
        ("ActivityDate", "date"),
        ("Amount", "currency"),
    )
}


def stream(name: str) -> Declared:
    return next(s for s in declared("Hub__c", many_currencies=False, insist=False) if s.name == name)


def choose(stream_name: str, column: str, field: str, words: dict[str, str] | None = None) -> Overrides:
    return Overrides("map.toml", "salesforce", {stream_name: {column: Choice(field=field, words=words)}})


def read(stream_name: str, overrides: Overrides, **row: Any) -> dict[str, Any]:
    """A row of ours, of an org that has all of FIELDS."""
    mapping = cut(pointed(stream(stream_name), overrides, FIELDS).mapping, set(FIELDS))
    frame = text_frame([{"Id": "001D000000IRFma", "CloseDate": "2026-01-31", **row}], mapping.raw_schema())
    done = normalize(frame, mapping)
    assert done.rejects.is_empty()
    return done.rows.to_dicts()[0]


@pytest.mark.parametrize(
    ("stream_name", "column", "field", "value", "ours"),
    [
        ("accounts", "strategic_value", "Rating__c", 7.5, 7.5),
        ("accounts", "owner_id", "Coach__c", "005D000000IRFma", "005D000000IRFmaIAH"),
        ("accounts", "annual_revenue", "ARR__c", 12.5, 125_000),
        ("accounts", "industry", "Stars__c", "Gold", "Gold"),
        ("opportunities", "amount", "ARR__c", 1, 10_000),
        ("opportunities", "probability", "Chance__c", 45.0, 0.45),
        ("opportunities", "loss_reason", "Stars__c", "Price", "Price"),
    ],
)
def test_columns_are_read_from_the_chosen_field(
    stream_name: str, column: str, field: str, value: object, ours: object
) -> None:
    """Whatever its case in the file; the column is decoded as it would be from the usual field."""
    assert read(stream_name, choose(stream_name, column, field.upper()), **{field: value})[column] == ours


def test_the_chosen_field_is_asked_for_and_the_usual_one_is_not() -> None:
    """The query says the org's own spelling; nothing of the file is pasted into it."""
    mapping = pointed(stream("opportunities"), choose("opportunities", "amount", "arr__C"), FIELDS).mapping
    assert "ARR__c" in asked(mapping)
    assert "Amount" not in asked(mapping)


def test_another_choice_is_another_fingerprint() -> None:
    """A changed mapping file has the stream read in full again; the same one does not."""
    plain = stream("accounts").mapping.fingerprint()
    rated = pointed(stream("accounts"), choose("accounts", "strategic_value", "Rating__c"), FIELDS)
    again = pointed(stream("accounts"), choose("accounts", "strategic_value", "rating__c"), FIELDS)
    assert plain != rated.mapping.fingerprint() == again.mapping.fingerprint()
    assert pointed(stream("accounts"), Overrides(), FIELDS).mapping.fingerprint() == plain


@pytest.mark.parametrize(
    ("stream_name", "words", "value", "ours"),
    [
        ("opportunities", {"Neugeschäft": "new"}, "neugeschäft", "new"),
        ("opportunities", {"Neugeschäft": "new"}, "Renewal", "renewal"),
        ("opportunities", {"Renewal": "expansion"}, "Renewal", "expansion"),
        ("opportunities", {"Neugeschäft": "new"}, "Anderes", None),
        ("cases", {"Störung": "problem"}, "Störung", "problem"),
        ("cases", {"Störung": "problem"}, "Lob", "other"),
        ("tasks", {"Besuch": "meeting"}, "Besuch", "meeting"),
    ],
)
def test_words_of_an_org_become_ours(stream_name: str, words: dict[str, str], value: str, ours: str | None) -> None:
    """They go before the usual ones, which stay known."""
    overrides = choose(stream_name, "kind", "Stars__c", words)
    assert read(stream_name, overrides, Stars__c=value, IsClosed="false", IsWon="false")["kind"] == ours


def test_kinds_of_tasks_stay_known_by_their_subtype() -> None:
    """A task whose chosen field is blank is still a call if Salesforce made it as one."""
    overrides = choose("tasks", "kind", "Stars__c", {"Besuch": "meeting"})
    assert read("tasks", overrides, TaskSubtype="Call", IsClosed="true")["kind"] == "call"


@pytest.mark.parametrize(
    ("stream_name", "column", "field", "words", "told"),
    [
        ("accounts", "strategic_valeu", "Rating__c", None, "there is no such column; did you mean strategic_value?"),
        ("accounts", "deleted", "Rating__c", None, "this column cannot be read from another field; known are annual"),
        ("opportunities", "status", "Stars__c", None, "this column cannot be read from another field"),
        ("accounts", "currency", "Stars__c", None, "this column cannot be read from another field"),
        ("accounts", "strategic_value", "Ratng__c", None, "no field Ratng__c .*; did you mean Rating__c?"),
        ("accounts", "strategic_value", "Id FROM User--", None, "no field Id FROM User--"),
        ("accounts", "strategic_value", "a\nb", None, r"no field a\\nb"),
        (
            "accounts",
            "strategic_value",
            "Stars__c",
            None,
            "Stars__c is of type picklist; this column needs one of curr",
        ),
        ("accounts", "tier_override_until", "Moment__c", None, "Moment__c is of type datetime; .* one of date"),
        ("accounts", "industry", "Where__c", None, "Where__c is of type location"),
        ("accounts", "strategic_value", "KAM_Score__c", None, "KAM_Score__c is written by kam itself"),
        ("accounts", "owner_id", "Friend__c", None, "Friend__c leads to Contact; this column needs Group, User"),
        ("opportunities", "probability", "Rating__c", None, "Rating__c is of type double; .* one of percent"),
        ("accounts", "industry", "Stars__c", {"a": "b"}, "words are for columns of ours that hold words"),
        ("opportunities", "kind", "Stars__c", {"a": "nwe"}, "words: a stands for nwe, .*; did you mean new?"),
        ("opportunities", "kind", "Stars__c", {"a": "new", "A": "renewal"}, "words: A stands for two words of ours"),
    ],
)
def test_what_cannot_be_read_is_refused(
    stream_name: str, column: str, field: str, words: dict[str, str] | None, told: str
) -> None:
    """One line that names file, key and what to do."""
    with pytest.raises(MappingInvalid, match=told.replace("?", r"\?")) as caught:
        pointed(stream(stream_name), choose(stream_name, column, field, words), FIELDS)
    assert str(caught.value).startswith(f"map.toml, salesforce.{stream_name}.{column}")
    assert "\n" not in str(caught.value)


def test_the_past_of_another_field_is_not_known() -> None:
    """Salesforce keeps the past of Amount only: beside amounts of another field it would be another figure."""
    overrides = choose("opportunities", "amount", "ARR__c")
    history = pointed(stream("opportunity_history"), overrides, FIELDS).mapping
    assert not {"amount", "prev_amount"} & {line.ours for line in history.lines}
    assert {"probability", "close_on", "prev_close_on"} <= {line.ours for line in history.lines}
    assert list(unknown_past(overrides)) == ["opportunity_history.amount"]
    assert unknown_past(choose("opportunities", "kind", "Stars__c")) == {}


def test_nothing_is_asked_of_a_field_twice() -> None:
    """Two columns may be read from one field."""
    choices = {name: Choice(field="Stars__c") for name in ("industry", "country")}
    mapping = pointed(stream("accounts"), Overrides("f", "salesforce", {"accounts": choices}), FIELDS).mapping
    assert asked(mapping).count("Stars__c") == 1
    frame = pl.DataFrame({"Stars__c": ["Gold"]})
    assert frame.select(
        line.codec.decode(pl.col("Stars__c")).alias(line.ours) for line in mapping.lines if line.ours in choices
    ).row(0) == ("Gold", "Gold")
