"""The plan: each cell's decision out of what we want, what we last wrote and what the CRM holds now."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kammodel.publish.fields import OURS, CustomField
from kammodel.publish.plan import Comparison, Terms, canonical_frame, compare, with_inherited
from kammodel.publish.rules import PublishRules, load_rules

DAY = dt.date(2026, 6, 30)
FIELD = {f.key: f for f in OURS}
CADENCE = {"strategic": 30, "key": 60, "growth": 90}
Cells = dict[str, tuple[Any, Any]]
"""Field -> (wanted, now)."""


def plan(
    cells: Cells,
    ours: dict[str, list[Any]] | None = None,
    cadence: dict[str, int] | None = None,
    rules: PublishRules | None = None,
) -> Comparison:
    """The comparison for one account `a`; `ours`: field -> values that we wrote or may have written."""
    wanted = {key: [want] for key, (want, _) in cells.items() if key != "scored_on"}
    now = {key: [held] for key, (_, held) in cells.items()}
    rows = [("a", key, value) for key, values in (ours or {}).items() for value in values]
    return compare(
        pl.DataFrame({"source_id": ["a"], **wanted}, schema=dict.fromkeys(["source_id", *wanted], pl.String)),
        pl.DataFrame({"source_id": ["a"], **now}, schema=dict.fromkeys(["source_id", *now], pl.String)),
        pl.DataFrame(rows, schema=dict.fromkeys(["source_id", "field", "value"], pl.String), orient="row"),
        Terms([FIELD[key] for key in cells], DAY, CADENCE if cadence is None else cadence, rules or load_rules()),
    )


def decisions(found: Comparison) -> dict[str, str]:
    held = dict(found.cells.select("field", "decision").iter_rows())
    return held | dict.fromkeys(found.equal["field"], "equal")


NOTHING = "nothing"
"""We never wrote the cell; null is a value that we may have written: a cleared field."""


@pytest.mark.parametrize(
    ("written", "now", "wanted", "decision"),
    [
        (NOTHING, None, None, "equal"),
        (NOTHING, None, "key", "write"),
        (NOTHING, "key", "key", "equal"),
        (NOTHING, "key", "growth", "held"),
        (NOTHING, "key", None, "held"),
        (None, None, None, "equal"),
        (None, None, "key", "write"),
        (None, "key", "key", "equal"),
        (None, "key", "growth", "held"),
        (None, "key", None, "held"),
        ("key", None, None, "equal"),
        ("key", None, "key", "write"),
        ("key", None, "growth", "write"),
        ("key", "key", "key", "equal"),
        ("key", "key", "growth", "write"),
        ("key", "key", None, "write"),
        ("key", "growth", "growth", "equal"),
        ("key", "growth", "key", "held"),
        ("key", "growth", "standard", "held"),
        ("key", "growth", None, "held"),
    ],
)
def test_every_case_of_written_now_and_wanted(written: Any, now: Any, wanted: Any, decision: str) -> None:
    """Equal is left, nothing and our own value are written over, a person's value is held."""
    found = plan({"tier": (wanted, now)}, {} if written is NOTHING else {"tier": [written]})
    assert decisions(found) == {"tier": decision}
    if decision == "equal":
        assert found.equal.rows() == [("a", "tier", wanted)]
        assert found.cells.is_empty()
    else:
        assert found.cells.drop("reason").rows() == [("a", "tier", now, wanted, decision)]
        assert found.equal.is_empty()


@pytest.mark.parametrize(
    ("now", "wanted", "decision"),
    [
        ("82.34", "85", "held"),
        ("82.34", "82.3", "equal"),
        ("82.30", "85", "write"),
        ("82.300000000000004", "85", "write"),
    ],
)
def test_a_finer_number_is_a_persons_and_means_what_we_want(now: str, wanted: str, decision: str) -> None:
    """A CRM may keep more decimals than we write; those of a double are none."""
    shown = canonical_frame(pl.DataFrame({"source_id": ["a"], "score": [now]}), OURS)["score"].item()
    assert decisions(plan({"score": (wanted, shown)}, {"score": ["82.3"]})) == {"score": decision}


