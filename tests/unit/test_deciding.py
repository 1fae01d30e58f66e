"""The truth table of a cell: what we want, what we last wrote and what stands there now, by the rule of its field."""

from itertools import product

import polars as pl
import pytest

from kammodel.publish.deciding import decided
from kammodel.publish.rules import FieldRule, PublishRules, load_rules

A, B, C = "key", "growth", "standard"
NEVER = "never written"
"""The ledger knows nothing of the cell; null is a value that we may have written."""
CASES = list(product((NEVER, None, A, B, C), (None, A, B, C), (None, A, B, C)))
NONE = pl.DataFrame(schema=dict.fromkeys(("source_id", "field", "undone"), pl.String))


def ruled(rule: FieldRule) -> PublishRules:
    rules = load_rules()
    return rules.model_copy(update={"fields": {"default": rule}})


def decision(last: str | None, now: str | None, wanted: str | None, rule: FieldRule) -> tuple[str, str | None]:
    cell = {"source_id": ["a"], "field": ["tier"], "before": [now], "meant": [now], "after": [wanted]}
    cells = pl.DataFrame(cell, schema=dict.fromkeys(cell, pl.String))
    ours = pl.DataFrame({"source_id": ["a"], "field": ["tier"], "value": [last]}, schema_overrides={"value": pl.String})
    told = decided(cells, ours.clear() if last == NEVER else ours, ruled(rule), NONE)
    return told["decision"].item(), told["reason"].item()


@pytest.mark.parametrize(("last", "now", "wanted"), CASES)
def test_person_wins(last: str | None, now: str | None, wanted: str | None) -> None:
    """A value that is neither what we wrote nor what we want is a person's, until it is cleared."""
    if now == wanted:
        expected = ("equal", None)
    elif now is None:
        expected = ("write", "empty")
    else:
        expected = ("write", "ours") if now == last else ("held", "person")
    assert decision(last, now, wanted, "person-wins") == expected


@pytest.mark.parametrize(("last", "now", "wanted"), CASES)
def test_ours(last: str | None, now: str | None, wanted: str | None) -> None:
    """Whatever stands there is written over."""
    found, _ = decision(last, now, wanted, "ours")
    assert found == ("equal" if now == wanted else "write")


@pytest.mark.parametrize(("last", "now", "wanted"), CASES)
def test_fill_if_empty(last: str | None, now: str | None, wanted: str | None) -> None:
    """Only an empty field is written, and none is cleared."""
    found, _ = decision(last, now, wanted, "fill-if-empty")
    assert found == ("equal" if now == wanted else "write" if now is None else "held")


@pytest.mark.parametrize(("last", "now", "wanted"), CASES)
def test_review(last: str | None, now: str | None, wanted: str | None) -> None:
    """What a person could lose by it is held; every other change is approved first."""
    found, _ = decision(last, now, wanted, "review")
    assert found == {"write": "review"}.get(decision(last, now, wanted, "person-wins")[0], found)
    assert found != "write"


def test_what_was_taken_back_is_not_written_again() -> None:
    """The same value into the same cell; another value is news."""
    cells = pl.DataFrame(
        {"source_id": ["a", "b", "c"], "field": ["tier"] * 3, "before": [None, None, None], "after": [A, A, B]},
        schema_overrides={"before": pl.String},
    ).with_columns(meant="before")
    undone = pl.DataFrame({"source_id": ["a", "c"], "field": ["tier", "tier"], "undone": [A, A]})
    ours = pl.DataFrame(schema=dict.fromkeys(("source_id", "field", "value"), pl.String))
    told = decided(cells, ours, load_rules(), undone)
    assert told["decision"].to_list() == ["held", "write", "write"]
    assert told["reason"].to_list() == ["undone", "empty", "empty"]


def test_nobody_types_a_stamp() -> None:
    """What stands in it is written over, by whatever rule."""
    cells = pl.DataFrame({"source_id": ["a"], "field": ["stamp"], "before": ["x"], "meant": ["x"], "after": ["1.abcd"]})
    ours = pl.DataFrame(schema=dict.fromkeys(("source_id", "field", "value"), pl.String))
    assert decided(cells, ours, ruled("review"), NONE)["decision"].item() == "write"
