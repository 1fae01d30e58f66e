"""Takes a plan back: each cell that still holds what it wrote gets its value of before again."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.publish.deciding import CELL

_AGAIN = {"undo": "redo", "redo": "undo", "rule": "returned", "returned": "rule"}
"""The reason of a cell that takes back one of this reason."""
_TAKES_BACK = ("undo", "returned")


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
    gone has no cells. Undoing an undo is the same, one plan later (redo).
    """
    held = now.unpivot(index="source_id", variable_name="field", value_name="now")
    last = ours.select(*CELL, now="value", is_ours=pl.lit(value=True)).unique()
    judged = written.select(*CELL, "before", "before_spelled", "after", why="reason").join(held, on=CELL)
    judged = judged.join(last, on=[*CELL, "now"], how="left", nulls_equal=True)
    is_ours = pl.col("is_ours").fill_null(value=False)
    is_its, is_before = is_ours & pl.col("now").eq_missing(pl.col("after")), pl.col("now").eq_missing(pl.col("before"))
    back = pl.col("why").replace_strict(_AGAIN, default="undo", return_dtype=pl.String)
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


@dataclass(frozen=True)
class Unfinished:
    """An undo that broke off, against what the CRM holds now: its cells (source_id, field, before, after,
    after_spelled, decision, reason) that are not known to be written. `done`: there is what it gives back; `left`:
    there is what it takes back, still. Where there is anything else, somebody has the last word: those are neither."""

    done: pl.DataFrame
    left: pl.DataFrame

    def now(self, held: pl.DataFrame) -> pl.DataFrame:
        """What the CRM holds (source_id and a text column per field) as it will be once nothing is left."""
        for key in self.left["field"].unique().sort():
            given = self.left.filter(field=key).select("source_id", given="after", is_left=pl.lit(value=True))
            joined = held.join(given, on="source_id", how="left", maintain_order="left")
            value = pl.when("is_left").then("given").otherwise(key).alias(key)
            held = joined.with_columns(value).select(held.columns)
        return held

    def undone(self, known: pl.DataFrame) -> pl.DataFrame:
        """The values that were taken back (source_id, field, undone), likewise."""
        cells = pl.concat([self.done, self.left])
        back = cells.filter(pl.col("reason").is_in(_TAKES_BACK)).select(*CELL, undone="before")
        return pl.concat([known.join(cells, on=CELL, how="anti"), back.select(known.columns)])

    def with_rest(self, cells: pl.DataFrame) -> pl.DataFrame:
        """The cells of a plan that was made by `now`, and what is left. A cell of which the plan makes something newer
        goes there at once; but what is a person's is given back to them before a rule may write over it."""
        if self.left.is_empty():
            return cells
        rest = self.left.select(*CELL, "before", "after", "after_spelled", "decision", "reason")
        spelled = [] if "after_spelled" in cells.columns else [pl.lit(None, pl.String).alias("after_spelled")]
        cells = cells.with_columns(*spelled).select(rest.columns)
        ours = rest.filter(pl.col("reason") != "returned").select(*CELL, stands="before")
        newer = cells.filter(decision="write").join(ours, on=CELL).with_columns(before="stands").select(rest.columns)
        differing = newer.filter(pl.col("before").ne_missing(pl.col("after")))
        others, left = cells.join(rest, on=CELL, how="anti"), rest.join(newer, on=CELL, how="anti")
        return pl.concat([others, differing, left]).sort(CELL)


def unfinished(pending: pl.DataFrame, now: pl.DataFrame) -> Unfinished:
    """What became of cells of an undo whose outcome was never learned. `now`: what the CRM holds, as it is compared."""
    there = now.join(pending, on="source_id", how="semi")
    held = there.unpivot(index="source_id", variable_name="field", value_name="now")
    found = pending.join(held, on=CELL, maintain_order="left")
    is_done, is_left = (pl.col("now").eq_missing(pl.col(column)) for column in ("after", "before"))
    return Unfinished(found.filter(is_done), found.filter(~is_done & is_left))