def test_a_finer_number_that_means_what_we_want_does_not_become_ours() -> None:
    """What is learned of it is what we want: a later plan still finds a person's there."""
    found = plan({"score": ("82.3", "82.34")}, {"score": ["82.3"]})
    assert found.equal.rows() == [("a", "score", "82.3")]
    assert decisions(plan({"score": ("85", "82.34")}, {"score": found.equal["value"].to_list()})) == {"score": "held"}


def test_a_stamp_does_not_sign_a_finer_number() -> None:
    """Not even where the ledger is lost."""
    stamp = plan({"tier": ("key", None), "score": ("82.3", "82.34"), "stamp": (None, None)}).cells
    signed = stamp.row(by_predicate=pl.col("field") == "stamp", named=True)["after"]
    lost = plan({"tier": ("growth", "key"), "score": ("85", "82.34"), "stamp": (None, signed)})
    assert (decisions(lost)["score"], decisions(lost)["tier"]) == ("held", "write")


def test_any_value_that_we_may_have_written_is_ours() -> None:
    """A write whose answer was lost left one of two values; either may be written over, a third not."""
    ours = {"tier": ["key", "growth"]}
    assert decisions(plan({"tier": ("standard", "key")}, ours)) == {"tier": "write"}
    assert decisions(plan({"tier": ("standard", "growth")}, ours)) == {"tier": "write"}
    assert decisions(plan({"tier": ("standard", "strategic")}, ours)) == {"tier": "held"}


def test_ours_is_ours_in_its_own_cell_only() -> None:
    """The same value in another field, or of another account, was not written by us."""
    assert decisions(plan({"rfm": ("555", "111")}, {"reason": ["111"]})) == {"rfm": "held"}
    one = pl.DataFrame({"source_id": ["a", "b"], "tier": ["key", "key"]})
    now = pl.DataFrame({"source_id": ["a", "b"], "tier": ["growth", "growth"]})
    ours = pl.DataFrame({"source_id": ["a"], "field": ["tier"], "value": ["growth"]})
    found = compare(one, now, ours, Terms([FIELD["tier"]], DAY, CADENCE))
    assert found.to_write["source_id"].to_list() == ["a"]
    assert found.held["source_id"].to_list() == ["b"]


def test_only_accounts_on_both_sides_are_compared() -> None:
    """An account that is gone from the CRM, or was not scored, has no cell."""
    ours = pl.DataFrame(schema=dict.fromkeys(["source_id", "field", "value"], pl.String))
    wanted = pl.DataFrame({"source_id": ["a", "b"], "tier": ["key", "key"]})
    now = pl.DataFrame({"source_id": ["b", "c"], "tier": [None, "key"]})
    found = compare(wanted, now, ours, Terms([FIELD["tier"]], DAY, CADENCE))
    assert found.cells.rows() == [("b", "tier", None, "key", "write", "empty")]


def test_a_day_that_passes_causes_no_write() -> None:
    """Days since touch alone, on the same side of the cadence, is neither written nor counted as anything."""
    found = plan({"tier": ("key", "key"), "days_since_touch": ("12", "11")}, {"days_since_touch": ["11"]})
    assert decisions(found) == {"tier": "equal"}


@pytest.mark.parametrize(
    ("tier", "wanted", "now", "writes"),
    [
        ("key", "61", "60", True),
        ("key", "60", "59", False),
        ("key", "62", "61", False),
        ("key", "3", "61", True),
        ("key", "60", "61", True),
        ("strategic", "31", "30", True),
        ("growth", "61", "60", False),
        ("standard", "400", "3", False),
        ("key", "1", None, True),
        ("key", None, "1", True),
        ("standard", "1", None, True),
        ("standard", None, "1", True),
    ],
)
def test_crossing_the_cadence_causes_a_write(tier: str, wanted: Any, now: Any, writes: bool) -> None:
    """More days than the tier allows, back within them, a first touch or none any more: worth a write.

    A tier without a cadence has nothing to cross.
    """
    found = plan({"tier": (tier, tier), "days_since_touch": (wanted, now)}, {"days_since_touch": [now]})
    expected = {"tier": "equal"} | ({"days_since_touch": "write"} if writes else {})
    assert decisions(found) == expected


