"""What people see of a plan: where it stands, and its cells but for what a person typed as free text."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from flows.report.cells import NO_TEXTS, cell_rows, cells_csv, state_of
from kammodel.entities import PublishPlan
from kammodel.publish.undo import taken_back

AT, HOUR = dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC), dt.timedelta(hours=1)
TEXTS = frozenset({"reason"})
THEIRS, OURS = "call Jane Roe", "Key (71.5)"
CELL = dict.fromkeys(
    ("source_id", "field", "before", "after", "decision", "reason", "outcome", "code", "message"), pl.String
)


def cell(before: str | None, after: str | None, decision: str, reason: str, code: str | None = None) -> pl.DataFrame:
    row = ("1", "reason", before, after, decision, reason, None, code, None)
    return pl.DataFrame([row], schema=CELL, orient="row").with_columns(before_spelled=pl.lit(None, pl.String))


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (cell(None, OURS, "write", "empty"), ("", OURS)),
        (cell("Key (70)", OURS, "write", "ours"), ("Key (70)", OURS)),
        (cell(THEIRS, OURS, "held", "person"), ("(a person's text)", OURS)),
        (cell(None, OURS, "held", "undone"), ("", OURS)),
        (cell(THEIRS, OURS, "held", "edited", "EDITED"), ("(a person's text)", OURS)),
        (cell(THEIRS, OURS, "write", "rule"), ("(a person's text)", OURS)),
        (cell(OURS, THEIRS, "write", "returned"), (OURS, "(a person's text)")),
    ],
)
def test_what_a_person_typed_is_not_shown(cells: pl.DataFrame, shown: tuple[str, str]) -> None:
    """Also where the rule of the field writes over it, and where an undo gives it back."""
    ((_, _, before, after, *_),) = cell_rows(cells, TEXTS)
    assert (before, after) == shown
    assert THEIRS not in cells_csv(cells, TEXTS)


def test_what_is_chosen_from_a_list_is_shown() -> None:
    """Whoever reviews a plan has to see which tier was set by hand."""
    ((_, _, before, *_),) = cell_rows(cell("growth", "key", "write", "rule"), NO_TEXTS)
    assert before == "growth"


@pytest.mark.parametrize(
    ("outcomes", "to_review", "told", "state"),
    [
        ({"pending": 1}, 0, {}, "to be written"),
        ({"waiting": 1}, 0, {}, "to be written"),
        ({"pending": 1}, 0, {"tripped": ["x"]}, "waits for approval"),
        ({"held": 1}, 1, {"tripped": ["x"]}, "waits for approval"),
        ({"pending": 1}, 0, {"tripped": ["x"], "approved_at": AT}, "to be written"),
        ({"written": 3, "held": 1}, 1, {"applied_at": AT}, "waits for review"),
        ({"written": 3, "held": 1}, 0, {"applied_at": AT}, "applied"),
        ({"pending": 1}, 0, {"expires_at": AT - HOUR}, "too old"),
        ({"written": 1}, 0, {"expires_at": AT - HOUR, "applied_at": AT - HOUR}, "applied"),
        ({"superseded": 1}, 0, {"tripped": ["x"]}, "overtaken"),
        ({}, 0, {}, "nothing to write"),
    ],
)
def test_where_a_plan_stands(outcomes: dict[str, int], to_review: int, told: dict[str, Any], state: str) -> None:
    """Whoever looks at the list sees what to do next."""
    of: dict[str, Any] = {
        "plan_id": "p",
        "source": "hubspot",
        "source_instance": "1",
        "planned_at": AT,
        "as_of": AT.date(),
    }
    assert state_of(PublishPlan(**of | told), outcomes, to_review, AT) == state


def test_an_undo_says_whose_value_it_gives_back() -> None:
    """As they had spelled it. Undone in turn, theirs is written over by the rule of the field as it was the first
    time."""
    written = cell(THEIRS, OURS, "write", "rule").with_columns(before_spelled=pl.lit(f" {THEIRS}"))
    ours = pl.DataFrame({"source_id": ["1"], "field": ["reason"], "value": [OURS]})
    undo = taken_back(written, pl.DataFrame({"source_id": ["1"], "reason": [OURS]}), ours)
    assert undo.rows() == [("1", "reason", OURS, THEIRS, f" {THEIRS}", "write", "returned")]
    again = taken_back(
        undo.with_columns(before_spelled=pl.lit(None, pl.String)),
        pl.DataFrame({"source_id": ["1"], "reason": [THEIRS]}),
        ours.with_columns(value=pl.lit(THEIRS)),
    )
    assert again.rows() == [("1", "reason", THEIRS, OURS, None, "write", "rule")]
