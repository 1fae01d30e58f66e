"""Takes a plan back: each cell that still holds what it wrote gets its value of before again."""

from __future__ import annotations

import polars as pl

from kammodel.publish.deciding import CELL


def taken_back(written: pl.DataFrame, now: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """The cells of the plan that undoes another: source_id, field, before, after, after_spelled, decision and reason.

    `written` (source_id, field, before, before_spelled, after, reason): the cells that the other wrote, or may have.
    `now`: source_id and a canonical text column per field. `ours` (source_id, field, value): what we last wrote, or
    may have.

    | the CRM holds now                | decision                              |
    |----------------------------------|---------------------------------------|
    | what stood there before          | none: there is nothing to take back   |
    | what the plan wrote, and is ours | write: what stood there before        |
    | what a later plan of ours wrote  | held: newer                           |
    | anything else                    | held: edited                          |

    Where the plan wrote over a person's value, by the rule of the field, it is that person's which is given back: the
    reason says so (returned; and once that is undone, rule again), since their text may not be shown.

    What the plan wrote and is ours no more was written over since, and then entered by somebody. An account that is
    gone has no cells. Undoing an undo is the same, one plan later.
    """
    held = now.unpivot(index="source_id", variable_name="field", value_name="now")
    last = ours.select(*CELL, now="value", is_ours=pl.lit(value=True)).unique()
    judged = written.select(*CELL, "before", "before_spelled", "after", why="reason").join(held, on=CELL)
    judged = judged.join(last, on=[*CELL, "now"], how="left", nulls_equal=True)
    is_ours = pl.col("is_ours").fill_null(value=False)
    is_its, is_before = is_ours & pl.col("now").eq_missing(pl.col("after")), pl.col("now").eq_missing(pl.col("before"))
    undone = pl.col("why").replace({"rule": "returned", "returned": "rule"})
    back = pl.when(pl.col("why").is_in(["rule", "returned"])).then(undone).otherwise(pl.lit("undo"))
    reason = pl.when(is_its).then(back).when(is_ours).then(pl.lit("newer")).otherwise(pl.lit("edited"))
    return (
        judged.filter(~is_before)
        .select(
            *CELL,
            before="now",
            after="before",
            after_spelled="before_spelled",
            decision=pl.when(is_its).then(pl.lit("write")).otherwise(pl.lit("held")),
            reason=reason,
        )
        .sort(CELL)
    )