def test_passengers_ride_along() -> None:
    """When another field is written, days since touch and the date are too."""
    found = plan(
        {"tier": ("growth", "key"), "days_since_touch": ("12", "11"), "scored_on": (None, "2026-06-01")},
        {"tier": ["key"], "days_since_touch": ["11"], "scored_on": ["2026-06-01"]},
    )
    assert decisions(found) == {"tier": "write", "days_since_touch": "write", "scored_on": "write"}
    stamp = found.cells.filter(pl.col("field") == "scored_on")
    assert stamp.rows() == [("a", "scored_on", "2026-06-01", "2026-06-30", "write", "ours")]


def test_the_date_stays_without_another_write() -> None:
    """Neither equal, held nor idle cells move `scored_on`."""
    found = plan(
        {
            "tier": ("key", "key"),
            "rfm": ("555", "111"),
            "days_since_touch": ("12", "11"),
            "scored_on": (None, "2026-06-01"),
        },
        {"days_since_touch": ["11"], "scored_on": ["2026-06-01"]},
    )
    assert decisions(found) == {"tier": "equal", "rfm": "held"}


def test_the_date_of_today_is_equal_and_one_of_a_person_is_held() -> None:
    """`scored_on` is decided like any other cell once it rides along."""
    assert decisions(plan({"tier": ("key", None), "scored_on": (None, "2026-06-30")}))["scored_on"] == "equal"
    assert decisions(plan({"tier": ("key", None), "scored_on": (None, "2020-01-01")}))["scored_on"] == "held"
    assert decisions(plan({"tier": ("key", None), "scored_on": (None, None)}))["scored_on"] == "write"


def test_values_of_ours_in_the_crm_are_confirmed() -> None:
    """Also those of cells that are not written today: the plan that wrote them may not know it, and ends now.

    A person's values are not ours, and what is wanted anyway stands among the equal ones.
    """
    found = plan(
        {"tier": ("growth", "key"), "rfm": ("555", "111"), "reason": ("x", "x"), "quadrant": ("key", None)},
        {"tier": ["key"]},
    )
    assert found.confirmed.rows() == [("a", "tier", "key")]
    idle = plan(
        {"tier": ("key", "key"), "days_since_touch": ("13", "12"), "scored_on": (None, "2026-06-01")},
        {"days_since_touch": ["11", "12"]},
    )
    assert decisions(idle) == {"tier": "equal"}
    assert idle.confirmed.rows() == [("a", "days_since_touch", "12")]


@pytest.mark.parametrize(
    ("held", "confirmed"), [("2026-06-01", [("a", "scored_on", "2026-06-01")]), ("2020-01-01", [])]
)
def test_a_day_of_ours_is_confirmed_where_nothing_is_written(held: str, confirmed: list[Any]) -> None:
    """A write whose answer was lost leaves nothing to write; its day must not be taken for a person's later."""
    found = plan({"tier": ("key", "key"), "scored_on": (None, held)}, {"tier": ["key"], "scored_on": ["2026-06-01"]})
    assert decisions(found) == {"tier": "equal"}
    assert found.confirmed.rows() == confirmed


def test_where_every_change_is_reviewed_a_late_touch_is_too() -> None:
    """It rides along with what is written anyway, and causes no write that nobody approved."""
    rules = load_rules().model_copy(update={"fields": {"default": "review"}})
    cells = {"tier": ("key", "key"), "days_since_touch": ("61", "60"), "scored_on": (None, "2026-06-29")}
    ours = {"tier": ["key"], "days_since_touch": ["60"], "scored_on": ["2026-06-29"]}
    found = plan(cells, ours, rules=rules)
    assert decisions(found) == {"tier": "equal", "days_since_touch": "review", "scored_on": "review"}


def test_one_account_does_not_drive_another() -> None:
    """Passengers ride with their own account."""
    key = ["source_id", "field", "value"]
    wanted = pl.DataFrame({"source_id": ["a", "b"], "tier": ["key", "key"], "days_since_touch": ["5", "5"]})
    now = pl.DataFrame(
        {"source_id": ["a", "b"], "tier": [None, "key"], "days_since_touch": ["4", "4"], "scored_on": [None, None]},
        schema_overrides={"scored_on": pl.String},
    )
    ours = pl.DataFrame([(i, "days_since_touch", "4") for i in ("a", "b")], schema=key, orient="row")
    fields = [FIELD[k] for k in ("tier", "days_since_touch", "scored_on")]
    found = compare(wanted, now, ours, Terms(fields, DAY, CADENCE))
    assert set(found.to_write["source_id"]) == {"a"}
    assert found.to_write["field"].to_list() == ["days_since_touch", "scored_on", "tier"]


