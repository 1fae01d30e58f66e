"""Decides cells: what we want, what the CRM holds now, and whether that is ours.

| the CRM holds now          | person-wins | ours  | fill-if-empty | review |
|----------------------------|-------------|-------|---------------|--------|
| what we want               | equal       | equal | equal         | equal  |
| nothing                    | write       | write | write         | review |
| a value that we wrote      | write       | write | held          | review |
| any other value            | held        | write | held          | held   |

A number with more decimals than we write counts as what we want where it rounds to that, never as one that we wrote.
A value that was taken back by an undo is not written a second time into the same cell: held, until we want another.
"""

from __future__ import annotations

import polars as pl

from kammodel.publish import stamp
from kammodel.publish.rules import FieldRule, PublishRules

CELL = ["source_id", "field"]
PASSENGERS = ("days_since_touch", "scored_on", stamp.FIELD)
"""Fields that are written along with others, and cause no write themselves."""

REASONS = {
    "empty": "nothing stands there",
    "ours": "what stands there is ours",
    "rule": "by its rule the field is ours",
    "approved": "approved by a person",
    "undo": "takes back what was written",
    "redo": "writes again what was taken back",
    "returned": "gives back what a person had entered",
    "person": "a person's value stands there",
    "filled": "by its rule only an empty field is filled",
    "undone": "the same value was taken back before",
    "review": "by its rule every change is approved first",
    "edited": "somebody changed it since",
    "newer": "a later plan has written it since",
}
"""Why a cell is decided as it is, by code."""


def decided(cells: pl.DataFrame, ours: pl.DataFrame, rules: PublishRules, undone: pl.DataFrame) -> pl.DataFrame:
    """`cells` (source_id, field, before, meant, after) with `decision` (equal, write, review or held), `reason` and
    `is_ours`. `meant`: what `before` is at the decimals that we write.

    `ours` (source_id, field, value): the values that we wrote, or may have written. `undone` (source_id, field,
    undone): the values that were taken back. Null is a value like any other: a cleared field.
    """
    known = ours.select(*CELL, before="value", is_ours=pl.lit(value=True)).unique()
    back = undone.select(*CELL, after="undone", is_undone=pl.lit(value=True)).unique()
    judged = cells.join(known, on=[*CELL, "before"], how="left", nulls_equal=True, maintain_order="left")
    judged = judged.join(back, on=[*CELL, "after"], how="left", nulls_equal=True, maintain_order="left")
    keys = judged["field"].unique().to_list()
    rule = pl.col("field").replace_strict({k: _rule(k, rules) for k in keys}, return_dtype=pl.String)
    is_empty, is_ours = pl.col("before").is_null(), pl.col("is_ours").fill_null(value=False)
    told = (
        pl.when(pl.col("meant").eq_missing(pl.col("after")))
        .then(_both("equal", None))
        .when(pl.col("is_undone").fill_null(value=False))
        .then(_both("held", "undone"))
        .when(_is(rule, "ours") & ~is_empty & ~is_ours)
        .then(_both("write", "rule"))
        .when(~is_empty & ~is_ours)
        .then(_both("held", "person"))
        .when(_is(rule, "fill-if-empty") & ~is_empty)
        .then(_both("held", "filled"))
        .when(_is(rule, "review"))
        .then(_both("review", "review"))
        .when(is_empty)
        .then(_both("write", "empty"))
        .otherwise(_both("write", "ours"))
    )
    return judged.with_columns(told.alias("told"), is_ours=is_ours).select(
        *CELL,
        "before",
        "after",
        pl.col("told").struct.field("decision"),
        pl.col("told").struct.field("reason"),
        "is_ours",
    )


def _rule(key: str, rules: PublishRules) -> FieldRule:
    """Nobody types a stamp; what rides along is not approved by itself."""
    if key == stamp.FIELD:
        return "ours"
    rule = rules.rule_of(key)
    return "person-wins" if key in PASSENGERS and rule == "review" else rule


def _is(rule: pl.Expr, name: FieldRule) -> pl.Expr:
    return rule == name


def _both(decision: str, reason: str | None) -> pl.Expr:
    return pl.struct(decision=pl.lit(decision), reason=pl.lit(reason, pl.String))
