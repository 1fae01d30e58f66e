"""Rollups beyond their figures: in snapshots, explanations and the catalogue, and as fields of a CRM."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from flows.report.rolled import rollup_entries
from kammodel.publish.fields import FIELDS, OURS, CustomField, Words
from kammodel.rollups import parse_rollups
from kammodel.rollups.fields import all_fields, field_of, written_fields
from kammodel.rollups.retired import retired_fields
from kammodel.scoring import ScoredDay, explain_group, score_day, snapshot_frame, wanted_values
from tests.unit.kam_world import CONFIG, STAMP, World, at, on

ROLLUPS, _ = parse_rollups("""
[[rollup]]
name = "names"
label = { en = "Names", es = "Nombres" }
over = "opportunities"
operation = "concat"
column = "name"
max_length = 80
field = { name = "deal_names", help = { en = "Of its deals.", es = "De sus oportunidades." } }

[[rollup]]
name = "own_amount"
label = { en = "Own amount", es = "Importe propio" }
over = "opportunities"
level = "account"
operation = "avg"
column = "amount"
field = true

[[rollup]]
name = "chance"
label = { en = "Chance", es = "Probabilidad" }
over = "opportunities"
operation = "max"
column = "probability"
field = { decimals = 1 }

[[rollup]]
name = "has_open"
label = { en = "Has open", es = "Tiene abiertas" }
over = "opportunities"
operation = "any"
matches = [{ column = "status", is = "open" }]
field = true

[[rollup]]
name = "last_close"
label = { en = "Last close", es = "Último cierre" }
over = "opportunities"
operation = "max"
column = "close_on"
field = true

[[rollup]]
name = "cases_n"
label = { en = "Cases", es = "Casos" }
over = "cases"
operation = "count"
window = { column = "opened_at", last = 90, unit = "days" }
""")


@pytest.fixture(scope="module")
def day() -> ScoredDay:
    world = World()
    world.account("a")
    world.account("b", parent_id="a")
    more = {"close_on": on("2026-05-01"), "probability": 0.333}
    world.deal("a", 10, name='Say "hi"\n', **more)
    world.deal("a", 20.0001, name="<b>", **more)
    inputs = world.inputs(salesforce=("opportunities",))
    return score_day(replace(inputs, given=replace(inputs.given, rollups=ROLLUPS)), CONFIG)


def stored(day: ScoredDay) -> dict[str, Any]:
    text = snapshot_frame(day, "run", STAMP)["kpis"].item()
    assert list(json.loads(text)) == sorted(json.loads(text))
    found: dict[str, Any] = json.loads(text, parse_float=str)
    return {name: value for name, value in found.items() if name.removesuffix("__why") in {r.name for r in ROLLUPS}}


def test_a_snapshot_keeps_them_among_the_kpis(day: ScoredDay) -> None:
    """Texts whatever is in them; of accounts, by account; money in plain units; why one has no value."""
    assert stored(day) == {
        "cases_n__why": "not_read",
        "chance": "0.333",
        "has_open": 0,
        "last_close": "2026-05-01",
        "names": '<b>, Say "hi"\n',
        "own_amount": {"salesforce:org:a": "15.0000"},
        "own_amount__why": {"salesforce:org:b": "no_rows"},
    }


def test_fields_follow_from_units() -> None:
    kinds = {f.key: (f.kind, f.scale, f.length, f.salesforce_name) for f in written_fields(ROLLUPS)[len(OURS) :]}
    assert kinds == {
        "deal_names": ("text", 0, 80, "KAM_Deal_Names__c"),
        "own_amount": ("number", 2, 255, "KAM_Own_Amount__c"),
        "chance": ("percent", 1, 255, "KAM_Chance__c"),
        "has_open": ("picklist", 0, 255, "KAM_Has_Open__c"),
        "last_close": ("date", 0, 255, "KAM_Last_Close__c"),
    }
    assert all_fields(ROLLUPS)[: len(FIELDS)] == FIELDS
    assert field_of(ROLLUPS[-1]) is None


def test_accounts_hold_their_own_figure_or_their_groups(day: ScoredDay) -> None:
    fields = written_fields(ROLLUPS)
    values = wanted_values(day, "salesforce", "org", fields)
    keys = [f.key for f in fields[len(OURS) :]]
    assert values.select("source_id", *keys).rows() == [
        ("a", '<b>, Say "hi"', "15", "33.3", "no", "2026-05-01"),
        ("b", '<b>, Say "hi"', None, "33.3", "no", "2026-05-01"),
    ]


def test_an_explanation_lists_them(day: ScoredDay) -> None:
    """In the order of the file; of accounts one each."""
    told = [(r.label, r.account, r.value, r.why) for r in explain_group(day, "a").rollups]
    assert told[1:3] == [
        ("Own amount", "salesforce:org:a", 15.0, None),
        ("Own amount", "salesforce:org:b", None, "no_rows"),
    ]
    assert told[-2:] == [("Last close", None, "2026-05-01", None), ("Cases", None, None, "not_read")]


def test_a_figure_of_rows_that_nobody_knows_as_they_were_says_so(day: ScoredDay) -> None:
    """The deals were changed after the day and before our first look."""
    assert {"names", "own_amount"} <= set(explain_group(day, "a").reconstructed)
    assert "cases_n" not in explain_group(day, "a").reconstructed


def test_the_catalogue_tells_what_each_is() -> None:
    told = {entry.name: (entry.levels, entry.unit, entry.window, entry.rule) for entry in rollup_entries(ROLLUPS)}
    assert told["own_amount"] == (("account",), "money", "all", "avg of amount over opportunities.")
    assert told["has_open"][3] == "any with status is open, over opportunities."
    assert told["cases_n"][2] == "opened_at, last 90 days"


def ledger(**values: tuple[str | None, ...]) -> pl.DataFrame:
    rows = [(f"{n}", field, value) for field, own in values.items() for n, value in enumerate(own)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("source_id", "field", "value"), pl.String), orient="row")


def test_what_nothing_declares_any_more_is_taken_back() -> None:
    """By what we wrote there: numbers, days or texts. What is empty already is left."""
    written = ledger(
        tier=("key",), gone=("1", "2.5", None), days=("2026-01-01",), words=("7", "007"), empty=(None, None)
    )
    found = retired_fields(written, OURS)
    assert [(f.key, f.kind) for f in found] == [("days", "date"), ("gone", "number"), ("words", "text")]
    assert retired_fields(written, (*OURS, *found)) == ()


def test_words_of_a_field_fit_the_crms() -> None:
    """The label where there is no help of its own."""
    told = field_of(ROLLUPS[0])
    assert isinstance(told, CustomField)
    assert (told.label, told.help) == (Words("Names", "Nombres"), Words("Of its deals.", "De sus oportunidades."))
    other = field_of(ROLLUPS[1])
    assert other is not None
    assert other.help == other.label


def test_no_rollup_changes_nothing() -> None:
    """Of a score without rollups, and what it costs to read."""
    world = World()
    world.account("a")
    world.deal("a", 10, close_on=on("2026-05-01"), created_at=at("2026-01-01T12:00"))
    plain = score_day(world.inputs(), CONFIG)
    assert plain.rolled.rollups == ()
    assert explain_group(plain, "a").rollups == ()
    assert wanted_values(plain, "salesforce", "org", OURS).columns == [
        "source_id",
        *(f.key for f in OURS if f.key not in {"scored_on", "stamp"}),
    ]