def test_a_field_that_the_crm_does_not_show_has_no_cell() -> None:
    """It cannot be compared, so it is not written; nor is a stamp without its field."""
    wanted = pl.DataFrame({"source_id": ["a"], "tier": ["key"], "rfm": ["555"]})
    now = pl.DataFrame({"source_id": ["a"], "tier": [None]}, schema_overrides={"tier": pl.String})
    ours = pl.DataFrame(schema=dict.fromkeys(["source_id", "field", "value"], pl.String))
    fields: list[CustomField] = [FIELD[k] for k in ("tier", "rfm", "scored_on")]
    found = compare(wanted, now, ours, Terms(fields, DAY, {}))
    assert found.cells["field"].to_list() == ["tier"]


def test_order_of_rows_means_nothing() -> None:
    """Cells come sorted by account and field, however the inputs were ordered."""
    ids = [f"a{n}" for n in range(20)]
    wanted = pl.DataFrame({"source_id": ids, "tier": ["key", "growth"] * 10, "rfm": ["555"] * 20})
    now = pl.DataFrame({"source_id": ids, "tier": ["key", None, "growth", "standard"] * 5, "rfm": ["555", "1"] * 10})
    ours = pl.DataFrame({"source_id": ids, "field": ["tier"] * 20, "value": ["growth"] * 20})
    fields = [FIELD["tier"], FIELD["rfm"]]
    first = compare(wanted, now, ours, Terms(fields, DAY, CADENCE))
    mixed = [f.sample(fraction=1, shuffle=True, seed=7) for f in (wanted, now, ours)]
    second = compare(*mixed, Terms(fields[::-1], DAY, CADENCE))  # type: ignore[arg-type]
    assert first.cells.equals(second.cells)
    assert first.equal.sort("source_id", "field").equals(second.equal.sort("source_id", "field"))
    keys = first.cells.select("source_id", "field").rows()
    assert keys == sorted(keys)


def test_nothing_to_compare() -> None:
    """Empty frames give an empty plan of the stated shape."""
    texts = dict.fromkeys(["source_id", "tier", "days_since_touch", "scored_on"], pl.String)
    ours = pl.DataFrame(schema=dict.fromkeys(["source_id", "field", "value"], pl.String))
    found = compare(pl.DataFrame(schema=texts), pl.DataFrame(schema=texts), ours, Terms(OURS, DAY, CADENCE))
    assert found.cells.columns == ["source_id", "field", "before", "after", "decision", "reason"]
    assert found.equal.columns == ["source_id", "field", "value"]
    assert found.cells.is_empty()
    assert found.equal.is_empty()


def test_canonical_frame_spells_the_fields_it_has() -> None:
    """Columns that are no field are dropped; numbers and texts are spelled as they are compared."""
    frame = pl.DataFrame({"source_id": ["a"], "score": [71.0], "tier": [" key "], "name": ["x"]})
    assert canonical_frame(frame, OURS).to_dicts() == [{"source_id": "a", "tier": "key", "score": "71"}]


def test_what_was_written_to_a_merged_account_may_stand_in_its_survivor() -> None:
    """Through a chain of merges, and a ring of them ends; the survivor's own values stay."""
    ours = pl.DataFrame(
        [("a", "tier", "key"), ("b", "tier", "growth"), ("c", "tier", None)],
        schema=["source_id", "field", "value"],
        orient="row",
    )
    merges = pl.DataFrame(
        [("a", "b"), ("b", "c"), ("c", None), ("x", "y"), ("y", "x")],
        schema=["source_id", "merged_into_id"],
        orient="row",
    )
    known = with_inherited(ours, merges)
    assert sorted(known.rows(), key=str) == [
        ("a", "tier", "key"),
        ("b", "tier", "growth"),
        ("b", "tier", "key"),
        ("c", "tier", "growth"),
        ("c", "tier", "key"),
        ("c", "tier", None),
    ]
