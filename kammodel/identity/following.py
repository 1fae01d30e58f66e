"""Ties between numbered rows: following them to the end, and what hangs together by them. Whole columns at a time."""

from __future__ import annotations

import polars as pl

INDEX = pl.Int64


def follow(step: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Walks along `step` (each row's next row, itself at the end) farther than the longest way there is.

    `reached`: where each walk then stands, at an end or somewhere in a ring. `least`: the smallest row met on
    a walk that long, so that `least` of a row in a ring is the ring's smallest. Doubling: log2(n) rounds.
    """
    reached = step
    least = pl.int_range(step.len(), dtype=INDEX, eager=True)
    for _ in range(step.len().bit_length()):
        least = pl.select(pl.min_horizontal(least, least.gather(reached))).to_series()
        reached = reached.gather(reached)
    return reached, least


def components(n: int, left: pl.Series, right: pl.Series) -> pl.Series:
    """For each of n rows the smallest row that links lead to, directly or through others."""
    label = pl.int_range(n, dtype=INDEX, eager=True)
    if left.is_empty():
        return label
    here, there = pl.concat([left, right]), pl.concat([right, left])
    for _ in range(n):
        offered = pl.DataFrame({"row": here, "label": label.gather(there)}).group_by("row").agg(pl.col("label").min())
        joined = pl.DataFrame({"row": pl.int_range(n, dtype=INDEX, eager=True), "own": label}).join(
            offered, on="row", how="left", maintain_order="left"
        )
        lower = joined.select(pl.min_horizontal("own", "label")).to_series()
        lower = lower.gather(lower)
        if lower.equals(label):
            break
        label = lower
    return label
